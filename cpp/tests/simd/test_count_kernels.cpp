// SPDX-License-Identifier: BSD-3-Clause
#include "simd/row_kernels.hpp"

#include "levels.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <vector>

using namespace hrixs;
using namespace hrixs::test;

namespace {

using Counts = std::vector<std::uint16_t>;
using Random = std::mt19937;

constexpr std::initializer_list<Index> row_sizes = {2,   3,   63,  64,   65,   66,
                                                    129, 960, 961, 1025, 2047, 2048};

Counts noise(Index n, int pedestal, Random& random) {
    Counts row(size(n));
    std::normal_distribution<double> values(pedestal, 6.0);
    for (std::uint16_t& pixel : row)
        pixel = static_cast<std::uint16_t>(std::clamp(std::rint(values(random)), 0.0, 65535.0));
    return row;
}

Counts anything(Index n, int largest, Random& random) {
    Counts row(size(n));
    std::uniform_int_distribution<int> values(0, largest);
    for (std::uint16_t& pixel : row)
        pixel = static_cast<std::uint16_t>(values(random));
    return row;
}

void put_outlier(Counts& row, Index value, Random& random) {
    if (value >= 0 && value <= 65535)
        row[random() % row.size()] = static_cast<std::uint16_t>(value);
}

// What belongs to a row of a dark.
struct DarkRow {
    DarkRow(Counts squares_, Random& random)
        : squares(std::move(squares_)), rest(squares.size()), fine_rest(squares.size()) {
        std::uniform_int_distribution<int> rests(-static_cast<int>(largest_dark_rest),
                                                 static_cast<int>(largest_dark_rest));
        // Now and then all the largest, which makes the largest sums.
        const bool extreme = random() % 3 == 0;
        for (std::size_t y = 0; y < rest.size(); ++y) {
            rest[y] = static_cast<std::int16_t>(extreme ? largest_dark_rest : rests(random));
            fine_rest[y] = static_cast<std::int16_t>(extreme ? -largest_dark_rest : rests(random));
        }
    }
    Counts squares;
    std::vector<std::int16_t> rest;
    std::vector<std::int16_t> fine_rest;
};

// Scans a row after the other, and compares with plain loops.
void check_scans(const RowKernels& level, const std::vector<Counts>& rows, const DarkRow* dark,
                 Index shift, Index limit) {
    const auto n = static_cast<Index>(rows.front().size());
    const CountLimits limits{shift, limit};
    std::vector<std::uint8_t> far_of_dark(size(n / 64 + 2), 7);
    CountDarkRow dark_row{};
    if (dark) {
        level.mark_far_squares(dark->squares.data(), n, far_of_dark.data());
        dark_row = {dark->squares.data(), dark->rest.data(), dark->fine_rest.data(),
                    far_of_dark.data()};
    }
    for (std::size_t x = 0; x + 1 < rows.size(); ++x) {
        const Counts& lower = rows[x];
        const Counts& upper = rows[x + 1];
        CountScan expected;
        std::vector<Index> values(size(n - 1));
        for (std::size_t y = 0; y < values.size(); ++y) {
            values[y] = Index{lower[y]} + lower[y + 1] + upper[y] + upper[y + 1] -
                        (dark ? dark->squares[y] : 0);
            const Index deviation = values[y] - shift;
            expected.sum += deviation;
            expected.squares += static_cast<std::uint64_t>(deviation * deviation);
            if (dark) {
                expected.rest += (deviation + count_offset) * dark->rest[y];
                expected.fine_rest += (deviation + count_offset) * dark->fine_rest[y];
            }
        }
        std::vector<Index> found(size(n));
        const CountScan scan =
            level.scan_counts(lower.data(), upper.data(), upper.data(), dark ? &dark_row : nullptr,
                              n, limits, found.data());
        REQUIRE(scan.sum == expected.sum);
        REQUIRE(scan.squares == expected.squares);
        REQUIRE(scan.rest == expected.rest);
        REQUIRE(scan.fine_rest == expected.fine_rest);
        found.resize(size(scan.n_found));
        // Rounding the dark changes the difference of two neighbours by at most 2.
        REQUIRE(is_rightly_found(found, values, limit, Index{dark ? 2 : 0}));

        if (dark)
            dark_row.rest = dark_row.fine_rest = nullptr;
        std::vector<Index> found_only(size(n));
        const CountScan find =
            level.find_counts(lower.data(), upper.data(), upper.data(), dark ? &dark_row : nullptr,
                              n, limits, found_only.data());
        if (dark) {
            dark_row.rest = dark->rest.data();
            dark_row.fine_rest = dark->fine_rest.data();
        }
        REQUIRE(find.sum == expected.sum);
        found_only.resize(size(find.n_found));
        REQUIRE(found_only == found);
    }
}

void check_scans(const std::vector<Counts>& rows, const DarkRow* dark, Index shift) {
    for (const RowKernels* level : levels())
        for (const Index limit : {Index{-262140}, shift - 4, shift + 15, Index{262140}}) {
            CAPTURE(std::string(level->level));
            CAPTURE(rows.front().size());
            CAPTURE(shift);
            CAPTURE(limit);
            check_scans(*level, rows, dark, shift, limit);
        }
}

constexpr std::initializer_list<int> pedestals = {0, 100, 900, 5000, 40000, 65000};

} // namespace

