// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/index.hpp"

namespace hrixs {

enum class CacheLevel { first, second };

// Has n numbers brought nearer that will be read soon. Of each file its own: the levels of the
// processor use it, and compiled for a newer one it must not be kept for all.
template <CacheLevel Level = CacheLevel::first, class Number>
static inline void prefetch([[maybe_unused]] const Number* from, [[maybe_unused]] Index n) {
#if defined(__GNUC__)
    constexpr Index cache_line = 64 / sizeof(Number);
    constexpr int for_reading = 0;
    constexpr int locality = Level == CacheLevel::first ? 3 : 2;
    for (Index k = 0; k < n; k += cache_line)
        __builtin_prefetch(from + k, for_reading, locality);
#endif
}

// For rows that are read a few thousand bytes later: in the first level, which is small, they would
// get into the way of what is worked on.
template <class Number> static inline void prefetch_row(const Number* from, Index n) {
    prefetch<CacheLevel::second>(from, n);
}

// Where what is read soon lies, when row x of an image is read from y on; with the whole row it
// lies in the image. Memory needs the time of so many bytes; where rows do not follow each other,
// it is the next row.
template <class Image> static inline auto read_soon(const Image& image, Index x, Index y) {
    constexpr Index distance = 8192 / Index{sizeof(*image.row(0))};
    const bool follows =
        image.stride_x == image.ny && (x + 1) * image.ny + y + distance <= image.nx * image.ny;
    return (follows ? image.row(x) + distance : image.row(x + 1 < image.nx ? x + 1 : x)) + y;
}

} // namespace hrixs
