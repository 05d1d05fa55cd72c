// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/resolve.hpp"

#include "crowd/frame_tiles.hpp"
#include "crowd/report.hpp"
#include "crowd/search.hpp"
#include "frame/check_frames.hpp"
#include "frame/pedestal.hpp"
#include "hrixs/pixel_types.hpp"
#include "photons/check_photons.hpp"
#include "rows/bands.hpp"
#include "rows/frame_rows.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace hrixs {

namespace {

using crowd::Seed;

// A frame without any noise is taken to be rounded to counts.
const double rounding_noise = std::sqrt(1.0 / 12.0);
// Squares with less are not looked at: parts of a photon's least share, and widths of the noise.
constexpr double least_part = 0.5;
constexpr double least_widths = 4.5;
constexpr std::size_t edge_ahead = 16; // pixels that are fetched

// Working memory of one thread.
struct Scratch {
    Scratch(const crowd::Profile& profile, Index nx, Index ny)
        : rows(ny), search(profile, crowd::kernels_in_use(profile.reach()), nx, ny) {}
    RowScratch rows;
    std::vector<double> sample;
    std::vector<Seed> seeds;
    std::vector<PixelIndex> bright;
    crowd::Search search;
    crowd::Report report;
};

// Pixels where light has fewer 2x2 squares to be seen in: at the border, and beside masked ones.
std::vector<PixelIndex> edge_pixels(const CameraCorrection& camera, Index nx, Index ny) {
    const auto is_masked = [&](Index x, Index y) {
        return camera.mask && (*camera.mask)(x, y) != 0;
    };
    std::vector<PixelIndex> edge;
    for (Index x = 0; x < nx; ++x) {
        const bool outer = x == 0 || x == nx - 1;
        const Index step = outer || camera.mask ? 1 : ny - 1;
        for (Index y = 0; y < ny; y += step) {
            if (is_masked(x, y))
                continue;
            bool beside = outer || y == 0 || y == ny - 1;
            for (Index i = std::max<Index>(x - 1, 0); !beside && i <= x + 1; ++i)
                for (Index j = y - 1; j <= y + 1; ++j)
                    beside = beside || is_masked(i, j);
            if (beside)
                edge.push_back({x, y});
        }
    }
    return edge;
}

// Where the frame has light. Gives the sum of its pixels.
template <class Pixel>
double find_seeds(const CorrectedFrame<Pixel>& frame, const std::optional<CountDark>& dark,
                  const std::vector<PixelIndex>& edge, double level, double square_limit,
                  double pixel_limit, Scratch& scratch) {
    scratch.seeds.clear();
    const auto keep = [&](Index x, Index y) { scratch.seeds.push_back({x, y}); };
    const double limit = 4.0 * level + square_limit;
    const Band all{0, frame.nx()};
    double sum = 0.0;
    const double shift = std::rint(4.0 * level);
    const bool found = with_rows(frame, dark, scratch.rows, [&](const auto& rows) {
        if (!rows.fits(shift))
            return false;
        sum = rows.find(all, shift, limit, keep);
        return true;
    });
    if (!found)
        with_rows_of_any(frame, scratch.rows,
                         [&](const auto& rows) { sum = rows.find(all, shift, limit, keep); });
    for (std::size_t k = 0; k < edge.size(); ++k) {
        // Each lies in a line of memory of its own.
        const PixelIndex& next = edge[std::min(k + edge_ahead, edge.size() - 1)];
        prefetch(frame.image.row(next.x) + next.y * frame.image.stride_y, 1);
        if (frame(edge[k].x, edge[k].y) - level > pixel_limit)
            scratch.seeds.push_back({edge[k].x, edge[k].y});
    }
    return sum;
}

// Pixels too bright for light, near the seeds.
template <class Pixel>
void find_bright(const CorrectedFrame<Pixel>& frame, double brightest, Scratch& scratch) {
    constexpr Index around = 2;
    scratch.bright.clear();
    for (const Seed& seed : scratch.seeds)
        for (Index x = std::max<Index>(seed.x - around, 0);
             x <= std::min(seed.x + around + 1, frame.nx() - 1); ++x)
            for (Index y = std::max<Index>(seed.y - around, 0);
                 y <= std::min(seed.y + around + 1, frame.ny() - 1); ++y)
                if (frame(x, y) > brightest)
                    scratch.bright.push_back({x, y});
    const auto is_before = [](const PixelIndex& a, const PixelIndex& b) {
        return a.x != b.x ? a.x < b.x : a.y < b.y;
    };
    std::sort(scratch.bright.begin(), scratch.bright.end(), is_before);
    const auto end = std::unique(
        scratch.bright.begin(), scratch.bright.end(),
        [](const PixelIndex& a, const PixelIndex& b) { return a.x == b.x && a.y == b.y; });
    scratch.bright.erase(end, scratch.bright.end());
}

void check_settings(const double* photon_adu, Index n_frames, Index first_number, Index nx,
                    Index ny, const ResolveSettings& settings) {
    check_charges(photon_adu, n_frames, first_number, "the energy, or photon_charge",
                  crowd::most_light);
    check_fit(settings.cloud, nx, ny);
    const double sigma = settings.cloud.cloud_sigma;
    if (sigma < least_resolved_cloud || sigma > most_resolved_cloud)
        throw ParameterError("cloud_sigma = " + text(sigma) + " pixels, expected a number from " +
                             text(least_resolved_cloud) + " to " + text(most_resolved_cloud) +
                             " where photons are resolved.");
    check_max_photons(settings.max_photons);
}

} // namespace

