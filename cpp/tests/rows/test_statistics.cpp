// SPDX-License-Identifier: BSD-3-Clause
#include "rows/statistics.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>

using namespace hrixs;
using doctest::Approx;

TEST_CASE("exact sum: nothing small is lost beside something large") {
    ExactSum sum;
    sum.add(std::ldexp(1.0, 60));
    for (int k = 0; k < 1000; ++k)
        sum.add(1.0);
    sum.add(-std::ldexp(1.0, 60));
    CHECK(sum.high + sum.low == 1000.0);
}

TEST_CASE("square sums: mean and population variance of 1, 2, 6 about any shift") {
    for (const double shift : {0.0, 3.0, -1000.0}) {
        SquareSums sums{3, shift, 0.0, {}};
        for (const double square : {1.0, 2.0, 6.0}) {
            sums.sum += square - shift;
            sums.squares.add((square - shift) * (square - shift));
        }
        CHECK(sums.mean() == 3.0);
        CHECK(sums.variance() == Approx(14.0 / 3.0).epsilon(1e-15));
    }
}

TEST_CASE("square sums: the variance keeps its digits far from the shift") {
    // Half of a million squares at 2^20, half at 2^20 + 2: variance 1.
    const double low = std::ldexp(1.0, 20);
    SquareSums sums{1000000, 0.0, 0.0, {}};
    for (Index k = 0; k < sums.n; ++k) {
        const double square = low + (k % 2 == 0 ? 0.0 : 2.0);
        sums.sum += square;
        sums.squares.add(square * square);
    }
    CHECK(sums.variance() == 1.0);
}

TEST_CASE("square sums: equal squares vary by nothing, and no squares have mean 0") {
    SquareSums sums{3, 0.0, 0.0, {}};
    for (int k = 0; k < 3; ++k) {
        sums.sum += 0.1;
        sums.squares.add(0.1 * 0.1);
    }
    CHECK(sums.variance() >= 0.0);
    CHECK(sums.variance() < 1e-16);
    CHECK(SquareSums{}.mean() == 0.0);
    CHECK(SquareSums{}.variance() == 0.0);
}
