// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "simd/column_kernels.hpp"

// Median, noise and sums of each pixel's counts by its own limits, in whole numbers of 16 bits:
// what columns of doubles give, bit for bit, for sums of quarters of ADU are exact in both.
namespace hrixs::HRIXS_LEVEL {
namespace {

#if defined(__GNUC__)
inline double root(double value) {
    return __builtin_sqrt(value);
}
#else
using std::sqrt;
inline double root(double value) {
    return sqrt(value);
}
#endif

// Twice the counts less the offsets, above that of the first row, in two copies. Gives the largest
// magnitude, or -1 where it is too large.
template <class Pixel>
std::int32_t take_twice(const Pixel* const* rows, const std::int16_t* twice_offsets, Index n,
                        std::int16_t* __restrict values, std::int16_t* __restrict sorted) {
    constexpr std::int32_t most = 4095; // twice these and offsets fit into 16 bits
    std::uint16_t apart[column_block] = {};
    std::int32_t most_offset = 0;
    std::uint16_t first[column_block];
    for (Index k = 0; k < column_block; ++k)
        first[k] = rows[0][k];
    for (Index frame = 0; frame < n; ++frame) {
        const Pixel* row = rows[frame];
        const std::int16_t offset = twice_offsets[frame];
        const std::int32_t magnitude = offset < 0 ? -std::int32_t{offset} : std::int32_t{offset};
        most_offset = magnitude > most_offset ? magnitude : most_offset;
        // Loops that write to one place alone become ones of vectors.
        for (Index k = 0; k < column_block; ++k) {
            const std::uint16_t a = row[k];
            const std::uint16_t b = first[k];
            const std::uint16_t higher = a > b ? a : b;
            const std::uint16_t lower = a < b ? a : b;
            const auto own = static_cast<std::uint16_t>(higher - lower);
            apart[k] = apart[k] > own ? apart[k] : own;
        }
        for (Index k = 0; k < column_block; ++k) {
            const auto above = static_cast<std::uint16_t>(row[k] - first[k]);
            values[k] = static_cast<std::int16_t>(above + above - offset);
        }
        for (Index k = 0; k < column_block; ++k)
            sorted[k] = values[k];
        values += column_block;
        sorted += column_block;
    }
    std::uint16_t largest = 0;
    for (Index k = 0; k < column_block; ++k)
        largest = largest > apart[k] ? largest : apart[k];
    if (largest > most || most_offset > most)
        return -1;
    return 2 * std::int32_t{largest} + most_offset;
}

// Of n rows of counts, which are there for all columns; `n_columns` of them count. False where they
// lie too far apart, and nothing is done. Needs 2 n column_block numbers of scratch.
template <class Pixel>
bool own_columns(const Pixel* const* rows, const std::int16_t* twice_offsets, Index n,
                 const OwnLimits& limits, Index n_columns, std::int16_t* scratch, OwnColumns& own,
                 Index* n_out) {
    std::int16_t* values = scratch;
    std::int16_t* sorted = scratch + n * column_block;
    const std::int32_t largest = take_twice(rows, twice_offsets, n, values, sorted);
    // Four times a deviation from the median fits into 16 bits, and the sum of its squares into 32.
    const double most = 4.0 * largest;
    if (largest < 0 || most > 32767.0 || most * most * static_cast<double>(n) > 2e9)
        return false;
    sort_columns(sorted, n);
    const Index lower = n > 2 ? (n - 1) / 2 : 0;
    const Index upper = n > 2 ? n / 2 : 0;
    std::int16_t middle[column_block]; // the sum of both: four times the median
    for (Index k = 0; k < column_block; ++k)
        middle[k] = static_cast<std::int16_t>(sorted[lower * column_block + k] +
                                              sorted[upper * column_block + k]);
    std::int32_t below[column_block] = {};
    for (Index rank = 0; rank <= lower; ++rank)
        for (Index k = 0; k < column_block; ++k) {
            const std::int16_t value = sorted[rank * column_block + k];
            const auto off = static_cast<std::int16_t>(value + value - middle[k]);
            below[k] += std::int32_t{off} * std::int32_t{off};
        }
    std::int16_t reach[column_block];
    for (Index k = 0; k < column_block; ++k) {
        const double noise = root(2.0 * (below[k] / 16.0) / static_cast<double>(n));
        const double limit =
            limits.n_sigma * (noise > limits.least_noise ? noise : limits.least_noise);
        const double four = 4.0 * limit;
        own.lower_noise[k] = noise;
        reach[k] = static_cast<std::int16_t>(four < 32767.0 ? four : 32767.0);
    }
    // Beyond the frame's end lies nothing to be left out.
    for (Index k = n_columns; k < column_block; ++k)
        reach[k] = 32767;
    std::int16_t kept[column_block] = {};
    std::int32_t sum[column_block] = {};
    std::int32_t squares[column_block] = {};
    for (Index frame = 0; frame < n; ++frame) {
        const std::int16_t* row = values + frame * column_block;
        std::int16_t inside = 0;
        for (Index k = 0; k < column_block; ++k) {
            const auto off = static_cast<std::int16_t>(row[k] + row[k] - middle[k]);
            const auto magnitude = static_cast<std::int16_t>(off < 0 ? -off : off);
            const std::int16_t is_within = magnitude <= reach[k] ? -1 : 0;
            const auto part = static_cast<std::int16_t>(off & is_within);
            kept[k] = static_cast<std::int16_t>(kept[k] - is_within);
            sum[k] += part;
            squares[k] += std::int32_t{part} * std::int32_t{part};
            inside = static_cast<std::int16_t>(inside - is_within);
        }
        n_out[frame] += column_block - inside;
    }
    for (Index k = 0; k < column_block; ++k) {
        const double n_kept = kept[k];
        const double median = static_cast<double>(rows[0][k]) + 0.25 * middle[k];
        const double total = 0.25 * sum[k];
        const double mean = total / (n_kept > 1.0 ? n_kept : 1.0);
        const double square = 0.0625 * squares[k] - total * mean;
        const double free = n_kept - 1.0 > 1.0 ? n_kept - 1.0 : 1.0;
        own.median[k] = median;
        own.noise[k] = root((square > 0.0 ? square : 0.0) / free);
        own.total[k] = n_kept * median + total;
        own.n_kept[k] = kept[k];
    }
    return true;
}

} // namespace
} // namespace hrixs::HRIXS_LEVEL
