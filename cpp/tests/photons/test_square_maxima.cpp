// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/square_maxima.hpp"

#include "hrixs/errors.hpp"
#include "hrixs/find.hpp"
#include "images.hpp"
#include "same_bytes.hpp"

#include <doctest/doctest.h>

#include <numeric>

using namespace hrixs;
using namespace hrixs::test;

TEST_CASE("square maxima: a block, its height and its brightest pixel") {
    Stack<std::uint16_t> stack(2, 20, 20, 100);
    put_block<std::uint16_t>(stack, 1, 5, 8, 150);
    stack(1, 6, 8) = 190;
    const SquareMaxima found = square_maxima(stack.frames(), {}, std::vector<double>(2, 450.0), {});
    REQUIRE(found.x.size() == 1);
    CHECK(found.frame[0] == 1);
    CHECK(found.x[0] == 5);
    CHECK(found.y[0] == 8);
    CHECK(found.height[0] == 640.0);
    CHECK(found.brightest_x[0] == 6);
    CHECK(found.brightest_y[0] == 8);
}

TEST_CASE("square maxima: each frame has its own threshold") {
    Stack<std::uint16_t> stack(2, 20, 20, 100);
    for (Index frame : {0, 1})
        put_block<std::uint16_t>(stack, frame, 5, 8, 150);
    const SquareMaxima found =
        square_maxima(stack.frames(), {}, std::vector<double>{700.0, 500.0}, {});
    CHECK(found.frame == std::vector<Index>{1});
}

TEST_CASE("square maxima: those of the finder, with and without dark and mask, for any threads") {
    const auto stack = random_stack(3, 60, 70, 8);
    const Stack<double> doubles(stack);
    Image<float> dark(60, 70, 30.25F);
    Image<std::uint8_t> mask(60, 70);
    mask(10, 11) = mask(30, 31) = 1;
    for (const CameraCorrection& camera :
         {CameraCorrection{}, CameraCorrection{Dark(dark.view()), std::nullopt},
          CameraCorrection{Dark(dark.view()), mask.view()}}) {
        const double threshold = camera.dark ? 480.0 : 600.0;
        const std::vector<double> thresholds(3, threshold);
        const SquareMaxima one = square_maxima(stack.frames(), camera, thresholds, {1});
        const SquareMaxima four = square_maxima(stack.frames(), camera, thresholds, {4});
        const SquareMaxima real = square_maxima(doubles.frames(), camera, thresholds, {1});
        FindSettings settings;
        settings.threshold = threshold;
        settings.max_photons = 10000;
        const FoundPhotons found = find_photons(stack.frames(), camera, settings, {1});
        CHECK(one.x.size() > 20);
        // Those without a positive charge are dropped by it.
        const auto n_dropped =
            std::accumulate(found.n_dropped.begin(), found.n_dropped.end(), Index{0});
        CHECK(one.frame.size() == found.table.frame.size() + static_cast<std::size_t>(n_dropped));
        CHECK(same_bytes(one.height, four.height));
        CHECK(same_bytes(one.height, real.height));
        CHECK(one.brightest_x == four.brightest_x);
        CHECK(one.y == real.y);
    }
}

TEST_CASE("square maxima: what does not fit is refused") {
    Stack<double> stack(2, 8, 8, 1.0);
    CHECK_THROWS_AS(square_maxima(stack.frames(), {}, std::vector<double>{1.0}, {}), ShapeError);
    stack(1, 2, 2) = not_a_number;
    CHECK_THROWS_AS(square_maxima(stack.frames(), {}, std::vector<double>(2, 9.0), {}),
                    NonFinitePixels);
}
