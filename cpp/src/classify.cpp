// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/classify.hpp"

#include "check_frames.hpp"
#include "found_by_frame.hpp"
#include "hrixs/local_maximum.hpp"
#include "hrixs/locate.hpp"
#include "hrixs/pixel_types.hpp"
#include "hrixs/statistics.hpp"
#include "scan_row.hpp"

#include <cmath>
#include <vector>

namespace hrixs {

namespace {

constexpr Index spot_size = 3;

struct Scratch {
    explicit Scratch(Index ny) : row(static_cast<std::size_t>(ny)) {}
    std::vector<double> row;
    PhotonTable hits;
};

template <class Pixel>
void classify_in_frame(const CorrectedFrame<Pixel>& frame, double base, double photon_adu,
                       const ClassifySettings& settings, std::vector<double>& row,
                       FrameHits& hits) {
    const double low = settings.candidate_low * photon_adu;
    const double high = settings.candidate_high * photon_adu;
    const double single_low = settings.single_low * photon_adu;
    const double double_low = settings.double_low * photon_adu;
    const auto classify = [&](Index x, Index y) {
        const auto above_base = [&](Index i, Index j) { return frame(x + i, y + j) - base; };
        if (!is_local_maximum(above_base(0, 0), above_base))
            return;
        const SpotMoments spot = centre_of_mass<spot_size>(
            x - 1, y - 1, [&](Index i, Index j) { return above_base(i - 1, j - 1); });
        if (spot.charge > double_low)
            hits.add(spot.x, spot.y, spot.charge, true);
        else if (spot.charge > single_low)
            hits.add(spot.x, spot.y, spot.charge, false);
        else
            hits.drop();
    };

    const auto is_candidate = [&](Index y) {
        const double above = row[static_cast<std::size_t>(y)] - base;
        return low < above && above < high;
    };
    for (Index x = 1; x + 1 < frame.nx(); ++x) {
        frame.read_row(x, row.data());
        for_each_candidate(1, frame.ny() - 1, is_candidate, [&](Index y) { classify(x, y); });
    }
}

void check_settings(const double* photon_adu, Index n_frames, const ClassifySettings& settings) {
    for (Index frame = 0; frame < n_frames; ++frame)
        if (!(photon_adu[frame] > 0.0) || !std::isfinite(photon_adu[frame]))
            throw ParameterError("the photon energy of frame " + std::to_string(frame) +
                                 " makes a photon of " + text(photon_adu[frame]) +
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
    check_settings(photon_adu, frames.size(), settings);
    check_frames(frames, 4);
    check_chip(chip, frames.first.nx, frames.first.ny);
    FoundByFrame found(frames.size());
    for_each_frame(
        frames.size(), execution, [&] { return Scratch(frames.first.ny); },
        [&](Index number, Scratch& scratch) {
            const CorrectedFrame<Pixel> frame{frames.frame(number), &chip};
            const double base = frame_mean(frame, number, scratch.row);
            const double threshold = settings.candidate_low * photon_adu[number];
            FrameHits hits(number, settings.max_photons, scratch.hits);
            classify_in_frame(frame, base, photon_adu[number], settings, scratch.row, hits);
            hits.check_count([&] {
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
