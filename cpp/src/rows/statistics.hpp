// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/index.hpp"

#include <cmath>

namespace hrixs {

// Adds doubles with a second double for what rounding loses: exact where whole numbers are added.
struct ExactSum {
    double high = 0.0;
    double low = 0.0;

    void add(double value) {
        const double sum = high + value;
        const double part = sum - high;
        low += (high - (sum - part)) + (value - part);
        high = sum;
    }
    void add(const ExactSum& other) {
        add(other.high);
        low += other.low;
    }
};

// Of the 2x2 squares of a frame: deviations D from a shift near their mean.
struct SquareSums {
    Index n = 0;
    double shift = 0.0;
    double sum = 0.0; // of D
    ExactSum squares; // of D * D

    double mean() const { return n > 0 ? shift + sum / static_cast<double>(n) : 0.0; }

    // Of the population. n * squares - sum * sum is taken with twice the digits, so that little is
    // lost where the two nearly cancel.
    double variance() const {
        if (n == 0)
            return 0.0;
        const auto count = static_cast<double>(n);
        const double high = squares.high + squares.low;
        const double low = squares.low - (high - squares.high);
        const double product = count * high;
        const double product_rest = std::fma(count, high, -product) + count * low;
        const double square = sum * sum;
        const double square_rest = std::fma(sum, sum, -square);
        const double scaled = (product - square) + (product_rest - square_rest);
        return scaled > 0.0 ? scaled / (count * count) : 0.0;
    }
};

} // namespace hrixs
