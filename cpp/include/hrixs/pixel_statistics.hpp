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

// Which values of a pixel are kept: not those of light or cosmic rays.
struct PixelLimits {
    // Values within this number of standard deviations of the median of the pixel. The standard
    // deviation is that of the values below the median, which light does not change. With two
    // frames the lower value is used as the median.
    double n_sigma = 0.0;
    double least_noise = 0.0; // of a pixel, ADU
    // Instead: values within a limit of a reference; both are images of the shape of a frame.
    std::optional<ImageView<double>> reference{};
    std::optional<ImageView<double>> limit{};
    bool with_medians = true; // whether to return medians, and the noise below them
};

// Images, row by row: earlier sums about a reference, to which is added.
struct PixelSums {
    double* total = nullptr;
    std::int32_t* n_kept = nullptr;
};

// Images, row by row. A pixel that is NaN or infinite in a frame is NaN, and none of it is kept.
struct PixelStatistics {
    ImageValues<double> median; // empty if a reference is given, or not wanted
    ImageValues<double> noise;  // standard deviation of the values kept; empty about a reference
    ImageValues<double> lower_noise; // that of the values below the median; empty as the median
    ImageValues<double> total;       // of the values kept; empty where sums are given
    ImageValues<std::int32_t> n_kept;
    std::vector<Index> n_left_out; // of each frame
};

// Statistics of each pixel over all frames, after the offset of each frame is subtracted.
template <class Pixel>
PixelStatistics pixel_statistics(const FrameStack<Pixel>& frames, std::span<const double> offsets,
                                 const PixelLimits& limits, const Execution& execution,
                                 const PixelSums& sums = {});

} // namespace hrixs
