// SPDX-License-Identifier: BSD-3-Clause
#include "frame/corrected_frame.hpp"

#include "images.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

using namespace hrixs;
using namespace hrixs::test;

namespace {

// The two ways to read a frame have to agree, bad pixels included.
template <class Pixel> std::vector<double> read(const CorrectedFrame<Pixel>& frame) {
    std::vector<double> all;
    std::vector<double> row(static_cast<std::size_t>(frame.ny()));
    for (Index x = 0; x < frame.nx(); ++x) {
        frame.read(x, 0, frame.ny(), row.data());
        for (Index y = 0; y < frame.ny(); ++y) {
            const double value = row[static_cast<std::size_t>(y)];
            CHECK((frame(x, y) == value || (std::isnan(frame(x, y)) && std::isnan(value))));
            all.push_back(value);
        }
    }
    return all;
}

} // namespace

TEST_CASE("corrected frame: the dark is subtracted without wrapping round") {
    Image<std::uint16_t> image(1, 3);
    image.pixels = {0, 65535, 10};
    Image<double> dark(1, 3);
    dark.pixels = {5.5, 65535.0, -1.0};
    const CameraCorrection camera{dark.view(), {}};
    CHECK(read(CorrectedFrame<std::uint16_t>{image.view(), &camera}) ==
          std::vector<double>{-5.5, 0.0, 11.0});
}

TEST_CASE("corrected frame: a masked pixel is NaN, whatever it and its dark hold") {
    Image<float> image(2, 2);
    image.pixels = {1.0f, std::numeric_limits<float>::infinity(), 3.0f, 4.0f};
    Image<double> dark(2, 2, 1.0);
    dark(1, 1) = not_a_number;
    Image<std::uint8_t> mask(2, 2);
    mask.pixels = {0, 1, 0, 255};
    const CameraCorrection camera{dark.view(), mask.view()};
    const CorrectedFrame<float> frame{image.view(), &camera};
    CHECK(frame.has_mask());
    const std::vector<double> values = read(frame);
    CHECK(values[0] == 0.0);
    CHECK(std::isnan(values[1]));
    CHECK(values[2] == 2.0);
    CHECK(std::isnan(values[3]));
}

TEST_CASE("corrected frame: image, dark and mask each with strides of their own") {
    // image(x, y) = 10 x + y, read backwards; the dark is one row for all x; the mask transposed.
    std::vector<std::int32_t> pixels;
    for (std::int32_t x = 2; x >= 0; --x)
        for (std::int32_t y = 3; y >= 0; --y)
            pixels.push_back(10 * x + y);
    const std::vector<double> dark_row{0, -9, 1, -9, 2, -9, 3};
    std::vector<std::uint8_t> mask(12);
    mask[1 * 3 + 2] = 1; // x = 2, y = 1
    const ImageView<std::int32_t> image{pixels.data() + 11, 3, 4, -4, -1};
    const CameraCorrection camera{ImageView<double>{dark_row.data(), 3, 4, 0, 2},
                                  ImageView<std::uint8_t>{mask.data(), 3, 4, 1, 3}};
    const std::vector<double> values = read(CorrectedFrame<std::int32_t>{image, &camera});
    for (std::size_t x = 0; x < 3; ++x)
        for (std::size_t y = 0; y < 4; ++y) {
            CAPTURE(x);
            CAPTURE(y);
            if (x == 2 && y == 1)
                CHECK(std::isnan(values[4 * x + y]));
            else
                CHECK(values[4 * x + y] == 10.0 * static_cast<double>(x));
        }
}

TEST_CASE("corrected frame: non-finite pixels are counted, masked ones are not") {
    Image<double> image(3, 3, 1.0);
    image(0, 0) = not_a_number;
    image(1, 2) = infinity;
    image(2, 1) = -infinity;
    const CameraCorrection bare;
    CHECK(CorrectedFrame<double>{image.view(), &bare}.count_non_finite() == 3);
    Image<std::uint8_t> mask(3, 3);
    mask(1, 2) = 1;
    mask(2, 2) = 1;
    const CameraCorrection masked{{}, mask.view()};
    CHECK(CorrectedFrame<double>{image.view(), &masked}.count_non_finite() == 2);
    Image<std::uint16_t> integers(3, 3, 65535);
    CHECK(CorrectedFrame<std::uint16_t>{integers.view(), &bare}.count_non_finite() == 0);
}
