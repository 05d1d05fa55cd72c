// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "simd/look_closer.hpp"
#include "simd/prefetch.hpp"
#include "simd/row_kernels.hpp"
#include "simd/vectors.hpp"

namespace hrixs::HRIXS_LEVEL {
namespace {

using Counts = Vector<std::uint16_t>;
using Sums = Vector<std::uint32_t>;
constexpr Index counts_in_vector = numbers_in_vector<std::uint16_t>;

// The deviation of a square whose pixels all lie in the window, and the dark's too, is at most
// this; so many chunks of it can't make a sum of 32 bits overflow: of its square, or of its product
// with a dark's rest.
constexpr Index largest_deviation = 4 * count_window + 64;
constexpr Index chunks_together = 15;
constexpr Index dark_chunks_together = 7;
constexpr std::uint16_t lowest_signed = 0x8000;
constexpr Index products_in_sum = chunk / numbers_in_vector<std::uint32_t>;
constexpr Index deviations_together = 4; // in 16 bits
static_assert(deviations_together * largest_deviation < Index{1} << 15);
static_assert(chunks_together * products_in_sum * largest_deviation * largest_deviation <
              Index{1} << 32);
static_assert(dark_chunks_together * products_in_sum * largest_deviation * largest_dark_rest <
              Index{1} << 31);

std::uint64_t sum_counts(const std::uint16_t* row, Index n) {
    constexpr Index span = 16384; // whose sums fit 32 bits
    std::uint64_t total = 0;
    const Index whole = n - n % counts_in_vector;
    for (Index begin = 0; begin < whole; begin += span) {
        Sums sums{};
        for (Index y = begin; y < least(begin + span, whole); y += counts_in_vector)
            add_counts(sums, load(row + y));
        total += sum(sums);
    }
    for (Index y = whole; y < n; ++y)
        total += row[y];
    return total;
}

// The limits as 16 bits and registers, made once for a row.
struct RowLimits {
    explicit RowLimits(const CountLimits& limits)
        : shift16(static_cast<std::uint16_t>(limits.shift)), lowest_pixel(limits.lowest_pixel),
          shifts(all_equal(shift16)), lowest_pixels(all_equal(limits.lowest_pixel)) {
        const std::int64_t above = limits.limit - limits.shift;
        deviation =
            static_cast<std::int16_t>(above < -32768 ? -32768 : (above > 32767 ? 32767 : above));
    }
    std::uint16_t shift16;
    std::uint16_t lowest_pixel;
    std::int16_t deviation;
    Counts shifts;
    Counts lowest_pixels;
};

// Without a dark, or with what belongs to one row of squares of it.
struct NoDark {
    static constexpr bool has_rest = false;
    static constexpr int slack = 0;
    NoDark(const CountDarkRow*, Index) {}
    std::uint16_t square(Index) const { return 0; }
};
struct WithDark {
    static constexpr bool has_rest = true;
    static constexpr int slack = 4; // what rounding the dark can do to the difference of squares
    WithDark(const CountDarkRow* row, Index y)
        : squares(row->squares + y), rest(row->rest ? row->rest + y : nullptr),
          fine_rest(row->fine_rest ? row->fine_rest + y : nullptr) {}
    std::uint16_t square(Index y) const { return squares[y]; }
    const std::uint16_t* squares;
    const std::int16_t* rest;
    const std::int16_t* fine_rest;
};

template <class Dark>
void look_at_chunk(const std::uint16_t* __restrict lower, const std::uint16_t* __restrict upper,
                   const Dark& dark, Index size, Index offset, const RowLimits& limits,
                   CountScan& scan, Index* found) {
    std::int16_t values[chunk + 2];
    for (Index y = 0; y < size; ++y) // sums of 16 bits may wrap; in the window no deviation does
        values[y + 1] = static_cast<std::int16_t>(static_cast<std::uint16_t>(
            lower[y] + lower[y + 1] + upper[y] + upper[y + 1] - dark.square(y) - limits.shift16));
    scan.n_found += maxima_above<std::int16_t>(values, size, limits.deviation, -32768, Dark::slack,
                                               offset, found + scan.n_found);
}

// A chunk with pixels outside the window: in 32 bits, summed in 64.
template <bool WithSquares, class Dark>
void scan_far_chunk(const std::uint16_t* __restrict lower, const std::uint16_t* __restrict upper,
                    const Dark& dark, Index size, Index offset, const CountLimits& limits,
                    CountScan& scan, Index* found) {
    const auto shift = static_cast<std::int32_t>(limits.shift);
    std::int32_t values[chunk + 2];
    std::int64_t sum = 0;
    std::uint64_t squares = 0;
    for (Index y = 0; y < size; ++y) {
        const std::int32_t square =
            (std::int32_t{lower[y]} + lower[y + 1]) + (std::int32_t{upper[y]} + upper[y + 1]);
        values[y + 1] = square - dark.square(y) - shift;
        sum += values[y + 1];
    }
    scan.sum += sum;
    if constexpr (WithSquares) {
        for (Index y = 0; y < size; ++y)
            squares += static_cast<std::uint64_t>(std::int64_t{values[y + 1]} * values[y + 1]);
        scan.squares += squares;
    }
    if constexpr (WithSquares && Dark::has_rest)
        for (Index y = 0; y < size; ++y) {
            scan.rest += std::int64_t{values[y + 1]} * dark.rest[y];
            scan.fine_rest += std::int64_t{values[y + 1]} * dark.fine_rest[y];
        }
    constexpr std::int32_t lowest = -(1 << 30);
    scan.n_found +=
        maxima_above<std::int32_t>(values, size, static_cast<std::int32_t>(limits.limit - shift),
                                   lowest, Dark::slack, offset, found + scan.n_found);
}

// Lanes that are zero up to the middle.
struct Masks {
    std::uint16_t lane[2 * chunk] = {};
    constexpr Masks() {
        for (Index k = chunk; k < 2 * chunk; ++k)
            lane[k] = 0xffff;
    }
};
constexpr Masks masks;

// Where the chunks of a row's squares begin; the last reaches back to be a whole one.
constexpr Index chunk_begin(Index k, Index n_squares) {
    return least(k * chunk, n_squares - chunk);
}
constexpr Index count_chunks(Index n_squares) {
    return (n_squares + chunk - 1) / chunk;
}

constexpr auto outside_window = static_cast<std::uint16_t>(~(count_window - 1));

inline bool is_outside(std::uint16_t pixel, std::uint16_t lowest) {
    return (static_cast<std::uint16_t>(pixel - lowest) & outside_window) != 0;
}

// For chunks of squares: which of them have values that are not less than a width, a power of two,
// above the lowest.
void mark_chunks(const std::uint16_t* values, Index n_squares, std::uint16_t lowest, Index width,
                 std::uint8_t* far) {
    const auto outside = static_cast<std::uint16_t>(~(width - 1));
    for (Index k = 0; k < count_chunks(n_squares); ++k) {
        const std::uint16_t* begin = values + chunk_begin(k, n_squares);
        Counts reach{};
        for (Index y = 0; y < chunk; y += counts_in_vector)
            reach |= load(begin + y) - lowest;
        far[k] = any(reach & outside);
    }
}

void mark_far(const std::uint16_t* row, Index n, std::uint16_t lowest, std::uint8_t* far) {
    const Index n_squares = n - 1;
    if (n_squares < chunk)
        return;
    mark_chunks(row, n_squares, lowest, count_window, far);
    far[count_chunks(n_squares)] = is_outside(row[n - 1], lowest);
}

void mark_far_squares(const std::uint16_t* squares, Index n, std::uint16_t lowest,
                      std::uint8_t* far) {
    if (n - 1 >= chunk)
        mark_chunks(squares, n - 1, lowest, 4 * count_window, far);
}

struct ChunkSums {
    Sums sum{};
    Sums squares{};
    Sums rest{};
    Sums fine_rest{};
};

struct ChunkState {
    bool upper_is_far;
    bool is_far;    // outside the window, nothing is summed
    bool is_wanted; // look closer
};

inline Counts load_rest(const std::int16_t* from) {
    return load(reinterpret_cast<const std::uint16_t*>(from));
}

// Sums of one chunk; with Skip, without its first n_skipped squares, which another chunk has.
template <bool WithSquares, bool Skip, class Dark>
ChunkState sum_chunk(const std::uint16_t* lower, const std::uint16_t* upper, const Dark& dark,
                     Index n_skipped, bool known_far, const RowLimits& limits, ChunkSums& sums) {
    const Counts ones = all_equal<std::uint16_t>(1);
    Counts reach{};
    Counts highest = all_equal(lowest_signed);
    ChunkSums own;
    Counts few{}; // deviations whose sums fit 16 bits
#if defined(__GNUC__) && !defined(__clang__) && !defined(HRIXS_NO_VECTOR_TYPES)
#pragma GCC unroll 8
#endif
    for (Index y = 0; y < chunk; y += counts_in_vector) {
        const Counts b = load(upper + y);
        const Counts next = load(lower + y + 1) + load(upper + y + 1);
        Counts deviation = (load(lower + y) + b) + next - limits.shifts;
        if constexpr (Dark::has_rest)
            deviation = deviation - load(dark.squares + y);
        reach |= b - limits.lowest_pixels;
        highest = higher(deviation, highest);
        if constexpr (Skip)
            deviation = deviation & load(masks.lane + chunk - n_skipped + y);
        few += deviation;
        if ((y / counts_in_vector + 1) % deviations_together == 0) {
            add_products(own.sum, few, ones);
            few = Counts{};
        }
        if constexpr (WithSquares)
            add_products(own.squares, deviation, deviation);
        if constexpr (WithSquares && Dark::has_rest) {
            add_products(own.rest, deviation, load_rest(dark.rest + y));
            add_products(own.fine_rest, deviation, load_rest(dark.fine_rest + y));
        }
    }
    const bool upper_is_far = any(reach & outside_window);
    const bool far = known_far | upper_is_far | is_outside(upper[chunk], limits.lowest_pixel);
    if (!far) {
        sums.sum += own.sum;
        if constexpr (WithSquares)
            sums.squares += own.squares;
        if constexpr (WithSquares && Dark::has_rest) {
            sums.rest += own.rest;
            sums.fine_rest += own.fine_rest;
        }
    }
    return {upper_is_far, far, far || any_above(highest, limits.deviation)};
}

template <bool WithSquares, class Dark>
CountScan scan_count_row(const std::uint16_t* lower, const std::uint16_t* upper,
                         const std::uint16_t* ahead, const CountDarkRow* dark_row, Index n,
                         const CountLimits& limits, std::uint8_t* far, Index* found) {
    CountScan scan;
    const Index n_squares = n - 1;
    if (n_squares < chunk) {
        scan_far_chunk<WithSquares>(lower, upper, Dark(dark_row, 0), n_squares, 0, limits, scan,
                                    found);
        return scan;
    }
    const RowLimits row_limits(limits);
    const Index n_chunks = count_chunks(n_squares);
    constexpr Index together = Dark::has_rest ? dark_chunks_together : chunks_together;
    for (Index first = 0; first < n_chunks; first += together) {
        const Index end = least(first + together, n_chunks);
        std::uint64_t is_far_bits = 0;
        std::uint64_t is_wanted_bits = 0;
        ChunkSums sums;
        for (Index k = first; k < end; ++k) {
            const Index begin = chunk_begin(k, n_squares);
            const Index n_skipped = k * chunk - begin;
            const Dark dark(dark_row, begin);
            bool known_far = (far[k] | far[k + 1]) != 0;
            prefetch(ahead + begin, chunk);
            if (limits.wide_ahead)
                prefetch(ahead + n + begin, chunk);
            if constexpr (Dark::has_rest) {
                known_far |= dark_row->far[k] != 0;
                prefetch(dark.squares + 2 * n, chunk);
                if constexpr (WithSquares) {
                    prefetch(dark.rest + 2 * n, chunk);
                    prefetch(dark.fine_rest + 2 * n, chunk);
                }
            }
            const ChunkState state =
                n_skipped == 0
                    ? sum_chunk<WithSquares, false>(lower + begin, upper + begin, dark, 0,
                                                    known_far, row_limits, sums)
                    : sum_chunk<WithSquares, true>(lower + begin, upper + begin, dark, n_skipped,
                                                   known_far, row_limits, sums);
            far[k] = state.upper_is_far;
            is_far_bits |= std::uint64_t{state.is_far} << (k - first);
            is_wanted_bits |= std::uint64_t{state.is_wanted} << (k - first);
        }
        scan.sum += sum_signed(sums.sum);
        if constexpr (WithSquares)
            scan.squares += sum(sums.squares);
        if constexpr (WithSquares && Dark::has_rest) {
            scan.rest += sum_signed(sums.rest);
            scan.fine_rest += sum_signed(sums.fine_rest);
        }
        for_each_bit(is_wanted_bits, [&](Index bit) {
            const Index y = (first + bit) * chunk;
            const Index size = least(chunk, n_squares - y);
            const Dark dark(dark_row, y);
            if ((is_far_bits >> bit & 1) != 0)
                scan_far_chunk<WithSquares>(lower + y, upper + y, dark, size, y, limits, scan,
                                            found);
            else
                look_at_chunk(lower + y, upper + y, dark, size, y, row_limits, scan, found);
        });
    }
    far[n_chunks] = is_outside(upper[n - 1], row_limits.lowest_pixel);
    return scan;
}

template <bool WithSquares>
CountScan scan_counts(const std::uint16_t* lower, const std::uint16_t* upper,
                      const std::uint16_t* ahead, const CountDarkRow* dark, Index n,
                      const CountLimits& limits, std::uint8_t* far, Index* found) {
    return dark == nullptr ? scan_count_row<WithSquares, NoDark>(lower, upper, ahead, dark, n,
                                                                 limits, far, found)
                           : scan_count_row<WithSquares, WithDark>(lower, upper, ahead, dark, n,
                                                                   limits, far, found);
}

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
    std::int16_t values[chunk + 2];
    for (Index y = 0; y < size; ++y) {
        const std::int16_t value = signed_count(count_above_dark<WithDark>(row, dark, y));
        values[y + 1] = value < largest ? value : largest;
    }
    scan.n_found += maxima_above<std::int16_t>(values, size, limit, -32768, slack, offset,
                                               found + scan.n_found);
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
                prefetch(ahead + first, chunk);
                prefetch(dark + 2 * n + first, chunk);
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
