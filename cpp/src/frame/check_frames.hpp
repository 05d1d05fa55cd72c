// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "frame/corrected_frame.hpp"
#include "hrixs/errors.hpp"
#include "hrixs/frames.hpp"

#include <string>

namespace hrixs {

template <class Pixel> void check_frames(const FrameStack<Pixel>& frames, Index at_least) {
    if (frames.first.nx < at_least || frames.first.ny < at_least)
        throw ShapeError("frames are " + std::to_string(frames.first.nx) + " x " +
                         std::to_string(frames.first.ny) + " pixels, expected at least " +
                         std::to_string(at_least) + " x " + std::to_string(at_least) +
                         ". Widen the crop.");
}

} // namespace hrixs
