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

inline bool same_bytes(const FoundPhotons& a, const FoundPhotons& b) {
    return same_bytes(a.table.frame, b.table.frame) && same_bytes(a.table.x, b.table.x) &&
           same_bytes(a.table.y, b.table.y) && same_bytes(a.table.charge, b.table.charge) &&
           same_bytes(a.table.is_double, b.table.is_double) && same_bytes(a.base, b.base) &&
           same_bytes(a.threshold, b.threshold) && same_bytes(a.n_dropped, b.n_dropped);
}

inline bool same_bytes(const Integrated& a, const Integrated& b) {
    return same_bytes(a.sums, b.sums) && same_bytes(a.weights, b.weights);
}

} // namespace hrixs::test
