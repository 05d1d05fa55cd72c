// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/dark.hpp"
#include "hrixs/frames.hpp"

#include <cstdint>
#include <optional>

namespace hrixs {

// Dark and mask of the camera, of the same shape as a frame.
struct CameraCorrection {
    std::optional<Dark> dark;
    std::optional<ImageView<std::uint8_t>> mask; // not 0: a bad pixel, which is ignored
};

} // namespace hrixs
