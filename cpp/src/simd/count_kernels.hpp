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

// So many chunks of raised deviations can't make a sum of 32 bits overflow: of their squares, or of
// their products with a dark's rest.
constexpr std::uint16_t lowest_signed = 0x8000;
constexpr Index products_in_sum = chunk / numbers_in_vector<std::uint32_t>;
constexpr Index deviations_together = 4; // in 16 bits
constexpr Index chunks_together = 256 / products_in_sum;
constexpr Index dark_chunks_together = 128 / products_in_sum;
static_assert(deviations_together * largest_raised < Index{1} << 15);
static_assert(chunks_together * products_in_sum * largest_raised * largest_raised < Index{1} << 32);
static_assert(dark_chunks_together * products_in_sum * largest_raised * largest_dark_rest <
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

// A square above the shift, and above the dark, is raised by count_offset, so that those about the
// mean are small and no number is negative. Above largest_raised it lies outside the window, and so
// do those that 16 bits can't hold: additions stop at the largest number, from which neither the
// dark nor what is lowered leads back into the window.
struct RaisedLimits {
    RaisedLimits(const CountLimits& limits, bool with_dark)
        : shift(limits.shift), raised(count_offset - shift), limit(limits.limit + raised) {
        const std::int64_t highest_dark = with_dark ? largest_near_dark : 0;
        const std::int64_t up = with_dark && raised > 0 ? raised : 0;
        const std::int64_t down = raised < 0 ? -raised : 0;
        // Without a dark no square is below 0, and nothing need be added.
        if (!with_dark && raised > 0) {
            limit -= raised;
            raised = 0;
        }
        all_far = up > 65535 || highest_dark + down > 65535 - largest_raised - 1;
        raise = all_equal(static_cast<std::uint16_t>(up));
        lower = all_equal(static_cast<std::uint16_t>(down));
        all_wanted = all_far || limit < 0;
        wanted = all_equal(static_cast<std::uint16_t>(
            limit < 0 ? 0 : (limit < largest_raised ? limit : largest_raised)));
        limit16 = static_cast<std::uint16_t>(limit < 0 ? -1 : (limit < 32767 ? limit : 32767));
    }
    std::int64_t shift;
    std::int64_t raised; // a raised square is the square above the dark and this
    std::int64_t limit;  // of raised squares
    bool all_far;
    bool all_wanted;
    Counts raise;
    Counts lower;
    Counts wanted; // to be looked at where above this
    std::uint16_t limit16;
};

// Without a dark, or with what belongs to one row of squares of it.
struct NoDark {
    static constexpr bool has_rest = false;
    static constexpr std::uint16_t slack = 0;
    NoDark(const CountDarkRow*, Index) {}
    std::uint16_t square(Index) const { return 0; }
};
struct WithDark {
    static constexpr bool has_rest = true;
    static constexpr std::uint16_t slack = 4; // what rounding the dark can do to a difference
    WithDark(const CountDarkRow* row, Index y)
        : squares(row->squares + y), rest(row->rest ? row->rest + y : nullptr),
          fine_rest(row->fine_rest ? row->fine_rest + y : nullptr) {}
    std::uint16_t square(Index y) const { return squares[y]; }
    const std::uint16_t* squares;
    const std::int16_t* rest;
    const std::int16_t* fine_rest;
};

// Of a chunk of values, which lie above a limit and are maxima of the row, as far as the chunk
// shows it. A neighbour counts only where it is larger by the slack. values: signed numbers, and a
// vector of anything after them.
inline std::uint64_t maxima_of_chunk(const std::uint16_t* values, std::uint16_t limit,
                                     std::uint16_t slack) {
    const Counts limits = all_equal(limit);
    const Counts slacks = all_equal(slack);
    std::uint64_t is_above = 0;
    std::uint64_t beats_next = 0;      // by its slack
    std::uint64_t is_beaten_after = 0; // the next one, by more than that
    for (Index y = 0; y < chunk; y += counts_in_vector) {
        const Counts own = load(values + y);
        const Counts next = load(values + y + 1);
        is_above |= bits_above(own, limits) << y;
        beats_next |= bits_above(own + slacks, next) << y;
        is_beaten_after |= bits_above(own, next + slacks) << y;
    }
    constexpr std::uint64_t last = std::uint64_t{1} << (chunk - 1);
    return is_above & (beats_next | last) & ~(is_beaten_after << 1);
}

// A chunk with squares outside the window: in 32 bits, summed in 64.
template <bool WithSquares, class Dark>
void scan_far_chunk(const std::uint16_t* __restrict lower, const std::uint16_t* __restrict upper,
                    const Dark& dark, Index size, Index offset, const RaisedLimits& limits,
                    CountScan& scan, Index* found) {
    const auto raised = static_cast<std::int32_t>(limits.raised);
    std::int32_t values[chunk + 2];
    std::int64_t sum = 0;
    std::uint64_t squares = 0;
    for (Index y = 0; y < size; ++y) {
        const std::int32_t square =
            (std::int32_t{lower[y]} + lower[y + 1]) + (std::int32_t{upper[y]} + upper[y + 1]);
        values[y + 1] = square - dark.square(y) + raised;
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
        maxima_above<std::int32_t>(values, size, static_cast<std::int32_t>(limits.limit), lowest,
                                   Dark::slack, offset, found + scan.n_found);
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

// By chunks, whether a dark has squares that are not near.
void mark_far_squares(const std::uint16_t* squares, Index n, std::uint8_t* far) {
    const Index n_squares = n - 1;
    if (n_squares < chunk)
        return;
    constexpr auto beyond = static_cast<std::uint16_t>(~largest_near_dark);
    for (Index k = 0; k < count_chunks(n_squares); ++k) {
        const std::uint16_t* begin = squares + chunk_begin(k, n_squares);
        Counts reach{};
        for (Index y = 0; y < chunk; y += counts_in_vector)
            reach |= load(begin + y);
        far[k] = any(reach & beyond);
    }
}

struct ChunkSums {
    Sums sum{};
    Sums squares{};
    Sums rest{};
    Sums fine_rest{};
};

inline Counts load_rest(const std::int16_t* from) {
    return load(reinterpret_cast<const std::uint16_t*>(from));
}

template <class Dark>
inline Counts raised_squares(const std::uint16_t* lower, const std::uint16_t* upper,
                             const Dark& dark, const RaisedLimits& limits) {
    const Counts first = sum_or_most(load(lower), load(upper));
    const Counts second = sum_or_most(load(lower + 1), load(upper + 1));
    if constexpr (Dark::has_rest)
        return sum_or_most(sum_or_most(first, second), limits.raise) - load(dark.squares) -
               limits.lower;
    else
        return sum_or_most(first, second) - limits.lower;
}

// Sums of one chunk; with Skip, without its first n_skipped squares, which another chunk has. Gives
// the highest squares. What is added where one lies outside the window is anything, but the same
// each time.
template <bool WithSquares, bool Skip, class Dark>
inline Counts sum_chunk(const std::uint16_t* lower, const std::uint16_t* upper, const Dark& dark,
                        Index n_skipped, const RaisedLimits& limits, ChunkSums& sums) {
    const Counts ones = all_equal<std::uint16_t>(1);
    Counts highest{};
    Counts few{}; // squares whose sums fit 16 bits
#if defined(__GNUC__) && !defined(__clang__) && !defined(HRIXS_NO_VECTOR_TYPES)
#pragma GCC unroll 8
#endif
    for (Index y = 0; y < chunk; y += counts_in_vector) {
        Dark here = dark;
        if constexpr (Dark::has_rest)
            here.squares += y;
        Counts square = raised_squares(lower + y, upper + y, here, limits);
        highest = larger(square, highest);
        if constexpr (Skip)
            square = square & load(masks.lane + chunk - n_skipped + y);
        few += square;
        if ((y / counts_in_vector + 1) % deviations_together == 0) {
            add_products(sums.sum, few, ones);
            few = Counts{};
        }
        if constexpr (WithSquares)
            add_products(sums.squares, square, square);
        if constexpr (WithSquares && Dark::has_rest) {
            add_products(sums.rest, square, load_rest(dark.rest + y));
            add_products(sums.fine_rest, square, load_rest(dark.fine_rest + y));
        }
    }
    return highest;
}

template <bool WithSquares, class Dark>
inline Counts sum_chunk_of_row(const std::uint16_t* lower, const std::uint16_t* upper,
                               const Dark& dark, Index n_skipped, const RaisedLimits& limits,
                               ChunkSums& sums) {
    return n_skipped == 0
               ? sum_chunk<WithSquares, false>(lower, upper, dark, 0, limits, sums)
               : sum_chunk<WithSquares, true>(lower, upper, dark, n_skipped, limits, sums);
}

// The row of squares between two rows of counts.
template <bool WithSquares, class Dark> struct SquareRow {
    const std::uint16_t* lower;
    const std::uint16_t* upper;
    const CountDarkRow* dark;
    Index n_squares;
    RaisedLimits limits;

    // A chunk with a square above the limit, or one outside the window: then it has been summed
    // wrongly.
    void look_at(Index k, ChunkSums& sums, CountScan& scan, Index* found) const {
        const Index begin = chunk_begin(k, n_squares);
        const Index n_skipped = k * chunk - begin;
        const Dark own_dark(dark, begin);
        std::uint16_t values[chunk + counts_in_vector] = {};
        Counts highest{};
        for (Index y = 0; y < chunk; y += counts_in_vector) {
            const Counts square =
                raised_squares(lower + begin + y, upper + begin + y, Dark(dark, begin + y), limits);
            highest = larger(square, highest);
            store(values + y, square);
        }
        bool is_far = limits.all_far || any(above_or_zero(highest, all_equal(most)));
        if constexpr (Dark::has_rest)
            is_far = is_far || dark->far[k] != 0;
        if (is_far) {
            ChunkSums wrong;
            sum_chunk_of_row<WithSquares>(lower + begin, upper + begin, own_dark, n_skipped, limits,
                                          wrong);
            sums.sum = sums.sum - wrong.sum;
            sums.squares = sums.squares - wrong.squares;
            sums.rest = sums.rest - wrong.rest;
            sums.fine_rest = sums.fine_rest - wrong.fine_rest;
            const Index y = k * chunk;
            scan_far_chunk<WithSquares>(lower + y, upper + y, Dark(dark, y), chunk - n_skipped, y,
                                        limits, scan, found);
            return;
        }
        const std::uint64_t maxima = maxima_of_chunk(values, limits.limit16, Dark::slack);
        for_each_bit(maxima >> n_skipped << n_skipped,
                     [&](Index bit) { found[scan.n_found++] = begin + bit; });
    }

    static constexpr auto most = static_cast<std::uint16_t>(largest_raised);
};

// From sums of raised squares to those of their deviations from the shift.
template <bool WithSquares>
void take_back(CountScan& scan, Index n_squares, const RaisedLimits& limits) {
    const std::int64_t back = limits.raised + limits.shift; // of each
    if constexpr (WithSquares)
        scan.squares = static_cast<std::uint64_t>(static_cast<std::int64_t>(scan.squares) -
                                                  2 * back * scan.sum + n_squares * back * back);
    scan.sum -= n_squares * back;
}

template <bool WithSquares, class Dark>
CountScan scan_count_row(const std::uint16_t* lower, const std::uint16_t* upper,
                         const std::uint16_t* ahead, const CountDarkRow* dark_row, Index n,
                         const CountLimits& given, Index* found) {
    CountScan scan;
    const Index n_squares = n - 1;
    const RaisedLimits limits(given, Dark::has_rest);
    if (n_squares < chunk) {
        scan_far_chunk<WithSquares>(lower, upper, Dark(dark_row, 0), n_squares, 0, limits, scan,
                                    found);
        take_back<WithSquares>(scan, n_squares, limits);
        return scan;
    }
    const SquareRow<WithSquares, Dark> row{lower, upper, dark_row, n_squares, limits};
    const Index n_chunks = count_chunks(n_squares);
    constexpr Index together = Dark::has_rest ? dark_chunks_together : chunks_together;
    for (Index first = 0; first < n_chunks; first += together) {
        const Index end = least(first + together, n_chunks);
        std::uint64_t wanted = limits.all_wanted ? (std::uint64_t{1} << (end - first)) - 1 : 0;
        ChunkSums sums;
        for (Index k = first; k < end; ++k) {
            const Index begin = chunk_begin(k, n_squares);
            const Dark dark(dark_row, begin);
            prefetch_row(ahead + begin, chunk);
            if constexpr (Dark::has_rest)
                wanted |= std::uint64_t{dark_row->far[k]} << (k - first);
            const Counts highest = sum_chunk_of_row<WithSquares>(lower + begin, upper + begin, dark,
                                                                 k * chunk - begin, limits, sums);
            wanted |= std::uint64_t{any(above_or_zero(highest, limits.wanted))} << (k - first);
        }
        for_each_bit(wanted, [&](Index bit) { row.look_at(first + bit, sums, scan, found); });
        scan.sum += sum_signed(sums.sum);
        if constexpr (WithSquares)
            scan.squares += sum(sums.squares);
        if constexpr (WithSquares && Dark::has_rest) {
            scan.rest += sum_signed(sums.rest);
            scan.fine_rest += sum_signed(sums.fine_rest);
        }
    }
    take_back<WithSquares>(scan, n_squares, limits);
    return scan;
}

template <bool WithSquares>
CountScan scan_counts(const std::uint16_t* lower, const std::uint16_t* upper,
                      const std::uint16_t* ahead, const CountDarkRow* dark, Index n,
                      const CountLimits& limits, Index* found) {
    return dark == nullptr
               ? scan_count_row<WithSquares, NoDark>(lower, upper, ahead, dark, n, limits, found)
               : scan_count_row<WithSquares, WithDark>(lower, upper, ahead, dark, n, limits, found);
}

} // namespace
} // namespace hrixs::HRIXS_LEVEL
