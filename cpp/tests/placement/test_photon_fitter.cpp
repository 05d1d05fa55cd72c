// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/cloud_fit.hpp"

#include "hrixs/classify.hpp"
#include "hrixs/find.hpp"
#include "hrixs/pixel_types.hpp"
#include "images.hpp"
#include "same_bytes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <random>
#include <string>
#include <typeinfo>
#include <vector>

using namespace hrixs;
using namespace hrixs::test;
using doctest::Approx;

namespace {

constexpr double sigma = 0.5;
constexpr double pedestal = 10.0;
constexpr double photon = 300.0; // ADU
constexpr std::uint8_t without_fit = not_converged | left_pixel;

struct Photon {
    double x;
    double y;
    double charge = photon;
};

double true_share(double distance) {
    const double scale = std::numbers::sqrt2 * sigma;
    return 0.5 * (std::erfc((distance - 0.5) / scale) - std::erfc((distance + 0.5) / scale));
}

void put(Stack<double>& stack, Index frame, const Photon& one) {
    const auto add = [&](Index x, Index y) {
        if (x >= 0 && y >= 0 && x < stack.nx && y < stack.ny)
            stack(frame, x, y) += one.charge * true_share(static_cast<double>(x) - one.x) *
                                  true_share(static_cast<double>(y) - one.y);
    };
    const auto middle_x = static_cast<Index>(std::lround(one.x));
    const auto middle_y = static_cast<Index>(std::lround(one.y));
    for (Index i = -4; i <= 4; ++i)
        for (Index j = -4; j <= 4; ++j)
            add(middle_x + i, middle_y + j);
}

Image<double> frame_with(const std::vector<Photon>& photons, Index nx = 40, Index ny = 40) {
    Image<double> image(nx, ny, pedestal);
    for (const Photon& one : photons)
        put(image, 0, one);
    return image;
}

// Whole numbers that every type of pixel can hold; some photons are near others.
Stack<double> noisy_frames(Index n, Index nx, Index ny, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<double> noise(0.0, 1.5);
    std::uniform_real_distribution<double> positions(0.0, 1.0);
    Stack<double> stack(n, nx, ny, pedestal);
    for (Index frame = 0; frame < n; ++frame)
        for (Index k = 0; k < nx * ny / 150; ++k)
            put(stack, frame,
                {positions(random) * static_cast<double>(nx),
                 positions(random) * static_cast<double>(ny), photon});
    for (double& pixel : stack.pixels)
        pixel = std::clamp(std::rint(pixel + noise(random)), 0.0, 255.0);
    return stack;
}

CloudFit plain_fit() {
    CloudFit fit;
    fit.cloud_sigma = sigma;
    fit.read_noise = 2.0;
    return fit;
}

template <class Pixel>
FoundPhotons find(const Stack<Pixel>& stack, const std::optional<CloudFit>& fit,
                  const CosmicLimits& cosmics = {}, const CameraCorrection& camera = {},
                  int threads = 1) {
    return find_photons(stack.frames(), camera, {100.0, 0.0, 450.0, 100000, fit, cosmics},
                        {threads});
}

template <class Pixel>
FoundPhotons classify(const Stack<Pixel>& stack, const std::optional<CloudFit>& fit,
                      const CosmicLimits& cosmics = {}, const CameraCorrection& camera = {},
                      int threads = 1) {
    const std::vector<double> photons(static_cast<std::size_t>(stack.n), photon);
    return classify_photons(stack.frames(), photons.data(), camera,
                            {0.15, 1.0, 0.3, 1.5, 100000, fit, cosmics}, {threads});
}

std::vector<FoundPhotons> both_ways(const Stack<double>& stack, const std::optional<CloudFit>& fit,
                                    const CosmicLimits& cosmics = {},
                                    const CameraCorrection& camera = {}) {
    return {find(stack, fit, cosmics, camera), classify(stack, fit, cosmics, camera)};
}

void check_positions(const FoundPhotons& found, const std::vector<Photon>& photons, double limit) {
    REQUIRE(found.table.x.size() == photons.size());
    for (std::size_t k = 0; k < photons.size(); ++k) {
        CAPTURE(k);
        CHECK(std::abs(found.table.x[k] - photons[k].x) < limit);
        CHECK(std::abs(found.table.y[k] - photons[k].y) < limit);
        CHECK(found.table.charge[k] == Approx(photons[k].charge).epsilon(limit));
    }
}

} // namespace

