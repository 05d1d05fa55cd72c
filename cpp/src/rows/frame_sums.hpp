// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "rows/statistics.hpp"

#include <limits>

namespace hrixs {

// What one pass over a frame, or a band of it, gives.
struct FrameSums {
    double pixels = 0.0; // sum of the pixels
    SquareSums squares;  // of the 2x2 squares

    void add(const FrameSums& other) {
        pixels += other.pixels;
        squares.sum += other.squares.sum;
        squares.squares.add(other.squares.squares);
    }
};

constexpr double no_limit = std::numeric_limits<double>::infinity();

// A few rows of a frame tell about where the whole one lies.
constexpr Index n_sample_rows = 16;

template <class Work> void for_sample_rows(Index n_rows, Work work) {
    for (Index k = 0; k < n_sample_rows; ++k)
        work(k * n_rows / n_sample_rows);
}

} // namespace hrixs
