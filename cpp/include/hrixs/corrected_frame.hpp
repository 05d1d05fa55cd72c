// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/errors.hpp"
#include "hrixs/frames.hpp"
#include "hrixs/row_kernels.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>

namespace hrixs {

// What belongs to the chip and not to a frame. Both have the frames' shape.
struct ChipCorrection {
    std::optional<ImageView<double>> dark;
    std::optional<ImageView<std::uint8_t>> mask; // not 0: a bad pixel, takes part in nothing
};

// A frame as the kernels see it: dark subtracted, in double, a masked pixel as NaN. NaN makes every
// comparison false, so that a masked pixel is neither a hit nor a rival of one.
template <class Pixel> struct CorrectedFrame {
    ImageView<Pixel> image;
    const ChipCorrection* chip;

    static constexpr double masked = std::numeric_limits<double>::quiet_NaN();

    Index nx() const { return image.nx; }
    Index ny() const { return image.ny; }
    bool has_mask() const { return chip->mask.has_value(); }
    // The pixels can be used as they lie in memory.
    bool is_plain() const { return image.stride_y == 1 && !chip->dark && !chip->mask; }

    double operator()(Index x, Index y) const {
        if (chip->mask && (*chip->mask)(x, y))
            return masked;
        const double value = static_cast<double>(image(x, y));
        return chip->dark ? value - (*chip->dark)(x, y) : value;
    }

    void read_row(Index x, double* row) const {
        const Pixel* pixel = image.row(x);
        const Index ny = image.ny;
        if (image.stride_y == 1)
            to_double(pixel, ny, row);
        else
            for (Index y = 0; y < ny; ++y)
                row[y] = static_cast<double>(pixel[y * image.stride_y]);
        if (chip->dark) {
            const double* dark = chip->dark->row(x);
            const Index stride = chip->dark->stride_y;
            if (stride == 1)
                row_kernels().subtract(row, dark, ny);
            else
                for (Index y = 0; y < ny; ++y)
                    row[y] -= dark[y * stride];
        }
        if (chip->mask) {
            const std::uint8_t* bad = chip->mask->row(x);
            for (Index y = 0; y < ny; ++y)
                row[y] = bad[y * chip->mask->stride_y] ? masked : row[y];
        }
    }

    // Pixels that are neither finite nor masked.
    Index count_non_finite() const {
        Index count = 0;
        if constexpr (std::is_floating_point_v<Pixel>)
            for (Index x = 0; x < image.nx; ++x)
                for (Index y = 0; y < image.ny; ++y)
                    if (!std::isfinite(image(x, y)) && !(chip->mask && (*chip->mask)(x, y)))
                        ++count;
        return count;
    }
};

// How many pixels, and 2x2 squares of pixels, are not masked.
struct ValidCounts {
    Index pixels = 0;
    Index squares = 0;
};

// Dark and mask of the frames' shape, the dark finite where it is used; counts what is not masked.
ValidCounts check_chip(const ChipCorrection& chip, Index nx, Index ny);

} // namespace hrixs
