// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/canvas.hpp"
#include "crowd/kernels.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace hrixs::crowd {

struct Photon {
    double x;
    double y;
    Index centre_x; // middle of the window that it was subtracted in
    Index centre_y;
    std::int32_t next;                // in its tile's chain
    std::int32_t slot;                // of that tile
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

// The photons of a frame, chained by the tiles that they lie in.
class PhotonList {
  public:
    void clear() {
        photons_.clear();
        n_there_ = 0;
    }
    std::int32_t size() const { return static_cast<std::int32_t>(photons_.size()); }
    Index n_there() const { return n_there_; }
    Photon& operator[](std::int32_t k) { return photons_[static_cast<std::size_t>(k)]; }
    const Photon& operator[](std::int32_t k) const { return photons_[static_cast<std::size_t>(k)]; }

    std::int32_t add(Canvas& canvas, double x, double y) {
        photons_.push_back(Photon{});
        ++n_there_;
        const std::int32_t k = size() - 1;
        put(canvas, k, x, y);
        chain(canvas, k);
        return k;
    }
    void remove(Canvas& canvas, std::int32_t k) {
        unchain(canvas, k);
        (*this)[k].is_there = false;
        --n_there_;
    }
    void move(Canvas& canvas, std::int32_t k, double x, double y) {
        const std::int32_t before = (*this)[k].slot;
        const std::int32_t now = slot_at(canvas, nearest(x), nearest(y));
        if (now == before) {
            put(canvas, k, x, y);
            return;
        }
        unchain(canvas, k);
        put(canvas, k, x, y);
        chain(canvas, k);
    }

    // The photons that are nearer to a place than `reach` along both axes; less than a tile.
    template <class Work>
    void for_each_near(const Canvas& canvas, double x, double y, double reach, Work work) {
        const std::int32_t i1 = tile_at(x + reach);
        const std::int32_t j0 = tile_at(y - reach);
        const std::int32_t j1 = tile_at(y + reach);
        for (std::int32_t i = tile_at(x - reach); i <= i1; ++i)
            for (std::int32_t j = j0; j <= j1; ++j) {
                const std::int32_t slot = canvas.slot_in_place(i, j);
                std::int32_t k = slot == none ? none : canvas.tile(slot).first_photon;
                while (k != none) {
                    Photon& photon = (*this)[k];
                    k = photon.next;
                    const double d_x = std::abs(photon.x - x);
                    const double d_y = std::abs(photon.y - y);
                    if (std::max(d_x, d_y) < reach) // one branch, which none foresees
                        work(photon);
                }
            }
    }
    std::int32_t number_of(const Photon& photon) const {
        return static_cast<std::int32_t>(&photon - photons_.data());
    }

  private:
    static std::int32_t tile_at(double place) {
        return static_cast<std::int32_t>((place + (tile_size + 0.5)) / tile_size);
    }
    static std::int32_t slot_at(const Canvas& canvas, Index x, Index y) {
        return canvas.slot(Canvas::tile_of(x), Canvas::tile_of(y));
    }
    void put(const Canvas& canvas, std::int32_t k, double x, double y) {
        Photon& photon = (*this)[k];
        photon.x = x;
        photon.y = y;
        photon.centre_x = nearest(x);
        photon.centre_y = nearest(y);
        photon.slot = slot_at(canvas, photon.centre_x, photon.centre_y);
    }
    void chain(Canvas& canvas, std::int32_t k) {
        Tile& tile = canvas.tile((*this)[k].slot);
        (*this)[k].next = tile.first_photon;
        tile.first_photon = k;
    }
    void unchain(Canvas& canvas, std::int32_t k) {
        std::int32_t* link = &canvas.tile((*this)[k].slot).first_photon;
        while (*link != k)
            link = &(*this)[*link].next;
        *link = (*this)[k].next;
    }
    std::vector<Photon> photons_;
    Index n_there_ = 0;
};

} // namespace hrixs::crowd
