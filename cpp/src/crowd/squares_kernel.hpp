// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/kernels.hpp"
#include "crowd/window_lanes.hpp"

namespace hrixs::crowd::HRIXS_LEVEL {
namespace {

// The sums of all squares of Size x Size pixels whose lowest pixel lies in the middle one of 3x3
// tiles, and of those around them.
template <int Size> class Squares {
  public:
    explicit Squares(const Tile* const (&tiles)[3][3]) : tile_(*tiles[1][1]) {
        const Lanes zero = all_of(0.0F);
        for (int a = 0; a < rows; ++a) {
            const int row = (a + first) % tile_size;
            for (int k = 0; k < 3; ++k) {
                const Tile& from = *tiles[(a + first) / tile_size][k];
                const float* values = from.values + first_value + row * row_floats;
                Lanes rest = load(values);
                if (from.has_masked)
                    rest = choose(load(values + tile_size) < all_of(never), rest, zero);
                store(pixel_[a] + k * tile_size, rest);
            }
            store(pixel_[a] + 3 * tile_size, zero);
        }
    }

    // Whether any square of the tile can be above the limit, or below it when that is taken from 0:
    // most have no row of pixels that is above its part.
    bool may_have(float limit) const {
        // Somewhat lower, so that no rounding matters.
        const float part = limit * (0.999F / static_cast<float>(Size));
        Lanes highest = all_of(0.0F);
        Lanes lowest = highest;
        for (int a = 1; a < rows - 1; ++a) {
            Lanes sum = load(pixel_[a] + first + 1);
            for (int b = 1; b < Size; ++b)
                sum = sum + load(pixel_[a] + first + 1 + b);
            highest = larger(sum, highest);
            lowest = smaller(sum, lowest);
        }
        return any(all_of(part) < highest) || any(lowest < all_of(-part));
    }

    void add_up() {
        alignas(32) float line[rows][width];
        for (int a = 0; a < rows; ++a)
            for (int k = 0; k < width; k += lanes) {
                Lanes sum = load(pixel_[a] + first + k);
                for (int b = 1; b < Size; ++b)
                    sum = sum + load(pixel_[a] + first + k + b);
                store(line[a] + k, sum);
            }
        for (int a = 0; a < squares; ++a)
            for (int k = 0; k < width; k += lanes) {
                Lanes sum = load(line[a] + k);
                for (int b = 1; b < Size; ++b)
                    sum = sum + load(line[a + b] + k);
                store(square_[a] + k, sum);
            }
    }

    // Those in the tile that are above the limit and local maxima; sign -1: of what was taken out
    // too much.
    void find(float sign, float limit, FoundSquares& found) const {
        found.n = 0;
        for (int a = 1; a <= tile_size; ++a) {
            if (!any(all_of(limit) < all_of(sign) * load(square_[a] + 1)))
                continue;
            for (int k = 1; k <= tile_size; ++k)
                if (sign * square_[a][k] > limit && is_maximum(sign, a, k))
                    found.square[found.n++] = square(sign, a, k);
        }
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

    Square square(float sign, int a, int k) const {
        const Index x = Index{tile_.i} * tile_size - tile_size + a - 1;
        const Index y = Index{tile_.j} * tile_size - tile_size + k - 1;
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
        return {sign * square_[a][k], x, y, static_cast<double>(x) + inside(mean_x),
                static_cast<double>(y) + inside(mean_y)};
    }
    static double inside(double mean) {
        constexpr double last = Size - 1.0;
        return mean < 0.0 ? 0.0 : last < mean ? last : mean;
    }

    const Tile& tile_;
    alignas(32) float pixel_[rows][4 * tile_size];
    alignas(32) float square_[squares][width];
};

// Whether a pixel that a square of 2x2 pixels may have is above a fourth of the limit: without one,
// no sum is above it.
inline bool may_have_small(const Tile* const (&tiles)[3][3], float limit) {
    const float* right = tiles[1][2]->values + first_value;
    // From zero on, not from a pixel that may be no number.
    Lanes highest = larger(load(tiles[2][1]->values + first_value), all_of(0.0F));
    float beside = tiles[2][2]->values[first_value];
    for (int a = 0; a < tile_size; ++a) {
        highest = larger(load(tiles[1][1]->values + first_value + a * row_floats), highest);
        const float pixel = right[a * row_floats];
        beside = beside < pixel ? pixel : beside;
    }
    const float part = limit * 0.2499F;
    return !(beside <= part) || any(all_of(part) < highest);
}

inline void small_squares(const Tile* const (&tiles)[3][3], float limit, FoundSquares& left) {
    left.n = 0;
    if (!may_have_small(tiles, limit))
        return;
    Squares<2> squares(tiles);
    squares.add_up();
    squares.find(1.0F, limit, left);
}

inline void large_squares(const Tile* const (&tiles)[3][3], float limit, FoundSquares& left,
                          FoundSquares& taken) {
    left.n = 0;
    taken.n = 0;
    Squares<4> squares(tiles);
    if (!squares.may_have(limit))
        return;
    squares.add_up();
    squares.find(1.0F, limit, left);
    squares.find(-1.0F, limit, taken);
}

} // namespace
} // namespace hrixs::crowd::HRIXS_LEVEL
