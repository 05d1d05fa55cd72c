// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/resolve.hpp"

#include "images.hpp"
#include "placement/cloud_edges.hpp"
#include "same_bytes.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

using namespace hrixs;
using namespace hrixs::test;
using doctest::Approx;

namespace {

constexpr double level = 200.0;
constexpr double charge = 150.0;
constexpr double noise = 1.6;

struct At {
    double x;
    double y;
};

double share(double pixel, double place, double sigma) {
    return CloudEdge(pixel + 0.5 - place, sigma).share -
           CloudEdge(pixel - 0.5 - place, sigma).share;
}

// Noise is Gaussian; pixels are whole numbers, so that all pixel types have the same ones.
template <class Pixel>
Image<Pixel> camera(Index nx, Index ny, const std::vector<At>& photons, double sigma = 0.55) {
    std::mt19937_64 random(1);
    std::normal_distribution<double> normal(level, noise);
    Image<Pixel> image(nx, ny);
    for (Index x = 0; x < nx; ++x)
        for (Index y = 0; y < ny; ++y) {
            double light = 0.0;
            for (const At& at : photons)
                light += charge * share(static_cast<double>(x), at.x, sigma) *
                         share(static_cast<double>(y), at.y, sigma);
            image(x, y) = static_cast<Pixel>(std::rint(normal(random) + light));
        }
    return image;
}

ResolveSettings settings(double sigma = 0.55) {
    ResolveSettings result;
    result.cloud.cloud_sigma = sigma;
    result.cloud.electrons_per_adu = 1.0;
    result.max_photons = 10000;
    return result;
}

template <class Pixel>
ResolvedPhotons resolve(const Stack<Pixel>& stack, const CameraCorrection& camera = {},
                        const ResolveSettings& how = settings(), int threads = 1) {
    const std::vector<double> adu(static_cast<std::size_t>(stack.n), charge);
    return resolve_photons(stack.frames(), adu.data(), camera, how, Execution{threads});
}

bool same(const ResolvedPhotons& a, const ResolvedPhotons& b) {
    return same_bytes(a.found, b.found) &&
           same_bytes(a.found.table.fitted.sigma_x, b.found.table.fitted.sigma_x) &&
           same_bytes(a.found.table.fitted.chi2, b.found.table.fitted.chi2) &&
           same_bytes(a.crowding, b.crowding);
}

// A crowd along a line.
std::vector<At> crowded_line(int n, Index nx, double y) {
    std::mt19937_64 random(7);
    std::uniform_real_distribution<double> along(0.0, static_cast<double>(nx - 1));
    std::normal_distribution<double> across(y, 1.3);
    std::vector<At> photons;
    for (int k = 0; k < n; ++k) {
        const double x = along(random);
        photons.push_back({x, across(random)});
    }
    return photons;
}

} // namespace

TEST_CASE("resolve: places, errors, crowding") {
    const std::vector<At> photons{{8.3, 10.2}, {30.4, 20.0}, {30.4, 21.6}};
    const ResolvedPhotons found = resolve(camera<std::uint16_t>(48, 32, photons));
    const PhotonTable& table = found.found.table;
    REQUIRE(table.size() == 3);
    CHECK(std::abs(table.x[0] - 8.3) < 4.0 * table.fitted.sigma_x[0]);
    CHECK(std::abs(table.y[0] - 10.2) < 4.0 * table.fitted.sigma_y[0]);
    CHECK(table.fitted.flag[0] == 0);
    CHECK(found.crowding[0] == 0.0);
    CHECK(table.charge[0] == Approx(charge).epsilon(0.2));
    for (std::size_t k = 1; k < 3; ++k) {
        CHECK(table.fitted.flag[k] == neighbour);
        CHECK(found.crowding[k] > 0.05);
        CHECK(table.charge[k] == charge);
        CHECK(table.fitted.sigma_y[k] > table.fitted.sigma_y[0]);
    }
    CHECK(found.found.frame_mean.size() == 1);
    CHECK(found.found.threshold[0] == Approx(level).epsilon(0.01));
    CHECK(found.light[0].light == Approx(3.0 * charge).epsilon(0.01));
    CHECK(found.light[0].charge == Approx(found.light[0].light).epsilon(0.3));
    CHECK(found.light[0].dark_pixels > 0);
    CHECK(found.light[0].dark_pixels < found.light[0].pixels);
}

TEST_CASE("resolve: counts a crowd") {
    for (const double sigma : {0.45, 0.8}) {
        const std::vector<At> photons = crowded_line(180, 256, 24.0);
        const ResolvedPhotons found =
            resolve(camera<std::uint16_t>(256, 48, photons, sigma), {}, settings(sigma));
        CHECK(std::abs(static_cast<double>(found.found.table.size()) - 180.0) <= 4.0);
    }
}

TEST_CASE("resolve: two photons in one place, and none") {
    const std::vector<At> photons{{20.0, 16.2}, {20.0, 16.2}};
    CHECK(resolve(camera<float>(40, 32, photons)).found.table.size() == 2);
    CHECK(resolve(camera<float>(64, 64, {})).found.table.size() == 0);
    Image<float> flat(16, 16, 5.0F);
    CHECK(resolve(flat).found.table.size() == 0);
}

