// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/classify.hpp"

#include "images.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <utility>
#include <vector>

using namespace hrixs;
using namespace hrixs::test;
using doctest::Approx;

namespace {

struct Bright {
    Index x;
    Index y;
    double value;
};

// 6 x 6 pixels, a corner far from all others chosen so that the frame's mean is 0.
Image<double> balanced(const std::vector<Bright>& pixels) {
    Image<double> image(6, 6);
    for (const Bright& pixel : pixels) {
        image(pixel.x, pixel.y) = pixel.value;
        image(5, 5) -= pixel.value;
    }
    return image;
}

// A photon is 100 ADU: candidates in (20, 100), singles in (20, 150], doubles above.
FoundPhotons classify(const Stack<double>& stack, const CameraCorrection& camera = {},
                      std::vector<double> photon_adu = {100.0}) {
    return classify_photons(stack.frames(), photon_adu.data(), camera, {0.2, 1.0, 0.2, 1.5, 1000},
                            {});
}

FoundPhotons classify(const std::vector<Bright>& pixels) {
    return classify(balanced(pixels));
}

} // namespace

TEST_CASE("classify: a single hit") {
    // Charge 90 + 20 + 10: x = (2 * 90 + 3 * 20 + 2 * 10) / 120, y = (2 * 110 + 1 * 10) / 120.
    const FoundPhotons found = classify({{2, 2, 90.0}, {3, 2, 20.0}, {2, 1, 10.0}});
    REQUIRE(found.table.size() == 1);
    CHECK(found.table.frame[0] == 0);
    CHECK(found.table.x[0] == Approx(260.0 / 120.0).epsilon(1e-14));
    CHECK(found.table.y[0] == Approx(230.0 / 120.0).epsilon(1e-14));
    CHECK(found.table.charge[0] == 120.0);
    CHECK(found.table.is_double[0] == 0);
    CHECK(found.frame_mean[0] == 0.0);
    CHECK(found.threshold[0] == 20.0);
    CHECK(found.n_dropped[0] == 0);
}

TEST_CASE("classify: the mean of the frame is subtracted") {
    // 90 on a flat 5 in 5 x 6 pixels: mean 8, charge 9 * 5 + 90 - 9 * 8.
    Image<double> image(5, 6, 5.0);
    image(2, 3) = 95.0;
    const FoundPhotons found = classify(image);
    CHECK(found.frame_mean[0] == 8.0);
    REQUIRE(found.table.size() == 1);
    CHECK(found.table.charge[0] == 63.0);
    CHECK(found.table.x[0] == 2.0);
    CHECK(found.table.y[0] == 3.0);
}

TEST_CASE("classify: a candidate lies above the low and below the high fraction") {
    CHECK(classify({{2, 2, 20.0}, {2, 3, 10.0}}).table.size() == 0);
    CHECK(classify({{2, 2, 20.0}, {2, 3, 10.0}}).n_dropped[0] == 0);
    CHECK(classify({{2, 2, 20.5}, {2, 3, 10.0}}).table.size() == 1);
    CHECK(classify({{2, 2, 99.5}}).table.size() == 1);
    CHECK(classify({{2, 2, 100.0}}).table.size() == 0);
}

TEST_CASE("classify: a pixel too bright to be a candidate is a rival still") {
    CHECK(classify({{2, 2, 100.0}, {2, 3, 90.0}}).table.size() == 0);
}

TEST_CASE("classify: single up to and with the double fraction, double above") {
    const PhotonTable single = classify({{2, 2, 99.0}, {2, 3, 51.0}}).table;
    REQUIRE(single.size() == 1);
    CHECK(single.charge[0] == 150.0);
    CHECK(single.is_double[0] == 0);
    CHECK(single.y[0] == Approx(2.34).epsilon(1e-14));

    const PhotonTable twice = classify({{2, 2, 99.0}, {2, 3, 51.5}}).table;
    REQUIRE(twice.size() == 1);
    CHECK(twice.charge[0] == 150.5);
    CHECK(twice.is_double[0] == 1);
}

