// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "simd/levels.hpp"

#include <algorithm>
#include <vector>

namespace hrixs::test {

inline std::vector<const RowKernels*> levels() {
    std::vector<const RowKernels*> all = usable_levels();
    all.push_back(&plain::kernels);
    return all;
}

inline std::size_t size(Index n) {
    return static_cast<std::size_t>(n);
}

// Whether a value is a maximum of its row, where a neighbour counts only if larger by the slack.
template <class Values>
bool is_row_maximum(const Values& values, std::size_t y, typename Values::value_type slack) {
    const auto least_rival = values[y] + slack;
    return (y == 0 || !(values[y - 1] > least_rival)) &&
           (y + 1 == values.size() || !(values[y + 1] >= least_rival));
}

// In order, nothing twice, nothing at or below the limit, and no maximum of the row missing.
template <class Values>
bool is_rightly_found(const std::vector<Index>& found, const Values& values,
                      typename Values::value_type limit, typename Values::value_type slack) {
    for (std::size_t k = 0; k < found.size(); ++k)
        if (found[k] < 0 || found[k] >= static_cast<Index>(values.size()) ||
            !(values[size(found[k])] > limit) || (k > 0 && found[k] <= found[k - 1]))
            return false;
    for (std::size_t y = 0; y < values.size(); ++y)
        if (values[y] > limit && is_row_maximum(values, y, slack) &&
            !std::binary_search(found.begin(), found.end(), static_cast<Index>(y)))
            return false;
    return true;
}

} // namespace hrixs::test
