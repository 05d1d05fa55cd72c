// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/index.hpp"

#include <bit>
#include <cstdint>
#include <cstring>

namespace hrixs::HRIXS_LEVEL {
namespace {

// Of a row, the values are asked in chunks whether any of them lies above a limit.
constexpr Index chunk = 64;

constexpr Index least(Index a, Index b) {
    return a < b ? a : b;
}

// Calls work with the position of every bit that is set, from the lowest. Going from one to the
// next costs fewer wrong guesses of the processor than asking each.
template <class Work> void for_each_bit(std::uint64_t bits, Work work) {
    for (; bits != 0; bits &= bits - 1) {
#if defined(__GNUC__)
        work(Index{__builtin_ctzll(bits)});
#else
        Index position = 0;
        while ((bits >> position & 1) == 0)
            ++position;
        work(position);
#endif
    }
}

// Writes offset + y for every y of a chunk whose value lies above the limit and is a maximum of the
// row, as far as the chunk shows it. values has a place more at either end. A neighbour counts only
// where it is larger by the slack. Gives their number.
template <class Value>
Index maxima_above(Value* __restrict values, Index size, Value limit, Value lowest, Value slack,
                   Index offset, Index* __restrict found) {
    static_assert(std::endian::native == std::endian::little); // bytes are read as bits
    std::uint8_t flags[chunk] = {};
    values[0] = lowest;
    values[size + 1] = lowest;
    for (Index y = 0; y < size; ++y) {
        const auto least_rival = static_cast<Value>(values[y + 1] + slack);
        flags[y] = static_cast<std::uint8_t>((values[y + 1] > limit) & !(values[y] > least_rival) &
                                             !(values[y + 2] >= least_rival));
    }
    constexpr Index word = sizeof(std::uint64_t);
    constexpr std::uint64_t to_highest_byte = 0x0102040810204080; // one bit of each byte
    std::uint64_t flagged = 0;
    for (Index y = 0; y < chunk; y += word) {
        std::uint64_t bytes = 0;
        std::memcpy(&bytes, flags + y, sizeof bytes);
        flagged |= (bytes * to_highest_byte >> 56) << y;
    }
    Index n_found = 0;
    for_each_bit(flagged, [&](Index bit) { found[n_found++] = offset + bit; });
    return n_found;
}

} // namespace
} // namespace hrixs::HRIXS_LEVEL
