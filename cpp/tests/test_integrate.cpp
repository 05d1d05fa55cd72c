// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/integrate.hpp"

#include "images.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <numeric>
#include <vector>

using namespace hrixs;
using namespace hrixs::test;
using doctest::Approx;

namespace {

using Rows = RowValues;

template <class Pixel>
Integrated integrate(const Stack<Pixel>& stack, const Curvature& curvature,
                     const ChipCorrection& chip = {}) {
    return integrate_frames(stack.frames(), chip, curvature, {});
}

Image<double> one_pixel(Index x, Index y, double value) {
    Image<double> image(4, 6);
    image(x, y) = value;
    return image;
}

} // namespace

TEST_CASE("curvature: (b x + a) x") {
    CHECK(Curvature{0.5, 0.25}(0.0) == 0.0);
    CHECK(Curvature{0.5, 0.25}(2.0) == 2.0);
    CHECK(Curvature{-0.5, 0.25}(4.0) == 2.0);
}

TEST_CASE("integrate: straight lines add up, frame by frame") {
    Stack<std::uint16_t> stack(2, 4, 5);
    stack(0, 0, 1) = 65535;
    stack(0, 3, 1) = 65535;
    stack(1, 2, 4) = 7;
    const Integrated result = integrate(stack, {});
    CHECK(result.sums == Rows{0, 131070, 0, 0, 0, 0, 0, 0, 0, 7});
    CHECK(result.weights == Rows{4, 4, 4, 4, 4});
}

TEST_CASE("integrate: a pixel is shared between two rows by the fraction") {
    // a = 1/4: x = 1 lies at y - 1/4, x = 2 at y - 1/2, x = 3 at y - 3/4.
    CHECK(integrate(one_pixel(0, 2, 16), {0.25, 0.0}).sums == Rows{0, 0, 16, 0, 0, 0});
    CHECK(integrate(one_pixel(1, 2, 16), {0.25, 0.0}).sums == Rows{0, 4, 12, 0, 0, 0});
    CHECK(integrate(one_pixel(2, 2, 16), {0.25, 0.0}).sums == Rows{0, 8, 8, 0, 0, 0});
    CHECK(integrate(one_pixel(3, 2, 16), {0.25, 0.0}).sums == Rows{0, 12, 4, 0, 0, 0});
    // a = -1/4: x = 3 lies at y + 3/4. b = 1/8: x = 3 lies at y - 9/8.
    CHECK(integrate(one_pixel(3, 2, 16), {-0.25, 0.0}).sums == Rows{0, 0, 4, 12, 0, 0});
    CHECK(integrate(one_pixel(3, 2, 16), {0.0, 0.125}).sums == Rows{2, 14, 0, 0, 0, 0});
    // a whole shift touches one row
    CHECK(integrate(one_pixel(2, 3, 16), {1.0, 0.0}).sums == Rows{0, 16, 0, 0, 0, 0});
}

TEST_CASE("integrate: shares off the frame are lost") {
    CHECK(integrate(one_pixel(1, 0, 16), {0.25, 0.0}).sums == Rows{12, 0, 0, 0, 0, 0});
    CHECK(integrate(one_pixel(1, 5, 16), {-0.25, 0.0}).sums == Rows{0, 0, 0, 0, 0, 12});
    CHECK(integrate(one_pixel(1, 5, 16), {-6.0, 0.0}).sums == Rows(6, 0.0));
    CHECK(integrate(one_pixel(1, 5, 16), {5.75, 0.0}).sums == Rows{4, 0, 0, 0, 0, 0});
}

TEST_CASE("integrate: weights are the summed shares") {
    const Image<double> image(4, 4);
    CHECK(integrate(image, {0.25, 0.0}).weights == Rows{4, 4, 4, 2.5});
    CHECK(integrate(image, {-0.25, 0.0}).weights == Rows{2.5, 4, 4, 4});
    CHECK(integrate(image, {100.0, 0.0}).weights == Rows{1, 1, 1, 1});
    CHECK(integrate(image, {-1e8, 0.0}).weights == Rows{1, 1, 1, 1});
}

TEST_CASE("integrate: a row that no pixel reaches has weight 0") {
    Image<std::uint8_t> mask(4, 6);
    for (Index y = 0; y < 6; ++y)
        mask(0, y) = 1;
    const Integrated result = integrate(Image<double>(4, 6, 2.0), {1.0, 0.0}, {{}, mask.view()});
    CHECK(result.weights == Rows{3, 3, 3, 2, 1, 0});
    CHECK(result.sums == Rows{6, 6, 6, 4, 2, 0});
}

TEST_CASE("integrate: a flat image gives a flat spectrum") {
    Image<std::uint8_t> mask(6, 8);
    mask(0, 3) = mask(2, 5) = mask(2, 6) = mask(5, 7) = 1;
    const Image<double> image(6, 8, 7.0);
    for (const Curvature& curvature : {Curvature{}, {0.3, -0.01}, {-0.7, 0.02}, {2.9, 0.0}})
        for (const bool masked : {false, true}) {
            ChipCorrection chip;
            if (masked)
                chip.mask = mask.view();
            const Integrated result = integrate(image, curvature, chip);
            for (std::size_t y = 0; y < 8; ++y)
                CHECK(result.sums[y] == Approx(7.0 * result.weights[y]).epsilon(1e-13));
        }
}

TEST_CASE("integrate: intensity is conserved where nothing leaves the frame") {
    Stack<std::uint16_t> stack(1, 8, 30);
    std::uint16_t value = 1;
    for (Index x = 0; x < 8; ++x)
        for (Index y = 10; y < 20; ++y)
            stack(0, x, y) = value = static_cast<std::uint16_t>(value * 75 + 74);
    const double total = std::accumulate(stack.pixels.begin(), stack.pixels.end(), 0.0);
    for (const Curvature& curvature : {Curvature{}, {0.3, -0.01}, {-0.7, -0.02}, {1.0 / 3, 0.1}}) {
        const Rows sums = integrate(stack, curvature).sums;
        const double integrated = std::accumulate(sums.begin(), sums.end(), 0.0);
        CHECK(integrated == Approx(total).epsilon(1e-12));
    }
}

TEST_CASE("integrate: a masked pixel takes part in nothing, the dark is subtracted") {
    // x = 1 lies at y - 1/4; without (1, 2) the rows 1 and 2 lack 1/4 and 3/4.
    Image<std::uint8_t> mask(4, 4);
    mask(1, 2) = 1;
    const Image<double> dark(4, 4, 10.0);
    for (const double value : {0.0, 1e300, not_a_number}) {
        Image<double> image(4, 4, 12.0);
        image(1, 2) = value;
        const Integrated result = integrate(image, {0.25, 0.0}, {dark.view(), mask.view()});
        CHECK(result.weights == Rows{4, 3.75, 3.25, 2.5});
        CHECK(result.sums == Rows{8, 7.5, 6.5, 5});
    }
}
