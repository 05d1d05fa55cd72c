// SPDX-License-Identifier: BSD-3-Clause
#include "frame/pedestal.hpp"

#include "hrixs/pedestals.hpp"
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
Pedestal measured(const Image<Pixel>& image, const CameraCorrection& camera = {}) {
    std::vector<double> sample;
    return pedestal_of(CorrectedFrame<Pixel>{image.view(), &camera}, sample);
}

} // namespace

TEST_CASE("pedestal: exact on flat frames of any size") {
    for (const double pedestal : {0.0, 1.0, -17.25, 65535.0, 1e9})
        for (const Index nx : {1, 4, 5, 300})
            for (const Index ny : {1, 4, 7, 400}) {
                CAPTURE(pedestal);
                CAPTURE(nx);
                CAPTURE(ny);
                const Pedestal found = measured(Image<double>(nx, ny, pedestal));
                CHECK(found.mean == pedestal);
                CHECK(found.noise == 0.0);
            }
}

TEST_CASE("pedestal: without noise between the photons there is none") {
    for (const double pedestal : {0.0, 0.1, 100.1, -3e-7, 12345.678})
        for (const std::size_t every : {50, 700}) {
            CAPTURE(pedestal);
            CAPTURE(every);
            std::vector<double> values(8192, pedestal);
            for (std::size_t k = every / 2; k < values.size(); k += every)
                values[k] += 7.0 * static_cast<double>(1 + k % 30);
            for (const double first : {0.0, 200.0}) { // the first pixel may be a photon's
                values[0] += first;
                const Pedestal found = clipped_pedestal(values);
                CHECK(std::abs(found.mean - pedestal) <= 1e-14 * (std::abs(pedestal) + 200.0));
                CHECK(found.noise == 0.0);
            }
        }
}

TEST_CASE("pedestal: of Gaussian noise, whatever photons, hot pixels and tracks add") {
    for (unsigned seed = 0; seed < 5; ++seed)
        for (const double pedestal : {0.0, 1000.0, -1e6}) {
            CAPTURE(seed);
            CAPTURE(pedestal);
            std::vector<double> values = gaussian(20000, pedestal, 3.0, seed);
            for (std::size_t k = 0; k < values.size(); k += 50)
                values[k] += k % 100 == 0 ? 150.0 : 6e4;
            const Pedestal found = clipped_pedestal(values);
            CHECK(std::abs(found.mean - pedestal) < 0.03 * 3.0);
            CHECK(found.noise == Approx(3.0).epsilon(0.02));
        }
}

TEST_CASE("pedestal: NaN is left out") {
    std::vector<double> values = gaussian(5000, 100.0, 3.0, 1);
    const Pedestal expected = clipped_pedestal(values);
    for (std::size_t k = 0; k <= values.size(); k += 7)
        values.insert(values.begin() + static_cast<std::ptrdiff_t>(k), not_a_number);
    const Pedestal found = clipped_pedestal(values);
    CHECK(found.mean == Approx(expected.mean).epsilon(1e-12));
    CHECK(found.noise == Approx(expected.noise).epsilon(1e-12));
    for (const std::vector<double>& nothing :
         {std::vector<double>{}, std::vector<double>(9, not_a_number)}) {
        CHECK(std::isnan(clipped_pedestal(nothing).mean));
        CHECK(std::isnan(clipped_pedestal(nothing).noise));
    }
}

TEST_CASE("pedestal: few values, none of them an outlier") {
    CHECK(clipped_pedestal({5.0}).mean == 5.0);
    CHECK(clipped_pedestal({5.0}).noise == 0.0);
    CHECK(clipped_pedestal({4.0, 6.0}).mean == 5.0);
    CHECK(clipped_pedestal({4.0, 6.0}).noise == 1.0);
    CHECK(clipped_pedestal({1.0, 2.0, 3.0, 4.0, 5.0}).mean == 3.0);
}

TEST_CASE("pedestal: masked pixels and the dark") {
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
    const Pedestal found = measured(image, {dark.view(), mask.view()});
    CHECK(found.mean == Approx(clipped_pedestal(kept).mean).epsilon(1e-12));
    CHECK(found.noise == Approx(clipped_pedestal(kept).noise).epsilon(1e-12));

    const Image<std::uint8_t> all(40, 40, 1);
    CHECK(std::isnan(measured(image, {{}, all.view()}).mean));
    CHECK(std::isnan(measured(image, {{}, all.view()}).noise));
}

TEST_CASE("pedestal: some rows stand for a large frame") {
    Image<double> image(1000, 100);
    image.pixels = gaussian(image.pixels.size(), 50.0, 4.0, 4);
    const Pedestal found = measured(image);
    CHECK(found.mean == Approx(50.0).epsilon(0.004));
    CHECK(found.noise == Approx(4.0).epsilon(0.03));
}

TEST_CASE("pedestal: whole numbers, the noise of which is about their step") {
    std::vector<double> values = gaussian(20000, 100.3, 0.5, 5);
    for (double& value : values)
        value = std::rint(value);
    const Pedestal found = clipped_pedestal(values);
    CHECK(found.mean == Approx(100.3).epsilon(1e-4));
    CHECK(found.noise == Approx(std::sqrt(0.25 + 1.0 / 12.0)).epsilon(0.03));
}

TEST_CASE("pedestal: of whole numbers that are nearly all alike, those beside are outliers") {
    std::vector<double> values(2000, 100.0);
    for (std::size_t k = 0; k < values.size(); k += 25)
        values[k] = 101.0;
    const Pedestal found = clipped_pedestal(values);
    CHECK(found.mean == 100.0);
    CHECK(found.noise == 0.0);
}

TEST_CASE("pedestal: where most rows are masked, of those that are not") {
    Image<double> image(2000, 100);
    image.pixels = gaussian(image.pixels.size(), 50.0, 4.0, 4);
    Image<std::uint8_t> mask(2000, 100, 1);
    for (Index x = 903; x < 990; ++x)
        for (Index y = 0; y < 100; ++y)
            mask(x, y) = 0;
    const Pedestal found = measured(image, {{}, mask.view()});
    CHECK(found.mean == Approx(50.0).epsilon(0.005));
    CHECK(found.noise == Approx(4.0).epsilon(0.05));
}

TEST_CASE("pedestal: of each frame by itself, whatever the threads") {
    Stack<double> stack(3, 64, 64);
    const std::vector<double> values = gaussian(64 * 64, 50.0, 4.0, 6);
    for (Index frame = 0; frame < 3; ++frame)
        for (std::size_t k = 0; k < values.size(); ++k)
            stack.pixels[static_cast<std::size_t>(frame) * values.size() + k] =
                values[k] + 10.0 * static_cast<double>(frame);
    const Pedestals found = frame_pedestals(stack.frames(), {}, {});
    const Pedestals by_three = frame_pedestals(stack.frames(), {}, Execution{3});
    for (std::size_t k = 0; k < 3; ++k) {
        CHECK(found.mean[k] == Approx(50.0 + 10.0 * static_cast<double>(k)).epsilon(0.01));
        CHECK(found.noise[k] == Approx(4.0).epsilon(0.05));
        CHECK(found.mean[k] == by_three.mean[k]);
    }
}
