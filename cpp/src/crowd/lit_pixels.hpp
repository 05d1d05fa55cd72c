// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/canvas.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace hrixs::crowd {

// Pixels of a canvas that have light, a bit for each.
class LitPixels {
  public:
    void clear(const Canvas& canvas) { lit_.assign(static_cast<std::size_t>(canvas.size()), 0); }
    std::uint64_t of_tile(std::int32_t slot) const { return lit_[static_cast<std::size_t>(slot)]; }

    // Those as far as `reach` around a pixel.
    void mark(const Canvas& canvas, Index x, Index y, Index reach) {
        const Index size = 2 * reach + 1;
        for_each_part(x - reach, size, [&](std::int32_t i, Index row, Index n_rows) {
            for_each_part(y - reach, size, [&](std::int32_t j, Index column, Index n_columns) {
                const std::int32_t slot = canvas.slot(i, j);
                if (slot == none)
                    return;
                const std::uint64_t in_row = ((std::uint64_t{1} << n_columns) - 1) << column;
                std::uint64_t bits = 0;
                for (Index a = row; a < row + n_rows; ++a)
                    bits |= in_row << (a * tile_size);
                lit_[static_cast<std::size_t>(slot)] |= bits;
            });
        });
    }

  private:
    // work(tile, first pixel in it, number of them) for the tiles that n pixels lie in.
    template <class Work> static void for_each_part(Index first, Index n, Work work) {
        while (n > 0) {
            const std::int32_t tile = Canvas::tile_of(first);
            const Index begin = first - Canvas::first_pixel(tile);
            const Index here = std::min<Index>(n, tile_size - begin);
            work(tile, begin, here);
            n -= here;
            first += here;
        }
    }

    std::vector<std::uint64_t> lit_;
};

} // namespace hrixs::crowd
