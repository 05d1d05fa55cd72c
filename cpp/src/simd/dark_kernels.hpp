// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "simd/row_kernels.hpp"
#include "simd/vectors.hpp"

#include <cstdint>

namespace hrixs::HRIXS_LEVEL {
namespace {

// The nearest whole number, of numbers much smaller: an addition rounds.
inline double nearest(double value) {
    constexpr double magic = 6755399441055744.0; // 1.5 * 2^52
    return (value + magic) - magic;
}
inline float nearest(float value) {
    constexpr float magic = 12582912.0F; // 1.5 * 2^23
    return (value + magic) - magic;
}

template <class Number> bool fits(Number rounded) {
    return (rounded >= Number{0}) & (rounded <= static_cast<Number>(largest_dark_pixel));
}

// Whole numbers of a dark that does not fit become anything: it is not used.
template <class Number> std::uint16_t counted(Number whole) {
    const bool fitting = (whole >= Number{0}) & (whole <= Number{65535});
    const Number value = fitting ? whole : Number{0};
    return static_cast<std::uint16_t>(static_cast<std::int32_t>(value));
}

template <class Number>
bool round_pixels(const Number* __restrict row, Index n, std::uint16_t* __restrict pixels) {
    std::int32_t misfits = 0;
    for (Index y = 0; y < n; ++y) {
        const Number rounded = nearest(row[y]);
        misfits |= fits(rounded) ? 0 : 1;
        pixels[y] = counted(rounded);
    }
    return misfits == 0;
}

template <class Number> std::int16_t narrowed(Number whole) {
    const bool fitting = (whole >= Number{-32768}) & (whole <= Number{32767});
    const Number value = fitting ? whole : Number{0};
    return static_cast<std::int16_t>(static_cast<std::int32_t>(value));
}

template <class Number> void add_rests(const Number* rest, Index n, DarkScan& scan) {
    Lanes sum;
    Lanes squares;
    const Index whole = n - n % n_lanes;
    for (Index y = 0; y < whole; y += n_lanes) {
        const Vector<double> first = to_doubles(rest + y);
        const Vector<double> second = to_doubles(rest + y + half_lanes);
        sum.first += first;
        sum.second += second;
        squares.first += first * first;
        squares.second += second * second;
    }
    double lane[n_lanes];
    double lane_squares[n_lanes];
    sum.copy_to(lane);
    squares.copy_to(lane_squares);
    for (Index y = whole; y < n; ++y) {
        const auto value = static_cast<double>(rest[y]);
        lane[y - whole] += value;
        lane_squares[y - whole] += value * value;
    }
    scan.rest += add_lanes(lane);
    scan.rest_squares += add_lanes(lane_squares);
}

template <class Number>
DarkScan round_dark(const Number* __restrict row, Index n, Number* __restrict pairs,
                    Number* __restrict rest_pairs, std::uint16_t* __restrict squares,
                    std::int16_t* __restrict rest, std::int16_t* __restrict fine_rest) {
    Number rounded[row_block + 1];
    Number taken[row_block + 1];
    Number square_rest[row_block];
    std::int32_t misfits = 0;
    for (Index y = 0; y < n; ++y) {
        rounded[y] = nearest(row[y]);
        taken[y] = row[y] - rounded[y];
        misfits |= fits(rounded[y]) ? 0 : 1;
    }
    const Index n_squares = n - 1;
    for (Index y = 0; y < n_squares; ++y) {
        const Number pair = rounded[y] + rounded[y + 1];
        const Number rest_pair = taken[y] + taken[y + 1];
        squares[y] = counted(pairs[y] + pair);
        square_rest[y] = rest_pairs[y] + rest_pair;
        pairs[y] = pair;
        rest_pairs[y] = rest_pair;
    }
    DarkScan scan;
    scan.fits = misfits == 0;
    if (rest == nullptr)
        return scan;
    for (Index y = 0; y < n_squares; ++y) {
        const Number scaled = square_rest[y] * static_cast<Number>(dark_rest_units);
        const Number whole = nearest(scaled);
        rest[y] = narrowed(whole);
        fine_rest[y] = narrowed(nearest((scaled - whole) * static_cast<Number>(fine_rest_units)));
    }
    std::int32_t units = 0;
    std::int32_t fine_units = 0;
    for (Index y = 0; y < n_squares; ++y) {
        units += rest[y];
        fine_units += fine_rest[y];
    }
    scan.rest_units = units;
    scan.fine_rest_units = fine_units;
    add_rests(square_rest, n_squares, scan);
    return scan;
}

} // namespace
} // namespace hrixs::HRIXS_LEVEL
