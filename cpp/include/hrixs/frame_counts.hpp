// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/camera.hpp"
#include "hrixs/parallel.hpp"

#include <array>
#include <vector>

namespace hrixs {

// Number of bins of a histogram; the middle one contains the median.
constexpr Index count_bins = 257;

// Statistics of the values of a frame: of its pixels or 2x2 squares. NaN if there are none.
struct ValueCounts {
    Index n = 0; // without masked ones
    double lowest;
    double highest;
    double median; // the mean of the two in the middle, where there are two
    double lower;  // the value below which a Gaussian has what lies a standard deviation low
    double level;  // mean and standard deviation of what lies within three of the latter, in three
    double noise;  // rounds that begin at the median and its distance from `lower`
    double first_edge = 0.0; // of the histogram
    double bin_width = 0.0;  // 0: most values are one, and none are in bins
    std::array<std::uint32_t, count_bins> counts{};
};

struct FrameCounts {
    ValueCounts pixels;
    ValueCounts squares;
};

// Counts the pixels and squares of each frame. Pixels of 8 and 16 bits without a dark are counted
// value by value; other values are read several times. step: the step between values in ADU (1 for
// whole ADU without a dark), or 0 if there is none. Squares are counted only if asked for.
template <class Pixel>
std::vector<FrameCounts> count_frames(const FrameStack<Pixel>& frames,
                                      const CameraCorrection& camera, double step,
                                      const Execution& execution, bool with_squares = true);

} // namespace hrixs
