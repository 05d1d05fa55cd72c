// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/canvas.hpp"
#include "crowd/kernels.hpp"
#include "crowd/photon_block.hpp"

#include <cstdint>
#include <vector>

namespace hrixs::crowd {

struct Photon {
    double x = 0.0;
    double y = 0.0;
    Index centre_x = 0; // middle of the window that it was subtracted in
    Index centre_y = 0;
    std::size_t tile = 0;             // its place among all tiles
    std::int32_t place_in_block = 0;  // of all blocks' places
    std::int32_t place_in_fit = none; // among those that are fitted together
    bool is_there = true;
    bool is_waiting = false; // to be fitted once more
    bool is_crowded = false; // others are near, or were
    bool is_checked = true;  // its amplitude is that of a photon, as things are

    Place in_window() const {
        return {static_cast<float>(x - static_cast<double>(centre_x)),
                static_cast<float>(y - static_cast<double>(centre_y))};
    }
};

// The photons of a frame, and which of them lie in each tile.
class PhotonList {
  public:
    explicit PhotonList(const Canvas& canvas) : first_block_(canvas.n_places(), none) {}

    void clear() {
        for (const Photon& photon : photons_)
            first_block_[photon.tile] = none;
        photons_.clear();
        blocks_.clear();
        free_block_ = none;
        n_there_ = 0;
    }
    std::int32_t size() const { return static_cast<std::int32_t>(photons_.size()); }
    Index n_there() const { return n_there_; }
    Photon& operator[](std::int32_t k) { return photons_[static_cast<std::size_t>(k)]; }
    const Photon& operator[](std::int32_t k) const { return photons_[static_cast<std::size_t>(k)]; }

    std::int32_t add(const Canvas& canvas, double x, double y) {
        photons_.emplace_back();
        ++n_there_;
        put(size() - 1, x, y);
        enter(canvas, size() - 1);
        return size() - 1;
    }
    void remove(std::int32_t k) {
        leave(k);
        (*this)[k].is_there = false;
        --n_there_;
    }
    void move(const Canvas& canvas, std::int32_t k, double x, double y);
    // The same within its pixel.
    void shift(std::int32_t k, double x, double y) {
        (*this)[k].x = x;
        (*this)[k].y = y;
        write_in_block(k);
    }

    // work(number) for the photons that are nearer to a place than `reach` along both axes, or at
    // all; less than a tile.
    template <class Work>
    void for_each_in_square(const Canvas& canvas, double x, double y, double reach,
                            Work work) const {
        const auto r = static_cast<float>(reach);
        for_each(canvas, x, y, reach, work,
                 [r](const FourNear& four) { return four.in_square(r); });
    }
    template <class Work>
    void for_each_in_circle(const Canvas& canvas, double x, double y, double reach,
                            Work work) const {
        const auto r = static_cast<float>(reach);
        for_each(canvas, x, y, reach, work,
                 [r](const FourNear& four) { return four.in_circle(r); });
    }

  private:
    template <class Work, class Bits>
    void for_each(const Canvas& canvas, double x, double y, double reach, Work work,
                  Bits bits) const {
        const auto float_x = static_cast<float>(x);
        const auto float_y = static_cast<float>(y);
        const std::int32_t i1 = tile_at(x + reach);
        const std::int32_t j0 = tile_at(y - reach);
        const std::int32_t j1 = tile_at(y + reach);
        for (std::int32_t i = tile_at(x - reach); i <= i1; ++i)
            for (std::int32_t j = j0; j <= j1; ++j) {
                std::int32_t b = first_block_[canvas.place(i, j)];
                while (b != none) {
                    const PhotonBlock& block = blocks_[static_cast<std::size_t>(b)];
                    for (unsigned near = near_bits(block, float_x, float_y, bits); near != 0;
                         near &= near - 1)
                        work(block.photon[std::countr_zero(near)]);
                    b = block.next;
                }
            }
    }
    static std::int32_t tile_at(double place) {
        return static_cast<std::int32_t>((place + (tile_size + 0.5)) / tile_size);
    }
    void put(std::int32_t k, double x, double y) {
        Photon& photon = (*this)[k];
        photon.x = x;
        photon.y = y;
        photon.centre_x = nearest(x);
        photon.centre_y = nearest(y);
    }
    PhotonBlock& block_of(const Photon& photon) {
        return blocks_[static_cast<std::size_t>(photon.place_in_block / lanes)];
    }
    void enter(const Canvas& canvas, std::int32_t k);
    void leave(std::int32_t k);
    void write_in_block(std::int32_t k) {
        const Photon& photon = (*this)[k];
        PhotonBlock& block = block_of(photon);
        const int lane = photon.place_in_block % lanes;
        block.x[lane] = static_cast<float>(photon.x);
        block.y[lane] = static_cast<float>(photon.y);
        block.photon[lane] = k;
    }
    std::int32_t new_block();

    std::vector<Photon> photons_;
    std::vector<PhotonBlock> blocks_;
    std::vector<std::int32_t> first_block_; // of each tile
    std::int32_t free_block_ = none;        // of a chain
    Index n_there_ = 0;
};

} // namespace hrixs::crowd
