// SPDX-License-Identifier: BSD-3-Clause
#include "frame/dark.hpp"

#include "simd/row_kernels.hpp"

namespace hrixs {

namespace {

void subtract_row(double* pixels, const float* dark, Index n) {
    row_kernels().subtract_f32(pixels, dark, n);
}

void subtract_row(double* pixels, const double* dark, Index n) {
    row_kernels().subtract_f64(pixels, dark, n);
}

} // namespace

void subtract_dark(const Dark& dark, Index x, Index y, Index n, double* pixels) {
    dark.visit([&](const auto& image) {
        if (image.stride_y == 1)
            return subtract_row(pixels, image.row(x) + y, n);
        for (Index k = 0; k < n; ++k)
            pixels[k] -= static_cast<double>(image(x, y + k));
    });
}

} // namespace hrixs
