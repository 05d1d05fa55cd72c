// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/row_kernels.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

using namespace hrixs;

namespace hrixs::baseline {
extern const RowKernels kernels;
}

namespace {

struct Rows {
    Rows(Index n, int largest, unsigned seed) : lower(count(n)), upper(count(n)) {
        std::mt19937 random(seed);
        std::uniform_int_distribution<int> counts(0, largest);
        for (auto* row : {&lower, &upper})
            for (auto& pixel : *row)
                pixel = static_cast<std::uint16_t>(counts(random));
    }
    static std::size_t count(Index n) { return static_cast<std::size_t>(n); }
    Index n() const { return static_cast<Index>(lower.size()); }
    Index square(Index y) const {
        return Index{lower[count(y)]} + lower[count(y + 1)] + upper[count(y)] + upper[count(y + 1)];
    }

    std::vector<std::uint16_t> lower;
    std::vector<std::uint16_t> upper;
};

bool same_bytes(double a, double b) {
    return std::memcmp(&a, &b, sizeof a) == 0;
}

} // namespace

TEST_CASE("row kernels: the scan of counts is exact for every size of rows and of counts") {
    std::vector<std::uint16_t> scratch(static_cast<std::size_t>(row_scratch));
    for (const RowKernels* kernels : {&baseline::kernels, &row_kernels()})
        for (const int largest : {0, 1, 300, 511, 512, 2000, 65535})
            for (const Index n : {2, 3, 5, 512, 513, 514, 1025, 1600}) {
                const Rows rows(n, largest, static_cast<unsigned>(n + largest));
                for (const Index shift : {Index{0}, Index{2} * largest})
                    for (const Index limit : {Index{-1}, Index{2} * largest, Index{3} * largest}) {
                        std::vector<Index> found(Rows::count(n));
                        const CountScan scan =
                            kernels->scan_counts(rows.lower.data(), rows.upper.data(), n - 1, shift,
                                                 limit, scratch.data(), found.data());
                        std::uint64_t squares = 0;
                        std::vector<Index> expected;
                        for (Index y = 0; y + 1 < n; ++y) {
                            const Index deviation = rows.square(y) - shift;
                            squares += static_cast<std::uint64_t>(deviation * deviation);
                            if (rows.square(y) > limit)
                                expected.push_back(y);
                        }
                        found.resize(Rows::count(scan.n_found));
                        REQUIRE(scan.squares == squares);
                        REQUIRE(found == expected);
                    }
            }
}

TEST_CASE("row kernels: every level gives the same bytes as the baseline") {
    const RowKernels& best = row_kernels();
    const RowKernels& base = baseline::kernels;
    std::mt19937 random(3);
    std::normal_distribution<double> values(100.0, 5.0);
    for (const Index n : {1, 2, 7, 8, 9, 511, 512, 513, 2048}) {
        std::vector<double> lower(Rows::count(n));
        std::vector<double> upper(Rows::count(n));
        for (auto* row : {&lower, &upper})
            for (double& value : *row)
                value = values(random);
        CHECK(same_bytes(best.sum_row(lower.data(), n), base.sum_row(lower.data(), n)));
        CHECK(same_bytes(best.sum_valid(lower.data(), n), base.sum_valid(lower.data(), n)));
        std::vector<Index> found(Rows::count(n));
        std::vector<Index> found_base(Rows::count(n));
        const RealScan one =
            best.scan_row(lower.data(), upper.data(), n - 1, 400.0, 405.0, found.data());
        const RealScan other =
            base.scan_row(lower.data(), upper.data(), n - 1, 400.0, 405.0, found_base.data());
        CHECK(same_bytes(one.sum, other.sum));
        CHECK(same_bytes(one.squares, other.squares));
        CHECK(one.n_found == other.n_found);
        CHECK(found == found_base);
        std::vector<double> sums(Rows::count(n + 1), 0.25);
        std::vector<double> sums_base(Rows::count(n + 1), 0.25);
        best.add_shares(sums.data(), lower.data(), 0.3, 0.7, n);
        base.add_shares(sums_base.data(), lower.data(), 0.3, 0.7, n);
        CHECK(sums == sums_base);
    }
}

TEST_CASE("row kernels: shares go to the pixel's row and the one above") {
    const std::vector<double> row{1.0, 10.0};
    std::vector<double> sums(3);
    row_kernels().add_shares(sums.data(), row.data(), 0.75, 0.25, 2);
    CHECK(sums == std::vector<double>{0.75, 7.75, 2.5});
}

TEST_CASE("row kernels: pixels at or above a count, in order") {
    std::vector<std::uint16_t> scratch(static_cast<std::size_t>(row_scratch));
    for (const Index n : {1, 4, 511, 512, 517}) {
        const Rows rows(n, 100, 5);
        std::vector<Index> expected;
        for (Index y = 0; y < n; ++y)
            if (rows.lower[Rows::count(y)] >= 60)
                expected.push_back(y);
        std::vector<Index> found(Rows::count(n));
        found.resize(Rows::count(
            row_kernels().counts_at_least(rows.lower.data(), n, 60, scratch.data(), found.data())));
        CHECK(found == expected);
    }
}
