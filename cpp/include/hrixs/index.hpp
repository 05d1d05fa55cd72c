// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace hrixs {

// Signed 64 bit: 512 frames of 2048 x 2048 pixels overflow 32 bits.
using Index = std::int64_t;

} // namespace hrixs
