// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/camera.hpp"
#include "hrixs/parallel.hpp"

#include <vector>

namespace hrixs {

// For each frame, in ADU: mean and standard deviation of the pixels without light; NaN if all
// pixels are masked.
struct Pedestals {
    std::vector<double> mean;
    std::vector<double> noise;
};

template <class Pixel>
Pedestals frame_pedestals(const FrameStack<Pixel>& frames, const CameraCorrection& camera,
                          const Execution& execution);

} // namespace hrixs
