// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "simd/look_closer.hpp"
#include "simd/prefetch.hpp"
#include "simd/row_kernels.hpp"
#include "simd/vectors.hpp"

#include <limits>

namespace hrixs::HRIXS_LEVEL {
namespace {

template <bool Masked, class Value> Value valid(Value value) {
    if constexpr (Masked)
        return or_zero(value);
    else
        return value;
}

template <bool Masked, class Number> double sum_lanes(const Number* row, Index n) {
    Lanes sum;
    const Index whole = n - n % n_lanes;
    for (Index y = 0; y < whole; y += n_lanes) {
        sum.first += valid<Masked>(to_doubles(row + y));
        sum.second += valid<Masked>(to_doubles(row + y + half_lanes));
    }
    double lane[n_lanes];
    sum.copy_to(lane);
    for (Index y = whole; y < n; ++y)
        lane[y - whole] += valid<Masked>(static_cast<double>(row[y]));
    return add_lanes(lane);
}

void pair_row(const double* __restrict row, Index n, double* __restrict pairs) {
    for (Index y = 0; y + 1 < n; ++y)
        pairs[y] = row[y] + row[y + 1];
}

// values: the squares, or the pixels, with a place more at either end.
void look_at_squares(double* values, Index size, Index offset, double limit, RealScan& scan,
                     Index* found) {
    scan.n_found +=
        maxima_above<double>(values, size, limit, -std::numeric_limits<double>::infinity(), 0.0,
                             offset, found + scan.n_found);
}

// Half of the lanes of the sums, for four neighbouring squares.
template <bool Masked> struct HalfScan {
    Vector<double>& pixels;
    Vector<double>& sum;
    Vector<double>& squares;
    Vector<double> one; // hidden

    // The order of additions in a square is part of the definition: ties depend on it.
    template <class Number> Vector<double> add(const Number* row, double* pairs, double shift) {
        const Vector<double> value = to_doubles(row);
        const Vector<double> pair = value + to_doubles(row + 1);
        const Vector<double> square = sum_by_multiplier(load(pairs), pair, one);
        const Vector<double> deviation = valid<Masked>(square - shift);
        store(pairs, pair);
        pixels = sum_by_multiplier(valid<Masked>(value), pixels, one);
        if constexpr (Masked)
            sum += deviation;
        squares = sum_by_multiplier(deviation * deviation, squares, one);
        return square;
    }
};

template <bool Masked, class Number>
RealScan scan_real_row(const Number* __restrict row, const Number* ahead, double* __restrict pairs,
                       Index n, double shift, double limit, Index* __restrict found) {
    Lanes pixels;
    Lanes sum;
    Lanes squares;
    const Vector<double> one = hidden_one();
    HalfScan<Masked> first_half{pixels.first, sum.first, squares.first, one};
    HalfScan<Masked> second_half{pixels.second, sum.second, squares.second, one};
    RealScan scan;
    double values[chunk + 2];
    const Index n_squares = n - 1;
    const Index whole = n_squares - n_squares % n_lanes;
    for (Index first = 0; first < whole; first += chunk) {
        const Index end = least(first + chunk, whole);
        Vector<std::uint64_t> wanted{};
        if constexpr (sizeof(Number) < sizeof(double)) // doubles have been read just now
            if (first + chunk <= n)                    // and nothing is beyond the row
                prefetch_row(ahead + first, chunk);
        for (Index y = first; y < end; y += n_lanes) {
            const Vector<double> lower = first_half.add(row + y, pairs + y, shift);
            const Vector<double> upper =
                second_half.add(row + y + half_lanes, pairs + y + half_lanes, shift);
            store(values + 1 + y - first, lower);
            store(values + 1 + y - first + half_lanes, upper);
            wanted |= above(lower, limit) | above(upper, limit);
        }
        if (any(wanted))
            look_at_squares(values, end - first, first, limit, scan, found);
    }
    double of_pixels[n_lanes];
    double of_sum[n_lanes];
    double of_squares[n_lanes];
    pixels.copy_to(of_pixels);
    sum.copy_to(of_sum);
    squares.copy_to(of_squares);
    for (Index y = whole; y < n_squares; ++y) {
        const Index lane = y - whole;
        const auto value = static_cast<double>(row[y]);
        const double pair = value + static_cast<double>(row[y + 1]);
        const double square = pairs[y] + pair;
        const double deviation = valid<Masked>(square - shift);
        pairs[y] = pair;
        values[1 + lane] = square;
        of_pixels[lane] += valid<Masked>(value);
        of_sum[lane] += deviation;
        of_squares[lane] += deviation * deviation;
    }
    look_at_squares(values, n_squares - whole, whole, limit, scan, found);
    scan.pixels = add_lanes(of_pixels);
    scan.sum = Masked ? add_lanes(of_sum) : 0.0;
    scan.squares = add_lanes(of_squares);
    return scan;
}

template <bool Masked>
RealScan scan_doubles(const double* row, double* pairs, Index n, double shift, double limit,
                      Index* found) {
    return scan_real_row<Masked>(row, row, pairs, n, shift, limit, found);
}

// Whether any of n numbers lies above the limit, n_lanes of which are added at a time.
template <bool Masked, class Number>
bool add_chunk(const Number* row, Index n, double limit, Lanes& sum) {
    Vector<std::uint64_t> is_above{};
    for (Index y = 0; y < n; y += n_lanes) {
        const Vector<double> lower = to_doubles(row + y);
        const Vector<double> upper = to_doubles(row + y + half_lanes);
        sum.first += valid<Masked>(lower);
        sum.second += valid<Masked>(upper);
        is_above |= above(lower, limit) | above(upper, limit);
    }
    return any(is_above);
}

// The sum is that of sum_lanes.
template <bool Masked, class Number>
RealScan numbers_above(const Number* __restrict row, Index n, double limit,
                       Index* __restrict found) {
    RealScan scan;
    double values[chunk + 2];
    const auto look = [&](Index begin, Index size) {
        for (Index k = 0; k < size; ++k)
            values[k + 1] = static_cast<double>(row[begin + k]);
        look_at_squares(values, size, begin, limit, scan, found);
    };
    Lanes sum;
    const Index whole = n - n % n_lanes;
    Index first = 0;
    // Compilers unroll what they know the number of turns of.
    for (; first + chunk <= whole; first += chunk)
        if (add_chunk<Masked>(row + first, chunk, limit, sum))
            look(first, chunk);
    add_chunk<Masked>(row + first, whole - first, limit, sum);
    double lane[n_lanes];
    sum.copy_to(lane);
    for (Index y = whole; y < n; ++y)
        lane[y - whole] += valid<Masked>(static_cast<double>(row[y]));
    look(first, n - first);
    scan.pixels = add_lanes(lane);
    return scan;
}

template <class Dark> void subtract(double* __restrict row, const Dark* __restrict dark, Index n) {
    for (Index y = 0; y < n; ++y)
        row[y] -= static_cast<double>(dark[y]);
}

void mask(double* __restrict row, const std::uint8_t* __restrict bad, Index n) {
    constexpr double masked = std::numeric_limits<double>::quiet_NaN();
    for (Index y = 0; y < n; ++y)
        row[y] = bad[y] != 0 ? masked : row[y];
}

template <class Pixel>
void to_double(const Pixel* __restrict row, Index n, double* __restrict out) {
    for (Index y = 0; y < n; ++y)
        out[y] = static_cast<double>(row[y]);
}

} // namespace
} // namespace hrixs::HRIXS_LEVEL
