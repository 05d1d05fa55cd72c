// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

// The list of pixel types: X(C++ type). Explicit instantiations and the look-up of the bindings are
// generated from it. All convert to double without loss.
#define HRIXS_FOR_EACH_PIXEL_TYPE(X)                                                               \
    X(std::uint8_t)                                                                                \
    X(std::uint16_t)                                                                               \
    X(std::int16_t)                                                                                \
    X(std::uint32_t)                                                                               \
    X(std::int32_t)                                                                                \
    X(float)                                                                                       \
    X(double)
