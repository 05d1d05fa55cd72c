// SPDX-License-Identifier: BSD-3-Clause
#include "simd/row_kernels.hpp"

#include "images.hpp"
#include "levels.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using namespace hrixs;
using namespace hrixs::test;
using doctest::Approx;

namespace {

using Random = std::mt19937;
using Found = std::vector<Index>;

// Fourths, so that all sums are exact.
template <class Number> std::vector<Number> fourths(Index n, int largest, Random& random) {
    std::vector<Number> row(size(n));
    std::uniform_int_distribution<int> values(-largest, largest);
    for (Number& value : row)
        value = static_cast<Number>(values(random)) / 4;
    return row;
}

template <class Number>
std::vector<Number> reals(Index n, double mean, double spread, Random& random) {
    std::vector<Number> row(size(n));
    std::normal_distribution<double> values(mean, spread);
    for (Number& value : row)
        value = static_cast<Number>(values(random));
    return row;
}

template <class Pixel> std::vector<Pixel> whole(Index n, Random& random) {
    std::vector<Pixel> row(size(n));
    for (Pixel& value : row)
        if constexpr (std::is_floating_point_v<Pixel>)
            value = static_cast<Pixel>(static_cast<int>(random() % 2000001) - 1000000);
        else
            value = static_cast<Pixel>(random());
    return row;
}

template <class Number> std::vector<Number> pairs_of(const std::vector<Number>& row) {
    std::vector<Number> pairs(row.size());
    for (std::size_t y = 0; y + 1 < row.size(); ++y)
        pairs[y] = row[y] + row[y + 1];
    return pairs;
}

// The kernels of one type, by name for all.
#define MOMENTS_OF(Pixel, suffix, Sum)                                                             \
    void add_moments_of(const RowKernels& level, const Pixel* row, Index stride, Index n_rows,     \
                        Index n, Sum* moments) {                                                   \
        level.add_moments_##suffix(row, stride, n_rows, n, moments);                               \
    }
MOMENTS_OF(std::uint8_t, u8, std::uint32_t)
MOMENTS_OF(std::uint16_t, u16, std::uint32_t)
MOMENTS_OF(std::int16_t, i16, double)
MOMENTS_OF(std::uint32_t, u32, double)
MOMENTS_OF(std::int32_t, i32, double)
MOMENTS_OF(float, f32, double)
MOMENTS_OF(double, f64, double)
#undef MOMENTS_OF

template <class Pixel>
using MomentOf =
    std::conditional_t<std::is_same_v<Pixel, std::uint8_t> || std::is_same_v<Pixel, std::uint16_t>,
                       std::uint32_t, double>;

DarkScan round_dark(const RowKernels& level, const std::vector<float>& row, float* pairs,
                    float* rest_pairs, std::uint16_t* squares, std::int16_t* rest,
                    std::int16_t* fine_rest) {
    return level.round_dark_f32(row.data(), static_cast<Index>(row.size()), pairs, rest_pairs,
                                squares, rest, fine_rest);
}
DarkScan round_dark(const RowKernels& level, const std::vector<double>& row, double* pairs,
                    double* rest_pairs, std::uint16_t* squares, std::int16_t* rest,
                    std::int16_t* fine_rest) {
    return level.round_dark_f64(row.data(), static_cast<Index>(row.size()), pairs, rest_pairs,
                                squares, rest, fine_rest);
}
bool round_pixels(const RowKernels& level, const std::vector<float>& row, std::uint16_t* pixels) {
    return level.round_pixels_f32(row.data(), static_cast<Index>(row.size()), pixels);
}
bool round_pixels(const RowKernels& level, const std::vector<double>& row, std::uint16_t* pixels) {
    return level.round_pixels_f64(row.data(), static_cast<Index>(row.size()), pixels);
}

constexpr Index block_sizes[] = {2, 3, 8, 9, 10, 63, 64, 65, 66, 130, 511, 512, 513};
constexpr float infinite = std::numeric_limits<float>::infinity();

} // namespace

