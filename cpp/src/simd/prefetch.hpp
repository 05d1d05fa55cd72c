// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/index.hpp"

namespace hrixs {

// Has n numbers brought nearer that will be read soon. Of each file its own: the levels of the
// processor use it, and compiled for a newer one it must not be kept for all.
template <class Number>
static inline void prefetch([[maybe_unused]] const Number* from, [[maybe_unused]] Index n) {
#if defined(__GNUC__)
    constexpr Index cache_line = 64 / sizeof(Number);
    constexpr int for_reading = 0;
    constexpr int to_first_level = 3;
    for (Index k = 0; k < n; k += cache_line)
        __builtin_prefetch(from + k, for_reading, to_first_level);
#endif
}

// Where what is read soon lies, when row x of an image is read from y on; with the whole row it
// lies in the image. Farther away, in another page, fetches would get into the way of the
// processor's own, which follow the row: the next row is only taken where rows do not follow each
// other.
template <class Image> static inline auto read_soon(const Image& image, Index x, Index y) {
    constexpr Index distance = 2048 / Index{sizeof(*image.row(0))};
    const bool follows =
        image.stride_x == image.ny && (x + 1) * image.ny + y + distance <= image.nx * image.ny;
    return (follows ? image.row(x) + distance : image.row(x + 1 < image.nx ? x + 1 : x)) + y;
}

} // namespace hrixs
