// SPDX-License-Identifier: BSD-3-Clause
#include "scan_row.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace hrixs;

TEST_CASE("scan of a row: every candidate once, in order, whatever the length") {
    for (const Index begin : {0, 1})
        for (Index end = begin; end < 100; ++end)
            for (const Index step : {1, 7, 31, 33}) {
                std::vector<Index> expected;
                for (Index y = begin; y < end; ++y)
                    if (y % step == 0)
                        expected.push_back(y);
                std::vector<Index> hits;
                Index lowest = begin;
                Index highest = begin;
                for_each_candidate(
                    begin, end,
                    [&](Index y) {
                        lowest = std::min(lowest, y);
                        highest = std::max(highest, y);
                        return y % step == 0;
                    },
                    [&](Index y) { hits.push_back(y); });
                REQUIRE(hits == expected);
                REQUIRE(lowest == begin);
                REQUIRE((highest < end || begin == end));
            }
}

TEST_CASE("scan of a row: a candidate at either side of a block's border") {
    for (const Index only : {1, 31, 32, 33, 64, 65, 69}) {
        std::vector<Index> hits;
        for_each_candidate(
            1, 70, [&](Index y) { return y == only; }, [&](Index y) { hits.push_back(y); });
        CHECK(hits == std::vector<Index>{only});
    }
}
