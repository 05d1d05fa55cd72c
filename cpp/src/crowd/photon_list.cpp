// SPDX-License-Identifier: BSD-3-Clause
#include "crowd/photon_list.hpp"

#include <algorithm>

namespace hrixs::crowd {

void PhotonList::move(const Canvas& canvas, std::int32_t k, double x, double y) {
    leave(k);
    put(k, x, y);
    enter(canvas, k);
}

std::int32_t PhotonList::new_block() {
    std::int32_t b = free_block_;
    if (b == none) {
        b = static_cast<std::int32_t>(blocks_.size());
        blocks_.emplace_back();
    } else {
        free_block_ = blocks_[static_cast<std::size_t>(b)].next;
    }
    PhotonBlock& block = blocks_[static_cast<std::size_t>(b)];
    std::fill(block.x, block.x + lanes, PhotonBlock::nowhere);
    std::fill(block.y, block.y + lanes, PhotonBlock::nowhere);
    block.n = 0;
    return b;
}

// The first block of a tile is the one with room.
void PhotonList::enter(const Canvas& canvas, std::int32_t k) {
    Photon& photon = (*this)[k];
    photon.tile = canvas.place(Canvas::tile_of(photon.centre_x), Canvas::tile_of(photon.centre_y));
    std::int32_t& first = first_block_[photon.tile];
    if (first == none || blocks_[static_cast<std::size_t>(first)].n == lanes) {
        const std::int32_t b = new_block();
        blocks_[static_cast<std::size_t>(b)].next = first;
        first = b;
    }
    photon.place_in_block = first * lanes + blocks_[static_cast<std::size_t>(first)].n++;
    write_in_block(k);
}

// The last one of the first block takes its place.
void PhotonList::leave(std::int32_t k) {
    std::int32_t& first = first_block_[(*this)[k].tile];
    PhotonBlock& block = blocks_[static_cast<std::size_t>(first)];
    const std::int32_t last = --block.n;
    const std::int32_t other = block.photon[last];
    block.x[last] = PhotonBlock::nowhere;
    block.y[last] = PhotonBlock::nowhere;
    if (other != k) {
        (*this)[other].place_in_block = (*this)[k].place_in_block;
        write_in_block(other);
    }
    if (block.n == 0) {
        const std::int32_t empty = first;
        first = block.next;
        block.next = free_block_;
        free_block_ = empty;
    }
}

} // namespace hrixs::crowd
