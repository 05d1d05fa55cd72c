// SPDX-License-Identifier: BSD-3-Clause
#include "frame/frame_level.hpp"

#include "images.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

using namespace hrixs;
using namespace hrixs::test;
using doctest::Approx;

namespace {

std::vector<double> gaussian(std::size_t n, double mean, double sigma, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<double> values(mean, sigma);
    std::vector<double> drawn(n);
    for (double& value : drawn)
        value = values(random);
    return drawn;
}

template <class Pixel>
FrameLevel level_of(const Image<Pixel>& image, const ChipCorrection& chip = {}) {
    std::vector<double> sample;
    return frame_level(CorrectedFrame<Pixel>{image.view(), &chip}, sample);
}

} // namespace

TEST_CASE("frame level: exact on flat frames of any size") {
    for (const double level : {0.0, 1.0, -17.25, 65535.0, 1e9})
        for (const Index nx : {1, 4, 5, 300})
            for (const Index ny : {1, 4, 7, 400}) {
                CAPTURE(level);
                CAPTURE(nx);
                CAPTURE(ny);
                const FrameLevel found = level_of(Image<double>(nx, ny, level));
                CHECK(found.level == level);
                CHECK(found.noise == 0.0);
            }
}

TEST_CASE("frame level: without noise between the photons there is none") {
    for (const double level : {0.0, 0.1, 100.1, -3e-7, 12345.678})
        for (const std::size_t every : {50, 700}) {
            CAPTURE(level);
            CAPTURE(every);
            std::vector<double> values(8192, level);
            for (std::size_t k = every / 2; k < values.size(); k += every)
                values[k] += 7.0 * static_cast<double>(1 + k % 30);
            for (const double first : {0.0, 200.0}) { // the first pixel may be a photon's
                values[0] += first;
                const FrameLevel found = clipped_level(values);
                CHECK(std::abs(found.level - level) <= 1e-14 * (std::abs(level) + 200.0));
                CHECK(found.noise == 0.0);
            }
        }
}

TEST_CASE("frame level: of Gaussian noise, whatever photons, hot pixels and tracks add") {
    for (unsigned seed = 0; seed < 5; ++seed)
        for (const double level : {0.0, 1000.0, -1e6}) {
            CAPTURE(seed);
            CAPTURE(level);
            std::vector<double> values = gaussian(20000, level, 3.0, seed);
            for (std::size_t k = 0; k < values.size(); k += 50)
                values[k] += k % 100 == 0 ? 150.0 : 6e4;
            const FrameLevel found = clipped_level(values);
            CHECK(std::abs(found.level - level) < 0.03 * 3.0);
            CHECK(found.noise == Approx(3.0).epsilon(0.02));
        }
}

TEST_CASE("frame level: NaN is left out") {
    std::vector<double> values = gaussian(5000, 100.0, 3.0, 1);
    const FrameLevel expected = clipped_level(values);
    for (std::size_t k = 0; k <= values.size(); k += 7)
        values.insert(values.begin() + static_cast<std::ptrdiff_t>(k), not_a_number);
    const FrameLevel found = clipped_level(values);
    CHECK(found.level == Approx(expected.level).epsilon(1e-12));
    CHECK(found.noise == Approx(expected.noise).epsilon(1e-12));
    for (const std::vector<double>& nothing :
         {std::vector<double>{}, std::vector<double>(9, not_a_number)}) {
        CHECK(std::isnan(clipped_level(nothing).level));
        CHECK(std::isnan(clipped_level(nothing).noise));
    }
}

TEST_CASE("frame level: few values, none of them an outlier") {
    CHECK(clipped_level({5.0}).level == 5.0);
    CHECK(clipped_level({5.0}).noise == 0.0);
    CHECK(clipped_level({4.0, 6.0}).level == 5.0);
    CHECK(clipped_level({4.0, 6.0}).noise == 1.0);
    CHECK(clipped_level({1.0, 2.0, 3.0, 4.0, 5.0}).level == 3.0);
}

TEST_CASE("frame level: masked pixels and the dark") {
    Image<double> image(40, 40);
    image.pixels = gaussian(1600, 100.0, 2.0, 3);
    Image<std::uint8_t> mask(40, 40);
    std::vector<double> kept;
    for (Index x = 0; x < 40; ++x)
        for (Index y = 0; y < 40; ++y) {
            mask(x, y) = (x + y) % 3 == 0 ? 1 : 0;
            if (mask(x, y))
                image(x, y) = 101.0 + 5.0 * static_cast<double>(x % 2);
            else
                kept.push_back(image(x, y) - 90.0);
        }
    const Image<double> dark(40, 40, 90.0);
    const FrameLevel found = level_of(image, {dark.view(), mask.view()});
    CHECK(found.level == Approx(clipped_level(kept).level).epsilon(1e-12));
    CHECK(found.noise == Approx(clipped_level(kept).noise).epsilon(1e-12));

    const Image<std::uint8_t> all(40, 40, 1);
    CHECK(std::isnan(level_of(image, {{}, all.view()}).level));
    CHECK(std::isnan(level_of(image, {{}, all.view()}).noise));
}

TEST_CASE("frame level: some rows stand for a large frame") {
    Image<double> image(1000, 100);
    image.pixels = gaussian(image.pixels.size(), 50.0, 4.0, 4);
    const FrameLevel found = level_of(image);
    CHECK(found.level == Approx(50.0).epsilon(0.004));
    CHECK(found.noise == Approx(4.0).epsilon(0.03));
}

TEST_CASE("frame level: whole numbers, the noise of which is about their step") {
    std::vector<double> values = gaussian(20000, 100.3, 0.5, 5);
    for (double& value : values)
        value = std::rint(value);
    const FrameLevel found = clipped_level(values);
    CHECK(found.level == Approx(100.3).epsilon(1e-4));
    CHECK(found.noise == Approx(std::sqrt(0.25 + 1.0 / 12.0)).epsilon(0.03));
}

TEST_CASE("frame level: of whole numbers that are nearly all alike, those beside are outliers") {
    std::vector<double> values(2000, 100.0);
    for (std::size_t k = 0; k < values.size(); k += 25)
        values[k] = 101.0;
    const FrameLevel found = clipped_level(values);
    CHECK(found.level == 100.0);
    CHECK(found.noise == 0.0);
}

TEST_CASE("frame level: where most rows are masked, of those that are not") {
    Image<double> image(2000, 100);
    image.pixels = gaussian(image.pixels.size(), 50.0, 4.0, 4);
    Image<std::uint8_t> mask(2000, 100, 1);
    for (Index x = 903; x < 990; ++x)
        for (Index y = 0; y < 100; ++y)
            mask(x, y) = 0;
    const FrameLevel found = level_of(image, {{}, mask.view()});
    CHECK(found.level == Approx(50.0).epsilon(0.005));
    CHECK(found.noise == Approx(4.0).epsilon(0.05));
}
