// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/find.hpp"

#include "check_frames.hpp"
#include "found_by_frame.hpp"
#include "hrixs/local_maximum.hpp"
#include "hrixs/locate.hpp"
#include "hrixs/pixel_types.hpp"
#include "hrixs/statistics.hpp"
#include "scan_row.hpp"

#include <array>
#include <cmath>

namespace hrixs {

namespace {

constexpr Index spot_size = 4;

// The 4x4 pixels around a 2x2 square. They also hold the nine squares of the local-maximum test.
class Patch {
  public:
    template <class Frame> Patch(const Frame& frame, Index x0, Index y0) {
        for (Index i = 0; i < spot_size; ++i)
            for (Index j = 0; j < spot_size; ++j)
                pixel_[static_cast<std::size_t>(i * spot_size + j)] = frame(x0 + i, y0 + j);
    }
    double operator()(Index i, Index j) const {
        return pixel_[static_cast<std::size_t>(i * spot_size + j)];
    }
    double square(Index i, Index j) const {
        const double* row = pixel_.data() + i * spot_size;
        return square_sum(row, row + spot_size, j);
    }

  private:
    std::array<double, spot_size * spot_size> pixel_;
};

struct Scratch {
    explicit Scratch(Index ny) : rows(ny) {}
    RowPair rows;
    PhotonTable hits;
};

template <class Pixel>
void find_in_frame(const CorrectedFrame<Pixel>& frame, double base, double threshold,
                   const FindSettings& settings, RowPair& rows, FrameHits& hits) {
    rows.start(frame);
    rows.advance_to(frame, 0);
    for (Index x = 1; x + 2 < frame.nx(); ++x) {
        rows.advance_to(frame, x);
        const auto above_threshold = [&](Index y) { return rows.square(y) > threshold; };
        for_each_candidate(1, frame.ny() - 2, above_threshold, [&](Index y) {
            const Patch patch(frame, x - 1, y - 1);
            if (!is_local_maximum(patch.square(1, 1),
                                  [&](Index i, Index j) { return patch.square(1 + i, 1 + j); }))
                return;
            const SpotMoments spot = centre_of_mass<spot_size>(
                x - 1, y - 1, [&](Index i, Index j) { return patch(i, j) - base; });
            if (!spot.is_positive())
                return hits.drop();
            hits.add(spot.x, spot.y, spot.charge,
                     settings.double_threshold && spot.charge > *settings.double_threshold);
        });
    }
}

void check_settings(const FindSettings& settings) {
    if (settings.threshold && std::isnan(*settings.threshold))
        throw ParameterError("threshold is NaN, expected a number in ADU.");
    if (!settings.threshold && std::isnan(settings.std_threshold))
        throw ParameterError("std_threshold is NaN, expected a number of standard deviations.");
    if (settings.double_threshold && std::isnan(*settings.double_threshold))
        throw ParameterError("double_threshold is NaN, expected a number in ADU.");
    if (settings.max_photons < 1)
        throw ParameterError("max_photons = " + std::to_string(settings.max_photons) +
                             ", expected 1 or more.");
}

} // namespace

template <class Pixel>
FoundPhotons find_photons(const FrameStack<Pixel>& frames, const ChipCorrection& chip,
                          const FindSettings& settings, const Execution& execution) {
    check_settings(settings);
    check_frames(frames, spot_size);
    check_chip(chip, frames.first.nx, frames.first.ny);
    FoundByFrame found(frames.size());
    for_each_frame(
        frames.size(), execution, [&] { return Scratch(frames.first.ny); },
        [&](Index number, Scratch& scratch) {
            const CorrectedFrame<Pixel> frame{frames.frame(number), &chip};
            const double base = frame_mean(frame, number, scratch.rows.lower);
            const double threshold =
                settings.threshold ? *settings.threshold
                                   : square_threshold(frame, settings.std_threshold, scratch.rows);
            FrameHits hits(number, settings.max_photons, scratch.hits);
            find_in_frame(frame, base, threshold, settings, scratch.rows, hits);
            hits.check_count(
                [&] { return "2x2 squares above the threshold of " + text(threshold) + " ADU"; });
            found.store(number, scratch.hits, base, threshold, hits.n_dropped());
        });
    return std::move(found).join();
}

#define HRIXS_INSTANTIATE(Pixel)                                                                   \
    template FoundPhotons find_photons<Pixel>(const FrameStack<Pixel>&, const ChipCorrection&,     \
                                              const FindSettings&, const Execution&);
HRIXS_FOR_EACH_PIXEL_TYPE(HRIXS_INSTANTIATE)

} // namespace hrixs
