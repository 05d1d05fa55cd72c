// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/find.hpp"

#include "check_frames.hpp"
#include "found_by_frame.hpp"
#include "frame_rows.hpp"
#include "hrixs/local_maximum.hpp"
#include "hrixs/locate.hpp"
#include "hrixs/pixel_types.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace hrixs {

namespace {

constexpr Index spot_size = 4;

// The 4x4 pixels around a 2x2 square. They also hold the nine squares of the local-maximum test.
class Patch {
  public:
    template <class Frame> Patch(const Frame& frame, Index x0, Index y0) {
        const bool plain = frame.is_plain();
        for (Index i = 0; i < spot_size; ++i) {
            double* row = pixel_.data() + i * spot_size;
            const auto* in_place = frame.image.row(x0 + i) + y0;
            for (Index j = 0; j < spot_size; ++j)
                row[j] = plain ? static_cast<double>(in_place[j]) : frame(x0 + i, y0 + j);
        }
    }
    double operator()(Index i, Index j) const {
        return pixel_[static_cast<std::size_t>(i * spot_size + j)];
    }
    double square(Index i, Index j) const {
        // In this order, as the row kernels add: ties between squares depend on it.
        const double* row = pixel_.data() + i * spot_size + j;
        return (row[0] + row[1]) + (row[spot_size] + row[spot_size + 1]);
    }

  private:
    std::array<double, spot_size * spot_size> pixel_;
};

struct Scratch {
    explicit Scratch(Index ny) : rows(ny) {}
    RowScratch rows;
    PhotonTable hits;
};

struct Searched {
    double base;
    double threshold;
};

// One pass over the frame for its sums and its candidates; a second one where the threshold, which
// the statistics give, turns out below what a few rows made expect.
template <class Rows>
Searched search(const Rows& rows, const ValidCounts& valid, const FindSettings& settings,
                Index number) {
    const auto base_of = [&](const FrameSums& sums) {
        rows.check_finite(sums.pixels, number);
        return sums.pixels / static_cast<double>(std::max<Index>(valid.pixels, 1));
    };
    // A whole number: deviations of whole counts are then exact.
    const double shift = std::rint(4.0 * rows.sample_mean());
    if (settings.threshold)
        return {base_of(rows.scan(valid, shift, *settings.threshold)), *settings.threshold};

    const double expected =
        shift + 0.85 * settings.std_threshold * std::sqrt(rows.sample_squares(shift).variance());
    FrameSums sums = rows.scan(valid, shift, expected);
    const double base = base_of(sums);
    // Far from the mean the shift costs digits.
    const double offset = sums.squares.mean() - shift;
    if (sums.squares.variance() < 1e-4 * offset * offset)
        sums = rows.scan(valid, std::rint(sums.squares.mean()), expected);
    const double threshold =
        sums.squares.mean() + settings.std_threshold * std::sqrt(sums.squares.variance());
    if (threshold < expected || !std::isfinite(expected))
        rows.scan(valid, shift, threshold);
    return {base, threshold};
}

template <class Pixel>
void measure_candidates(const CorrectedFrame<Pixel>& frame, const std::vector<Place>& candidates,
                        const Searched& searched, const FindSettings& settings, FrameHits& hits) {
    for (const auto& [x, y] : candidates) {
        const Patch patch(frame, x - 1, y - 1);
        const double square = patch.square(1, 1);
        if (!(square > searched.threshold) ||
            !is_local_maximum(square, [&](Index i, Index j) { return patch.square(1 + i, 1 + j); }))
            continue;
        const SpotMoments spot = centre_of_mass<spot_size>(
            x - 1, y - 1, [&](Index i, Index j) { return patch(i, j) - searched.base; });
        if (spot.is_positive())
            hits.add(spot.x, spot.y, spot.charge,
                     settings.double_threshold && spot.charge > *settings.double_threshold);
        else
            hits.drop();
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
    const ValidCounts valid = check_chip(chip, frames.first.nx, frames.first.ny);
    FoundByFrame found(frames.size());
    for_each_frame(
        frames.size(), execution, [&] { return Scratch(frames.first.ny); },
        [&](Index number, Scratch& scratch) {
            const CorrectedFrame<Pixel> frame{frames.frame(number), &chip};
            Searched searched{};
            with_rows(frame, scratch.rows, [&](const auto& rows) {
                searched = search(rows, valid, settings, frames.first_number + number);
            });
            FrameHits hits(number, settings.max_photons, scratch.hits);
            measure_candidates(frame, scratch.rows.candidates, searched, settings, hits);
            hits.check_count(frames.first_number, [&] {
                return "2x2 squares above the threshold of " + text(searched.threshold) + " ADU";
            });
            found.store(number, scratch.hits, searched.base, searched.threshold, hits.n_dropped());
        });
    return std::move(found).join();
}

#define HRIXS_INSTANTIATE(Pixel)                                                                   \
    template FoundPhotons find_photons<Pixel>(const FrameStack<Pixel>&, const ChipCorrection&,     \
                                              const FindSettings&, const Execution&);
HRIXS_FOR_EACH_PIXEL_TYPE(HRIXS_INSTANTIATE)

} // namespace hrixs
