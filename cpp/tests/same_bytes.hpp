// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/integrate.hpp"
#include "hrixs/photons.hpp"

#include <cstring>
#include <vector>

namespace hrixs::test {

template <class T, class Allocator>
bool same_bytes(const std::vector<T, Allocator>& a, const std::vector<T, Allocator>& b) {
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

template <class Columns> bool same_columns(const Columns& a, const Columns& b) {
    bool same = true;
    Columns::for_each_column(
        [&](auto column, auto, auto) { same = same && same_bytes(a.*column, b.*column); });
    return same;
}

inline bool same_bytes(const FoundPhotons& a, const FoundPhotons& b) {
    return same_columns(a.table, b.table) && same_columns(a.table.fitted, b.table.fitted) &&
           same_columns<FrameColumns>(a, b);
}

inline bool same_bytes(const Integrated& a, const Integrated& b) {
    return same_bytes(a.sums, b.sums) && same_bytes(a.weights, b.weights);
}

} // namespace hrixs::test
