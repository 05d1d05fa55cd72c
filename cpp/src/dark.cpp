// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/dark.hpp"

namespace hrixs {

void Dark::subtract_from(double* pixels, Index x, Index y, Index n) const {
    const RowKernels& kernels = row_kernels();
    if (const auto* image = std::get_if<ImageView<float>>(&image_); image && image->stride_y == 1)
        return kernels.subtract_f32(pixels, image->row(x) + y, n);
    if (const auto* image = std::get_if<ImageView<double>>(&image_); image && image->stride_y == 1)
        return kernels.subtract_f64(pixels, image->row(x) + y, n);
    for (Index k = 0; k < n; ++k)
        pixels[k] -= (*this)(x, y + k);
}

} // namespace hrixs