template <class Pixel>
ResolvedPhotons resolve_photons(const FrameStack<Pixel>& frames, const double* photon_adu,
                                const CameraCorrection& camera, const ResolveSettings& settings,
                                const Execution& execution) {
    check_frames(frames, 4);
    const Index nx = frames.first.nx;
    const Index ny = frames.first.ny;
    check_settings(photon_adu, frames.size(), frames.first_number, nx, ny, settings);
    const CameraTotals totals = check_camera(camera, nx, ny);
    const std::optional<CountDark> dark = prepare_dark<Pixel>(camera, DarkUse::squares, execution);
    const crowd::Profile profile(settings.cloud.cloud_sigma);
    const std::vector<PixelIndex> edge = edge_pixels(camera, nx, ny);
    const double gain = settings.cloud.electrons_per_adu.value_or(0.0);
    crowd::ReportByFrame reports(frames.size());
    for_each_frame(
        frames.size(), execution, [&] { return Scratch(profile, nx, ny); },
        [&](Index number, Scratch& scratch) {
            const CorrectedFrame<Pixel> frame{frames.frame(number), &camera};
            const Pedestal pedestal = pedestal_of(frame, scratch.sample);
            double noise = settings.cloud.read_noise.value_or(pedestal.noise);
            if (!(noise > 0.0))
                noise = rounding_noise;
            const double charge = photon_adu[number];
            const double base_level = pedestal.mean == pedestal.mean ? pedestal.mean : 0.0;
            const double sum = find_seeds(
                frame, dark, edge, base_level,
                std::max(least_part * profile.square_share() * charge, least_widths * 2.0 * noise),
                std::max(least_part * profile.pixel_share() * charge, least_widths * noise),
                scratch);
            check_finite(frame, sum, frames.first_number + number);
            scratch.bright.clear();
            if (settings.max_pixel)
                find_bright(frame, base_level + *settings.max_pixel, scratch);
            const crowd::FrameTiles<Pixel> tiles(frame, settings.cloud, base_level, noise,
                                                 scratch.bright, scratch.search.scene().kernels());
            const crowd::Light light{
                static_cast<float>(charge),
                gain > 0.0 ? static_cast<float>(std::min(1.0 / gain, crowd::most_light)) : 0.0F};
            scratch.search.run(tiles, scratch.seeds, light, settings.max_photons);
            if (scratch.search.scene().photons().n_there() > settings.max_photons)
                throw TooManyPhotons(
                    frames.first_number + number, scratch.search.scene().photons().n_there(),
                    settings.max_photons, "photons of " + text(charge) + " ADU or more");
            scratch.report.make(number, scratch.search.scene());
            reports.store(
                number, scratch.report,
                {.n_cosmics = static_cast<Index>(scratch.bright.size()),
                 .frame_mean = sum / static_cast<double>(std::max<Index>(totals.pixels, 1)),
                 .threshold = base_level,
                 .n_dropped = 0,
                 .noise = noise});
        });
    return std::move(reports).join();
}

#define HRIXS_INSTANTIATE(Pixel)                                                                   \
    template ResolvedPhotons resolve_photons<Pixel>(const FrameStack<Pixel>&, const double*,       \
                                                    const CameraCorrection&,                       \
                                                    const ResolveSettings&, const Execution&);
HRIXS_FOR_EACH_PIXEL_TYPE(HRIXS_INSTANTIATE)

} // namespace hrixs
