// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "simd/count_kernels.hpp"

// Pixels of a row of counts that lie above a limit.
namespace hrixs::HRIXS_LEVEL {
namespace {

// A count as a signed number, in the same order: the processor compares these.
constexpr std::int16_t signed_count(std::uint16_t count) {
    return static_cast<std::int16_t>(count - 0x8000);
}

// The count above a dark that is rounded, or 0.
template <bool WithDark>
std::uint16_t count_above_dark(const std::uint16_t* row, const std::uint16_t* dark, Index y) {
    if constexpr (WithDark)
        return static_cast<std::uint16_t>(row[y] > dark[y] ? row[y] - dark[y] : 0);
    else
        return row[y];
}

template <bool WithDark>
void look_at_pixels(const std::uint16_t* __restrict row, const std::uint16_t* __restrict dark,
                    Index size, Index offset, std::int16_t limit, CountScan& scan, Index* found) {
    constexpr std::int16_t slack = WithDark ? 1 : 0;
    constexpr std::int16_t largest = 32767 - slack; // so that adding the slack does not overflow
    std::uint16_t values[chunk + counts_in_vector];
    for (std::uint16_t& value : values)
        value = lowest_signed;
    for (Index y = 0; y < size; ++y) {
        const std::int16_t value = signed_count(count_above_dark<WithDark>(row, dark, y));
        values[y] = static_cast<std::uint16_t>(value < largest ? value : largest);
    }
    for_each_bit(maxima_of_chunk(values, static_cast<std::uint16_t>(limit), slack),
                 [&](Index bit) { found[scan.n_found++] = offset + bit; });
}

template <bool WithDark>
CountScan pixels_above_in_row(const std::uint16_t* row, [[maybe_unused]] const std::uint16_t* ahead,
                              const std::uint16_t* dark, Index n, std::uint16_t limit,
                              Index* found) {
    constexpr std::uint16_t half = 0x8000;
    const Counts ones = all_equal<std::uint16_t>(1);
    constexpr std::uint16_t largest_limit = WithDark ? 65533 : 65535;
    const std::int16_t limit16 = signed_count(limit < largest_limit ? limit : largest_limit);
    CountScan scan;
    const Index whole = n - n % chunk;
    for (Index begin = 0; begin < whole; begin += chunks_together * chunk) {
        const Index end = least(begin + chunks_together * chunk, whole);
        std::uint64_t wanted = 0;
        Sums pixels{}; // of their signed numbers
        Index k = 0;
        for (Index first = begin; first < end; first += chunk, ++k) {
            // One row alone the processor itself follows faster.
            if constexpr (WithDark) {
                prefetch_row(ahead + first, chunk);
                prefetch_row(dark + 2 * n + first, chunk);
            }
            Counts highest = all_equal(lowest_signed);
            // Compilers unroll what they know the number of turns of: so it waits less for memory.
            for (Index in_chunk = 0; in_chunk < chunk; in_chunk += counts_in_vector) {
                const Index y = first + in_chunk;
                const Counts counts = load(row + y);
                const Counts signed_counts = counts - half;
                add_products(pixels, signed_counts, ones);
                if constexpr (WithDark)
                    highest = higher(above_or_zero(counts, load(dark + y)) - half, highest);
                else
                    highest = higher(signed_counts, highest);
            }
            wanted |= std::uint64_t{any_above(highest, limit16)} << k;
        }
        scan.sum += sum_signed(pixels) + half * (end - begin);
        for_each_bit(wanted, [&](Index bit) {
            const Index y = begin + bit * chunk;
            look_at_pixels<WithDark>(row + y, dark + y, chunk, y, limit16, scan, found);
        });
    }
    scan.sum += static_cast<std::int64_t>(sum_counts(row + whole, n - whole));
    look_at_pixels<WithDark>(row + whole, dark + whole, n - whole, whole, limit16, scan, found);
    return scan;
}

CountScan counts_above(const std::uint16_t* row, const std::uint16_t* ahead,
                       const std::uint16_t* dark, Index n, std::uint16_t limit, Index* found) {
    return dark == nullptr ? pixels_above_in_row<false>(row, ahead, row, n, limit, found)
                           : pixels_above_in_row<true>(row, ahead, dark, n, limit, found);
}

} // namespace
} // namespace hrixs::HRIXS_LEVEL
