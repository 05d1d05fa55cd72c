// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/canvas.hpp"

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
    bool is_checked = false; // its amplitude is that of a photon, as things are
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
        Photon photon{};
        photon.is_there = true;
        photons_.push_back(photon);
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

    // The photons of the tiles around a pixel that are nearer than `reach` along both axes.
    template <class Work>
    void for_each_near(const Canvas& canvas, double x, double y, double reach, Work work) const {
        const std::int32_t i0 = tile_at(x - reach);
        const std::int32_t i1 = tile_at(x + reach);
        const std::int32_t j0 = tile_at(y - reach);
        const std::int32_t j1 = tile_at(y + reach);
        for (std::int32_t i = i0; i <= i1; ++i)
            for (std::int32_t j = j0; j <= j1; ++j) {
                const std::int32_t slot = canvas.slot(i, j);
                if (slot == none)
                    continue;
                for (std::int32_t k = canvas.tile(slot).first_photon; k != none;
                     k = (*this)[k].next)
                    if (std::abs((*this)[k].x - x) < reach && std::abs((*this)[k].y - y) < reach)
                        work(k);
            }
    }

  private:
    static std::int32_t tile_at(double place) {
        return Canvas::tile_of(std::max<Index>(nearest(place), -tile_size));
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