TEST_CASE("row kernels: sums of rows, and of those with masked pixels") {
    Random random(1);
    for (const RowKernels* level : levels())
        for (const Index n : {0, 1, 7, 8, 9, 512, 513, 2048}) {
            std::vector<double> row = fourths<double>(n, 4000, random);
            const std::vector<float> floats(row.begin(), row.end());
            double sum = 0.0;
            for (const double value : row)
                sum += value;
            CHECK(level->sum_row(row.data(), n) == sum);
            CHECK(level->sum_floats(floats.data(), n) == sum);
            CHECK(level->sum_valid(row.data(), n) == sum);
            for (Index y = 0; y < n; y += 3) {
                sum -= row[size(y)];
                row[size(y)] = not_a_number;
            }
            CHECK(level->sum_valid(row.data(), n) == sum);
        }
}

TEST_CASE("row kernels: a NaN shows in the sum of a row without a mask") {
    for (const RowKernels* level : levels())
        for (const std::size_t y : {0U, 8U, 17U}) {
            std::vector<double> row(18, 1.0);
            row[y] = not_a_number;
            const std::vector<float> floats(row.begin(), row.end());
            CHECK(std::isnan(level->sum_row(row.data(), 18)));
            CHECK(std::isnan(level->sum_floats(floats.data(), 18)));
        }
}

TEST_CASE("row kernels: the scan of doubles and of floats, with and without masked pixels") {
    Random random(2);
    for (const RowKernels* level : levels())
        for (const Index n : block_sizes)
            for (const int largest : {3, 400})
                for (const bool masked : {false, true})
                    for (const double limit : {-1e9, 0.0, 0.5 * largest, 1e9}) {
                        const double shift = 3.0;
                        const std::vector<double> below = fourths<double>(n, largest, random);
                        std::vector<double> row = fourths<double>(n, largest, random);
                        if (masked)
                            for (int k = 0; k < 3; ++k)
                                row[random() % row.size()] = not_a_number;
                        const std::vector<double> pairs_below = pairs_of(below);
                        const std::vector<double> row_pairs = pairs_of(row);
                        std::vector<double> squares(size(n - 1));
                        RealScan expected;
                        for (std::size_t y = 0; y < squares.size(); ++y) {
                            squares[y] = pairs_below[y] + row_pairs[y];
                            const double deviation = squares[y] - shift;
                            expected.pixels += std::isnan(row[y]) ? 0.0 : row[y];
                            expected.sum += std::isnan(deviation) ? 0.0 : deviation;
                            expected.squares += std::isnan(deviation) ? 0.0 : deviation * deviation;
                        }
                        const auto check = [&](auto kernel, const auto& row_of_numbers) {
                            std::vector<double> pairs = pairs_below;
                            Found found(size(n));
                            const RealScan scan = kernel(row_of_numbers.data(), pairs.data(), n,
                                                         shift, limit, found.data());
                            CHECK(scan.pixels == expected.pixels);
                            CHECK(scan.squares == expected.squares);
                            if (masked)
                                CHECK(scan.sum == expected.sum);
                            found.resize(size(scan.n_found));
                            REQUIRE(is_rightly_found(found, squares, limit, 0.0));
                            for (std::size_t y = 0; y < squares.size(); ++y)
                                CHECK((pairs[y] == row_pairs[y] || std::isnan(row_pairs[y])));
                        };
                        if (masked) {
                            check(level->scan_valid, row);
                            continue;
                        }
                        check(level->scan_row, row);
                        check(
                            [&](const float* floats, auto... rest) {
                                return level->scan_floats(floats, floats, rest...);
                            },
                            std::vector<float>(row.begin(), row.end()));
                    }
}

TEST_CASE("row kernels: pixels above a limit, none of them masked") {
    Random random(3);
    for (const RowKernels* level : levels())
        for (const Index n : {1, 63, 64, 65, 512})
            for (const double limit : {-1e9, 0.0, 1.25, 1e9}) {
                std::vector<double> row = fourths<double>(n, 8, random);
                row[random() % row.size()] = not_a_number;
                Found found(size(n));
                const RealScan scan = level->valid_above(row.data(), n, limit, found.data());
                found.resize(size(scan.n_found));
                REQUIRE(is_rightly_found(found, row, limit, 0.0));
                REQUIRE(scan.pixels == level->sum_valid(row.data(), n));
            }
}

