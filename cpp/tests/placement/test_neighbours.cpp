// SPDX-License-Identifier: BSD-3-Clause
#include "placement/neighbours.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

using namespace hrixs;

namespace {

struct Hits {
    std::vector<PixelIndex> centres;
    std::vector<double> x;
    std::vector<double> y;
};

// In the order of their rows, up to one; positions up to two pixels beside their middle pixels.
Hits random_hits(std::size_t n, Index nx, Index ny, unsigned seed) {
    std::mt19937 random(seed);
    const auto below = [&](Index end) {
        return static_cast<Index>(random() % static_cast<std::mt19937::result_type>(end));
    };
    std::vector<Index> rows(n);
    std::generate(rows.begin(), rows.end(), [&] { return below(nx); });
    std::sort(rows.begin(), rows.end());
    std::uniform_real_distribution<double> beside(-2.0, 2.0);
    Hits hits;
    for (const Index row : rows) {
        hits.centres.push_back({row + below(2), below(ny)});
        hits.x.push_back(static_cast<double>(hits.centres.back().x) + beside(random));
        hits.y.push_back(static_cast<double>(hits.centres.back().y) + beside(random));
    }
    return hits;
}

std::vector<std::size_t> others_of(const Neighbours& neighbours, std::size_t hit) {
    std::vector<std::size_t> others;
    neighbours.for_each(hit, [&](std::size_t other) { others.push_back(other); });
    return others;
}

std::vector<std::size_t> naive_others(const Hits& hits, std::size_t hit, double reach) {
    std::vector<std::size_t> others;
    for (std::size_t other = 0; other < hits.x.size(); ++other)
        if (other != hit &&
            std::abs(hits.x[other] - static_cast<double>(hits.centres[hit].x)) < reach &&
            std::abs(hits.y[other] - static_cast<double>(hits.centres[hit].y)) < reach)
            others.push_back(other);
    return others;
}

} // namespace

TEST_CASE("neighbours: as every hit asks every other, sparse and dense, in order") {
    for (unsigned seed = 0; seed < 10; ++seed)
        for (const Index side : {6, 20, 60, 400})
            for (const double reach : {2.81, 4.05, 5.0, 8.7}) {
                CAPTURE(seed);
                CAPTURE(side);
                CAPTURE(reach);
                const Hits hits = random_hits(60, side, side, seed);
                const Neighbours neighbours(hits.centres, hits.x, hits.y, reach);
                for (std::size_t hit = 0; hit < hits.x.size(); ++hit) {
                    const auto expected = naive_others(hits, hit, reach);
                    CHECK(others_of(neighbours, hit) == expected);
                    CHECK(neighbours.has_any(hit) == !expected.empty());
                }
            }
}

TEST_CASE("neighbours: one hit may reach another that does not reach it") {
    // Both middle pixels 5 apart; the second photon lies half a pixel nearer.
    const Neighbours neighbours({{10, 10}, {10, 15}}, {10.0, 10.0}, {10.0, 14.5}, 4.9);
    CHECK(others_of(neighbours, 0) == std::vector<std::size_t>{1});
    CHECK_FALSE(neighbours.has_any(1));
}

TEST_CASE("neighbours: at the reach is beyond it, along either axis") {
    const auto near = [](double dx, double dy) {
        return Neighbours({{10, 10}, {10, 10}}, {10.0, 10.0 + dx}, {10.0, 10.0 + dy}, 4.0)
            .has_any(0);
    };
    CHECK(near(0.0, 0.0));
    CHECK(near(3.999, -3.999));
    CHECK_FALSE(near(4.0, 0.0));
    CHECK_FALSE(near(0.0, -4.0));
}

TEST_CASE("neighbours: of no hit and of one") {
    const Neighbours none({}, {}, {}, 4.0);
    const Neighbours one({{3, 3}}, {3.0}, {3.0}, 4.0);
    CHECK_FALSE(one.has_any(0));
}
