// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/errors.hpp"
#include "rows/corrected_rows.hpp"
#include "rows/count_rows.hpp"
#include "rows/float_rows.hpp"
#include "rows/narrowed_rows.hpp"

#include <cmath>
#include <cstdint>
#include <optional>
#include <type_traits>

namespace hrixs {

// The ways to go through the rows of a frame. All find the same, and give the same sums where these
// are whole numbers. They have
//   scan(band, shift, limit, keep): the band's sums; keep(x, y) for squares above the limit
//   find(band, shift, limit, keep): the same, but of the sums only that of the pixels
//   find_pixels(band, limit, keep): sum of the pixels; keep(x, y) for pixels above the limit
//   sample_mean(), sample_squares(shift): about the same, from a few rows
//   fits(shift), finds_pixels_above(limit): whether they can be used with these
// The shift is near the squares' mean. What is kept may be no maximum, or even not above the limit,
// so that it needs a closer look; what is not kept is certainly no hit. The rows around it have
// just been read or will be soon, and a photon's square fits around it.

// A dark for the frames' way to be gone through, where that needs one of its own.
template <class Pixel>
std::optional<CountDark> prepare_dark(const CameraCorrection& camera, DarkUse use,
                                      const Execution& execution) {
    if constexpr (std::is_same_v<Pixel, std::uint16_t>)
        if (camera.dark && !camera.mask)
            return CountDark::make(*camera.dark, use, execution);
    return std::nullopt;
}

// work(rows) with the fastest way that can read the frame.
template <class Pixel, class Work>
auto with_rows(const CorrectedFrame<Pixel>& frame, const std::optional<CountDark>& dark,
               RowScratch& scratch, Work work) {
    if constexpr (std::is_same_v<Pixel, std::uint16_t>)
        if (frame.is_plain() || (dark && frame.image.stride_y == 1))
            return work(CountRows(frame.image, dark ? &*dark : nullptr, scratch));
    if constexpr (std::is_same_v<Pixel, float>)
        if (frame.is_plain())
            return work(FloatRows(frame, scratch));
    if (may_be_narrowed(frame))
        return work(NarrowedRows<Pixel>(frame, scratch));
    return work(CorrectedRows<Pixel>(frame, scratch));
}

// work(rows) with the way that can always be used.
template <class Pixel, class Work>
auto with_rows_of_any(const CorrectedFrame<Pixel>& frame, RowScratch& scratch, Work work) {
    return work(CorrectedRows<Pixel>(frame, scratch));
}

// About the mean of the valid pixels, from a few rows.
template <class Pixel>
double sample_mean_of_valid(const CorrectedFrame<Pixel>& frame,
                            const std::optional<CountDark>& dark, RowScratch& scratch) {
    const double mean =
        with_rows(frame, dark, scratch, [](const auto& rows) { return rows.sample_mean(); });
    if (frame.masked_squares == nullptr)
        return mean;
    // Masked ones have been counted as zeros.
    Index n_valid = 0;
    for_sample_rows(frame.nx(),
                    [&](Index x) { n_valid += frame.ny() - frame.masked_squares->n_pixels(x); });
    const auto n = static_cast<double>(n_sample_rows * frame.ny());
    return n_valid > 0 ? mean * (n / static_cast<double>(n_valid)) : 0.0;
}

// Throws where a frame has a pixel that is neither finite nor masked.
template <class Pixel>
void check_finite(const CorrectedFrame<Pixel>& frame, double sum, Index number) {
    // Without a mask a NaN shows in the sum.
    const bool finite = std::isfinite(sum);
    const Index bad = finite && !frame.has_mask() ? 0 : frame.count_non_finite();
    if (bad > 0 || !finite)
        throw NonFinitePixels(number, bad);
}

} // namespace hrixs
