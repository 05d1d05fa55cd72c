// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/dark.hpp"
#include "simd/prefetch.hpp"

namespace hrixs {

// From n pixels of row x, the first of which is y.
void subtract_dark(const Dark& dark, Index x, Index y, Index n, double* pixels);

// Has n pixels of row x of the dark brought nearer, the first of which is y.
inline void prefetch(const Dark& dark, Index x, Index y, Index n) {
    dark.visit([&](const auto& image) {
        if (image.stride_y == 1)
            prefetch(image.row(x) + y, n);
    });
}

} // namespace hrixs
