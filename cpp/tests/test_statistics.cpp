// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/statistics.hpp"

#include "hrixs/errors.hpp"
#include "images.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

using namespace hrixs;
using namespace hrixs::test;
using doctest::Approx;

namespace {

template <class Pixel> double mean_of(const Image<Pixel>& image, const ChipCorrection& chip = {}) {
    std::vector<double> row(static_cast<std::size_t>(image.ny));
    return frame_mean(CorrectedFrame<Pixel>{image.view(), &chip}, 0, row);
}

double threshold_of(const Image<double>& image, double std_threshold,
                    const ChipCorrection& chip = {}) {
    RowPair rows(image.ny);
    return square_threshold(CorrectedFrame<double>{image.view(), &chip}, std_threshold, rows);
}

} // namespace

TEST_CASE("lane sum: every length, with and without skipping NaN") {
    for (Index n = 0; n <= 35; ++n)
        for (const bool skip_nan : {false, true}) {
            LaneSum sum;
            sum.add_row(n, skip_nan, [](Index y) { return static_cast<double>(y + 1); });
            sum.add_row(n, skip_nan, [](Index) { return 1.0; });
            CHECK(sum.sum() == static_cast<double>(n * (n + 1) / 2 + n));
            CHECK(sum.count() == 2 * n);
        }
}

TEST_CASE("lane sum: NaN neither adds nor counts, and nothing has mean 0") {
    for (Index bad = 0; bad < 19; ++bad) {
        LaneSum sum;
        sum.add_row(19, true, [&](Index y) { return y == bad ? not_a_number : 2.0; });
        CHECK(sum.sum() == 36.0);
        CHECK(sum.count() == 18);
        CHECK(sum.mean() == 2.0);
    }
    CHECK(LaneSum{}.mean() == 0.0);
}

TEST_CASE("frame mean") {
    Image<double> image(4, 4);
    image(1, 2) = 24.0;
    image(3, 3) = -8.0;
    CHECK(mean_of(image) == 1.0);

    Image<std::uint8_t> mask(4, 4);
    mask(3, 3) = 1;
    CHECK(mean_of(image, {{}, mask.view()}) == Approx(24.0 / 15.0).epsilon(1e-15));

    Image<double> dark(4, 4, 3.0);
    CHECK(mean_of(image, {dark.view(), {}}) == -2.0);
}

TEST_CASE("frame mean: saturated frames do not overflow") {
    CHECK(mean_of(Image<std::uint8_t>(5, 7, 255)) == 255.0);
    CHECK(mean_of(Image<std::uint16_t>(5, 7, 65535)) == 65535.0);
    CHECK(mean_of(Image<std::uint32_t>(5, 7, 4294967295u)) == 4294967295.0);
    CHECK(mean_of(Image<std::int16_t>(5, 7, -32768)) == -32768.0);
    CHECK(mean_of(Image<std::int32_t>(5, 7, -2147483647 - 1)) == -2147483648.0);
}

TEST_CASE("frame mean: finite pixels whose sum is not are refused") {
    CHECK_THROWS_AS(mean_of(Image<double>(4, 4, 1e308)), NonFinitePixels);
}

TEST_CASE("row pair: squares of every pair of rows") {
    Image<double> image(3, 3);
    for (Index k = 0; k < 9; ++k)
        image.pixels[static_cast<std::size_t>(k)] = static_cast<double>(1 << k);
    const ChipCorrection chip;
    const CorrectedFrame<double> frame{image.view(), &chip};
    RowPair rows(3);
    rows.start(frame);
    rows.advance_to(frame, 0);
    CHECK(rows.square(0) == 1 + 2 + 8 + 16);
    CHECK(rows.square(1) == 2 + 4 + 16 + 32);
    rows.advance_to(frame, 1);
    CHECK(rows.square(0) == 8 + 16 + 64 + 128);
    CHECK(rows.square(1) == 16 + 32 + 128 + 256);
}

TEST_CASE("square threshold: mean and population standard deviation of all 2x2 squares") {
    // Rows 0 0 0 3 0: of the 16 squares half are 0 and half 6, mean 3, standard deviation 3.
    Image<double> image(5, 5);
    for (Index y = 0; y < 5; ++y)
        image(3, y) = 3.0;
    CHECK(threshold_of(image, 0.0) == 3.0);
    CHECK(threshold_of(image, 1.0) == 6.0);
    CHECK(threshold_of(image, 3.5) == 13.5);
    CHECK(threshold_of(image, -1.0) == 0.0);
    CHECK(threshold_of(Image<double>(4, 6, 7.0), 3.5) == 28.0);
}

TEST_CASE("square threshold: a square with a masked pixel takes no part") {
    // 16 at (1, 1): 4 of 9 squares hold it. Without the square at (2, 2), 4 of 8: mean 8, std 8.
    Image<double> image(4, 4);
    image(1, 1) = 16.0;
    CHECK(threshold_of(image, 1.0) == Approx((64.0 + std::sqrt(5120.0)) / 9.0).epsilon(1e-14));
    Image<std::uint8_t> mask(4, 4);
    mask(3, 3) = 1;
    CHECK(threshold_of(image, 1.0, {{}, mask.view()}) == 16.0);
}
