// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/index.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace hrixs::crowd {

// Rows of a frame that are worked on one after the other: what lies in them stays in the cache.
constexpr Index band_rows = 64;

inline Index n_bands(Index nx) {
    return (nx + band_rows - 1) / band_rows;
}
inline Index band_at(Index x, Index nx) {
    return x < 0 ? 0 : x >= nx ? n_bands(nx) - 1 : x / band_rows;
}

// Numbers from 0 to n, by the band that each lies in, else in their order.
class ByBand {
  public:
    // band(k) of number k.
    template <class BandOf> void sort(std::int32_t n, Index bands, BandOf band) {
        begin_.assign(static_cast<std::size_t>(bands) + 2, 0);
        for (std::int32_t k = 0; k < n; ++k)
            ++begin_[static_cast<std::size_t>(band(k)) + 2];
        for (std::size_t b = 2; b < begin_.size(); ++b)
            begin_[b] += begin_[b - 1];
        numbers_.resize(static_cast<std::size_t>(n));
        for (std::int32_t k = 0; k < n; ++k)
            numbers_[begin_[static_cast<std::size_t>(band(k)) + 1]++] = k;
    }
    std::span<const std::int32_t> operator[](Index band) const {
        const auto b = static_cast<std::size_t>(band);
        return {numbers_.data() + begin_[b], begin_[b + 1] - begin_[b]};
    }

  private:
    std::vector<std::size_t> begin_; // of each band's
    std::vector<std::int32_t> numbers_;
};

} // namespace hrixs::crowd
