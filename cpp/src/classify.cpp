// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/classify.hpp"

#include "check_frames.hpp"
#include "found_by_frame.hpp"
#include "frame_rows.hpp"
#include "hrixs/local_maximum.hpp"
#include "hrixs/locate.hpp"
#include "hrixs/pixel_types.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace hrixs {

namespace {

constexpr Index spot_size = 3;

struct Scratch {
    explicit Scratch(Index ny) : rows(ny) {}
    RowScratch rows;
    PhotonTable hits;
};

// One pass over the frame for its mean and its candidates; a second one where the mean turns out
// lower than a few rows made expect.
template <class Rows>
double search(const Rows& rows, const ValidCounts& valid, double low, Index number) {
    const auto n_pixels = static_cast<double>(std::max<Index>(valid.pixels, 1));
    const double limit = rows.sample_mean() + 0.9 * low;
    const double sum = rows.scan_pixels(limit);
    rows.check_finite(sum, number);
    const double base = sum / n_pixels;
    // A pixel more than `low` above the mean is above this, whatever the last digit.
    const double needed = base + low - 1e-9 * (std::abs(base) + std::abs(low));
    if (needed < limit)
        rows.scan_pixels(needed);
    return base;
}

template <class Pixel>
void classify_candidates(const CorrectedFrame<Pixel>& frame, const std::vector<Place>& candidates,
                         double base, double photon_adu, const ClassifySettings& settings,
                         FrameHits& hits) {
    const double low = settings.candidate_low * photon_adu;
    const double high = settings.candidate_high * photon_adu;
    const double single_low = settings.single_low * photon_adu;
    const double double_low = settings.double_low * photon_adu;
    for (const auto& place : candidates) {
        const auto above_base = [&](Index i, Index j) {
            return frame(place.x + i, place.y + j) - base;
        };
        const double brightest = above_base(0, 0);
        if (!(low < brightest && brightest < high) || !is_local_maximum(brightest, above_base))
            continue;
        const SpotMoments spot = centre_of_mass<spot_size>(
            place.x - 1, place.y - 1, [&](Index i, Index j) { return above_base(i - 1, j - 1); });
        if (spot.charge > double_low)
            hits.add(spot.x, spot.y, spot.charge, true);
        else if (spot.charge > single_low)
            hits.add(spot.x, spot.y, spot.charge, false);
        else
            hits.drop();
    }
}

void check_settings(const double* photon_adu, Index n_frames, Index first_number,
                    const ClassifySettings& settings) {
    for (Index frame = 0; frame < n_frames; ++frame)
        if (!(photon_adu[frame] > 0.0) || !std::isfinite(photon_adu[frame]))
            throw ParameterError("the photon energy of frame " +
                                 std::to_string(first_number + frame) + " makes a photon of " +
                                 text(photon_adu[frame]) +
                                 " ADU, expected a positive number. Check the energy.");
    const bool ordered = settings.candidate_low < settings.candidate_high &&
                         0.0 <= settings.single_low && settings.single_low <= settings.double_low;
    if (!ordered)
        throw ParameterError(
            "the fractions of a photon are candidate_low = " + text(settings.candidate_low) +
            ", candidate_high = " + text(settings.candidate_high) + ", single_low = " +
            text(settings.single_low) + ", double_low = " + text(settings.double_low) +
            "; expected candidate_low < candidate_high and 0 <= single_low <= double_low.");
    if (settings.max_photons < 1)
        throw ParameterError("max_photons = " + std::to_string(settings.max_photons) +
                             ", expected 1 or more.");
}

} // namespace

template <class Pixel>
FoundPhotons classify_photons(const FrameStack<Pixel>& frames, const double* photon_adu,
                              const ChipCorrection& chip, const ClassifySettings& settings,
                              const Execution& execution) {
    check_settings(photon_adu, frames.size(), frames.first_number, settings);
    check_frames(frames, 4);
    const ValidCounts valid = check_chip(chip, frames.first.nx, frames.first.ny);
    FoundByFrame found(frames.size());
    for_each_frame(
        frames.size(), execution, [&] { return Scratch(frames.first.ny); },
        [&](Index number, Scratch& scratch) {
            const CorrectedFrame<Pixel> frame{frames.frame(number), &chip};
            const double threshold = settings.candidate_low * photon_adu[number];
            double base = 0.0;
            with_rows(frame, scratch.rows, [&](const auto& rows) {
                base = search(rows, valid, threshold, frames.first_number + number);
            });
            FrameHits hits(number, settings.max_photons, scratch.hits);
            classify_candidates(frame, scratch.rows.candidates, base, photon_adu[number], settings,
                                hits);
            hits.check_count(frames.first_number, [&] {
                return "candidates with a pixel " + text(threshold) + " ADU above the mean or more";
            });
            found.store(number, scratch.hits, base, threshold, hits.n_dropped());
        });
    return std::move(found).join();
}

#define HRIXS_INSTANTIATE(Pixel)                                                                   \
    template FoundPhotons classify_photons<Pixel>(const FrameStack<Pixel>&, const double*,         \
                                                  const ChipCorrection&, const ClassifySettings&,  \
                                                  const Execution&);
HRIXS_FOR_EACH_PIXEL_TYPE(HRIXS_INSTANTIATE)

} // namespace hrixs
