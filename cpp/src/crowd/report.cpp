// SPDX-License-Identifier: BSD-3-Clause
#include "crowd/report.hpp"

#include "crowd/joint_errors.hpp"
#include "hrixs/cloud_fit.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace hrixs::crowd {

namespace {

// With less light of others at its place, in photons, a photon stands alone.
constexpr double alone = 0.01;

// Farther neighbours, in parts of what is near, don't show in a photon's errors.
constexpr double neighbours = 0.85;

struct Own {
    double charge; // fitted, photons
    double seen;   // part of the cloud on pixels that are not masked
    double chi2;
    bool is_cut;
};

template <int Reach>
Own look_at(const Canvas& canvas, const Photon& photon, const Profile& profile, Light light) {
    Patch<Reach> patch(canvas, photon.centre_x, photon.centre_y);
    Shares along_x;
    Shares along_y;
    profile.shares(static_cast<float>(photon.x - static_cast<double>(photon.centre_x)), along_x);
    profile.shares(static_cast<float>(photon.y - static_cast<double>(photon.centre_y)), along_y);
    double chi2 = 0.0;
    double n = 0.0;
    double d = 0.0;
    double seen = 0.0;
    int pixels = 0;
    for (int a = 0; a < Patch<Reach>::rows; ++a)
        for (int k = 0; k < Patch<Reach>::rows; ++k) {
            const float variance = patch.variance(a)[k];
            if (variance == never)
                continue;
            const double rest = static_cast<double>(patch.rest(a)[k]);
            const double part = static_cast<double>(along_x.share[a] * along_y.share[k]);
            const double weight = 1.0 / static_cast<double>(variance);
            ++pixels;
            seen += part;
            chi2 += weight * rest * rest;
            n += weight * part * rest;
            d += weight * part * part;
        }
    const double freedom = std::max(pixels - 2, 1);
    return {1.0 + n / (d * static_cast<double>(light.charge)), seen, chi2 / freedom,
            pixels < Patch<Reach>::rows * Patch<Reach>::rows};
}

// Of two clouds along one axis: sum of the products of their shares.
double overlap(double at, Index centre, double other, Index other_centre, const Profile& profile) {
    Shares own{};
    Shares others{};
    profile.shares(static_cast<float>(at - static_cast<double>(centre)), own);
    profile.shares(static_cast<float>(other - static_cast<double>(other_centre)), others);
    const int size = 2 * profile.reach() + 1;
    double sum = 0.0;
    for (int k = 0; k < size; ++k) {
        const Index there = k + centre - other_centre;
        if (there >= 0 && there < size)
            sum += static_cast<double>(own.share[k] * others.share[there]);
    }
    return sum;
}

double light_of(const Photon& other, const Photon& photon, const Profile& profile) {
    return overlap(photon.x, photon.centre_x, other.x, other.centre_x, profile) *
           overlap(photon.y, photon.centre_y, other.y, other.centre_y, profile);
}

} // namespace

void Report::make(Index number, const Search& search, const Profile& profile, Light light) {
    const PhotonList& photons = search.photons();
    const Canvas& canvas = search.canvas();
    table.clear();
    crowding.clear();
    order_.clear();
    light_sums = LightSums{};
    for (std::int32_t k = 0; k < photons.size(); ++k)
        if (photons[k].is_there)
            order_.push_back(k);
    std::sort(order_.begin(), order_.end(), [&](std::int32_t a, std::int32_t b) {
        return photons[a].x != photons[b].x ? photons[a].x < photons[b].x
                                            : photons[a].y < photons[b].y;
    });
    const int reach = profile.reach();
    constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
    for (const std::int32_t k : order_) {
        const Photon& photon = photons[k];
        const Group group =
            group_of(canvas, photons, k, std::min(neighbours * profile.near(), farthest_neighbour));
        double others = 0.0;
        for (int n = 1; n < group.size; ++n)
            others += light_of(photons[group.photon[n]], photon, profile);
        const double crowded = group.size > 1 ? others / light_of(photon, photon, profile) : 0.0;
        const PlaceErrors errors = joint_errors(canvas, photons, group, profile, light);
        const Own own = reach == 2 ? look_at<2>(canvas, photon, profile, light)
                                   : look_at<3>(canvas, photon, profile, light);
        std::uint8_t flag = 0;
        if (group.size > 1)
            flag |= neighbour;
        if (own.is_cut)
            flag |= cut;
        const double charge = static_cast<double>(light.charge);
        table.append({number, photon.x, photon.y, crowded < alone ? charge * own.charge : charge,
                      std::uint8_t{0}});
        append_row(table.fitted,
                   {errors.sigma_x, errors.sigma_y, own.chi2, unknown, unknown, flag});
        crowding.push_back(crowded);
        light_sums.light += charge * own.seen;
    }
    add_up_tiles(canvas, photons, reach);
}

