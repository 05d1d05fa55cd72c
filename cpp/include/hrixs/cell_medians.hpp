// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/frames.hpp"
#include "hrixs/parallel.hpp"

#include <span>
#include <vector>

namespace hrixs {

// The cells that an image is cut into: its rows, its columns, or squares; those at its ends may be
// smaller. First subtracted from a pixel is what belongs to its y, then to its x, where given.
struct Cells {
    Index size_x = 1;
    Index size_y = 1;
    std::span<const double> less_of_y{};
    std::span<const double> less_of_x{};
};

// Of each cell, row by row: the median of its values that are not NaN, and how many they are; NaN
// where there are none.
struct CellMedians {
    std::vector<double> median;
    std::vector<Index> n;
};

CellMedians cell_medians(const ImageView<double>& image, const Cells& cells,
                         const Execution& execution);

} // namespace hrixs
