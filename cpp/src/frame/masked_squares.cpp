// SPDX-License-Identifier: BSD-3-Clause
#include "frame/masked_squares.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace hrixs {

namespace {

using Flags = std::vector<std::uint8_t>;

// A row of the mask as zeros and ones; gives whether any pixel is masked.
bool read_flags(const ImageView<std::uint8_t>& mask, Index x, Flags& flags) {
    const auto read = [&](auto masked) {
        std::uint8_t any = 0;
        for (std::size_t y = 0; y < flags.size(); ++y) {
            flags[y] = masked(y) ? 1 : 0;
            any |= flags[y];
        }
        return any != 0;
    };
    const std::uint8_t* row = mask.row(x);
    if (mask.stride_y == 1) // a loop that compilers make one of vectors
        return read([row](std::size_t y) { return row[y] != 0; });
    return read([&](std::size_t y) { return mask(x, static_cast<Index>(y)) != 0; });
}

// work(y) for each flag that is set. Most are not.
template <class Work> void for_each_set(const Flags& flags, Work work) {
    constexpr std::size_t word = sizeof(std::uint64_t);
    for (std::size_t begin = 0; begin < flags.size(); begin += word) {
        const std::size_t end = std::min(begin + word, flags.size());
        std::uint64_t bytes = 0;
        std::memcpy(&bytes, flags.data() + begin, end - begin);
        if (bytes == 0)
            continue;
        for (std::size_t y = begin; y < end; ++y)
            if (flags[y] != 0)
                work(static_cast<std::int32_t>(y));
    }
}

} // namespace

std::optional<MaskedSquares> MaskedSquares::make(const ImageView<std::uint8_t>& mask) {
    if (mask.ny == 0)
        return std::nullopt;
    // An entry takes as long as some pixels of a frame do. A few are no matter.
    constexpr Index pixels_for_an_entry = 16;
    constexpr Index few_entries = 1024;
    const auto most_entries =
        static_cast<std::size_t>(std::max(few_entries, mask.nx * mask.ny / pixels_for_an_entry));
    const auto n_squares = static_cast<std::size_t>(mask.ny - 1);
    std::optional<MaskedSquares> made{MaskedSquares{}};
    Flags lower(n_squares + 1);
    Flags upper(n_squares + 1);
    Flags of_squares(n_squares);
    bool any_lower = false;
    for (Index x = 0; x < mask.nx; ++x) {
        std::swap(lower, upper);
        const bool any_upper = read_flags(mask, x, upper);
        std::vector<Run>& runs = made->runs_;
        if (any_upper)
            for_each_set(upper, [&](std::int32_t y) {
                if (runs.size() > made->run_ends_.back() && runs.back().end == y)
                    ++runs.back().end;
                else
                    runs.push_back({y, y + 1});
            });
        made->run_ends_.push_back(runs.size());
        if (x > 0) {
            std::int32_t n_whole = 0;
            if (any_lower || any_upper) {
                for (std::size_t y = 0; y < n_squares; ++y) {
                    const int some = lower[y] | lower[y + 1] | upper[y] | upper[y + 1];
                    const int all = lower[y] & lower[y + 1] & upper[y] & upper[y + 1];
                    of_squares[y] = static_cast<std::uint8_t>(some & ~all);
                    n_whole += all;
                }
                for_each_set(of_squares, [&](std::int32_t y) { made->partial_.push_back(y); });
            }
            made->n_whole_.push_back(n_whole);
            made->partial_ends_.push_back(made->partial_.size());
        }
        if (runs.size() + made->partial_.size() > most_entries)
            return std::nullopt;
        any_lower = any_upper;
    }
    return made;
}

bool MaskedSquares::is_partial(Index x, Index y) const {
    const auto row = partial(x);
    return std::binary_search(row.begin(), row.end(), static_cast<std::int32_t>(y));
}

Index MaskedSquares::n_pixels(Index x) const {
    Index n = 0;
    for (const Run& run : runs(x))
        n += run.end - run.begin;
    return n;
}

} // namespace hrixs
