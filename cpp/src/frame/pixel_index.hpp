// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/index.hpp"

namespace hrixs {

// A pixel of a frame.
struct PixelIndex {
    Index x;
    Index y;
};

} // namespace hrixs