TEST_CASE("row kernels: pixels above a limit, in place") {
    Random random(33);
    for (const RowKernels* level : levels())
        for (const Index n : {1, 7, 8, 9, 63, 64, 65, 130, 512})
            for (const double limit : {-1e9, 0.0, 1.25, 5.0, 1e9}) {
                const auto check = [&](const auto& row, const auto& kernel) {
                    const std::vector<double> values(row.begin(), row.end());
                    Found found(size(n));
                    const RealScan scan = kernel(row.data(), n, limit, found.data());
                    found.resize(size(scan.n_found));
                    REQUIRE(is_rightly_found(found, values, limit, 0.0));
                    REQUIRE(scan.pixels == level->sum_row(values.data(), n));
                };
                check(fourths<double>(n, 8, random), level->doubles_above);
                std::vector<std::int32_t> wholes(size(n));
                for (std::int32_t& one : wholes)
                    one = static_cast<std::int32_t>(random() % 20) - 10;
                wholes[random() % wholes.size()] = std::numeric_limits<std::int32_t>::min();
                check(wholes, level->wholes_above);
            }
}

TEST_CASE("row kernels: numbers that are counts are narrowed, and others are told") {
    Random random(34);
    for (const RowKernels* level : levels())
        for (const Index n : {1, 7, 8, 9, 64, 65, 517}) {
            std::vector<double> row(size(n));
            for (double& one : row)
                one = static_cast<double>(random() % 65536);
            row.front() = 65535.0;
            row.back() = -0.0;
            std::vector<std::uint16_t> counts(size(n) + 1, 7);
            const std::vector<std::int32_t> wholes(row.begin(), row.end());
            const std::vector<float> floats(row.begin(), row.end());
            const auto is_right = [&] {
                const bool same =
                    std::equal(row.begin(), row.end(), counts.begin()) && counts.back() == 7;
                std::fill(counts.begin(), counts.end() - 1, std::uint16_t{7});
                return same;
            };
            REQUIRE(level->narrow_f64(row.data(), n, counts.data()));
            REQUIRE(is_right());
            REQUIRE(level->narrow_f32(floats.data(), n, counts.data()));
            REQUIRE(is_right());
            REQUIRE(level->narrow_i32(wholes.data(), n, counts.data()));
            REQUIRE(is_right());
            const std::size_t place = random() % row.size();
            for (const double wrong :
                 {-1.0, 65536.0, 0.5, 65535.5, -0.25, 1e300, -1e300, 4294967296.0,
                  9007199254740994.0, static_cast<double>(infinite), -static_cast<double>(infinite),
                  not_a_number}) {
                std::vector<double> other = row;
                other[place] = wrong;
                REQUIRE(!level->narrow_f64(other.data(), n, counts.data()));
                std::vector<float> other_floats = floats;
                other_floats[place] = static_cast<float>(wrong);
                REQUIRE(!level->narrow_f32(other_floats.data(), n, counts.data()));
            }
            for (const std::int32_t wrong : {-1, 65536, std::numeric_limits<std::int32_t>::min(),
                                             std::numeric_limits<std::int32_t>::max()}) {
                std::vector<std::int32_t> other = wholes;
                other[place] = wrong;
                REQUIRE(!level->narrow_i32(other.data(), n, counts.data()));
            }
        }
}

