// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/index.hpp"

#include <algorithm>

namespace hrixs {

// Calls hit(y) for every y in [begin, end) where is_candidate(y). Most blocks of a row hold none,
// and telling so needs no branch a pixel.
template <class IsCandidate, class Hit>
void for_each_candidate(Index begin, Index end, IsCandidate is_candidate, Hit hit) {
    constexpr Index block = 32;
    for (Index block_begin = begin; block_begin < end; block_begin += block) {
        const Index block_end = std::min(block_begin + block, end);
        int any = 0;
        for (Index y = block_begin; y < block_end; ++y)
            any |= static_cast<int>(is_candidate(y));
        if (any == 0)
            continue;
        for (Index y = block_begin; y < block_end; ++y)
            if (is_candidate(y))
                hit(y);
    }
}

} // namespace hrixs
