// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/index.hpp"

namespace hrixs {

// Batcher's merge exchange (Knuth, The Art of Computer Programming 3, 5.3.4): exchange(i, j) for
// the pairs whose lower value goes to i, in an order that sorts n values whatever they are. Many
// columns are so sorted side by side.
template <class Exchange> void sort_network(Index n, Exchange exchange) {
    for (Index p = 1; p < n; p *= 2)
        for (Index k = p; k >= 1; k /= 2)
            for (Index j = k % p; j + k < n; j += 2 * k)
                for (Index i = 0; i < k && i < n - j - k; ++i)
                    if (((i + j) ^ (i + j + k)) < 2 * p) // of one run of 2 p values
                        exchange(i + j, i + j + k);
}

} // namespace hrixs
