// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/camera.hpp"
#include "hrixs/integrate.hpp"
#include "hrixs/parallel.hpp"

#include <span>

namespace hrixs {

// Where in a pixel a line meets each row of a frame: its pixels go along y by whole rows, and the
// part of a row that is left makes one of a few phases.
struct RowPhases {
    std::span<const Index> whole_rows;
    std::span<const Index> phases; // 0 to n_phases - 1
    Index n_phases = 1;
};

// Sums of each frame's pixels by phase and height, phase by phase, one value a row y. What falls
// off the frame is lost. Nothing is shared between rows, so that these sums say all that pixels say
// of a line whose profile is the same along it.
template <class Pixel>
RowValues sample_frames(const FrameStack<Pixel>& frames, const CameraCorrection& camera,
                        const RowPhases& where, const Execution& execution);

} // namespace hrixs
