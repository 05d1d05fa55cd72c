// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/integrate.hpp"

#include "images.hpp"
#include "same_bytes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <numeric>
#include <optional>
#include <random>
#include <type_traits>
#include <vector>

using namespace hrixs;
using namespace hrixs::test;
using doctest::Approx;

namespace {

using Rows = RowValues;

template <class Pixel>
Integrated integrate(const Stack<Pixel>& stack, const Curvature& curvature,
                     const CameraCorrection& camera = {}) {
    return integrate_frames(stack.frames(), camera, curvature, {});
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
            CameraCorrection camera;
            if (masked)
                camera.mask = mask.view();
            const Integrated result = integrate(image, curvature, camera);
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

namespace {

template <class Pixel> Image<Pixel> random_image(Index nx, Index ny, unsigned seed) {
    Image<Pixel> image(nx, ny);
    std::mt19937 random(seed);
    std::normal_distribution<double> values(100.0, 30.0);
    for (Pixel& pixel : image.pixels)
        if constexpr (std::is_floating_point_v<Pixel>)
            pixel = static_cast<Pixel>(values(random));
        else
            pixel = static_cast<Pixel>(random());
    return image;
}

struct Expected {
    std::vector<double> sums;
    std::vector<double> weights;
    std::vector<double> scale; // of what was added and subtracted
};

// Every pixel and its two rows by themselves.
template <class Pixel>
Expected pixel_by_pixel(const ImageView<Pixel>& image, const CameraCorrection& camera,
                        const Curvature& curvature) {
    const auto ny = static_cast<std::size_t>(image.ny);
    std::vector<long double> sums(ny);
    std::vector<long double> weights(ny);
    std::vector<long double> scale(ny);
    for (Index x = 0; x < image.nx; ++x) {
        const double column = static_cast<double>(x) + curvature.first_column;
        const double shift = curvature.displacements.empty()
                                 ? -(curvature.b * column + curvature.a) * column
                                 : -curvature.displacements[static_cast<std::size_t>(x)];
        const double whole = std::floor(shift);
        const long double upper = static_cast<long double>(shift) - whole;
        for (Index y = 0; y < image.ny; ++y) {
            if (camera.mask && (*camera.mask)(x, y))
                continue;
            const long double level = camera.dark ? (*camera.dark)(x, y) : 0.0;
            const auto pixel = static_cast<long double>(image(x, y));
            const auto add = [&](Index row, long double share) {
                if (row < 0 || row >= image.ny)
                    return;
                const auto at = static_cast<std::size_t>(row);
                sums[at] += share * (pixel - level);
                weights[at] += share;
                scale[at] += std::abs(pixel) + std::abs(level);
            };
            add(y + static_cast<Index>(whole), 1.0L - upper);
            add(y + static_cast<Index>(whole) + 1, upper);
        }
    }
    return {
        {sums.begin(), sums.end()}, {weights.begin(), weights.end()}, {scale.begin(), scale.end()}};
}

constexpr std::initializer_list<Curvature> curvatures = {
    {0.0, 0.0},  {0.024, -3.7e-7},        {1.0, 0.0},          {-2.5, 1e-3},
    {40.0, 0.0}, {0.024, -3.7e-7, 300.0}, {-2.5, 1e-3, -100.5}};

template <class Pixel>
void check_pixel_by_pixel(const Stack<Pixel>& stack, const CameraCorrection& camera,
                          const Curvature& curvature) {
    const Integrated result = integrate(stack, curvature, camera);
    for (Index frame = 0; frame < stack.n; ++frame) {
        const Expected expected = pixel_by_pixel(stack.frames().frame(frame), camera, curvature);
        for (Index y = 0; y < stack.ny; ++y) {
            CAPTURE(y);
            const auto at = static_cast<std::size_t>(y);
            const double sum = result.sums[static_cast<std::size_t>(frame * stack.ny + y)];
            CHECK(std::abs(sum - expected.sums[at]) <= 1e-12 * expected.scale[at]);
            CHECK(std::abs(result.weights[at] - expected.weights[at]) <=
                  1e-12 * static_cast<double>(stack.nx));
        }
    }
}

} // namespace

TEST_CASE_TEMPLATE("integrate: as pixel by pixel, with and without dark and mask", Pixel,
                   std::uint8_t, std::uint16_t, std::int16_t, float, double) {
    const Index nx = 300;
    const Index ny = 50;
    const auto image = random_image<Pixel>(nx, ny, 1);
    const auto dark = random_image<double>(nx, ny, 2);
    const auto float_dark = random_image<float>(nx, ny, 3);
    Image<std::uint8_t> mask(nx, ny);
    std::mt19937 random(4);
    for (std::uint8_t& bad : mask.pixels)
        bad = random() % 10 == 0 ? 1 : 0;
    for (const Curvature& curvature : curvatures) {
        CAPTURE(curvature.a);
        check_pixel_by_pixel(image, {}, curvature);
        check_pixel_by_pixel(image, {dark.view(), {}}, curvature);
        check_pixel_by_pixel(image, {float_dark.view(), {}}, curvature);
        check_pixel_by_pixel(image, {{}, mask.view()}, curvature);
        check_pixel_by_pixel(image, {dark.view(), mask.view()}, curvature);
    }
}

TEST_CASE_TEMPLATE("integrate: any displacements of the rows, as pixel by pixel", Pixel,
                   std::uint8_t, std::uint16_t, std::int16_t, float, double) {
    const auto image = random_image<Pixel>(300, 50, 1);
    const auto dark = random_image<double>(300, 50, 2);
    Image<std::uint8_t> mask(300, 50);
    mask(7, 3) = mask(299, 49) = 1;
    std::vector<double> displacements(300);
    for (std::size_t x = 0; x < 300; ++x) {
        const double u = static_cast<double>(x) - 120.0;
        displacements[x] = ((4e-6 * u - 1e-3) * u + 0.1) * u;
    }
    for (const double far : {0.0, 1e6}) {
        displacements[5] += far;
        const Curvature curvature{0.3, 0.0, 0.0, displacements};
        check_pixel_by_pixel(image, {}, curvature);
        check_pixel_by_pixel(image, {dark.view(), mask.view()}, curvature);
    }
}

TEST_CASE("integrate: displacements of a parabola give what the parabola gives") {
    const auto image = random_image<std::uint16_t>(700, 60, 3);
    const Curvature parabola{0.024, -3.7e-6, 250.0};
    std::vector<double> displacements(700);
    for (std::size_t x = 0; x < 700; ++x)
        displacements[x] = parabola(static_cast<double>(x) + 250.0);
    const Integrated by_rows = integrate(image, {0.0, 0.0, 0.0, displacements});
    const Integrated expected = integrate(image, parabola);
    CHECK(same_bytes(by_rows.weights, expected.weights));
    for (std::size_t y = 0; y < 60; ++y)
        CHECK(by_rows.sums[y] == Approx(expected.sums[y]).epsilon(1e-12));
}

TEST_CASE("integrate: displacements that fit no frame are refused") {
    const Image<double> image(4, 6);
    for (const std::vector<double>& wrong : {std::vector<double>(3),
                                             std::vector<double>(5),
                                             {0.0, not_a_number, 0.0, 0.0},
                                             {0.0, 0.0, 0.0, 1e9}})
        CHECK_THROWS_AS(integrate(image, {0.0, 0.0, 0.0, wrong}), ParameterError);
    CHECK_THROWS_AS(integrate(image, {1.0, 0.0, 1e9}), ParameterError);
    CHECK_THROWS_AS(integrate(image, {0.0, 0.0, not_a_number}), ParameterError);
}

TEST_CASE("integrate: saturated counts, pixel by pixel") {
    for (const Curvature& curvature : curvatures) {
        check_pixel_by_pixel(Image<std::uint16_t>(600, 40, 65535), {}, curvature);
        check_pixel_by_pixel(Image<std::int16_t>(600, 40, -32768), {}, curvature);
    }
}

TEST_CASE("integrate: long lines, pixel by pixel") {
    const auto image = random_image<std::uint16_t>(2048, 120, 5);
    for (const Curvature& curvature : curvatures)
        check_pixel_by_pixel(image, {}, curvature);
}

TEST_CASE("integrate: rows in memory backwards and by columns, pixel by pixel") {
    const auto image = random_image<std::uint16_t>(300, 300, 6);
    const std::uint16_t* last = image.pixels.data() + 300 * 300 - 1;
    for (const ImageView<std::uint16_t>& view :
         {ImageView<std::uint16_t>{last, 300, 300, -300, -1},
          ImageView<std::uint16_t>{last - 299, 300, 300, -300, 1},
          ImageView<std::uint16_t>{image.pixels.data(), 300, 300, 1, 300}}) {
        const Curvature curvature{0.024, -3.7e-7};
        const Integrated result =
            integrate_frames(FrameStack<std::uint16_t>{view, {1}, {0}}, {}, curvature, {});
        const Expected expected = pixel_by_pixel(view, {}, curvature);
        for (std::size_t y = 0; y < 300; ++y)
            CHECK(std::abs(result.sums[y] - expected.sums[y]) <= 1e-12 * expected.scale[y]);
    }
}

TEST_CASE("integrate: any number of threads gives the same bytes, bands and all") {
    const auto dark = random_image<float>(700, 33, 7);
    Image<std::uint8_t> mask(700, 33);
    mask(300, 5) = mask(699, 32) = 1;
    const auto check = [&](const auto& stack, const CameraCorrection& camera) {
        for (const Curvature& curvature : curvatures) {
            const Integrated one = integrate_frames(stack.frames(), camera, curvature, {1});
            for (const int threads : {2, 3, 8})
                CHECK(same_bytes(integrate_frames(stack.frames(), camera, curvature, {threads}),
                                 one));
        }
    };
    const auto counts = random_stack(2, 700, 33, 8);
    const auto reals = random_image<double>(700, 33, 9);
    for (const CameraCorrection& camera :
         {CameraCorrection{}, CameraCorrection{dark.view(), {}}, CameraCorrection{{}, mask.view()},
          CameraCorrection{dark.view(), mask.view()}}) {
        check(counts, camera);
        check(reals, camera);
    }
}