TEST_CASE("row kernels: squares of floats above a limit, neighbours by a slack") {
    Random random(4);
    for (const RowKernels* level : levels())
        for (const Index n : block_sizes)
            for (const float limit : {-1e9F, 0.0F, 5.5F, 1e9F, infinite})
                for (const float slack : {0.0F, 0.75F}) {
                    const std::vector<float> below = pairs_of(fourths<float>(n, 20, random));
                    const std::vector<float> row = fourths<float>(n, 20, random);
                    const std::vector<float> row_pairs = pairs_of(row);
                    std::vector<float> squares(size(n - 1));
                    double sum = 0.0;
                    float largest = 0.0F;
                    for (std::size_t y = 0; y < squares.size(); ++y) {
                        squares[y] = below[y] + row_pairs[y];
                        sum += static_cast<double>(row[y]);
                        largest = std::max(largest, std::abs(row[y]));
                    }
                    std::vector<float> pairs(size(n));
                    Found found(size(n));
                    const FloatScan scan =
                        level->find_floats(below.data(), row.data(), row.data(), pairs.data(), n,
                                           limit, slack, found.data());
                    CHECK(scan.pixels == sum);
                    CHECK(scan.largest == largest);
                    CHECK(pairs == row_pairs);
                    found.resize(size(scan.n_found));
                    REQUIRE(is_rightly_found(found, squares, limit, slack));
                }
}

TEST_CASE("row kernels: floats above a limit, neighbours by a slack") {
    Random random(5);
    for (const RowKernels* level : levels())
        for (const Index n : {1, 7, 8, 63, 64, 65, 511, 512})
            for (const float limit : {-1e9F, 0.0F, 4.0F, 1e9F})
                for (const float slack : {0.0F, 0.5F}) {
                    const std::vector<float> row = fourths<float>(n, 20, random);
                    double sum = 0.0;
                    float largest = 0.0F;
                    for (const float value : row) {
                        sum += static_cast<double>(value);
                        largest = std::max(largest, std::abs(value));
                    }
                    Found found(size(n));
                    const FloatScan scan =
                        level->floats_above(row.data(), row.data(), n, limit, slack, found.data());
                    CHECK(scan.pixels == sum);
                    CHECK(scan.largest == largest);
                    found.resize(size(scan.n_found));
                    REQUIRE(is_rightly_found(found, row, limit, slack));
                }
}

TEST_CASE("row kernels: the largest magnitude of floats, wherever it is") {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (const RowKernels* level : levels())
        for (const Index n : {9, 20, 512})
            for (Index y = 0; y < n; ++y)
                for (const float value : {-3e38F, 7.0F, infinite, -infinite, nan, -nan}) {
                    std::vector<float> row(size(n + 1), -1.0F);
                    row[size(y)] = value;
                    std::vector<float> pairs(row.size());
                    Found found(row.size());
                    const float expected = std::isnan(value) ? infinite : std::abs(value);
                    REQUIRE(level->floats_above(row.data(), row.data(), n, 1e9F, 0.0F, found.data())
                                .largest == expected);
                    REQUIRE(level
                                ->find_floats(row.data(), row.data(), row.data(), pairs.data(),
                                              n + 1, 1e9F, 0.0F, found.data())
                                .largest == expected);
                }
}

TEST_CASE_TEMPLATE("row kernels: a dark is rounded, and what that takes is kept", Number, float,
                   double) {
    Random random(6);
    for (const RowKernels* level : levels())
        for (const Index n : block_sizes)
            for (const bool in_eighths : {false, true}) {
                std::vector<Number> pairs(size(n));
                std::vector<Number> rest_pairs(size(n));
                std::vector<std::uint16_t> squares(size(n));
                std::vector<std::int16_t> rest(size(n));
                std::vector<std::int16_t> fine_rest(size(n));
                std::vector<Number> below;
                for (int x = 0; x < 3; ++x) {
                    std::vector<Number> row(size(n));
                    for (Number& value : row)
                        value = in_eighths
                                    ? static_cast<Number>(random() % 131072) / 8
                                    : static_cast<Number>(random()) / static_cast<Number>(262145.0);
                    row[random() % row.size()] = Number{0};
                    row[random() % row.size()] = Number{16383};
                    const DarkScan scan = round_dark(*level, row, pairs.data(), rest_pairs.data(),
                                                     squares.data(), rest.data(), fine_rest.data());
                    const std::vector<Number> last = std::exchange(below, row);
                    if (last.empty())
                        continue;
                    bool fits = true;
                    for (const Number value : row)
                        fits = fits && std::nearbyint(value) <= Number{16383};
                    CHECK(scan.fits == fits);
                    double sum = 0.0;
                    double sum_of_squares = 0.0;
                    for (std::size_t y = 0; y + 1 < row.size(); ++y) {
                        double rounded = 0.0;
                        double taken = 0.0;
                        for (const Number value : {last[y], last[y + 1], row[y], row[y + 1]}) {
                            const auto exact = static_cast<double>(value);
                            rounded += std::nearbyint(exact);
                            taken += exact - std::nearbyint(exact);
                        }
                        REQUIRE(squares[y] == static_cast<int>(rounded) % 65536);
                        REQUIRE(std::abs(rest[y]) <= largest_dark_rest);
                        REQUIRE(std::abs(fine_rest[y]) <= largest_dark_rest);
                        const double kept =
                            (rest[y] + fine_rest[y] / fine_rest_units) / dark_rest_units;
                        // Half a unit of the fine rest, and what floats lose below 1.
                        REQUIRE(std::abs(kept - taken) <= (in_eighths ? 0.0 : std::ldexp(1, -23)));
                        sum += taken;
                        sum_of_squares += taken * taken;
                    }
                    CHECK(scan.rest == Approx(sum).epsilon(1e-12).scale(1e5));
                    CHECK(scan.rest_squares == Approx(sum_of_squares).epsilon(1e-6));
                    if (in_eighths) {
                        CHECK(scan.rest == sum);
                        CHECK(scan.rest_squares == sum_of_squares);
                    }
                }
            }
}

