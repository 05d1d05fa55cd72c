// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/corrected_frame.hpp"

#include <vector>

namespace hrixs {

// What most pixels of a frame are like: photons, hot pixels and tracks are left out.
struct FrameLevel {
    double level = 0.0; // mean, ADU
    double noise = 0.0; // standard deviation, ADU
};

// Of values, some of which may be NaN: mean and standard deviation of what lies within three of the
// latter, as often as it takes.
FrameLevel clipped_level(const std::vector<double>& values);

// From some rows of a frame.
template <class Pixel>
FrameLevel frame_level(const CorrectedFrame<Pixel>& frame, std::vector<double>& sample) {
    constexpr Index enough_pixels = 8192;
    const Index wanted_rows = (enough_pixels + frame.ny() - 1) / frame.ny();
    const Index n_rows = std::min(frame.nx(), std::max<Index>(wanted_rows, 1));
    sample.resize(static_cast<std::size_t>(n_rows * frame.ny()));
    for (Index k = 0; k < n_rows; ++k)
        frame.read_few((2 * k + 1) * frame.nx() / (2 * n_rows), 0, frame.ny(),
                       sample.data() + k * frame.ny());
    return clipped_level(sample);
}

} // namespace hrixs
