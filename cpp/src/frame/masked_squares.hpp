// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/frames.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace hrixs {

// Where a mask's pixels lie, and the 2x2 squares that have some of them: what searches of counts
// need to leave them out. Made once for all frames.
class MaskedSquares {
  public:
    // None where the mask is so scattered that going through the lists would be no shorter way.
    static std::optional<MaskedSquares> make(const ImageView<std::uint8_t>& mask);

    // [begin, end) of a row
    struct Run {
        std::int32_t begin;
        std::int32_t end;
    };
    std::span<const Run> runs(Index x) const { return part(runs_, run_ends_, x); }
    // Of the row of squares between the rows x and x + 1: those with masked and with valid pixels,
    // in order.
    std::span<const std::int32_t> partial(Index x) const {
        return part(partial_, partial_ends_, x);
    }
    bool is_partial(Index x, Index y) const;
    // Those with no valid pixel.
    Index n_whole(Index x) const { return n_whole_[static_cast<std::size_t>(x)]; }

    // Of the row's pixels and the squares above it.
    Index n_pixels(Index x) const;
    Index n_squares(Index x) const { return n_whole(x) + static_cast<Index>(partial(x).size()); }

  private:
    template <class Value>
    static std::span<const Value> part(const std::vector<Value>& all,
                                       const std::vector<std::size_t>& ends, Index x) {
        const auto k = static_cast<std::size_t>(x);
        return {all.data() + ends[k], ends[k + 1] - ends[k]};
    }

    std::vector<Run> runs_;
    std::vector<std::size_t> run_ends_{0};
    std::vector<std::int32_t> partial_;
    std::vector<std::size_t> partial_ends_{0};
    std::vector<std::int32_t> n_whole_;
};

} // namespace hrixs