TEST_CASE_TEMPLATE("row kernels: a dark without rests gives the same squares", Number, float,
                   double) {
    Random random(7);
    for (const RowKernels* level : levels()) {
        const std::vector<Number> row = reals<Number>(300, 500.0, 100.0, random);
        std::vector<Number> pairs(row.size());
        std::vector<Number> rest_pairs(row.size());
        std::vector<std::int16_t> rest(row.size());
        std::vector<std::uint16_t> squares(row.size());
        std::vector<std::uint16_t> squares_only(row.size());
        std::vector<Number> pairs_only = pairs;
        std::vector<Number> rest_pairs_only = pairs;
        round_dark(*level, row, pairs.data(), rest_pairs.data(), squares.data(), rest.data(),
                   rest.data());
        const DarkScan scan = round_dark(*level, row, pairs_only.data(), rest_pairs_only.data(),
                                         squares_only.data(), nullptr, nullptr);
        CHECK(scan.rest == 0.0);
        CHECK(scan.rest_squares == 0.0);
        CHECK(scan.fits);
        CHECK(squares == squares_only);
        CHECK(pairs == pairs_only);
        CHECK(rest_pairs == rest_pairs_only);
    }
}

TEST_CASE_TEMPLATE("row kernels: a dark that can't be rounded is told", Number, float, double) {
    const Number limits[] = {Number{-1},
                             Number{16384},
                             static_cast<Number>(1e30),
                             static_cast<Number>(not_a_number),
                             static_cast<Number>(infinity),
                             static_cast<Number>(-infinity)};
    for (const RowKernels* level : levels())
        for (const Index n : {5, 9, 513})
            for (const Number bad : limits)
                for (Index y = 0; y < n; y += 4) {
                    std::vector<Number> row(size(n), Number{16383});
                    std::vector<Number> pairs(size(n));
                    std::vector<Number> rest_pairs(size(n));
                    std::vector<std::int16_t> rest(size(n));
                    std::vector<std::uint16_t> rounded(size(n));
                    CHECK(round_pixels(*level, row, rounded.data()));
                    CHECK(rounded == std::vector<std::uint16_t>(size(n), 16383));
                    row[size(y)] = bad;
                    CHECK_FALSE(round_pixels(*level, row, rounded.data()));
                    CHECK_FALSE(round_dark(*level, row, pairs.data(), rest_pairs.data(),
                                           rounded.data(), rest.data(), rest.data())
                                    .fits);
                }
}

