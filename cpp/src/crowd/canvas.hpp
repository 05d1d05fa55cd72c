// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/tile.hpp"
#include "hrixs/uninitialised.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace hrixs::crowd {

// The pixel that a place lies in; places are not far below 0.
inline Index nearest(double place) {
    constexpr Index offset = 64;
    return static_cast<Index>(place + 0.5 + static_cast<double>(offset)) - offset;
}

inline float* rest_of(Tile& tile, int row) {
    return tile.values + first_value + row * row_floats;
}
inline float* variance_of(Tile& tile, int row) {
    return rest_of(tile, row) + tile_size;
}
inline const float* rest_of(const Tile& tile, int row) {
    return tile.values + first_value + row * row_floats;
}
inline const float* variance_of(const Tile& tile, int row) {
    return rest_of(tile, row) + tile_size;
}

// What is known of a tile apart from its pixels: to look through all must not fetch each tile.
struct TileState {
    std::int32_t i; // its place among tiles
    std::int32_t j;
    std::int32_t n_searched = 0; // of it and the tiles around it
    bool is_searched = false;    // photons are looked for in it ...
    bool is_waiting = false;     // ... and it has changed since that was done
};

// The parts of a frame that have light, in tiles. Pixels beyond the frame are masked ones.
class Canvas {
  public:
    // For frames of that size.
    Canvas(Index nx, Index ny)
        : nx_(nx), ny_(ny), n_i_(static_cast<std::int32_t>((nx + tile_size - 1) / tile_size + 2)),
          n_j_(static_cast<std::int32_t>((ny + tile_size - 1) / tile_size + 2)),
          slot_(static_cast<std::size_t>(n_i_) * static_cast<std::size_t>(n_j_), none) {}

    void clear() {
        for (const TileState& tile : states_)
            slot_[place(tile.i, tile.j)] = none;
        states_.clear();
    }
    // Makes room for as many tiles as so many seeds have: growing in steps would copy them, and
    // touch memory that is not needed.
    void reserve(std::size_t n_seeds) {
        constexpr std::size_t of_a_seed = 12;
        const std::size_t wanted = std::min(of_a_seed * n_seeds, n_places());
        if (wanted > tiles_.capacity())
            tiles_.reserve(wanted + wanted / 4);
    }

    Index nx() const { return nx_; }
    Index ny() const { return ny_; }
    // Of the tile that pixel x or y lies in; a tile of masked ones goes all around the frame.
    static std::int32_t tile_of(Index pixel) {
        return static_cast<std::int32_t>((pixel + tile_size) / tile_size);
    }
    static Index first_pixel(std::int32_t tile) {
        return static_cast<Index>(tile) * tile_size - tile_size;
    }
    bool has_place(std::int32_t i, std::int32_t j) const {
        return i >= 0 && j >= 0 && i < n_i_ && j < n_j_;
    }
    std::int32_t slot(std::int32_t i, std::int32_t j) const {
        return has_place(i, j) ? slot_[place(i, j)] : none;
    }
    // Of a tile that has a place.
    std::int32_t slot_of_place(std::size_t place) const { return slot_[place]; }
    Tile& tile(std::int32_t slot) { return tiles_[static_cast<std::size_t>(slot)]; }
    const Tile& tile(std::int32_t slot) const { return tiles_[static_cast<std::size_t>(slot)]; }
    TileState& state(std::int32_t slot) { return states_[static_cast<std::size_t>(slot)]; }
    const TileState& state(std::int32_t slot) const {
        return states_[static_cast<std::size_t>(slot)];
    }
    std::int32_t size() const { return static_cast<std::int32_t>(states_.size()); }

    // A tile and those around it, which are all there.
    void around(std::int32_t slot, const Tile* (&tiles)[3][3]) const {
        const TileState& middle = state(slot);
        for (std::int32_t a = 0; a < 3; ++a) {
            const std::int32_t* row = slot_.data() + place(middle.i + a - 1, middle.j - 1);
            for (std::int32_t b = 0; b < 3; ++b)
                tiles[a][b] = &tile(row[b]);
        }
    }

    // A new tile, whose pixels are to be filled.
    std::int32_t add(std::int32_t i, std::int32_t j) {
        const std::int32_t slot = size();
        if (states_.size() == tiles_.size())
            tiles_.emplace_back();
        states_.push_back({.i = i, .j = j});
        tile(slot).i = i;
        tile(slot).j = j;
        slot_[place(i, j)] = slot;
        return slot;
    }

    // The pixels as far as `reach` around one; all tiles that they lie in are there.
    void window(Index x, Index y, int reach, Window& window) {
        const std::int32_t i = tile_of(x - reach);
        const std::int32_t j = tile_of(y - reach);
        const int row = static_cast<int>(x - reach - first_pixel(i));
        const int column = static_cast<int>(y - reach - first_pixel(j));
        window.n_upper = tile_size - row;
        window.n_left = tile_size - column;
        window.n_slots = 0;
        window.is_split = column + 2 * reach >= tile_size;
        const bool has_lower = row + 2 * reach >= tile_size;
        const auto add_tile = [&](std::int32_t by_i, std::int32_t by_j) {
            const std::int32_t slot = slot_[place(i + by_i, j + by_j)];
            window.slots[window.n_slots++] = slot;
            return rest_of(tile(slot), by_i == 0 ? row : 0) + column;
        };
        window.upper[0] = add_tile(0, 0);
        window.upper[1] = (window.is_split ? add_tile(0, 1) : window.upper[0]) - tile_size;
        window.lower[0] = has_lower ? add_tile(1, 0) : window.upper[0];
        window.lower[1] = !has_lower        ? window.upper[1]
                          : window.is_split ? add_tile(1, 1) - tile_size
                                            : window.lower[0] - tile_size;
    }
    Window window(Index x, Index y, int reach) {
        Window result;
        window(x, y, reach, result);
        return result;
    }

    // Of a tile among all that could be there.
    std::size_t n_places() const { return slot_.size(); }
    std::size_t place(std::int32_t i, std::int32_t j) const {
        return static_cast<std::size_t>(i) * static_cast<std::size_t>(n_j_) +
               static_cast<std::size_t>(j);
    }

  private:
    Index nx_;
    Index ny_;
    std::int32_t n_i_;
    std::int32_t n_j_;
    std::vector<std::int32_t> slot_;
    ImageValues<Tile> tiles_;
    std::vector<TileState> states_; // of the tiles in use, the first ones
};

} // namespace hrixs::crowd
