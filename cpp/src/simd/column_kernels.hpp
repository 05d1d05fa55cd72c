// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/index.hpp"
#include "simd/row_kernels.hpp"
#include "simd/sort_network.hpp"

#include <cstdint>

// Of n values of each of column_block pixels: values[frame * column_block + pixel].
namespace hrixs::HRIXS_LEVEL {
namespace {

template <class Number> void sort_columns(Number* values, Index n) {
    sort_network(n, [&](Index i, Index j) {
        Number* low = values + i * column_block;
        Number* high = values + j * column_block;
        Number higher[column_block]; // a loop that writes to one place alone becomes one of vectors
        for (Index k = 0; k < column_block; ++k) {
            const Number a = low[k];
            const Number b = high[k];
            higher[k] = a > b ? a : b;
            low[k] = a < b ? a : b;
        }
        for (Index k = 0; k < column_block; ++k)
            high[k] = higher[k];
    });
}

// Sum of the squares of their deviations from the middle.
template <class Number>
void square_columns(const Number* values, Index n, const double* middle,
                    double* __restrict squares) {
    for (Index k = 0; k < column_block; ++k)
        squares[k] = 0.0;
    for (Index frame = 0; frame < n; ++frame)
        for (Index k = 0; k < column_block; ++k) {
            const double off = static_cast<double>(values[frame * column_block + k]) - middle[k];
            squares[k] += off * off;
        }
}

// Of those within the limits of the middle: number, sum and squares of deviations. To n_out[frame]
// is added how many are not.
template <class Number>
void keep_columns(const Number* values, Index n, const double* middle, const double* limit,
                  KeptColumns& kept, Index* n_out) {
    double* __restrict number = kept.n;
    double* __restrict sum = kept.sum;
    double* __restrict squares = kept.squares;
    for (Index k = 0; k < column_block; ++k)
        number[k] = sum[k] = squares[k] = 0.0;
    for (Index frame = 0; frame < n; ++frame) {
        const Number* row = values + frame * column_block;
        std::int64_t far = 0;
        for (Index k = 0; k < column_block; ++k) {
            const double off = static_cast<double>(row[k]) - middle[k];
            const bool is_within = off <= limit[k] && -off <= limit[k];
            const double own = is_within ? off : 0.0;
            number[k] += is_within ? 1.0 : 0.0;
            sum[k] += own;
            squares[k] += own * own;
            far += is_within ? 0 : 1;
        }
        n_out[frame] += far;
    }
}

} // namespace
} // namespace hrixs::HRIXS_LEVEL
