// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/lanes.hpp"
#include "crowd/tile.hpp"

namespace hrixs::crowd::HRIXS_LEVEL {
namespace {

inline void fill_counts(const std::uint16_t* pixels, Index row_step, double level, float variance,
                        Tile& tile) {
    float* values = tile.values + first_value;
    for (int a = 0; a < tile_size; ++a, values += row_floats, pixels += row_step) {
        for (int k = 0; k < tile_size; ++k)
            values[k] = static_cast<float>(static_cast<double>(pixels[k]) - level);
        store(values + tile_size, all_of(variance));
    }
}

} // namespace
} // namespace hrixs::crowd::HRIXS_LEVEL