TEST_CASE("fit: photons of a frame without noise are found where they are") {
    const std::vector<Photon> photons{{8.1, 9.4}, {9.8, 25.0}, {20.5, 15.7, 250.0}, {30.0, 30.3}};
    for (const FoundPhotons& found : both_ways(frame_with(photons), plain_fit())) {
        check_positions(found, photons, 1e-3);
        CHECK(found.table.fitted.flag == std::vector<std::uint8_t>(4, 0));
        for (std::size_t k = 0; k < 4; ++k) {
            CHECK(found.table.fitted.chi2[k] < 1e-3);
            CHECK(found.table.fitted.own_cloud_sigma[k] == Approx(sigma).epsilon(1e-3));
            CHECK(found.table.fitted.sigma_x[k] > 0.0);
            CHECK(found.table.fitted.sigma_x[k] < 0.02);
        }
    }
}

TEST_CASE("fit: without one there are no columns of it, with one all are as long as the table") {
    const Stack<double> stack = noisy_frames(3, 40, 50, 1);
    for (const FoundPhotons& found : both_ways(stack, {})) {
        CHECK(found.table.fitted.flag.empty());
        CHECK(found.table.fitted.sigma_x.empty());
        CHECK(std::all_of(found.noise.begin(), found.noise.end(),
                          [](double noise) { return std::isnan(noise); }));
    }
    for (const FoundPhotons& found : both_ways(stack, plain_fit())) {
        const std::size_t n = found.table.x.size();
        CHECK(n > 10);
        FitColumns::for_each_column(
            [&](auto column, auto, auto) { CHECK((found.table.fitted.*column).size() == n); });
        for (const double noise : found.noise)
            CHECK(noise == Approx(std::sqrt(1.5 * 1.5 + 1.0 / 12.0)).epsilon(0.05));
    }
    for (const FoundPhotons& found : both_ways(Stack<double>(0, 8, 8), plain_fit()))
        CHECK(found.table.fitted.flag.empty());
    for (const FoundPhotons& found : both_ways(Stack<double>(2, 8, 8), plain_fit()))
        CHECK(found.table.size() == 0);
}

TEST_CASE("fit: the noise of the fit is that given, or of the frame") {
    const Stack<double> stack = noisy_frames(1, 60, 60, 2);
    CloudFit given = plain_fit();
    CloudFit measured = given;
    measured.read_noise.reset();
    CloudFit twice = given;
    twice.read_noise = 4.0;
    const FoundPhotons of_given = find(stack, given);
    const FoundPhotons of_measured = find(stack, measured);
    const FoundPhotons of_twice = find(stack, twice);
    REQUIRE(of_given.table.x.size() > 5);
    int n_alone = 0;
    for (std::size_t k = 0; k < of_given.table.x.size(); ++k) {
        if (of_given.table.fitted.flag[k] != 0)
            continue;
        ++n_alone;
        CHECK(of_twice.table.fitted.sigma_x[k] ==
              Approx(2.0 * of_given.table.fitted.sigma_x[k]).epsilon(1e-3));
        CHECK(of_twice.table.fitted.chi2[k] ==
              Approx(0.25 * of_given.table.fitted.chi2[k]).epsilon(1e-3));
        CHECK(of_measured.table.fitted.sigma_x[k] ==
              Approx(of_given.table.fitted.sigma_x[k] * of_given.noise[0] / 2.0).epsilon(1e-3));
    }
    CHECK(n_alone > 5);
}

TEST_CASE("fit: a photon's own electrons add to the uncertainty of its position") {
    const Image<double> image = frame_with({{20.2, 19.9}});
    CloudFit fit = plain_fit();
    const double without = find(image, fit).table.fitted.sigma_x.at(0);
    fit.electrons_per_adu = 0.2;
    const FoundPhotons found = find(image, fit);
    check_positions(found, {{20.2, 19.9}}, 1e-3);
    CHECK(found.table.fitted.sigma_x[0] > 1.5 * without);
}

TEST_CASE("fit: a background of its own") {
    const std::vector<Photon> photons{{20.2, 19.9}};
    Image<double> image = frame_with(photons);
    for (Index i = 15; i < 26; ++i)
        for (Index j = 15; j < 26; ++j)
            image(i, j) += 12.0;
    CloudFit fit = plain_fit();
    CHECK(find(image, fit).table.charge.at(0) > 1.05 * photon);
    fit.local_background = true;
    check_positions(find(image, fit), photons, 1e-3);
    CHECK(find(image, fit).table.fitted.chi2[0] < 1e-3);
}

