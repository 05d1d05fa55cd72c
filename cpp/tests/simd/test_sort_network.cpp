// SPDX-License-Identifier: BSD-3-Clause
#include "simd/sort_network.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <utility>
#include <vector>

using namespace hrixs;

TEST_CASE("sort network: all zeros and ones are sorted, so anything is") {
    for (Index n = 1; n <= 12; ++n)
        for (unsigned bits = 0; bits < (1U << n); ++bits) {
            std::vector<unsigned> values(static_cast<std::size_t>(n));
            for (std::size_t k = 0; k < values.size(); ++k)
                values[k] = bits >> k & 1U;
            sort_network(n, [&](Index i, Index j) {
                REQUIRE(i < j);
                REQUIRE(j < n);
                if (values[static_cast<std::size_t>(i)] > values[static_cast<std::size_t>(j)])
                    std::swap(values[static_cast<std::size_t>(i)],
                              values[static_cast<std::size_t>(j)]);
            });
            REQUIRE(std::is_sorted(values.begin(), values.end()));
        }
}
