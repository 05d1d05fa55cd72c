// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/kernels.hpp"
#include "crowd/window_lanes.hpp"

namespace hrixs::crowd::HRIXS_LEVEL {
namespace {

template <int Rows>
float overlap(const Cloud& a, const Cloud& b, std::int32_t rows, std::int32_t columns) {
    float along_x = 0.0F;
    for (int row = rows < 0 ? -rows : 0; row < (rows < 0 ? Rows : Rows - rows); ++row)
        along_x += a.along_x.share[row] * b.along_x.share[row + rows];
    return along_x * sum(load(a.share_y + lanes) * load(b.share_y + lanes + columns));
}

template <int Rows> Remainder remainder(const Window& window, const Cloud& cloud, Light light) {
    const WindowPixels<Rows> pixels(window);
    const Bits inside = first_lanes(Rows);
    const Lanes zero = all_of(0.0F);
    const Lanes along_y = load(cloud.share_y + lanes);
    Lanes chi2 = zero;
    Lanes n = zero;
    Lanes d = zero;
    Lanes seen = zero;
    Lanes valid = zero;
    for (int a = 0; a < Rows; ++a) {
        const Bits is_seen = inside & (pixels.variance[a] < all_of(never));
        const Lanes part = choose(is_seen, all_of(cloud.along_x.share[a]) * along_y, zero);
        const Lanes rest = choose(is_seen, pixels.rest[a], zero);
        const Lanes variance = choose(is_seen, pixels.variance[a], all_of(1.0F));
        const Lanes weighed = rest / variance;
        chi2 = chi2 + weighed * rest;
        n = n + weighed * part;
        d = d + part * part / variance;
        seen = seen + part;
        valid = valid + choose(is_seen, all_of(1.0F), zero);
    }
    const Four four_sums = sums(chi2, n, d, seen);
    return {four_sums[0], four_sums[1] / (four_sums[2] * light.charge), four_sums[3], sum(valid)};
}

// Dark pixels that are farther from the level than so many widths of the noise are none.
constexpr float dark_widths = 4.0F;

// All: of a tile without masked pixels and without light, where nothing need be chosen.
template <bool All> TileSums sums_of_tile(const Tile& tile, std::uint64_t lit) {
    const Lanes zero = all_of(0.0F);
    const Lanes one = all_of(1.0F);
    Lanes rest_sum = zero;
    Lanes variance_sum = zero;
    Lanes dark_sum = zero;
    Lanes n_seen = zero;
    Lanes n_dark = zero;
    for (int a = 0; a < tile_size; ++a) {
        const float* row = tile.values + first_value + a * row_floats;
        const Lanes rest = load(row);
        const Lanes variance = load(row + tile_size);
        if constexpr (All) {
            const Bits is_far = all_of(dark_widths * dark_widths) * variance < rest * rest;
            rest_sum = rest_sum + rest;
            variance_sum = variance_sum + variance;
            dark_sum = dark_sum + choose(is_far, zero, rest);
            n_dark = n_dark + choose(is_far, zero, one);
            continue;
        }
        const Bits is_seen = variance < all_of(never);
        const auto lit_in_row = static_cast<std::int32_t>(lit >> (a * tile_size) & 0xff);
        const Bits is_far = all_of(dark_widths * dark_widths) * variance < rest * rest;
        const Bits is_unlit = is_seen & lanes_without(lit_in_row);
        rest_sum = rest_sum + choose(is_seen, rest, zero);
        variance_sum = variance_sum + choose(is_seen, variance, zero);
        dark_sum = dark_sum + choose(is_unlit, choose(is_far, zero, rest), zero);
        n_seen = n_seen + choose(is_seen, one, zero);
        n_dark = n_dark + choose(is_unlit, choose(is_far, zero, one), zero);
    }
    const Four four_sums = sums(rest_sum, variance_sum, dark_sum, n_seen);
    return {four_sums[0], four_sums[1], four_sums[2],
            All ? tile_pixels : static_cast<std::int32_t>(four_sums[3]),
            static_cast<std::int32_t>(sum(n_dark))};
}

inline TileSums tile_sums(const Tile& tile, std::uint64_t lit) {
    return tile.has_masked || lit != 0 ? sums_of_tile<false>(tile, lit)
                                       : sums_of_tile<true>(tile, lit);
}

} // namespace
} // namespace hrixs::crowd::HRIXS_LEVEL
