// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/dark.hpp"
#include "hrixs/frames.hpp"

#include <cstdint>
#include <optional>

namespace hrixs {

// What belongs to the camera and not to a frame. Both have the frames' shape.
struct CameraCorrection {
    std::optional<Dark> dark;
    std::optional<ImageView<std::uint8_t>> mask; // not 0: a bad pixel, takes part in nothing
};

} // namespace hrixs
