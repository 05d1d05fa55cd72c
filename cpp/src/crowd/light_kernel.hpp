// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/kernels.hpp"
#include "crowd/window_lanes.hpp"

namespace hrixs::crowd::HRIXS_LEVEL {
namespace {

// Adds to a tile's row and its variances, in the lanes that are its own.
inline void add_to_row(float* row, const Bits& own, const Lanes& part, const Lanes& electrons) {
    const Lanes rest = load(row);
    const Lanes variance = load(row + tile_size);
    store(row, choose(own, rest + part, rest));
    store(row + tile_size, choose(own, variance - electrons, variance));
}

template <int Rows>
void exchange(const Window& window, const ShareNode* nodes, Light light, const Place* put_back,
              const Place* taken) {
    Shares in_x{};
    Shares out_x{};
    Lanes in_y = all_of(0.0F);
    Lanes out_y = in_y;
    const Lanes charge = all_of(light.charge);
    if (put_back != nullptr) {
        store_shares(nodes, put_back->x, in_x);
        in_y = charge * shares_at(nodes, put_back->y).share;
    }
    if (taken != nullptr) {
        store_shares(nodes, taken->x, out_x);
        out_y = charge * shares_at(nodes, taken->y).share;
    }
    const Bits in_left = first_lanes(window.n_left);
    const Bits in_right = other_lanes(window.n_left);
    float* left = window.upper[0];
    float* right = window.upper[1];
    for (int a = 0; a < Rows; ++a) {
        if (a == window.n_upper) {
            left = window.lower[0];
            right = window.lower[1];
        }
        const Lanes part = all_of(in_x.share[a]) * in_y - all_of(out_x.share[a]) * out_y;
        const Lanes electrons = all_of(light.adu_per_electron) * part;
        add_to_row(left, in_left, part, electrons);
        if (window.is_split)
            add_to_row(right, in_right, part, electrons);
        left += row_floats;
        right += row_floats;
    }
}

} // namespace
} // namespace hrixs::crowd::HRIXS_LEVEL
