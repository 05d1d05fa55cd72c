// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/canvas.hpp"
#include "crowd/profile.hpp"

#include <algorithm>
#include <cstring>

namespace hrixs::crowd {

// The pixels of a canvas around one of them, copied out, in rows of whole tiles.
template <int Reach> struct Patch {
    static constexpr int rows = 2 * Reach + 1;
    static constexpr int width = 2 * tile_size;

    // All tiles that the window touches are there.
    Patch(const Canvas& canvas, Index x, Index y) {
        const Index x0 = x - Reach;
        const Index y0 = y - Reach;
        const std::int32_t i = Canvas::tile_of(x0);
        const std::int32_t j = Canvas::tile_of(y0);
        row_ = static_cast<int>(x0 - Canvas::first_pixel(i));
        column_ = static_cast<int>(y0 - Canvas::first_pixel(j));
        const int n_i = row_ + rows > tile_size ? 2 : 1;
        n_columns_ = column_ + rows > tile_size ? 2 : 1;
        for (int k = 0; k < n_i; ++k) {
            slot_[k][0] = canvas.slot(i + k, j);
            slot_[k][1] = n_columns_ == 2 ? canvas.slot(i + k, j + 1) : slot_[k][0];
        }
        for (int a = 0; a < rows; ++a) {
            const std::int32_t* slot = slot_[(row_ + a) / tile_size];
            const int at = (row_ + a) % tile_size;
            for (int k = 0; k < 2; ++k) {
                const Tile::Row& from = canvas.tile(slot[k]).row[at];
                std::memcpy(rest_[a] + k * tile_size, from.rest, sizeof from.rest);
                std::memcpy(variance_[a] + k * tile_size, from.variance, sizeof from.variance);
            }
        }
    }

    float* rest(int row) { return rest_[row] + column_; }
    float* variance(int row) { return variance_[row] + column_; }
    const float* rest(int row) const { return rest_[row] + column_; }
    const float* variance(int row) const { return variance_[row] + column_; }

  private:
    int row_;
    int column_;
    int n_columns_;
    std::int32_t slot_[2][2];
    alignas(32) float rest_[rows][width];
    alignas(32) float variance_[rows][width];
};

} // namespace hrixs::crowd
