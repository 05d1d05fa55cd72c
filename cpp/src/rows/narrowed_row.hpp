// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "frame/corrected_frame.hpp"
#include "simd/row_kernels.hpp"

#include <algorithm>
#include <cstdint>

namespace hrixs {

// Whether rows of the frame can be had as counts, where their values allow it.
template <class Pixel> bool may_be_narrowed(const CorrectedFrame<Pixel>& frame) {
    return frame.image.stride_y == 1 && !frame.camera->dark &&
           (!frame.has_mask() || frame.masked_squares != nullptr);
}

// Copies row x as counts, with one value in place of the masked pixels, whatever these are; false
// where a valid one is no whole number of 16 bits.
template <class Pixel>
bool narrow_row(const CorrectedFrame<Pixel>& frame, Index x, std::uint16_t in_place_of_masked,
                std::uint16_t* out) {
    const Pixel* row = frame.image.row(x);
    Index begin = 0;
    bool fits = true;
    if (frame.has_mask())
        for (const MaskedSquares::Run& run : frame.masked_squares->runs(x)) {
            fits = narrow(row + begin, run.begin - begin, out + begin) && fits;
            std::fill(out + run.begin, out + run.end, in_place_of_masked);
            begin = run.end;
        }
    return narrow(row + begin, frame.ny() - begin, out + begin) && fits;
}

} // namespace hrixs
