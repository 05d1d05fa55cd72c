// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/index.hpp"

#include <cstdint>
#include <limits>

// What the inner loops know of photons in a crowd: plain data, without inline functions. Compiled
// for a newer processor, one could be what the linker keeps for all.
namespace hrixs::crowd {

constexpr int tile_size = 8;
constexpr int tile_pixels = tile_size * tile_size;
constexpr int lanes = 8; // pixels of a row that are worked on together

constexpr std::int32_t none = -1;
constexpr float never = std::numeric_limits<float>::infinity(); // variance of a masked pixel

// Of a tile's row: what is left in its pixels, then the variances of that.
constexpr int row_floats = 2 * tile_size;

// A square of pixels that has light: what its photons leave of it, and the variance of that.
struct alignas(64) Tile {
    std::int32_t i = 0; // its place among tiles
    std::int32_t j = 0;
    bool has_masked = true; // perhaps
    // Windows reach over the first and the last row by less than a tile.
    alignas(32) float values[tile_size + tile_size * row_floats + tile_size] = {};
};
constexpr int first_value = tile_size; // of the first row

// Rows of pixels that lie in one tile or in two beside each other, or in four.
struct Window {
    float* upper[2]; // its first row, as if it lay in the left tile, or in the right one
    float* lower[2]; // the first row in the lower tiles
    std::int32_t n_upper;
    std::int32_t n_left;   // lanes that lie in the left tiles
    std::int32_t slots[4]; // of all tiles, none twice
    std::int32_t n_slots;
    bool is_split; // into left and right
};

// A cloud's shares in the pixels of a window's row or column, and their slopes by its place.
struct Shares {
    alignas(32) float share[lanes];
    alignas(32) float slope[lanes];
};
// Both axes; columns with zeros around them, so that another window's can be looked at.
struct Cloud {
    Shares along_x;
    alignas(32) float share_y[3 * lanes];
    alignas(32) float slope_y[3 * lanes];
};
// Taylor's coefficients of the shares near some place.
struct ShareNode {
    alignas(32) float share[lanes];
    alignas(32) float first[lanes];
    alignas(32) float second[lanes];
    alignas(32) float third[lanes];
};
constexpr float nodes_per_pixel = 64.0F;
constexpr float share_range = 1.0F; // pixels, on either side

// What all photons of a frame share.
struct Light {
    float charge;           // of one photon, ADU
    float adu_per_electron; // 0: electrons have no noise
};

} // namespace hrixs::crowd