TEST_CASE("fit: a map of noise, of which a NaN marks a pixel that is not to be used") {
    const std::vector<Photon> photons{{20.2, 19.9}};
    Image<double> image = frame_with(photons);
    Image<double> map(40, 40, 2.0);
    CloudFit fit = plain_fit();
    const FoundPhotons expected = find(image, fit);
    fit.noise_map = map.view();
    CHECK(same_bytes(find(image, fit), expected));

    image(21, 20) += 50.0;
    for (const FoundPhotons& found : both_ways(image, fit))
        CHECK(std::abs(found.table.x.at(0) - 20.2) > 0.02);
    map(21, 20) = not_a_number;
    for (const FoundPhotons& found : both_ways(image, fit)) {
        check_positions(found, photons, 1e-3);
        CHECK(found.table.fitted.flag[0] == cut);
    }
    map(21, 20) = 2000.0;
    for (const FoundPhotons& found : both_ways(image, fit)) {
        check_positions(found, photons, 1e-3);
        CHECK(found.table.fitted.flag[0] == 0);
    }
}

TEST_CASE("fit: too few pixels leave the centre of mass") {
    const Image<double> image = frame_with({{20.2, 19.9}});
    const FoundPhotons by_mass = find(image, {});
    Image<double> map(40, 40, not_a_number);
    CloudFit fit = plain_fit();
    fit.noise_map = map.view();
    for (int n_used = 0; n_used < 4; ++n_used) {
        CAPTURE(n_used);
        if (n_used > 0)
            map(19 + n_used % 2, 19 + n_used / 2) = 2.0;
        const FoundPhotons found = find(image, fit);
        REQUIRE(found.table.size() == 1);
        CHECK(found.table.fitted.flag[0] == (not_converged | cut));
        CHECK(found.table.x[0] == by_mass.table.x[0]);
        CHECK(found.table.y[0] == by_mass.table.y[0]);
        CHECK(found.table.charge[0] == by_mass.table.charge[0]);
        CHECK(std::isnan(found.table.fitted.sigma_x[0]));
        CHECK(std::isnan(found.table.fitted.chi2[0]));
        CHECK(std::isnan(found.table.fitted.own_cloud_sigma[0]));
    }
}

TEST_CASE("fit: at the frame's border, and beside masked pixels") {
    const std::vector<Photon> photons{{1.2, 1.3}, {1.1, 20.2}, {20.3, 37.9}, {37.8, 1.1}};
    for (const FoundPhotons& found : both_ways(frame_with(photons), plain_fit())) {
        check_positions(found, photons, 1e-3);
        CHECK(found.table.fitted.flag == std::vector<std::uint8_t>(4, cut));
    }
    const std::vector<Photon> one{{20.2, 19.9}};
    Image<double> image = frame_with(one);
    Image<std::uint8_t> mask(40, 40);
    for (const Index x : {18, 22}) {
        image(x, 21) = not_a_number;
        mask(x, 21) = 1;
    }
    for (const FoundPhotons& found : both_ways(image, plain_fit(), {}, {{}, mask.view()})) {
        check_positions(found, one, 1e-3);
        CHECK(found.table.fitted.flag[0] == cut);
    }
}

TEST_CASE("fit: neighbours are fitted together") {
    for (const double distance : {3.0, 3.3, 3.6, 4.2, 5.0}) {
        CAPTURE(distance);
        const std::vector<Photon> photons{{20.2, 15.1}, {20.4, 15.1 + distance, 220.0}};
        for (const FoundPhotons& found : both_ways(frame_with(photons), plain_fit())) {
            check_positions(found, photons, 2e-3);
            CHECK(found.table.fitted.chi2[0] < 0.05);
            CHECK(found.table.fitted.chi2[1] < 0.05);
            if (distance < 3.5)
                CHECK(found.table.fitted.flag == std::vector<std::uint8_t>(2, neighbour));
        }
    }
    const std::vector<Photon> apart{{20.2, 12.1}, {20.4, 20.1}};
    for (const FoundPhotons& found : both_ways(frame_with(apart), plain_fit()))
        CHECK(found.table.fitted.flag == std::vector<std::uint8_t>(2, 0));
}

TEST_CASE("fit: a dark changes nothing but the pedestal") {
    const Stack<double> stack = noisy_frames(2, 50, 40, 3);
    Stack<double> raised = stack;
    Image<double> dark(50, 40);
    for (std::size_t k = 0; k < raised.pixels.size(); ++k)
        raised.pixels[k] += static_cast<double>(k % 2000 % 13);
    for (std::size_t k = 0; k < dark.pixels.size(); ++k)
        dark.pixels[k] = static_cast<double>(k % 13);
    CHECK(same_bytes(find(raised, plain_fit(), {}, {dark.view(), {}}), find(stack, plain_fit())));
}