TEST_CASE_TEMPLATE("row kernels: pixels are rounded to the nearest count", Number, float, double) {
    Random random(8);
    for (const RowKernels* level : levels())
        for (const Index n : block_sizes) {
            std::vector<Number> row(size(n));
            for (Number& value : row)
                value = static_cast<Number>(random() % 16383000) / 1000;
            std::vector<std::uint16_t> pixels(size(n));
            CHECK(round_pixels(*level, row, pixels.data()));
            for (std::size_t y = 0; y < row.size(); ++y)
                REQUIRE(static_cast<Number>(pixels[y]) == std::nearbyint(row[y]));
        }
}

TEST_CASE_TEMPLATE("row kernels: moments weight the last row by 1, that before by 2", Pixel,
                   std::uint8_t, std::uint16_t, std::int16_t, std::uint32_t, std::int32_t, float,
                   double) {
    using Sum = MomentOf<Pixel>;
    Random random(9);
    const Index n = 21;
    const Index stride = n + 4;
    for (const RowKernels* level : levels())
        for (Index n_rows = 1; n_rows <= most_moment_rows; ++n_rows) {
            const std::vector<Pixel> rows = whole<Pixel>(n_rows * stride, random);
            std::vector<Sum> expected(size(3 * n));
            for (Index x = 0; x < n_rows; ++x)
                for (Index y = 0; y < n; ++y) {
                    const auto m = static_cast<Sum>(n_rows - x);
                    const auto pixel = static_cast<Sum>(rows[size(x * stride + y)]);
                    expected[size(y)] += pixel;
                    expected[size(n + y)] += m * pixel;
                    expected[size(2 * n + y)] += m * (m + 1) / 2 * pixel;
                }
            std::vector<Sum> moments(size(3 * n));
            add_moments_of(*level, rows.data(), stride, n_rows, n, moments.data());
            REQUIRE(moments == expected);

            std::vector<Sum> in_two(size(3 * n));
            const Index first = n_rows / 3;
            add_moments_of(*level, rows.data(), stride, first, n, in_two.data());
            add_moments_of(*level, rows.data() + first * stride, stride, n_rows - first, n,
                           in_two.data());
            REQUIRE(in_two == expected);
        }
}

TEST_CASE("row kernels: the moments of the most rows of saturated counts do not overflow") {
    const std::uint64_t m = most_moment_rows;
    const std::vector<std::uint16_t> rows(size(most_moment_rows * 9), 65535);
    for (const RowKernels* level : levels()) {
        std::vector<std::uint32_t> moments(27);
        level->add_moments_u16(rows.data(), 9, most_moment_rows, 9, moments.data());
        for (std::size_t y = 0; y < 9; ++y) {
            CHECK(moments[y] == 65535 * m);
            CHECK(moments[9 + y] == 65535 * (m * (m + 1) / 2));
            CHECK(moments[18 + y] == 65535 * (m * (m + 1) * (m + 2) / 6));
        }
    }
}

TEST_CASE("row kernels: shares are moments times weights, and the rest") {
    Random random(10);
    const double weights[] = {0.25, -0.5, 0.125};
    for (const RowKernels* level : levels())
        for (const Index n : {1, 8, 13}) {
            std::vector<std::uint32_t> moments(size(3 * n));
            for (std::uint32_t& moment : moments)
                moment = static_cast<std::uint32_t>(random());
            const std::vector<double> real_moments(moments.begin(), moments.end());
            std::vector<double> lower(size(n));
            std::vector<double> upper(size(n));
            std::vector<double> lower_of_reals(size(n));
            std::vector<double> upper_of_reals(size(n));
            level->share_counts(moments.data(), n, weights, lower.data(), upper.data());
            level->share_reals(real_moments.data(), n, weights, lower_of_reals.data(),
                               upper_of_reals.data());
            for (std::size_t y = 0; y < size(n); ++y) {
                CHECK(upper[y] == 0.25 * real_moments[y] - 0.5 * real_moments[size(n) + y] +
                                      0.125 * real_moments[size(2 * n) + y]);
                CHECK(lower[y] == real_moments[y] - upper[y]);
            }
            CHECK(lower_of_reals == lower);
            CHECK(upper_of_reals == upper);
        }
}

