// SPDX-License-Identifier: BSD-3-Clause
#include "crowd/report.hpp"

#include "crowd/joint_errors.hpp"
#include "hrixs/cloud_fit.hpp"

#include <algorithm>
#include <limits>

namespace hrixs::crowd {

namespace {

// With less light of others at its place, in photons, a photon stands alone.
constexpr double alone = 0.01;

// Farther neighbours, in parts of what is near, don't show in a photon's errors.
constexpr double neighbours = 0.85;
constexpr double farthest_neighbour = 4.0; // pixels
// Farther from a band neither neighbours of its photons lie nor photons that light its pixels.
constexpr Index beside_band = 8;
static_assert(beside_band < band_rows);

} // namespace

void Report::make(Index number, Scene& scene) {
    const PhotonList& photons = scene.photons();
    const Canvas& canvas = scene.canvas();
    const Index nx = canvas.nx();
    table.clear();
    crowding.clear();
    light_sums = LightSums{};
    rest_ = 0.0;
    dark_ = 0.0;
    photons_.sort(photons.size(), n_bands(nx),
                  [&](std::int32_t k) { return band_at(photons[k].centre_x, nx); });
    tiles_.sort(canvas.size(), n_bands(nx), [&](std::int32_t slot) {
        return band_at(Canvas::first_pixel(canvas.state(slot).i), nx);
    });
    lit_.clear(canvas);
    for (Index band = 0; band < n_bands(nx); ++band) {
        gather(scene, band);
        scene.equations().make(scene.canvas(), scene.photons(), scene.light(), together_);
        neighbourhood_.find(scene.equations(), together_, photons);
        for (const std::int32_t a : order_)
            append(number, scene, a);
        add_up_tiles(scene, band);
    }
    light_sums.charge = light_sums.light + rest_;
    if (light_sums.dark_pixels > 0)
        light_sums.dark_level = dark_ / static_cast<double>(light_sums.dark_pixels);
}

// The photons of a band, in the order that they are told in, and those that lie near to it.
void Report::gather(Scene& scene, Index band) {
    const PhotonList& photons = scene.photons();
    together_.clear();
    for (const std::int32_t k : photons_[band])
        if (photons[k].is_there)
            together_.push_back(k);
    std::sort(together_.begin(), together_.end(), [&](std::int32_t a, std::int32_t b) {
        const Photon& p = photons[a];
        const Photon& q = photons[b];
        return p.x != q.x ? p.x < q.x : p.y < q.y;
    });
    order_.resize(together_.size());
    for (std::size_t a = 0; a < order_.size(); ++a)
        order_[a] = static_cast<std::int32_t>(a);
    const Index begin = band * band_rows - beside_band;
    const Index end = (band + 1) * band_rows + beside_band;
    for (const Index other : {band - 1, band + 1})
        if (other >= 0 && other < n_bands(scene.canvas().nx()))
            for (const std::int32_t k : photons_[other])
                if (photons[k].is_there && photons[k].centre_x >= begin &&
                    photons[k].centre_x < end)
                    together_.push_back(k);
}

void Report::append(Index number, Scene& scene, std::int32_t a) {
    const Photon& photon = scene.photons()[together_[static_cast<std::size_t>(a)]];
    constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
    const Profile& profile = scene.profile();
    const Equations& equations = scene.equations();
    const double charge = static_cast<double>(scene.light().charge);
    const Group group =
        neighbourhood_.group_of(a, std::min(neighbours * profile.near(), farthest_neighbour));
    const double crowded = crowding_of(scene, group);
    const PlaceErrors errors = joint_errors(equations, neighbourhood_, group);
    const auto at = static_cast<std::size_t>(a);
    const Remainder own =
        scene.kernels().remainder(equations.photon(at).window, equations.cloud(at), scene.light());
    const int size = 2 * profile.reach() + 1;
    const int pixels = static_cast<int>(own.pixels);
    std::uint8_t flag = 0;
    if (group.size > 1)
        flag |= neighbour;
    if (pixels < size * size)
        flag |= cut;
    const double own_charge = charge * (1.0 + static_cast<double>(own.excess));
    table.append(
        {number, photon.x, photon.y, crowded < alone ? own_charge : charge, std::uint8_t{0}});
    append_row(table.fitted,
               {errors.sigma_x, errors.sigma_y,
                static_cast<double>(own.chi2) / std::max(pixels - 2, 1), unknown, unknown, flag});
    crowding.push_back(crowded);
    light_sums.light += charge * static_cast<double>(own.seen);
}

// Light of others at the place of a group's first photon, by its own.
double Report::crowding_of(Scene& scene, const Group& group) const {
    if (group.size == 1)
        return 0.0;
    const Equations& equations = scene.equations();
    const auto overlap = [&](std::int32_t other) {
        const auto a = static_cast<std::size_t>(group.member[0].photon);
        const auto b = static_cast<std::size_t>(other);
        const Photon& p = scene.photons()[together_[a]];
        const Photon& q = scene.photons()[together_[b]];
        return static_cast<double>(
            scene.kernels().overlap(equations.cloud(a), equations.cloud(b),
                                    static_cast<std::int32_t>(p.centre_x - q.centre_x),
                                    static_cast<std::int32_t>(p.centre_y - q.centre_y)));
    };
    double others = 0.0;
    for (int n = 1; n < group.size; ++n)
        others += overlap(group.member[static_cast<std::size_t>(n)].photon);
    return others / overlap(group.member[0].photon);
}

// Pixels as far from photons as their windows go, and one more, have no light to speak of.
void Report::add_up_tiles(Scene& scene, Index band) {
    const Canvas& canvas = scene.canvas();
    for (const std::int32_t k : together_)
        lit_.mark(canvas, scene.photons()[k].centre_x, scene.photons()[k].centre_y,
                  scene.profile().reach() + 1);
    for (const std::int32_t slot : tiles_[band]) {
        const TileSums sums = scene.kernels().tile_sums(canvas.tile(slot), lit_.of_tile(slot));
        rest_ += static_cast<double>(sums.rest);
        dark_ += static_cast<double>(sums.dark);
        light_sums.variance += static_cast<double>(sums.variance);
        light_sums.pixels += sums.pixels;
        light_sums.dark_pixels += sums.dark_pixels;
    }
}

} // namespace hrixs::crowd
