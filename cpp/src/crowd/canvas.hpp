// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/index.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace hrixs::crowd {

constexpr int tile_size = 8;
constexpr int tile_pixels = tile_size * tile_size;

constexpr std::int32_t none = -1;
constexpr float never = std::numeric_limits<float>::infinity(); // variance of a masked pixel

// The pixel that a place lies in; places are not far below 0.
inline Index nearest(double place) {
    constexpr Index offset = 64;
    return static_cast<Index>(place + 0.5 + static_cast<double>(offset)) - offset;
}

// A square of pixels that has light: what its photons leave of it, and the variance of that.
struct Tile {
    struct Row {
        float rest[tile_size];
        float variance[tile_size]; // noise and electrons of the photons that were taken out
    };
    alignas(64) Row row[tile_size];
    std::int32_t i = 0; // its place among tiles
    std::int32_t j = 0;
    std::int32_t first_photon = none; // of a chain
    std::int32_t n_searched = 0;      // of it and the tiles around it
    bool has_masked = true;           // perhaps
    bool is_searched = false;         // photons are looked for in it ...
    bool is_waiting = false;          // ... and it has changed since that was done
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
        for (std::size_t k = 0; k < n_tiles_; ++k)
            slot_[place(tiles_[k].i, tiles_[k].j)] = none;
        n_tiles_ = 0;
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
    Tile& tile(std::int32_t slot) { return tiles_[static_cast<std::size_t>(slot)]; }
    const Tile& tile(std::int32_t slot) const { return tiles_[static_cast<std::size_t>(slot)]; }
    std::int32_t size() const { return static_cast<std::int32_t>(n_tiles_); }

    // A new tile, whose pixels are to be filled.
    std::int32_t add(std::int32_t i, std::int32_t j) {
        if (n_tiles_ == tiles_.size())
            tiles_.resize(std::max<std::size_t>(256, 2 * tiles_.size()));
        Tile& tile = tiles_[n_tiles_];
        tile.i = i;
        tile.j = j;
        tile.first_photon = none;
        tile.n_searched = 0;
        tile.is_searched = false;
        tile.is_waiting = false;
        slot_[place(i, j)] = static_cast<std::int32_t>(n_tiles_);
        return static_cast<std::int32_t>(n_tiles_++);
    }

  private:
    std::size_t place(std::int32_t i, std::int32_t j) const {
        return static_cast<std::size_t>(i) * static_cast<std::size_t>(n_j_) +
               static_cast<std::size_t>(j);
    }
    Index nx_;
    Index ny_;
    std::int32_t n_i_;
    std::int32_t n_j_;
    std::vector<std::int32_t> slot_;
    std::vector<Tile> tiles_; // the first n_tiles_ are in use
    std::size_t n_tiles_ = 0;
};

} // namespace hrixs::crowd
