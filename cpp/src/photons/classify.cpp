// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/classify.hpp"

#include "frame/check_frames.hpp"
#include "frame/corrected_frame.hpp"
#include "hrixs/pixel_types.hpp"
#include "photons/candidates.hpp"
#include "photons/check_photons.hpp"
#include "photons/local_maximum.hpp"
#include "photons/locate.hpp"
#include "photons/search_scratch.hpp"
#include "photons/store_hits.hpp"
#include "rows/bands.hpp"
#include "rows/frame_rows.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace hrixs {

namespace {

constexpr Index spot_size = 3;

using Spot = Patch<spot_size>;

struct BandHits {
    double sum = 0.0;
    Candidates<spot_size> hits;
};

using Scratch = SearchScratch<BandHits>;
// The frame's pixels above a limit that are local maxima, band by band; gives the frame's mean.
template <class Pixel, class ForEachBand>
double find_pixels(const CorrectedFrame<Pixel>& frame, const std::optional<CountDark>& dark,
                   double limit, bool with_windows, std::vector<BandHits>& bands,
                   ForEachBand for_each_band) {
    for_each_band([&](Index number, const Band& band, Scratch& scratch) {
        BandHits& result = bands[static_cast<std::size_t>(number)];
        result.hits.clear();
        const auto keep = [&](Index x, Index y) {
            const Spot spot(frame, x - 1, y - 1);
            if (spot(1, 1) > limit && with_windows)
                result.hits.add(x - 1, y - 1, spot, frame, {x, y});
            else if (spot(1, 1) > limit)
                result.hits.add(x - 1, y - 1, spot);
        };
        const bool found = with_rows(frame, dark, scratch.rows, [&](const auto& rows) {
            if (rows.finds_pixels_above(limit))
                result.sum = rows.find_pixels(band, limit, keep);
            return rows.finds_pixels_above(limit);
        });
        if (!found)
            with_rows_of_any(frame, scratch.rows, [&](const auto& rows) {
                result.sum = rows.find_pixels(band, limit, keep);
            });
    });
    double sum = 0.0;
    for (const BandHits& band : bands)
        sum += band.sum;
    return sum;
}

// One pass over the frame for its mean and its candidates; a second one where the mean turns out
// lower than a few rows made expect.
template <class Pixel, class ForEachBand>
double search(const CorrectedFrame<Pixel>& frame, const CameraTotals& totals,
              const std::optional<CountDark>& dark, double low, bool with_windows, Index number,
              Scratch& scratch, ForEachBand for_each_band) {
    const double limit = 0.9 * low + sample_mean_of_valid(frame, dark, scratch.rows);
    std::vector<BandHits>& bands = scratch.bands.front();
    const double sum = find_pixels(frame, dark, limit, with_windows, bands, for_each_band);
    check_finite(frame, sum, number);
    const double frame_mean = sum / static_cast<double>(std::max<Index>(totals.pixels, 1));
    // A pixel more than `low` above the mean is above this, whatever the last digit.
    const double needed = frame_mean + low - 1e-9 * (std::abs(frame_mean) + std::abs(low));
    if (needed < limit)
        find_pixels(frame, dark, needed, with_windows, bands, for_each_band);
    return frame_mean;
}

template <class Pixel>
void classify(const CorrectedFrame<Pixel>& frame, const std::vector<BandHits>& bands,
              double frame_mean, double photon_adu, const ClassifySettings& settings,
              FrameHits& hits) {
    const double low = settings.candidate_low * photon_adu;
    const double high = settings.candidate_high * photon_adu;
    const double single_low = settings.single_low * photon_adu;
    const double double_low = settings.double_low * photon_adu;
    OwnWindow own_window;
    const auto classify_one = [&](Index x, Index y, const Spot& pixels, const Window* window) {
        const auto above_mean = [&](Index i, Index j) { return pixels(i, j) - frame_mean; };
        const double brightest = above_mean(1, 1);
        const PixelIndex centre{x + 1, y + 1};
        if (!(low < brightest) || !is_local_maximum(brightest, [&](Index i, Index j) {
                return above_mean(1 + i, 1 + j);
            }))
            return;
        if (!(brightest < high)) {
            hits.is_cosmic(brightest, 0.0, centre);
            return;
        }
        const SpotMoments spot = centre_of_mass<spot_size>(x, y, above_mean);
        if (!(spot.charge > single_low))
            hits.drop();
        else if (!hits.is_cosmic(brightest, spot.charge, centre))
            hits.add(spot.x, spot.y, spot.charge, spot.charge > double_low, centre,
                     settings.fit ? own_window.of(frame, centre, window) : nullptr);
    };
    for (const BandHits& band : bands)
        band.hits.for_each(frame, classify_one);
}

void check_settings(const double* photon_adu, Index n_frames, Index first_number,
                    const ClassifySettings& settings) {
    check_charges(photon_adu, n_frames, first_number, "the energy");
    const bool ordered = settings.candidate_low < settings.candidate_high &&
                         0.0 <= settings.single_low && settings.single_low <= settings.double_low;
    if (!ordered)
        throw ParameterError(
            "the fractions of a photon are candidate_low = " + text(settings.candidate_low) +
            ", candidate_high = " + text(settings.candidate_high) + ", single_low = " +
            text(settings.single_low) + ", double_low = " + text(settings.double_low) +
            "; expected candidate_low < candidate_high and 0 <= single_low <= double_low.");
    check_max_photons(settings.max_photons);
}

} // namespace

template <class Pixel>
FoundPhotons classify_photons(const FrameStack<Pixel>& frames, const double* photon_adu,
                              const CameraCorrection& camera, const ClassifySettings& settings,
                              const Execution& execution) {
    check_settings(photon_adu, frames.size(), frames.first_number, settings);
    check_frames(frames, 4);
    const Index nx = frames.first.nx;
    const Index ny = frames.first.ny;
    const CameraTotals totals = check_camera(camera, nx, ny);
    const std::optional<CountDark> dark = prepare_dark<Pixel>(camera, DarkUse::pixels, execution);
    const std::optional<PhotonFitter> fitter = fitter_for(settings.fit, nx, ny);
    FoundByFrame found(frames.size());
    for_each_banded_frame(
        frames.size(), nx, execution, [&] { return Scratch(nx, ny, 1); },
        [&](Index number, Scratch& scratch, auto for_each_band) {
            const CorrectedFrame<Pixel> frame{frames.frame(number), &camera,
                                              totals.masked_squares()};
            const double threshold = settings.candidate_low * photon_adu[number];
            const double frame_mean =
                search(frame, totals, dark, threshold, settings.fit.has_value(),
                       frames.first_number + number, scratch, for_each_band);
            scratch.hits.double_charge = settings.double_low * photon_adu[number];
            FrameHits hits(number, settings.max_photons, settings.cosmics, scratch.hits);
            classify(frame, scratch.bands.front(), frame_mean, photon_adu[number], settings, hits);
            hits.check_count(frames.first_number, [&] {
                return "candidates with a pixel " + text(threshold) + " ADU above the mean or more";
            });
            store_hits(number, frame, frame_mean, threshold, fitter, hits, scratch.hits, found);
        });
    return std::move(found).join();
}

#define HRIXS_INSTANTIATE(Pixel)                                                                   \
    template FoundPhotons classify_photons<Pixel>(const FrameStack<Pixel>&, const double*,         \
                                                  const CameraCorrection&,                         \
                                                  const ClassifySettings&, const Execution&);
HRIXS_FOR_EACH_PIXEL_TYPE(HRIXS_INSTANTIATE)

} // namespace hrixs