TEST_CASE("fit: more hits than are kept with their pixels") {
    std::vector<Photon> photons;
    for (int x = 0; x < 40; ++x)
        for (int y = 0; y < 50; ++y)
            photons.push_back({6.0 * x + 3.1, 6.0 * y + 2.8});
    const Image<double> image = frame_with(photons, 245, 305);
    CloudFit fit = plain_fit();
    fit.local_background = true;
    for (const FoundPhotons& found : both_ways(image, fit))
        check_positions(found, photons, 5e-3);
}

TEST_CASE("fit: the same bytes whatever the threads") {
    const Stack<double> stack = noisy_frames(3, 520, 40, 4);
    Image<std::uint8_t> mask(520, 40);
    for (std::size_t k = 0; k < mask.pixels.size(); k += 97)
        mask.pixels[k] = 1;
    const CameraCorrection camera{{}, mask.view()};
    CloudFit fit = plain_fit();
    fit.read_noise.reset();
    fit.electrons_per_adu = 2.0;
    fit.split_doubles = true;
    const CosmicLimits cosmics{200.0, {}};
    const FoundPhotons found = find(stack, fit, cosmics, camera);
    const FoundPhotons classified = classify(stack, fit, cosmics, camera);
    REQUIRE(found.table.size() > 200);
    REQUIRE(classified.table.size() > 200);
    for (int threads = 2; threads <= 5; ++threads) {
        CAPTURE(threads);
        CHECK(same_bytes(find(stack, fit, cosmics, camera, threads), found));
        CHECK(same_bytes(classify(stack, fit, cosmics, camera, threads), classified));
    }
}

TEST_CASE("fit: every pixel type gives the same bytes on the same values") {
    const Stack<double> stack = noisy_frames(2, 60, 50, 5);
    const Image<double> dark(60, 50, 0.75);
    CloudFit fit = plain_fit();
    fit.local_background = true;
    fit.split_doubles = true;
    for (const CameraCorrection& camera : {CameraCorrection{}, CameraCorrection{dark.view(), {}}}) {
        const FoundPhotons found = find(stack, fit, {}, camera);
        const FoundPhotons classified = classify(stack, fit, {}, camera);
        REQUIRE(found.table.size() > 20);
        REQUIRE(classified.table.size() > 20);
#define CHECK_PIXEL_TYPE(Pixel)                                                                    \
    {                                                                                              \
        CAPTURE(typeid(Pixel).name());                                                             \
        const Stack<Pixel> same(stack);                                                            \
        CHECK(same_bytes(find(same, fit, {}, camera), found));                                     \
        CHECK(same_bytes(classify(same, fit, {}, camera), classified));                            \
    }
        HRIXS_FOR_EACH_PIXEL_TYPE(CHECK_PIXEL_TYPE)
#undef CHECK_PIXEL_TYPE
    }
}

TEST_CASE("fit: two photons in one spot are placed one by one, where that is wanted") {
    const std::vector<Photon> photons{{19.5, 20.1}, {20.9, 20.2}};
    const Image<double> image = frame_with(photons);
    CloudFit fit = plain_fit();
    const FoundPhotons together = find(image, fit);
    REQUIRE(together.table.size() == 1);
    CHECK(together.table.is_double[0] == 1);
    fit.split_doubles = true;
    for (const FoundPhotons& found : both_ways(image, fit)) {
        check_positions(found, photons, 1e-3);
        CHECK(found.table.is_double == std::vector<std::uint8_t>{0, 0});
        CHECK(found.table.fitted.flag == std::vector<std::uint8_t>(2, hrixs::split));
        CHECK(found.table.fitted.sigma_x[0] > 0.0);
    }
    // One photon of twice the charge stays one.
    const FoundPhotons one = find(frame_with({{20.2, 19.9, 2.0 * photon}}), fit);
    REQUIRE(one.table.size() == 1);
    CHECK(one.table.is_double[0] == 1);
    CHECK(one.table.fitted.flag[0] == 0);
    // So does light in two places that is too little for two photons.
    const Image<double> halves =
        frame_with({{19.5, 20.1, 0.6 * photon}, {20.9, 20.2, 0.6 * photon}});
    for (const FoundPhotons& found : both_ways(halves, fit)) {
        REQUIRE(found.table.size() == 1);
        CHECK((found.table.fitted.flag[0] & hrixs::split) == 0);
    }
}