TEST_CASE("classify: dropped at and below the single fraction, and counted") {
    for (const double rest : {-1.0, -100.0}) {
        const FoundPhotons found = classify({{2, 2, 21.0}, {1, 1, rest}});
        CHECK(found.table.size() == 0);
        CHECK(found.n_dropped[0] == 1);
    }
    const FoundPhotons kept = classify({{2, 2, 21.0}, {1, 1, -0.5}});
    CHECK(kept.table.size() == 1);
    CHECK(kept.n_dropped[0] == 0);
}

TEST_CASE("classify: negative weights are not clipped") {
    const PhotonTable table = classify({{2, 2, 60.0}, {1, 2, -10.0}}).table;
    REQUIRE(table.size() == 1);
    CHECK(table.charge[0] == 50.0);
    CHECK(table.x[0] == Approx(2.2).epsilon(1e-14));
}

TEST_CASE("classify: of two equal neighbours the last in row-major order") {
    // Only the 3x3 of (2, 2) holds the 10 at (2, 3): y = (1 * 60 + 2 * 60 + 3 * 10) / 130.
    const PhotonTable table = classify({{2, 1, 60.0}, {2, 2, 60.0}, {2, 3, 10.0}}).table;
    REQUIRE(table.size() == 1);
    CHECK(table.charge[0] == 130.0);
    CHECK(table.y[0] == Approx(210.0 / 130.0).epsilon(1e-14));
}

TEST_CASE("classify: everywhere but on the border") {
    for (Index x = 0; x < 5; ++x)
        for (Index y = 0; y < 6; ++y) {
            CAPTURE(x);
            CAPTURE(y);
            Image<double> image(5, 6);
            image(x, y) = 90.0;
            const bool inside = x >= 1 && x <= 3 && y >= 1 && y <= 4;
            CHECK(classify(image).table.size() == (inside ? 1 : 0));
        }
}

TEST_CASE("classify: every frame has its own photon energy") {
    const Image<double> image = balanced({{2, 2, 60.0}, {2, 3, 50.0}});
    Stack<double> stack(4, 6, 6);
    for (std::size_t k = 0; k < stack.pixels.size(); ++k)
        stack.pixels[k] = image.pixels[k % image.pixels.size()];
    // 110 ADU: single at 100, double at 65 (97.5), too bright at 50, too faint at 400 (80).
    const FoundPhotons found = classify(stack, {}, {100.0, 65.0, 50.0, 400.0});
    CHECK(found.table.frame == std::vector<Index>{0, 1});
    CHECK(found.table.is_double == std::vector<std::uint8_t>{0, 1});
    CHECK(found.threshold == std::vector<double>{20.0, 13.0, 10.0, 80.0});
}

TEST_CASE("classify: a masked pixel takes part in nothing, the dark is subtracted") {
    // 70 at (2, 2) without (2, 3): mean 70 / 35 = 2, charge 70 - 8 * 2, y = (2 * 70 - 2 * 15) / 54.
    Image<std::uint8_t> mask(6, 6);
    mask(2, 3) = 1;
    const Image<double> dark(6, 6, 1000.0);
    for (const double value : {0.0, 1e300, not_a_number}) {
        Image<double> image(6, 6, 1000.0);
        image(2, 2) += 70.0;
        image(2, 3) = value;
        const FoundPhotons found = classify(image, {dark.view(), mask.view()});
        CHECK(found.frame_mean[0] == 2.0);
        REQUIRE(found.table.size() == 1);
        CHECK(found.table.charge[0] == 54.0);
        CHECK(found.table.x[0] == Approx(2.0).epsilon(1e-14));
        CHECK(found.table.y[0] == Approx(110.0 / 54.0).epsilon(1e-14));
    }
}
