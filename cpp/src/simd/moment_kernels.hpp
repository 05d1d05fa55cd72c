// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/index.hpp"

#include <cstdint>

namespace hrixs::HRIXS_LEVEL {
namespace {

// A running sum of running sums gives the moments without a multiplication: what was added n rows
// ago has been added n + 1 times to the second.
template <Index Rows, class Pixel, class Sum>
void add_rows(const Pixel* __restrict row, Index stride, Index n, Sum* __restrict moments) {
    for (Index y = 0; y < n; ++y) {
        Sum zeroth = moments[y];
        Sum first = moments[n + y];
        Sum second = moments[2 * n + y];
        for (Index x = 0; x < Rows; ++x) {
            zeroth += static_cast<Sum>(row[x * stride + y]);
            first += zeroth;
            second += first;
        }
        moments[y] = zeroth;
        moments[n + y] = first;
        moments[2 * n + y] = second;
    }
}

template <class Pixel, class Sum>
void add_moments(const Pixel* row, Index stride, Index n_rows, Index n, Sum* moments) {
    constexpr Index together = 8; // rows for which the moments stay in registers
    Index x = 0;
    for (; x + together <= n_rows; x += together)
        add_rows<together>(row + x * stride, stride, n, moments);
    for (; x < n_rows; ++x)
        add_rows<1>(row + x * stride, stride, n, moments);
}

template <class Sum>
void share(const Sum* __restrict moments, Index n, const double* weights, double* __restrict lower,
           double* __restrict upper) {
    const double zeroth = weights[0];
    const double first = weights[1];
    const double second = weights[2];
    for (Index y = 0; y < n; ++y) {
        const auto pixels = static_cast<double>(moments[y]);
        const double share = (zeroth * pixels + first * static_cast<double>(moments[n + y])) +
                             second * static_cast<double>(moments[2 * n + y]);
        upper[y] = share;
        lower[y] = pixels - share;
    }
}

} // namespace
} // namespace hrixs::HRIXS_LEVEL
