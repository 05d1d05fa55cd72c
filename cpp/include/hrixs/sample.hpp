// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/camera.hpp"
#include "hrixs/integrate.hpp"
#include "hrixs/parallel.hpp"

#include <span>

namespace hrixs {

// The curve at each x of a frame, as a shift by whole rows and a phase: the remaining part of a
// row, rounded to one of a few values.
struct RowPhases {
    std::span<const Index> whole_rows;
    std::span<const Index> phases; // 0 to n_phases - 1
    Index n_phases = 1;
};

// Sums of the pixels of each frame by phase and row, phase by phase, one value for each row y.
// Pixels outside the frame are lost. No pixel is divided between rows, so that the sums contain all
// information of the pixels about a line with a constant profile.
template <class Pixel>
RowValues sample_frames(const FrameStack<Pixel>& frames, const CameraCorrection& camera,
                        const RowPhases& where, const Execution& execution);

} // namespace hrixs
