// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/camera.hpp"
#include "hrixs/parallel.hpp"

#include <array>
#include <vector>

namespace hrixs {

// Of a histogram; the middle one is about the median.
constexpr Index count_bins = 257;

// What the values of a frame are like, its pixels or its 2x2 squares. NaN where there are none.
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

// Counts each frame's pixels and squares. Counts of 8 and 16 bits without a dark are counted one
// for one; other values are gone through several times. step is that of values that go by steps, in
// ADU, 0 for others; whole counts without a dark go by 1. Of squares that are not asked for
// there are none.
template <class Pixel>
std::vector<FrameCounts> count_frames(const FrameStack<Pixel>& frames,
                                      const CameraCorrection& camera, double step,
                                      const Execution& execution, bool with_squares = true);

} // namespace hrixs
