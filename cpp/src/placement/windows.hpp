// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "frame/corrected_frame.hpp"
#include "frame/pixel_index.hpp"
#include "placement/two_clouds.hpp"
#include "simd/spot_fit.hpp"

#include <array>

namespace hrixs {

// The pixels around a photon's brightest one; NaN where they are masked or beyond the frame.
using Window = std::array<double, window_pixels>;
// The same around a double hit.
using PairPixels = std::array<double, pair_pixels>;

// Size x Size pixels around the centre.
template <Index Size, class Pixel>
void read_window(const CorrectedFrame<Pixel>& frame, const PixelIndex& centre, double* window) {
    const Index x0 = centre.x - Size / 2;
    const Index y0 = centre.y - Size / 2;
    const bool inside = x0 >= 0 && y0 >= 0 && x0 + Size <= frame.nx() && y0 + Size <= frame.ny();
    for (Index i = 0; i < Size; ++i) {
        double* row = window + i * Size;
        if (inside) {
            frame.read_few(x0 + i, y0, Size, row);
            continue;
        }
        for (Index j = 0; j < Size; ++j) {
            const Index x = x0 + i;
            const Index y = y0 + j;
            const bool in_frame = x >= 0 && y >= 0 && x < frame.nx() && y < frame.ny();
            row[j] = in_frame ? frame(x, y) : CorrectedFrame<Pixel>::masked;
        }
    }
}

// The window of a candidate that was found when its own was not kept.
class OwnWindow {
  public:
    template <class Pixel>
    const Window* of(const CorrectedFrame<Pixel>& frame, const PixelIndex& centre,
                     const Window* kept) {
        if (kept == nullptr)
            read_window<window_size>(frame, centre, window_.data());
        return kept != nullptr ? kept : &window_;
    }

  private:
    Window window_;
};

} // namespace hrixs
