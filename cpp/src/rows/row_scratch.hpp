// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "frame/pixel_index.hpp"
#include "simd/row_kernels.hpp"

#include <algorithm>
#include <vector>

namespace hrixs {

// Working memory of one thread, for rows of ny pixels.
struct RowScratch {
    explicit RowScratch(Index ny)
        : pairs(static_cast<std::size_t>(ny)), float_pairs_below(pairs.size()),
          float_pairs(pairs.size()), found(pairs.size()),
          block(static_cast<std::size_t>(row_block + 1)) {}

    // keep(x, y) for each pixel found in row x of n_rows rows of n pixels, but not on the border.
    template <class Keep>
    void for_each_inner(Index x, Index n_found, Index n_rows, Index n, Keep keep) const {
        if (x == 0 || x + 1 >= n_rows)
            return;
        for (Index k = 0; k < n_found; ++k) {
            const Index y = found[static_cast<std::size_t>(k)];
            if (y > 0 && y + 1 < n)
                keep(x, y);
        }
    }

    // What is found is kept a row later, when all rows around it are in the cache.
    void wait(Index x, Index y) { waiting.push_back({x, y}); }
    template <class Keep> void keep_waiting(Keep keep) {
        for (const auto& [x, y] : waiting)
            keep(x, y);
        waiting.clear();
    }

    std::vector<double> pairs;
    std::vector<float> float_pairs_below;
    std::vector<float> float_pairs;
    std::vector<Index> found;
    std::vector<PixelIndex> waiting;
    std::vector<double> block;
    std::vector<std::uint16_t>
        copied; // rows as counts, where there is no other way to have them so
};

// work(y, size) for each block of a row of n values.
template <class Work> void for_each_block(Index n, Work work) {
    for (Index y = 0; y < n; y += row_block)
        work(y, std::min(row_block, n - y));
}

} // namespace hrixs