namespace {

// All that a kernel gives, bit by bit.
class Outcome {
  public:
    template <class Number> void add(Number value) {
        const auto* bytes = reinterpret_cast<const unsigned char*>(&value);
        bytes_.insert(bytes_.end(), bytes, bytes + sizeof value);
    }
    template <class Number> void add(const std::vector<Number>& values) {
        for (const Number value : values)
            add(value);
    }
    void add(const Found& found, Index n_found) {
        add(n_found);
        for (Index k = 0; k < n_found; ++k)
            add(found[size(k)]);
    }
    void add(const CountScan& scan, const Found& found) {
        add(scan.sum);
        add(scan.squares);
        add(scan.rest);
        add(scan.fine_rest);
        add(found, scan.n_found);
    }
    void add(const RealScan& scan, const Found& found) {
        add(scan.pixels);
        add(scan.sum);
        add(scan.squares);
        add(found, scan.n_found);
    }
    void add(const FloatScan& scan, const Found& found) {
        add(scan.pixels);
        add(scan.largest);
        add(found, scan.n_found);
    }
    void add(const DarkScan& scan) {
        add(scan.rest);
        add(scan.rest_squares);
        add(scan.fits);
    }
    bool operator==(const Outcome& other) const = default;

  private:
    std::vector<unsigned char> bytes_;
};

Outcome of_counts(const RowKernels& level, Index n, bool narrow, Random random) {
    Outcome outcome;
    std::vector<std::uint16_t> rows[2];
    std::vector<std::uint16_t> dark(size(3 * n));
    for (auto& row : rows) {
        row.resize(size(n));
        for (std::uint16_t& pixel : row)
            pixel = static_cast<std::uint16_t>(narrow ? 300 + random() % 30 : random());
        if (narrow)
            row[random() % row.size()] = static_cast<std::uint16_t>(random());
    }
    std::vector<std::int16_t> rest(dark.size());
    for (std::size_t y = 0; y < dark.size(); ++y) {
        dark[y] = static_cast<std::uint16_t>(random() % 4096);
        rest[y] = static_cast<std::int16_t>(static_cast<int>(random() % 8193) - 4096);
    }
    std::vector<std::uint8_t> far_of_dark(size(n / 64 + 2));
    level.mark_far_squares(dark.data(), n, far_of_dark.data());
    outcome.add(far_of_dark);
    const CountDarkRow dark_row{dark.data(), rest.data(), rest.data(), far_of_dark.data()};
    Found found(size(n));
    for (const CountDarkRow* of_dark : {static_cast<const CountDarkRow*>(nullptr), &dark_row})
        for (const auto& kernel : {level.scan_counts, level.find_counts}) {
            const CountLimits limits{of_dark ? 40 : 1256, of_dark ? 20 : 1280};
            outcome.add(kernel(rows[0].data(), rows[1].data(), rows[1].data(), of_dark, n, limits,
                               found.data()),
                        found);
        }
    for (const std::uint16_t* of_dark : {static_cast<const std::uint16_t*>(nullptr),
                                         static_cast<const std::uint16_t*>(dark.data())})
        outcome.add(
            level.counts_above(rows[0].data(), rows[1].data(), of_dark, n, 310, found.data()),
            found);
    return outcome;
}

Outcome of_reals(const RowKernels& level, Index n, Random random) {
    Outcome outcome;
    const std::vector<double> below = reals<double>(n, 100.0, 5.0, random);
    const std::vector<double> row = reals<double>(n, 100.0, 5.0, random);
    const std::vector<float> floats(row.begin(), row.end());
    std::vector<double> masked = row;
    masked[random() % masked.size()] = not_a_number;
    outcome.add(level.sum_row(row.data(), n));
    outcome.add(level.sum_floats(floats.data(), n));
    outcome.add(level.sum_valid(masked.data(), n));
    std::vector<double> pairs(size(n));
    level.pair_row(below.data(), n, pairs.data());
    outcome.add(pairs);
    Found found(size(n));
    outcome.add(level.scan_row(row.data(), pairs.data(), n, 400.0, 405.0, found.data()), found);
    outcome.add(pairs);
    outcome.add(level.scan_floats(floats.data(), floats.data(), pairs.data(), n, 400.0, 405.0,
                                  found.data()),
                found);
    outcome.add(level.scan_valid(masked.data(), pairs.data(), n, 400.0, 405.0, found.data()),
                found);
    outcome.add(level.doubles_above(row.data(), n, 103.0, found.data()), found);
    outcome.add(level.valid_above(masked.data(), n, 103.0, found.data()), found);
    std::vector<float> float_pairs(size(n));
    const std::vector<float> floats_below(below.begin(), below.end());
    outcome.add(level.find_floats(floats_below.data(), floats.data(), floats.data(),
                                  float_pairs.data(), n, 305.0F, 0.01F, found.data()),
                found);
    outcome.add(float_pairs);
    outcome.add(level.floats_above(floats.data(), floats.data(), n, 103.0F, 0.01F, found.data()),
                found);
    std::vector<double> subtracted = row;
    level.subtract_f32(subtracted.data(), floats_below.data(), n);
    level.subtract_f64(subtracted.data(), below.data(), n);
    outcome.add(subtracted);
    return outcome;
}

template <class Number> Outcome of_dark(const RowKernels& level, Index n, Random random) {
    Outcome outcome;
    std::vector<Number> pairs(size(n));
    std::vector<Number> rest_pairs(size(n));
    std::vector<std::uint16_t> squares(size(n));
    std::vector<std::int16_t> rest(size(n));
    std::vector<std::int16_t> fine_rest(size(n));
    for (int x = 0; x < 2; ++x) {
        const std::vector<Number> row = reals<Number>(n, 50.0, 15.0, random);
        outcome.add(round_dark(level, row, pairs.data(), rest_pairs.data(), squares.data(),
                               rest.data(), fine_rest.data()));
        outcome.add(pairs);
        outcome.add(rest_pairs);
        outcome.add(squares);
        outcome.add(rest);
        outcome.add(fine_rest);
        outcome.add(round_pixels(level, row, squares.data()));
        outcome.add(squares);
    }
    return outcome;
}

Outcome of_moments(const RowKernels& level, Index n, Random random) {
    Outcome outcome;
    const std::vector<double> rows = reals<double>(9 * n, 100.0, 30.0, random);
    const std::vector<float> floats(rows.begin(), rows.end());
    std::vector<double> moments(size(3 * n));
    level.add_moments_f64(rows.data(), n, 9, n, moments.data());
    level.add_moments_f32(floats.data(), n, 9, n, moments.data());
    outcome.add(moments);
    std::vector<double> lower(size(n));
    std::vector<double> upper(size(n));
    const double weights[] = {0.3, 0.017, -1e-4};
    level.share_reals(moments.data(), n, weights, lower.data(), upper.data());
    outcome.add(lower);
    outcome.add(upper);
    const std::vector<std::uint32_t> counts(moments.begin(), moments.end());
    level.share_counts(counts.data(), n, weights, lower.data(), upper.data());
    outcome.add(lower);
    outcome.add(upper);
    return outcome;
}

} // namespace

TEST_CASE("row kernels: all levels give the same bytes") {
    for (unsigned seed = 0; seed < 5; ++seed)
        for (const RowKernels* level : levels()) {
            CAPTURE(std::string(level->level));
            for (const Index n : {2, 3, 63, 66, 129, 960, 1025, 2048})
                for (const bool narrow : {false, true})
                    CHECK(of_counts(*level, n, narrow, Random(seed)) ==
                          of_counts(baseline::kernels, n, narrow, Random(seed)));
            for (const Index n : block_sizes) {
                CAPTURE(n);
                CHECK(of_reals(*level, n, Random(seed)) ==
                      of_reals(baseline::kernels, n, Random(seed)));
                CHECK(of_dark<float>(*level, n, Random(seed)) ==
                      of_dark<float>(baseline::kernels, n, Random(seed)));
                CHECK(of_dark<double>(*level, n, Random(seed)) ==
                      of_dark<double>(baseline::kernels, n, Random(seed)));
                CHECK(of_moments(*level, n, Random(seed)) ==
                      of_moments(baseline::kernels, n, Random(seed)));
            }
        }
}