TEST_CASE("count kernels: sums of counts are exact") {
    Random random(1);
    for (const RowKernels* level : levels())
        for (const Index n : {1, 7, 64, 65, 2048, 40001}) {
            const Counts row = anything(n, 65535, random);
            CHECK(level->sum_counts(row.data(), n) ==
                  std::accumulate(row.begin(), row.end(), std::uint64_t{0}));
            const Counts saturated(size(n), 65535);
            CHECK(level->sum_counts(saturated.data(), n) == 65535 * static_cast<std::uint64_t>(n));
        }
}

TEST_CASE("count kernels: the scan of narrow noise, the shift near the mean and far from it") {
    Random random(2);
    for (const Index n : row_sizes)
        for (const int pedestal : pedestals) {
            const std::vector<Counts> rows{noise(n, pedestal, random), noise(n, pedestal, random),
                                           noise(n, pedestal, random)};
            for (const Index shift : {4 * pedestal, 4 * pedestal + 2001, 0, 170000})
                check_scans(rows, nullptr, shift);
        }
}

TEST_CASE("count kernels: the scan of counts of every size") {
    Random random(3);
    for (const Index n : row_sizes)
        for (const int largest : {1, 1023, 1024, 20000, 65535}) {
            const std::vector<Counts> rows{anything(n, largest, random),
                                           anything(n, largest, random),
                                           anything(n, largest, random)};
            for (const Index shift : {2 * largest, 0, 4 * largest})
                check_scans(rows, nullptr, shift);
        }
    for (const Index n : row_sizes)
        for (const Index shift : {262140, 0, 131070})
            check_scans({3, Counts(size(n), 65535)}, nullptr, shift);
}

// Where the window of raised squares begins and ends, as pixels that are all alike.
std::vector<Index> edges_of_window(Index shift) {
    const Index lowest = std::max<Index>(shift - count_offset, 0);
    const Index highest = lowest + largest_raised;
    return {lowest / 4 - 1,  lowest / 4,  (lowest + 3) / 4,
            highest / 4 - 1, highest / 4, highest / 4 + 1,
            16383,           16384};
}

TEST_CASE("count kernels: squares at the window's edges, all alike") {
    for (const int pedestal : pedestals)
        for (const Index n : {961, 1025, 2048})
            for (const Index pixel : edges_of_window(4 * pedestal))
                if (pixel >= 0)
                    check_scans({3, Counts(size(n), static_cast<std::uint16_t>(pixel))}, nullptr,
                                4 * pedestal);
}

TEST_CASE("count kernels: single pixels at the window's edges and where 16 bits wrap round") {
    Random random(4);
    for (const Index n : row_sizes)
        for (const int pedestal : pedestals) {
            const Index shift = 4 * pedestal;
            std::vector<Index> outliers = edges_of_window(shift);
            const Index others = 3 * pedestal; // in the square of the outlier
            const Index lowest = std::max<Index>(shift - count_offset, 0);
            for (const Index edge : {lowest, lowest + largest_raised, Index{65535}})
                for (const Index step : {-1, 0, 1})
                    outliers.push_back(edge - others + step);
            for (const int step : {16384, -16384, 32768})
                outliers.push_back(Index{pedestal} + step);
            outliers.insert(outliers.end(), {0, 65535});
            for (const Index outlier : outliers) {
                std::vector<Counts> rows{noise(n, pedestal, random), noise(n, pedestal, random),
                                         noise(n, pedestal, random), noise(n, pedestal, random)};
                put_outlier(rows[random() % 4], outlier, random);
                check_scans(rows, nullptr, shift);
            }
        }
}

TEST_CASE("count kernels: four pixels whose square wraps round to the mean") {
    Random random(5);
    for (const Index n : {3, 66, 2048})
        for (const int pedestal : pedestals)
            for (const int step : {16384, -16384, 32768}) {
                if (pedestal + step < 0 || pedestal + step > 65535)
                    continue;
                std::vector<Counts> rows{noise(n, pedestal, random), noise(n, pedestal, random),
                                         noise(n, pedestal, random)};
                const std::size_t y = random() % (size(n) - 1);
                for (const std::size_t x : {1U, 2U})
                    rows[x][y] = rows[x][y + 1] = static_cast<std::uint16_t>(pedestal + step);
                check_scans(rows, nullptr, 4 * pedestal);
            }
}

