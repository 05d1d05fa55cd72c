// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "frame/pixel_index.hpp"

#include <cstddef>
#include <vector>

namespace hrixs {

// Which hits of a frame are so near that their clouds reach into each other's windows.
class Neighbours {
  public:
    // A neighbour lies nearer than reach to the hit's middle pixel along both axes. The hits stand
    // in the order of their rows, up to one row; x and y are their positions.
    Neighbours(const std::vector<PixelIndex>& centres, const std::vector<double>& x,
               const std::vector<double>& y, double reach);

    bool has_any(std::size_t hit) const { return first_[hit] != first_[hit + 1]; }
    // work(other) for each of a hit's.
    template <class Work> void for_each(std::size_t hit, Work work) const {
        for (std::size_t k = first_[hit]; k < first_[hit + 1]; ++k)
            work(others_[k]);
    }

  private:
    std::vector<std::size_t> first_;
    std::vector<std::size_t> others_;
};

} // namespace hrixs
