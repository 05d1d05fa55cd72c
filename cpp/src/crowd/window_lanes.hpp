// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/lanes.hpp"

namespace hrixs::crowd::HRIXS_LEVEL {
namespace {

// All ones in the first n lanes from lane_bits + lanes - n, in the others from there and twice as
// far.
constexpr std::int32_t lane_bits[3 * lanes] = {-1, -1, -1, -1, -1, -1, -1, -1, 0,  0,  0,  0,
                                               0,  0,  0,  0,  -1, -1, -1, -1, -1, -1, -1, -1};
inline Bits first_lanes(std::int32_t n) {
    return load_bits(lane_bits + lanes - n);
}
inline Bits other_lanes(std::int32_t n) {
    return load_bits(lane_bits + 2 * lanes - n);
}

// Where variances are 0, lanes beyond the window would make NaN.
constexpr float least_variance = 1e-20F;

inline float least(float a, float b) {
    return b < a ? b : a;
}
inline float within(float value, float lowest, float highest) {
    return value < lowest ? lowest : highest < value ? highest : value;
}

// The pixels of a window, the first lanes; what lies beyond is some other pixel.
template <int Rows> struct WindowPixels {
    explicit WindowPixels(const Window& window) {
        const Bits in_left = first_lanes(window.n_left);
        const float* left = window.upper[0];
        const float* right = window.upper[1];
        for (int a = 0; a < Rows; ++a) {
            if (a == window.n_upper) {
                left = window.lower[0];
                right = window.lower[1];
            }
            rest[a] = choose(in_left, load(left), load(right));
            variance[a] = choose(in_left, load(left + tile_size), load(right + tile_size));
            left += row_floats;
            right += row_floats;
        }
    }
    Lanes rest[Rows];
    Lanes variance[Rows];
};

struct ShareLanes {
    Lanes share;
    Lanes slope;
};

inline ShareLanes shares_at(const ShareNode* nodes, float place) {
    const float in_nodes = (place + share_range) * nodes_per_pixel;
    const int number = static_cast<int>(in_nodes + 0.5F);
    const Lanes rest = all_of((in_nodes - static_cast<float>(number)) / nodes_per_pixel);
    const ShareNode& node = nodes[number];
    const Lanes first = load(node.first);
    const Lanes second = load(node.second);
    const Lanes third = load(node.third);
    return {load(node.share) + rest * (first + rest * (second + rest * third)),
            first + rest * (all_of(2.0F) * second + all_of(3.0F) * rest * third)};
}

inline void store_shares(const ShareNode* nodes, float place, Shares& shares) {
    const ShareLanes at = shares_at(nodes, place);
    store(shares.share, at.share);
    store(shares.slope, at.slope);
}

} // namespace
} // namespace hrixs::crowd::HRIXS_LEVEL
