// SPDX-License-Identifier: BSD-3-Clause
#include "frame_rows.hpp"

#include "hrixs/errors.hpp"
#include "images.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <vector>

using namespace hrixs;
using namespace hrixs::test;

namespace {

Image<std::uint16_t> random_counts(Index nx, Index ny, int largest, unsigned seed) {
    Image<std::uint16_t> image(nx, ny);
    std::mt19937 random(seed);
    std::uniform_int_distribution<int> counts(0, largest);
    for (auto& pixel : image.pixels)
        pixel = static_cast<std::uint16_t>(counts(random));
    return image;
}

ValidCounts all_valid(Index nx, Index ny) {
    return {nx * ny, (nx - 1) * (ny - 1)};
}

void check_same(const FrameSums& one, const FrameSums& other) {
    CHECK(one.pixels == other.pixels);
    CHECK(one.squares.n == other.squares.n);
    CHECK(one.squares.mean() == other.squares.mean());
    CHECK(one.squares.variance() == other.squares.variance());
}

} // namespace

TEST_CASE("frame rows: counts in place and doubles give the same bytes and candidates") {
    const ChipCorrection none;
    for (const int largest : {1, 9, 200, 3000, 65535})
        for (const Index ny : {4, 5, 17, 511, 512, 513, 514, 1030}) {
            const Index nx = 6;
            const auto image = random_counts(nx, ny, largest, static_cast<unsigned>(ny));
            const ValidCounts valid = all_valid(nx, ny);
            RowScratch scratch(ny);
            RowScratch other(ny);
            const CountRows counts(image.view(), scratch);
            const CorrectedRows<std::uint16_t> doubles({image.view(), &none}, other);
            const double shift = std::rint(4.0 * counts.sample_mean());
            CHECK(counts.sample_mean() == doubles.sample_mean());
            CHECK(counts.sample_squares(shift).variance() ==
                  doubles.sample_squares(shift).variance());
            for (const double limit :
                 {-5.0, 0.0, 2.0 * largest, 3.1 * largest, 4.0 * largest, 1e9}) {
                check_same(counts.scan(valid, shift, limit), doubles.scan(valid, shift, limit));
                REQUIRE(scratch.candidates.size() == other.candidates.size());
                for (std::size_t k = 0; k < other.candidates.size(); ++k) {
                    REQUIRE(scratch.candidates[k].x == other.candidates[k].x);
                    REQUIRE(scratch.candidates[k].y == other.candidates[k].y);
                }
                // Of pixels, doubles may keep more: those that are no maxima of their row.
                CHECK(counts.scan_pixels(limit / 4) == doubles.scan_pixels(limit / 4));
                CHECK(scratch.candidates.size() <= other.candidates.size());
            }
        }
}

TEST_CASE("frame rows: candidates keep off the border, so that a spot fits around them") {
    // One bright pixel at (x, y): the last of its equal squares in a row is the maximum.
    for (Index x = 0; x < 6; ++x)
        for (Index y = 0; y < 6; ++y) {
            Image<std::uint16_t> image(6, 6);
            image(x, y) = 50;
            RowScratch scratch(6);
            const CountRows rows(image.view(), scratch);
            rows.scan(all_valid(6, 6), 0.0, 49.0);
            const Index n_rows = (x >= 1 && x <= 3) + (x >= 2 && x <= 4);
            CHECK(static_cast<Index>(scratch.candidates.size()) == (y >= 1 && y <= 3 ? n_rows : 0));
            for (const Place& place : scratch.candidates)
                CHECK(place.y == y);
            rows.scan_pixels(49.0);
            CHECK(scratch.candidates.size() == (x > 0 && x < 5 && y > 0 && y < 5 ? 1 : 0));
            rows.scan_pixels(50.0);
            CHECK(scratch.candidates.empty());
        }
}

TEST_CASE("frame rows: a masked pixel is left out of every sum") {
    Image<double> image(4, 5);
    image.pixels.assign(image.pixels.size(), 2.0);
    image(1, 1) = 1e6;
    Image<std::uint8_t> mask(4, 5);
    mask(1, 1) = 1;
    const ChipCorrection chip{{}, mask.view()};
    const ValidCounts valid = check_chip(chip, 4, 5);
    CHECK(valid.pixels == 19);
    CHECK(valid.squares == 12 - 4);
    RowScratch scratch(5);
    const CorrectedRows<double> rows({image.view(), &chip}, scratch);
    const FrameSums sums = rows.scan(valid, 0.0, 1.0);
    CHECK(sums.pixels == 38.0);
    CHECK(sums.squares.mean() == 8.0);
    CHECK(sums.squares.variance() == 0.0);
    CHECK_NOTHROW(rows.check_finite(sums.pixels, 0));
}

TEST_CASE("frame rows: a NaN is told, also behind a mask of other pixels") {
    Image<double> image(4, 4);
    image(2, 2) = not_a_number;
    Image<std::uint8_t> mask(4, 4);
    mask(0, 0) = 1;
    for (const bool masked : {false, true}) {
        const ChipCorrection chip{{}, masked ? std::optional(mask.view()) : std::nullopt};
        RowScratch scratch(4);
        const CorrectedRows<double> rows({image.view(), &chip}, scratch);
        const FrameSums sums = rows.scan({16, 9}, 0.0, 1.0);
        CHECK_THROWS_AS(rows.check_finite(sums.pixels, 0), NonFinitePixels);
    }
}