TEST_CASE("fit: whatever the light, a photon that was fitted has a charge and a position") {
    std::mt19937 random(6);
    std::normal_distribution<double> noise(0.0, 3.0);
    for (const Index side : {4, 6, 12})
        for (const double height : {50.0, 200.0, 5000.0}) {
            CAPTURE(side);
            CAPTURE(height);
            Image<double> image(200, 200, 100.0);
            for (Index x = 0; x < 200; ++x)
                for (Index y = 0; y < 200; ++y)
                    image(x, y) += noise(random) + (x % 20 < side && y % 20 < side ? height : 0.0);
            CloudFit fit = plain_fit();
            fit.read_noise = 3.0;
            const PhotonTable table =
                find_photons(image.frames(), {}, {400.0 + 2.0 * height, 0.0, {}, 100000, fit}, {})
                    .table;
            CHECK(table.size() > 50);
            for (std::size_t k = 0; k < table.x.size(); ++k) {
                if (table.fitted.flag[k] & without_fit)
                    continue;
                CHECK(table.charge[k] > 0.0);
                CHECK(std::isfinite(table.x[k]));
                CHECK(std::isfinite(table.y[k]));
                CHECK(table.fitted.sigma_x[k] > 0.0);
            }
        }
}

TEST_CASE("cosmics: too bright a pixel or too much charge, each counted") {
    const std::vector<Photon> photons{{8.0, 8.0}, {20.0, 20.0, 420.0}, {30.0, 9.0}};
    const Image<double> image = frame_with(photons);
    // The brightest of 300 and 420 ADU have 0.466 of them, the 4x4 pixels 0.99 and more.
    const auto n_cosmics = [&](const CosmicLimits& limits) {
        const auto found = both_ways(image, plain_fit(), limits);
        CHECK(found[0].n_cosmics == found[1].n_cosmics);
        CHECK(found[0].table.size() + found[0].n_cosmics[0] == 3);
        CHECK(found[1].table.size() + found[1].n_cosmics[0] == 3);
        CHECK(find(image, {}, limits).n_cosmics == found[0].n_cosmics);
        return found[0].n_cosmics[0];
    };
    CHECK(n_cosmics({}) == 0);
    CHECK(n_cosmics({190.0, {}}) == 1);
    CHECK(n_cosmics({120.0, {}}) == 3);
    CHECK(n_cosmics({200.0, {}}) == 0);
    CHECK(n_cosmics({{}, 350.0}) == 1);
    CHECK(n_cosmics({{}, 430.0}) == 0);
    CHECK(n_cosmics({190.0, 350.0}) == 1);
    const FoundPhotons found = find(image, plain_fit(), {190.0, {}});
    check_positions(found, {photons[0], photons[2]}, 1e-3);
    CHECK(found.n_dropped == std::vector<Index>{0});
}

TEST_CASE("cosmics: hits up to five pixels beside one are dropped with it, along both axes") {
    for (const std::optional<CloudFit>& fit :
         {std::optional<CloudFit>{}, std::optional<CloudFit>{plain_fit()}})
        for (Index dx = -7; dx <= 7; ++dx)
            for (Index dy = -7; dy <= 7; ++dy) {
                if (std::max(std::abs(dx), std::abs(dy)) < 4)
                    continue;
                CAPTURE(dx);
                CAPTURE(dy);
                const Photon beside{20.0 + static_cast<double>(dx), 20.0 + static_cast<double>(dy)};
                const Photon far{35.2, 5.3};
                const Image<double> image = frame_with({{20.0, 20.0, 900.0}, beside, far});
                const bool dropped = std::max(std::abs(dx), std::abs(dy)) <= cosmic_reach;
                for (const FoundPhotons& found : both_ways(image, fit, {250.0, {}})) {
                    CHECK(found.n_cosmics[0] == (dropped ? 2 : 1));
                    if (dropped)
                        check_positions(found, {far}, fit ? 1e-3 : 0.1);
                    else
                        check_positions(found, {beside, far}, fit ? 1e-3 : 0.1);
                    CHECK(found.table.fitted.flag.size() ==
                          (fit ? found.table.x.size() : std::size_t{0}));
                }
            }
}

TEST_CASE("cosmics: each frame has its own, and the others keep their photons") {
    Stack<double> stack(4, 40, 40, pedestal);
    for (const Index frame : {0, 1, 3}) {
        put(stack, frame, {20.0, 20.0, frame == 1 ? 900.0 : photon});
        put(stack, frame, {24.0, 20.0});
    }
    for (const FoundPhotons& found : both_ways(stack, plain_fit(), {250.0, {}})) {
        CHECK(found.n_cosmics == std::vector<Index>{0, 2, 0, 0});
        CHECK(found.table.frame == std::vector<Index>{0, 0, 3, 3});
    }
}
