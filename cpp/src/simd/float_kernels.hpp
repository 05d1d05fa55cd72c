// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "simd/look_closer.hpp"
#include "simd/prefetch.hpp"
#include "simd/row_kernels.hpp"
#include "simd/vectors.hpp"

#include <cstring>
#include <limits>

namespace hrixs::HRIXS_LEVEL {
namespace {

constexpr Index floats_in_vector = numbers_in_vector<float>;

using Magnitudes = Vector<std::int32_t>;

// What is gathered from n_lanes floats of a row beside what is found.
inline void gather(const float* row, Lanes& pixels, Magnitudes& largest) {
    for (Index k = 0; k < n_lanes; k += floats_in_vector)
        largest = larger(largest, magnitude_bits(load(row + k)));
    pixels.first += to_doubles(row);
    pixels.second += to_doubles(row + half_lanes);
}

// Takes it together, with the last of the row, fewer than n_lanes.
inline void end_gathering(const Lanes& pixels, const Magnitudes& largest, const float* row, Index n,
                          FloatScan& scan) {
    double lane[n_lanes];
    pixels.copy_to(lane);
    std::int32_t most = 0;
    const auto reach = [&](std::int32_t bits) { most = bits > most ? bits : most; };
    for (Index k = 0; k < numbers_in_vector<std::int32_t>; ++k)
        reach(largest[k]);
    for (Index y = 0; y < n; ++y) {
        lane[y] += static_cast<double>(row[y]);
        std::int32_t bits = 0;
        std::memcpy(&bits, row + y, sizeof bits);
        reach(bits & 0x7fffffff);
    }
    constexpr std::int32_t infinite = 0x7f800000;
    scan.pixels = add_lanes(lane);
    scan.largest = std::numeric_limits<float>::infinity();
    if (most < infinite)
        std::memcpy(&scan.largest, &most, sizeof most);
}

void look_at_floats(const float* __restrict values_at, Index size, Index offset, float limit,
                    float slack, FloatScan& scan, Index* found) {
    float values[chunk + 2];
    std::memcpy(values + 1, values_at, static_cast<std::size_t>(size) * sizeof(float));
    scan.n_found +=
        maxima_above<float>(values, size, limit, -std::numeric_limits<float>::infinity(), slack,
                            offset, found + scan.n_found);
}

// n_lanes squares with the pairs of the row below: which of them lie above the limit.
inline Vector<std::int32_t> find_lanes(const float* below, const float* row, float* pairs,
                                       float limit, Lanes& pixels, Magnitudes& largest) {
    gather(row, pixels, largest);
    Vector<std::int32_t> is_above{};
    for (Index k = 0; k < n_lanes; k += floats_in_vector) {
        const Vector<float> pair = load(row + k) + load(row + k + 1);
        store(pairs + k, pair);
        is_above |= above(load(below + k) + pair, limit);
    }
    return is_above;
}

FloatScan find_floats(const float* __restrict below, const float* __restrict row,
                      const float* ahead, float* __restrict pairs, Index n, float limit,
                      float slack, Index* __restrict found) {
    const Index n_squares = n - 1;
    const Index whole = n_squares - n_squares % n_lanes;
    Lanes pixels;
    Magnitudes largest = all_equal<std::int32_t>(0);
    std::uint64_t is_wanted = 0;
    Index first = 0;
    // Compilers unroll what they know the number of turns of: so it waits less for memory.
    for (; first + chunk <= whole; first += chunk) {
        prefetch_row(ahead + first, chunk);
        Vector<std::int32_t> is_above{};
        for (Index k = 0; k < chunk; k += n_lanes)
            is_above |= find_lanes(below + first + k, row + first + k, pairs + first + k, limit,
                                   pixels, largest);
        is_wanted |= std::uint64_t{any(is_above)} << first / chunk;
    }
    if (first + chunk <= n) // not beyond the row
        prefetch_row(ahead + first, chunk);
    Vector<std::int32_t> last_above{};
    for (Index y = first; y < whole; y += n_lanes)
        last_above |= find_lanes(below + y, row + y, pairs + y, limit, pixels, largest);
    is_wanted |= std::uint64_t{any(last_above)} << first / chunk;
    for (Index y = whole; y < n_squares; ++y) {
        pairs[y] = row[y] + row[y + 1];
        is_wanted |= std::uint64_t{below[y] + pairs[y] > limit} << y / chunk;
    }
    FloatScan scan;
    end_gathering(pixels, largest, row + whole, n_squares - whole, scan);
    for_each_bit(is_wanted, [&](Index bit) {
        const Index begin = bit * chunk;
        const Index size = least(chunk, n_squares - begin);
        float squares[chunk];
        for (Index k = 0; k < size; ++k)
            squares[k] = below[begin + k] + pairs[begin + k];
        look_at_floats(squares, size, begin, limit, slack, scan, found);
    });
    return scan;
}

inline Vector<std::int32_t> lanes_above(const float* row, float limit, Lanes& pixels,
                                        Magnitudes& largest) {
    gather(row, pixels, largest);
    Vector<std::int32_t> is_above{};
    for (Index k = 0; k < n_lanes; k += floats_in_vector)
        is_above |= above(load(row + k), limit);
    return is_above;
}

FloatScan floats_above(const float* __restrict row, const float* ahead, Index n, float limit,
                       float slack, Index* __restrict found) {
    const Index whole = n - n % n_lanes;
    Lanes pixels;
    Magnitudes largest = all_equal<std::int32_t>(0);
    std::uint64_t is_wanted = 0;
    Index first = 0;
    for (; first + chunk <= whole; first += chunk) {
        prefetch_row(ahead + first, chunk);
        Vector<std::int32_t> is_above{};
        for (Index k = 0; k < chunk; k += n_lanes)
            is_above |= lanes_above(row + first + k, limit, pixels, largest);
        is_wanted |= std::uint64_t{any(is_above)} << first / chunk;
    }
    Vector<std::int32_t> last_above{};
    for (Index y = first; y < whole; y += n_lanes)
        last_above |= lanes_above(row + y, limit, pixels, largest);
    is_wanted |= std::uint64_t{any(last_above)} << first / chunk;
    for (Index y = whole; y < n; ++y)
        is_wanted |= std::uint64_t{row[y] > limit} << y / chunk;
    FloatScan scan;
    end_gathering(pixels, largest, row + whole, n - whole, scan);
    for_each_bit(is_wanted, [&](Index bit) {
        const Index begin = bit * chunk;
        look_at_floats(row + begin, least(chunk, n - begin), begin, limit, slack, scan, found);
    });
    return scan;
}

} // namespace
} // namespace hrixs::HRIXS_LEVEL
