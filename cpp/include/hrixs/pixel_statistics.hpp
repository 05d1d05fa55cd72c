// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/frames.hpp"
#include "hrixs/parallel.hpp"
#include "hrixs/uninitialised.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace hrixs {

// Which values of a pixel are its own, and not those of light or of a cosmic ray.
struct PixelLimits {
    // Within so many standard deviations of the pixel's median, which are taken from the values
    // below it: light only adds. With two frames the lower one stands for the median.
    double n_sigma = 0.0;
    double least_noise = 0.0; // of a pixel, ADU
    // In place of that: within a limit of a reference, images of a frame's shape.
    std::optional<ImageView<double>> reference{};
    std::optional<ImageView<double>> limit{};
    bool with_medians = true; // whether medians are told, and the noise below them
};

// Images, row by row, of what was summed about a reference before, to be added to.
struct PixelSums {
    double* total = nullptr;
    std::int32_t* n_kept = nullptr;
};

// Images, row by row. A pixel that is NaN or infinite in a frame is NaN, and none of it is kept.
struct PixelStatistics {
    ImageValues<double> median; // empty where a reference is given, or not wanted
    ImageValues<double> noise;  // standard deviation of the values kept; empty about a reference
    ImageValues<double> lower_noise; // that of the values below the median; empty as the median
    ImageValues<double> total;       // of the values kept; empty where sums are given
    ImageValues<std::int32_t> n_kept;
    std::vector<Index> n_left_out; // of each frame
};

// Of each pixel over all frames, less an offset of each frame, one for each.
template <class Pixel>
PixelStatistics pixel_statistics(const FrameStack<Pixel>& frames, std::span<const double> offsets,
                                 const PixelLimits& limits, const Execution& execution,
                                 const PixelSums& sums = {});

} // namespace hrixs
