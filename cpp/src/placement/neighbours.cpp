// SPDX-License-Identifier: BSD-3-Clause
#include "placement/neighbours.hpp"

#include <cstdlib>
#include <utility>

namespace hrixs {

Neighbours::Neighbours(const std::vector<PixelIndex>& centres, const std::vector<double>& x,
                       const std::vector<double>& y, double reach)
    : first_(centres.size() + 1, 0) {
    // A position may lie two pixels beside its middle pixel.
    const auto farthest = static_cast<Index>(reach) + 3;
    const auto reaches = [&](std::size_t from, std::size_t to) {
        return std::abs(x[from] - static_cast<double>(centres[to].x)) < reach &&
               std::abs(y[from] - static_cast<double>(centres[to].y)) < reach;
    };
    std::vector<std::pair<std::size_t, std::size_t>> pairs;
    for (std::size_t a = 0; a < centres.size(); ++a)
        for (std::size_t b = a + 1; b < centres.size() && centres[b].x <= centres[a].x + farthest;
             ++b) {
            if (std::abs(centres[b].y - centres[a].y) > farthest)
                continue;
            if (reaches(b, a))
                pairs.emplace_back(a, b);
            if (reaches(a, b))
                pairs.emplace_back(b, a);
        }
    for (const auto& [hit, other] : pairs)
        ++first_[hit + 1];
    for (std::size_t k = 0; k + 1 < first_.size(); ++k)
        first_[k + 1] += first_[k];
    others_.resize(pairs.size());
    std::vector<std::size_t> next = first_;
    for (const auto& [hit, other] : pairs)
        others_[next[hit]++] = other;
}

} // namespace hrixs
