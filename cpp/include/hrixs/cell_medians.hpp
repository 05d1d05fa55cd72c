// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/frames.hpp"
#include "hrixs/parallel.hpp"

#include <span>
#include <vector>

namespace hrixs {

// Cells of an image: its rows, its columns, or squares; cells at the ends may be smaller. Values
// for each y, and then for each x, are subtracted from the pixels first, if given.
struct Cells {
    Index size_x = 1;
    Index size_y = 1;
    std::span<const double> less_of_y{};
    std::span<const double> less_of_x{};
};

// For each cell, row by row: median and number of the values that are not NaN; NaN if there are
// none.
struct CellMedians {
    std::vector<double> median;
    std::vector<Index> n;
};

CellMedians cell_medians(const ImageView<double>& image, const Cells& cells,
                         const Execution& execution);

} // namespace hrixs