TEST_CASE("resolve: borders, masked pixels and a dark") {
    const std::vector<At> photons{{0.0, 12.0}, {47.2, 0.3}, {20.0, 31.0}, {30.1, 15.4}};
    Image<float> image = camera<float>(48, 32, photons);
    CHECK(resolve(image).found.table.size() == 4);
    Image<std::uint8_t> bad(48, 32);
    Image<float> dark(48, 32);
    for (Index y = 0; y < 32; ++y) {
        bad(31, y) = 1;
        image(31, y) = std::numeric_limits<float>::quiet_NaN();
    }
    dark(30, 15) = 40.0F;
    image(30, 15) += 40.0F;
    CameraCorrection camera;
    camera.mask = bad.view();
    camera.dark = dark.view();
    const ResolvedPhotons found = resolve(image, camera);
    REQUIRE(found.found.table.size() == 4);
    CHECK(found.found.table.x[2] == Approx(30.1).epsilon(0.01));
    for (const std::uint8_t flag : found.found.table.fitted.flag)
        CHECK(flag == cut);
    CHECK_THROWS_AS(resolve(image), NonFinitePixels);
}

TEST_CASE("resolve: pixels too bright for light are masked with those around them") {
    Image<std::uint16_t> image = camera<std::uint16_t>(48, 32, {{8.3, 10.2}, {30.4, 20.0}});
    image(31, 22) = 20000;
    ResolveSettings how = settings();
    how.max_pixel = 2000.0;
    const ResolvedPhotons found = resolve(image, {}, how);
    CHECK(found.found.table.size() == 1);
    CHECK(found.found.n_cosmics[0] == 1);
    CHECK(resolve(image).found.table.size() > 10);
}

TEST_CASE("resolve: a level of its own for each part of the frame") {
    Image<float> image = camera<float>(192, 64, crowded_line(80, 192, 30.0));
    for (Index x = 64; x < 192; ++x)
        for (Index y = 0; y < 64; ++y)
            image(x, y) += 12.0F;
    ResolveSettings how = settings();
    how.cloud.read_noise = noise;
    how.cloud.local_background = true;
    const auto n = static_cast<double>(resolve(image, {}, how).found.table.size());
    CHECK(std::abs(n - 80.0) <= 3.0);
}

TEST_CASE("resolve: the same bytes for all pixel types, threads, and places in memory") {
    Stack<std::uint16_t> stack(3, 64, 48);
    for (Index frame = 0; frame < 3; ++frame) {
        Image<std::uint16_t> one = camera<std::uint16_t>(
            64, 48, crowded_line(20 + 15 * static_cast<int>(frame), 64, 20.0));
        std::copy(one.pixels.begin(), one.pixels.end(), &stack(frame, 0, 0));
    }
    const ResolvedPhotons known = resolve(stack);
    CHECK(known.found.table.size() > 90);
    CHECK(same(known, resolve(stack, {}, settings(), 3)));
    CHECK(same(known, resolve(Stack<std::int32_t>(stack))));
    CHECK(same(known, resolve(Stack<float>(stack))));
    CHECK(same(known, resolve(Stack<double>(stack))));
    Image<std::uint8_t> none_bad(64, 48);
    CameraCorrection camera;
    camera.mask = none_bad.view();
    CHECK(same(known, resolve(stack, camera)));
}

TEST_CASE("resolve: the widest clouds in a crowd, and pixels that no camera has") {
    const std::vector<At> photons = crowded_line(200, 128, 24.0);
    const double widest = most_resolved_cloud;
    CHECK(
        resolve(camera<float>(128, 48, photons, widest), {}, settings(widest)).found.table.size() >
        100);
    Image<double> image = camera<double>(48, 32, {{8.3, 10.2}});
    image(30, 20) = 1e300;
    image(31, 21) = -1e300;
    ResolveSettings how = settings();
    how.cloud.read_noise = 1e-200;
    how.max_photons = 50;
    CHECK_THROWS_AS(resolve(image, {}, how), TooManyPhotons);
}

TEST_CASE("resolve: what is wrong") {
    const Image<std::uint16_t> image = camera<std::uint16_t>(48, 32, {{8.3, 10.2}, {30.4, 20.0}});
    ResolveSettings how = settings();
    how.max_photons = 1;
    CHECK_THROWS_AS(resolve(image, {}, how), TooManyPhotons);
    how.max_photons = 0;
    CHECK_THROWS_AS(resolve(image, {}, how), ParameterError);
    CHECK_THROWS_AS(resolve(image, {}, settings(1.5)), ParameterError);
    CHECK_THROWS_AS(resolve(image, {}, settings(0.15)), ParameterError);
    const double none = 0.0;
    CHECK_THROWS_AS(resolve_photons(image.frames(), &none, {}, settings(), {}), ParameterError);
    CHECK_THROWS_AS(resolve(Image<float>(3, 32)), ShapeError);
}
