// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "frame/dark.hpp"
#include "frame/masked_squares.hpp"
#include "hrixs/camera.hpp"
#include "hrixs/frames.hpp"
#include "simd/prefetch.hpp"
#include "simd/row_kernels.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <type_traits>

namespace hrixs {

// A frame as the kernels see it: dark subtracted, in double, a masked pixel as NaN. NaN makes every
// comparison false, so that a masked pixel is neither a hit nor a rival of one.
template <class Pixel> struct CorrectedFrame {
    ImageView<Pixel> image;
    const CameraCorrection* camera;
    const MaskedSquares* masked_squares = nullptr; // of the mask, where it is not too scattered

    static constexpr double masked = std::numeric_limits<double>::quiet_NaN();

    Index nx() const { return image.nx; }
    Index ny() const { return image.ny; }
    bool has_mask() const { return camera->mask.has_value(); }
    // The pixels can be used as they lie in memory.
    bool is_plain() const { return image.stride_y == 1 && !camera->dark && !camera->mask; }

    double operator()(Index x, Index y) const {
        if (camera->mask && (*camera->mask)(x, y))
            return masked;
        const double value = static_cast<double>(image(x, y));
        return camera->dark ? value - (*camera->dark)(x, y) : value;
    }

    // n pixels of row x, the first of which is y; those of a row after it are fetched.
    void read(Index x, Index y, Index n, double* out) const {
        fetch_ahead(x, y, n);
        if (image.stride_y == 1)
            to_double(image.row(x) + y, n, out);
        else
            for (Index k = 0; k < n; ++k)
                out[k] = static_cast<double>(image(x, y + k));
        if (camera->dark)
            subtract_dark(*camera->dark, x, y, n, out);
        if (masked_squares != nullptr)
            for (const MaskedSquares::Run& run : masked_squares->runs(x))
                for (Index k = std::max<Index>(run.begin - y, 0); k < std::min(run.end - y, n); ++k)
                    out[k] = masked;
        else if (camera->mask && camera->mask->stride_y == 1)
            row_kernels().mask(out, camera->mask->row(x) + y, n);
        else if (camera->mask)
            for (Index k = 0; k < n; ++k)
                out[k] = (*camera->mask)(x, y + k) ? masked : out[k];
    }

    // Whether reading row x changes nothing of it.
    bool is_plain_row(Index x) const {
        return image.stride_y == 1 && !camera->dark &&
               (!has_mask() || (masked_squares != nullptr && masked_squares->runs(x).empty()));
    }

    // The same for a few pixels, where a call of a kernel costs more than it saves.
    void read_few(Index x, Index y, Index n, double* out) const {
        const Pixel* pixel = image.row(x) + y * image.stride_y;
        for (Index k = 0; k < n; ++k)
            out[k] = static_cast<double>(pixel[k * image.stride_y]);
        if (camera->dark)
            camera->dark->visit([&](const auto& dark) {
                const auto* subtracted = dark.row(x) + y * dark.stride_y;
                for (Index k = 0; k < n; ++k)
                    out[k] -= static_cast<double>(subtracted[k * dark.stride_y]);
            });
        if (camera->mask)
            for (Index k = 0; k < n; ++k)
                out[k] = (*camera->mask)(x, y + k) ? masked : out[k];
    }

    void fetch_ahead(Index x, Index y, Index n) const {
        const Index ahead = x + 1;
        if (ahead >= image.nx)
            return;
        if (image.stride_y == 1)
            prefetch(image.row(ahead) + y, n);
        if (camera->dark)
            prefetch(*camera->dark, ahead, y, n);
    }

    // Whether all pixels of a row are finite, the masked ones too; it may fail to tell.
    bool is_finite_row(Index x) const {
        if constexpr (std::is_same_v<Pixel, float>)
            return image.stride_y == 1 &&
                   std::isfinite(row_kernels().sum_floats(image.row(x), ny()));
        if constexpr (std::is_same_v<Pixel, double>)
            return image.stride_y == 1 && std::isfinite(row_kernels().sum_row(image.row(x), ny()));
        return false;
    }

    // Pixels that are neither finite nor masked.
    Index count_non_finite() const {
        Index count = 0;
        if constexpr (std::is_floating_point_v<Pixel>)
            for (Index x = 0; x < image.nx; ++x) {
                if (is_finite_row(x))
                    continue;
                for (Index y = 0; y < image.ny; ++y)
                    if (!std::isfinite(image(x, y)) && !(camera->mask && (*camera->mask)(x, y)))
                        ++count;
            }
        return count;
    }
};

// What all frames share.
struct CameraTotals {
    Index pixels = 0;  // not masked
    Index squares = 0; // 2x2 squares without a masked pixel
    std::optional<MaskedSquares> masked;

    // What frames of that camera take along.
    const MaskedSquares* masked_squares() const { return masked ? &*masked : nullptr; }
};

// Checks that dark and mask have the frames' shape, and that the dark is finite where it is used.
CameraTotals check_camera(const CameraCorrection& camera, Index nx, Index ny);

} // namespace hrixs
