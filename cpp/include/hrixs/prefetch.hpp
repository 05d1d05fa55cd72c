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

} // namespace hrixs
