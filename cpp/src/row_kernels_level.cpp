// SPDX-License-Identifier: BSD-3-Clause
// Compiled once for each level of the processor, into a namespace of its own. No inline function of
// the standard library is used here: compiled for a newer processor, it could be the one that the
// linker keeps for all.
#include "hrixs/row_kernels.hpp"

#include <cstring>

namespace hrixs::HRIXS_LEVEL {

namespace {

constexpr Index lanes = 8;
constexpr Index block = 512;

Index least(Index a, Index b) {
    return a < b ? a : b;
}

// The eight lanes' fixed order of additions is part of the definition of a sum.
double add_lanes(const double* partial) {
    return ((partial[0] + partial[4]) + (partial[2] + partial[6])) +
           ((partial[1] + partial[5]) + (partial[3] + partial[7]));
}

std::uint64_t sum_counts(const std::uint16_t* row, Index n) {
    constexpr Index span = 65536; // whose sum fits 32 bits
    std::uint64_t total = 0;
    for (Index begin = 0; begin < n; begin += span) {
        const Index end = least(begin + span, n);
        std::uint32_t sum = 0;
        for (Index y = begin; y < end; ++y)
            sum += row[y];
        total += sum;
    }
    return total;
}

// The mean of four counts, rounded up: at least square / 4, at most square / 4 + 1.
std::uint16_t mean_up(std::uint16_t a, std::uint16_t b) {
    return static_cast<std::uint16_t>((std::uint32_t{a} + b + 1) >> 1);
}

std::int64_t count_square(const std::uint16_t* lower, const std::uint16_t* upper, Index y) {
    return (std::int64_t{lower[y]} + lower[y + 1]) + (std::int64_t{upper[y]} + upper[y + 1]);
}

// Calls look(y) for every y of a block whose flag is set, in order. Flags are all ones or zero;
// four are looked at in one step, and up to three after the last must be zero.
template <class Look> void for_each_flag(const std::uint16_t* flags, Index size, Look look) {
    for (Index y = 0; y < size; y += 4) {
        std::uint64_t four = 0;
        std::memcpy(&four, flags + y, sizeof four);
        if (four == 0)
            continue;
        for (Index k = y; k < y + 4; ++k)
            if (flags[k] != 0)
                look(k);
    }
}

void close_flags(std::uint16_t* flags, Index size) {
    for (Index k = 0; k < 3; ++k)
        flags[size + k] = 0;
}

constexpr std::uint16_t flag(bool set) {
    return set ? 65535 : 0;
}

// Scans one block of squares. Fixed is their number where the compiler may know it.
template <Index Fixed>
void scan_block(const std::uint16_t* __restrict lower, const std::uint16_t* __restrict upper,
                Index n, Index offset, std::int64_t shift, std::int64_t limit,
                std::uint16_t* __restrict sums, Index* __restrict found, CountScan& scan) {
    // With |D| up to this, a block's sum of D * D fits 31 bits.
    constexpr std::int64_t largest_deviation = 2047;
    const Index size = Fixed > 0 ? Fixed : n;
    std::uint16_t smallest = 65535;
    std::uint16_t largest = 0;
    for (Index y = 0; y <= size; ++y) {
        const std::uint16_t mean = mean_up(lower[y], upper[y]);
        smallest = mean < smallest ? mean : smallest;
        largest = mean > largest ? mean : largest;
        sums[y] = static_cast<std::uint16_t>(lower[y] + upper[y]);
    }
    // Bounds of the squares: where all are near the shift, 16 bits hold every deviation.
    const std::int64_t highest = 4 * std::int64_t{largest} - shift;
    const std::int64_t lowest = 4 * std::int64_t{smallest} - 4 - shift;
    if (highest > largest_deviation || lowest < -largest_deviation) {
        for (Index y = 0; y < size; ++y) {
            const std::int64_t square = count_square(lower, upper, y);
            scan.squares += static_cast<std::uint64_t>((square - shift) * (square - shift));
            if (square > limit)
                found[scan.n_found++] = offset + y;
        }
        return;
    }
    const auto shift16 = static_cast<std::uint16_t>(shift);
    const auto deviation = [&](Index y) {
        return static_cast<std::int16_t>(
            static_cast<std::uint16_t>(sums[y] + sums[y + 1] - shift16));
    };
    // From -2048, below every deviation, to 2047, above every one.
    const std::int64_t above = limit - shift;
    const auto limit16 = static_cast<std::int16_t>(
        above < -largest_deviation ? -largest_deviation - 1
                                   : (above > largest_deviation ? largest_deviation : above));
    std::int32_t squares = 0;
    std::int16_t most = -32768;
    for (Index y = 0; y < size; ++y) {
        const std::int16_t d = deviation(y);
        squares += std::int32_t{d} * d;
        most = d > most ? d : most;
    }
    scan.squares += static_cast<std::uint32_t>(squares);
    if (most <= limit16)
        return;
    // The flags take the place of the sums that are not needed any more.
    for (Index y = 0; y < size; ++y)
        sums[y] = flag(deviation(y) > limit16);
    close_flags(sums, size);
    for_each_flag(sums, size, [&](Index y) { found[scan.n_found++] = offset + y; });
}

CountScan scan_counts(const std::uint16_t* lower, const std::uint16_t* upper, Index n_squares,
                      std::int64_t shift, std::int64_t limit, std::uint16_t* scratch,
                      Index* found) {
    CountScan scan;
    Index y = 0;
    for (; y + block <= n_squares; y += block)
        scan_block<block>(lower + y, upper + y, block, y, shift, limit, scratch, found, scan);
    if (y < n_squares)
        scan_block<0>(lower + y, upper + y, n_squares - y, y, shift, limit, scratch, found, scan);
    return scan;
}

Index counts_at_least(const std::uint16_t* __restrict row, Index n, std::uint16_t at_least,
                      std::uint16_t* __restrict flags, Index* __restrict found) {
    Index n_found = 0;
    for (Index first = 0; first < n; first += block) {
        const Index size = least(block, n - first);
        std::uint16_t largest = 0;
        for (Index y = 0; y < size; ++y)
            largest = row[first + y] > largest ? row[first + y] : largest;
        if (largest < at_least)
            continue;
        for (Index y = 0; y < size; ++y)
            flags[y] = flag(row[first + y] >= at_least);
        close_flags(flags, size);
        for_each_flag(flags, size, [&](Index y) { found[n_found++] = first + y; });
    }
    return n_found;
}

double or_zero(double value) {
    return value == value ? value : 0.0;
}

template <class Term> double sum_terms(Index n, Term term) {
    double partial[lanes] = {};
    const Index whole = n - n % lanes;
    for (Index y = 0; y < whole; y += lanes)
        for (Index lane = 0; lane < lanes; ++lane)
            partial[lane] += term(y + lane);
    for (Index y = whole; y < n; ++y)
        partial[y - whole] += term(y);
    return add_lanes(partial);
}

double sum_row(const double* row, Index n) {
    return sum_terms(n, [row](Index y) { return row[y]; });
}

double sum_valid(const double* row, Index n) {
    return sum_terms(n, [row](Index y) { return or_zero(row[y]); });
}

// The order of additions is part of the definition: ties between squares depend on it.
double square(const double* lower, const double* upper, Index y) {
    return (lower[y] + lower[y + 1]) + (upper[y] + upper[y + 1]);
}

RealScan scan_row(const double* __restrict lower, const double* __restrict upper, Index n_squares,
                  double shift, double threshold, Index* __restrict found) {
    double squares[block];
    double sum[lanes] = {};
    double sum_of_squares[lanes] = {};
    Index n_found = 0;
    for (Index begin = 0; begin < n_squares; begin += block) {
        const Index size = least(block, n_squares - begin);
        std::int64_t any = 0;
        for (Index y = 0; y < size; ++y) {
            squares[y] = square(lower, upper, begin + y);
            any |= squares[y] > threshold ? 1 : 0;
        }
        if (any != 0)
            for (Index y = 0; y < size; ++y)
                if (squares[y] > threshold)
                    found[n_found++] = begin + y;
        for (Index y = 0; y < size; ++y)
            squares[y] = or_zero(squares[y] - shift);
        for (Index y = size; y % lanes != 0; ++y)
            squares[y] = 0.0;
        for (Index y = 0; y < size; y += lanes)
            for (Index lane = 0; lane < lanes; ++lane)
                sum[lane] += squares[y + lane];
        for (Index y = 0; y < size; y += lanes)
            for (Index lane = 0; lane < lanes; ++lane)
                sum_of_squares[lane] += squares[y + lane] * squares[y + lane];
    }
    return {add_lanes(sum), add_lanes(sum_of_squares), n_found};
}

Index pixels_above(const double* __restrict row, Index n, double limit, Index* __restrict found) {
    Index n_found = 0;
    for (Index begin = 0; begin < n; begin += block) {
        const Index end = least(begin + block, n);
        std::int64_t any = 0;
        for (Index y = begin; y < end; ++y)
            any |= row[y] > limit ? 1 : 0;
        if (any != 0)
            for (Index y = begin; y < end; ++y)
                if (row[y] > limit)
                    found[n_found++] = y;
    }
    return n_found;
}

void subtract(double* __restrict row, const double* __restrict dark, Index n) {
    for (Index y = 0; y < n; ++y)
        row[y] -= dark[y];
}

void add_shares(double* __restrict sums, const double* __restrict row, double lower, double upper,
                Index n) {
    if (n == 0)
        return;
    sums[0] += lower * row[0];
    for (Index y = 1; y < n; ++y)
        sums[y] += lower * row[y] + upper * row[y - 1];
    sums[n] += upper * row[n - 1];
}

template <class Pixel>
void to_double(const Pixel* __restrict row, Index n, double* __restrict out) {
    for (Index y = 0; y < n; ++y)
        out[y] = static_cast<double>(row[y]);
}

} // namespace

extern const RowKernels kernels;
const RowKernels kernels = {
    HRIXS_LEVEL_NAME,
    sum_counts,
    scan_counts,
    counts_at_least,
    sum_row,
    sum_valid,
    scan_row,
    pixels_above,
    subtract,
    add_shares,
    to_double<std::uint8_t>,
    to_double<std::uint16_t>,
    to_double<std::int16_t>,
    to_double<std::uint32_t>,
    to_double<std::int32_t>,
    to_double<float>,
    to_double<double>,
};

} // namespace hrixs::HRIXS_LEVEL
