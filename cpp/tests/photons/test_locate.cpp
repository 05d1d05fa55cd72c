// SPDX-License-Identifier: BSD-3-Clause
#include "photons/locate.hpp"

#include "images.hpp"

#include <doctest/doctest.h>

using namespace hrixs;
using namespace hrixs::test;
using doctest::Approx;

TEST_CASE("centre of mass: an even square lies at its middle, between pixels") {
    const SpotMoments spot = centre_of_mass<2>(10, 20, [](Index, Index) { return 3.0; });
    CHECK(spot.charge == 12.0);
    CHECK(spot.x == 10.5);
    CHECK(spot.y == 20.5);
}

TEST_CASE("centre of mass: one pixel is found at its centre, an integer") {
    for (Index x = 0; x < 4; ++x)
        for (Index y = 0; y < 4; ++y) {
            const SpotMoments spot = centre_of_mass<4>(
                5, 7, [&](Index i, Index j) { return i == x && j == y ? 2.5 : 0.0; });
            CHECK(spot.charge == 2.5);
            CHECK(spot.x == 5 + x);
            CHECK(spot.y == 7 + y);
        }
}

TEST_CASE("centre of mass: weights count as they are, negative ones too") {
    // 4 in the middle, -1 at (1, 2): charge 3, y = (4 * 1 - 1 * 2) / 3.
    const SpotMoments spot = centre_of_mass<3>(0, 0, [](Index i, Index j) {
        return i != 1 ? 0.0 : j == 1 ? 4.0 : j == 2 ? -1.0 : 0.0;
    });
    CHECK(spot.charge == 3.0);
    CHECK(spot.x == 1.0);
    CHECK(spot.y == Approx(2.0 / 3.0).epsilon(1e-15));
}

TEST_CASE("centre of mass: x is the first index") {
    // 1 at (0, 2) and 3 at (2, 1): x = 6 / 4, y = 5 / 4.
    const SpotMoments spot = centre_of_mass<3>(0, 0, [](Index i, Index j) {
        return i == 0 && j == 2 ? 1.0 : i == 2 && j == 1 ? 3.0 : 0.0;
    });
    CHECK(spot.charge == 4.0);
    CHECK(spot.x == 1.5);
    CHECK(spot.y == 1.25);
}

TEST_CASE("centre of mass: NaN weighs nothing") {
    // Without the pixel (0, 0) of a flat 2 x 2 square: x = y = 2 / 3.
    const SpotMoments spot = centre_of_mass<2>(
        0, 0, [](Index i, Index j) { return i == 0 && j == 0 ? not_a_number : 1.0; });
    CHECK(spot.charge == 3.0);
    CHECK(spot.x == Approx(2.0 / 3.0).epsilon(1e-15));
    CHECK(spot.y == Approx(2.0 / 3.0).epsilon(1e-15));
}
