// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "frame/corrected_frame.hpp"

#include <algorithm>
#include <vector>

namespace hrixs {

// What most pixels of a frame are like: photons, hot pixels and tracks are left out.
struct Pedestal {
    double mean = 0.0;  // ADU
    double noise = 0.0; // standard deviation, ADU
};

// Of values, some of which may be NaN: mean and standard deviation of what lies within three of the
// latter, as often as it takes.
Pedestal clipped_pedestal(const std::vector<double>& values);

// From some rows of a frame, more of them where they are masked. Without a pixel, NaN.
template <class Pixel>
Pedestal pedestal_of(const CorrectedFrame<Pixel>& frame, std::vector<double>& sample) {
    constexpr Index enough_pixels = 8192;
    constexpr Index least_pixels = 2048;
    Index n_rows = std::clamp<Index>((enough_pixels + frame.ny() - 1) / frame.ny(), 1, frame.nx());
    for (;;) {
        sample.resize(static_cast<std::size_t>(n_rows * frame.ny()));
        for (Index k = 0; k < n_rows; ++k)
            frame.read_few((2 * k + 1) * frame.nx() / (2 * n_rows), 0, frame.ny(),
                           sample.data() + k * frame.ny());
        const Index n_pixels = frame.has_mask()
                                   ? std::count_if(sample.begin(), sample.end(),
                                                   [](double pixel) { return pixel == pixel; })
                                   : least_pixels;
        if (n_pixels >= least_pixels || n_rows == frame.nx())
            return clipped_pedestal(sample);
        n_rows = std::min(4 * n_rows, frame.nx());
    }
}

} // namespace hrixs