// Pixels as far from photons as their windows go, and one more, have no light to speak of.
void Report::add_up_tiles(const Canvas& canvas, const PhotonList& photons, int reach) {
    lit_.assign(static_cast<std::size_t>(canvas.size()), 0);
    // A row of a window lies in one tile or in two.
    const auto mark = [&](Index x, Index y, Index n) {
        const std::int32_t i = Canvas::tile_of(x);
        while (n > 0) {
            const std::int32_t j = Canvas::tile_of(y);
            const Index column = y - Canvas::first_pixel(j);
            const Index here = std::min<Index>(n, tile_size - column);
            const std::uint64_t bits = ((std::uint64_t{1} << here) - 1) << column;
            if (const std::int32_t slot = canvas.slot(i, j); slot != none)
                lit_[static_cast<std::size_t>(slot)] |=
                    bits << ((x - Canvas::first_pixel(i)) * tile_size);
            n -= here;
            y += here;
        }
    };
    for (const std::int32_t k : order_)
        for (Index x = -reach - 1; x <= reach + 1; ++x)
            mark(photons[k].centre_x + x, photons[k].centre_y - reach - 1, 2 * reach + 3);
    constexpr float clip = 4.0F;
    double rest = 0.0;
    double dark = 0.0;
    for (std::int32_t slot = 0; slot < canvas.size(); ++slot) {
        const Tile& tile = canvas.tile(slot);
        std::uint64_t dark_pixels = ~lit_[static_cast<std::size_t>(slot)];
        if (tile.has_masked) {
            for (int p = 0; p < tile_pixels; ++p) {
                const float variance = tile.row[p / tile_size].variance[p % tile_size];
                if (variance == never) {
                    dark_pixels &= ~(std::uint64_t{1} << p);
                    continue;
                }
                rest += static_cast<double>(tile.row[p / tile_size].rest[p % tile_size]);
                ++light_sums.pixels;
                light_sums.variance += static_cast<double>(variance);
            }
        } else {
            Lanes variance = Lanes::of(0.0F);
            Lanes left = variance;
            for (const Tile::Row& row : tile.row) {
                variance = variance + Lanes::load(row.variance);
                left = left + Lanes::load(row.rest);
            }
            light_sums.pixels += tile_pixels;
            light_sums.variance += static_cast<double>(variance.sum());
            rest += static_cast<double>(left.sum());
        }
        for (; dark_pixels != 0; dark_pixels &= dark_pixels - 1) {
            const int p = std::countr_zero(dark_pixels);
            const Tile::Row& row = tile.row[p / tile_size];
            const float pixel = row.rest[p % tile_size];
            if (pixel * pixel > clip * clip * row.variance[p % tile_size])
                continue;
            ++light_sums.dark_pixels;
            dark += static_cast<double>(pixel);
        }
    }
    light_sums.charge = light_sums.light + rest;
    if (light_sums.dark_pixels > 0)
        light_sums.dark_level = dark / static_cast<double>(light_sums.dark_pixels);
}

} // namespace hrixs::crowd
