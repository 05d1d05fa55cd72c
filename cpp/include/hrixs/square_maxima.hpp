// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/camera.hpp"
#include "hrixs/parallel.hpp"

#include <span>
#include <vector>

namespace hrixs {

// The hits of `find_photons` before their charge is checked, in the order of the frames.
struct SquareMaxima {
    std::vector<Index> frame;
    std::vector<Index> x; // the lower corner
    std::vector<Index> y;
    std::vector<double> height;     // sum of the 2x2 square, ADU
    std::vector<Index> brightest_x; // the brightest pixel of the square, the first of equal ones
    std::vector<Index> brightest_y;
};

// Squares above the threshold of their frame that are local maxima; one threshold for each frame,
// in ADU.
template <class Pixel>
SquareMaxima square_maxima(const FrameStack<Pixel>& frames, const CameraCorrection& camera,
                           std::span<const double> thresholds, const Execution& execution);

} // namespace hrixs