TEST_CASE("count kernels: the last and the first pixel of a row outside the window") {
    Random random(6);
    for (const Index n : row_sizes)
        for (const std::size_t x : {0U, 1U, 2U})
            for (const bool last : {false, true}) {
                std::vector<Counts> rows{noise(n, 900, random), noise(n, 900, random),
                                         noise(n, 900, random)};
                (last ? rows[x].back() : rows[x].front()) = 60000;
                check_scans(rows, nullptr, 3600);
            }
}

TEST_CASE("count kernels: the scan with a dark, its pixels inside the window and outside") {
    Random random(7);
    for (const Index n : row_sizes)
        for (const int dark_pedestal : {0, 100, 900, 5000, 16383})
            for (const int above_dark : {-200, 0, 7, 300, 20000}) {
                const int pedestal = dark_pedestal + above_dark;
                if (pedestal < -8)
                    continue;
                Counts squares(size(n));
                std::uniform_int_distribution<int> spread(-40, 40);
                for (std::uint16_t& square : squares)
                    square = static_cast<std::uint16_t>(
                        std::clamp(4 * dark_pedestal + spread(random), 0, 65532));
                for (const Index outlier : {Index{-1}, Index{0}, Index{65532}, largest_near_dark,
                                            largest_near_dark + 1, Index{61375}}) {
                    Counts with_outlier = squares;
                    put_outlier(with_outlier, outlier, random);
                    const DarkRow dark(with_outlier, random);
                    std::vector<Counts> rows{noise(n, pedestal, random), noise(n, pedestal, random),
                                             noise(n, pedestal, random)};
                    if (random() % 2 == 0)
                        put_outlier(rows[random() % 3], static_cast<Index>(random() % 65536),
                                    random);
                    check_scans(rows, &dark, 4 * above_dark);
                }
            }
}

TEST_CASE("count kernels: the largest deviations from a dark, all alike") {
    Random random(8);
    for (const Index n : {961, 2048})
        for (const Index dark_square : {0, 4095})
            for (const std::uint16_t pixel : {0, 1023}) {
                const DarkRow dark(Counts(size(n), static_cast<std::uint16_t>(dark_square)),
                                   random);
                for (const Index shift : {-32, 0, 32})
                    check_scans({3, Counts(size(n), pixel)}, &dark, shift);
            }
}

TEST_CASE("count kernels: pixels above a count") {
    Random random(9);
    for (const RowKernels* level : levels())
        for (const Index n : row_sizes)
            for (const int largest : {2, 300, 65535})
                for (const int limit : {0, largest / 2, largest - 1, largest}) {
                    const Counts row = anything(n, largest, random);
                    std::vector<Index> found(size(n));
                    const CountScan scan =
                        level->counts_above(row.data(), row.data(), nullptr, n,
                                            static_cast<std::uint16_t>(limit), found.data());
                    CHECK(scan.sum == std::accumulate(row.begin(), row.end(), std::int64_t{0}));
                    found.resize(size(scan.n_found));
                    const std::vector<int> values(row.begin(), row.end());
                    REQUIRE(is_rightly_found(found, values, limit, 0));
                }
}

TEST_CASE("count kernels: pixels above a dark, which may be above them") {
    Random random(10);
    for (const RowKernels* level : levels())
        for (const Index n : row_sizes)
            for (const int largest : {2, 300, 65535})
                for (const int limit : {0, largest / 2, largest - 1}) {
                    const Counts row = anything(n, largest, random);
                    const Counts dark = anything(n, std::min(largest / 2, 16383), random);
                    std::vector<Index> found(size(n));
                    const CountScan scan =
                        level->counts_above(row.data(), row.data(), dark.data(), n,
                                            static_cast<std::uint16_t>(limit), found.data());
                    CHECK(scan.sum == std::accumulate(row.begin(), row.end(), std::int64_t{0}));
                    found.resize(size(scan.n_found));
                    std::vector<int> values(row.size());
                    for (std::size_t y = 0; y < row.size(); ++y)
                        values[y] = row[y] - dark[y];
                    REQUIRE(is_rightly_found(found, values, limit, 1));
                }
}

TEST_CASE("count kernels: a saturated pixel above a dark of 0") {
    for (const RowKernels* level : levels())
        for (const Index n : {5, 130}) {
            CAPTURE(std::string(level->level));
            Counts row(size(n), 100);
            row[3] = 65535;
            const Counts dark(size(n));
            std::vector<Index> found(size(n));
            found.resize(
                size(level->counts_above(row.data(), row.data(), dark.data(), n, 1000, found.data())
                         .n_found));
            CHECK(found == std::vector<Index>{3});
        }
}
