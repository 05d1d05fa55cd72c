// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/canvas.hpp"
#include "crowd/lanes.hpp"

#include <algorithm>
#include <vector>

namespace hrixs::crowd {

// A square of pixels with light left over, or with too much taken out.
struct Square {
    float sum; // its magnitude, ADU
    Index row; // lowest pixel
    Index column;
    double x; // centre of mass
    double y;
};

// Pixels of a tile's row, 0 where masked.
inline Lanes rest_of(const Tile& tile, int row) {
    float rest[tile_size];
    for (int k = 0; k < tile_size; ++k)
        rest[k] = tile.row[row].variance[k] < never ? tile.row[row].rest[k] : 0.0F;
    return Lanes::load(rest);
}

// The sums of all squares of Size x Size pixels whose lowest pixel lies in a tile, and of those
// around them. All tiles around it are there.
template <int Size> class Squares {
  public:
    Squares(const Canvas& canvas, const Tile& tile) : tile_(tile) {
        const Tile* from[3][3];
        for (int i = 0; i < 3; ++i)
            for (int j = 0; j < 3; ++j)
                from[i][j] = &canvas.tile(canvas.slot(tile.i + i - 1, tile.j + j - 1));
        for (int a = 0; a < rows; ++a) {
            const int row = (a + first) % tile_size;
            for (int k = 0; k < 3; ++k) {
                const Tile& it = *from[(a + first) / tile_size][k];
                const Lanes rest = it.has_masked ? rest_of(it, row) : Lanes::load(it.row[row].rest);
                rest.store(pixel_[a] + k * tile_size);
            }
            Lanes::of(0.0F).store(pixel_[a] + 3 * tile_size);
        }
        float line[rows][width];
        for (int a = 0; a < rows; ++a)
            for (int k = 0; k < width; k += lanes) {
                Lanes sum = Lanes::load(pixel_[a] + first + k);
                for (int b = 1; b < Size; ++b)
                    sum = sum + Lanes::load(pixel_[a] + first + k + b);
                sum.store(line[a] + k);
            }
        for (int a = 0; a < squares; ++a)
            for (int k = 0; k < width; k += lanes) {
                Lanes sum = Lanes::load(line[a] + k);
                for (int b = 1; b < Size; ++b)
                    sum = sum + Lanes::load(line[a + b] + k);
                sum.store(square_[a] + k);
            }
    }

    // Those in the tile that are above the limit and local maxima; sign -1: of what was taken out
    // too much.
    void find(float sign, float limit, std::vector<Square>& found) const {
        for (int a = 1; a <= tile_size; ++a)
            for (int k = 1; k <= tile_size; ++k)
                if (sign * square_[a][k] > limit && is_maximum(sign, a, k))
                    add(sign, a, k, found);
    }

  private:
    static constexpr int rows = tile_size + 1 + Size;
    static constexpr int first = tile_size - 1;
    static constexpr int squares = tile_size + 2;
    static constexpr int width = 2 * lanes; // the first ten are squares

    bool is_maximum(float sign, int a, int k) const {
        const float sum = sign * square_[a][k];
        const auto other = [&](int i, int j) { return sign * square_[a + i][k + j]; };
        return sum >= other(-1, -1) && sum >= other(-1, 0) && sum >= other(-1, 1) &&
               sum >= other(0, -1) && sum > other(0, 1) && sum > other(1, -1) &&
               sum > other(1, 0) && sum > other(1, 1);
    }

    void add(float sign, int a, int k, std::vector<Square>& found) const {
        const Index x = Canvas::first_pixel(tile_.i) + a - 1;
        const Index y = Canvas::first_pixel(tile_.j) + k - 1;
        double mean_x = 0.0;
        double mean_y = 0.0;
        for (int b = 1; b < Size; ++b) {
            float upper = 0.0F;
            float right = 0.0F;
            for (int c = 0; c < Size; ++c) {
                upper += pixel_[a + b][first + k + c];
                right += pixel_[a + c][first + k + b];
            }
            mean_x += b * static_cast<double>(upper / square_[a][k]);
            mean_y += b * static_cast<double>(right / square_[a][k]);
        }
        constexpr double last = Size - 1.0;
        found.push_back({sign * square_[a][k], x, y,
                         static_cast<double>(x) + std::clamp(mean_x, 0.0, last),
                         static_cast<double>(y) + std::clamp(mean_y, 0.0, last)});
    }

    const Tile& tile_;
    alignas(32) float pixel_[rows][3 * tile_size + lanes];
    float square_[squares][width];
};

// Of a square of Size x Size pixels, as it is now.
template <int Size> float sum_now(const Canvas& canvas, const Square& square) {
    float sum = 0.0F;
    for (Index x = square.row; x < square.row + Size; ++x)
        for (Index y = square.column; y < square.column + Size; ++y) {
            const std::int32_t i = Canvas::tile_of(x);
            const std::int32_t j = Canvas::tile_of(y);
            const Tile::Row& row = canvas.tile(canvas.slot(i, j)).row[x - Canvas::first_pixel(i)];
            const Index k = y - Canvas::first_pixel(j);
            sum += row.variance[k] < never ? row.rest[k] : 0.0F;
        }
    return sum;
}

} // namespace hrixs::crowd
