// SPDX-License-Identifier: BSD-3-Clause
#include "placement/two_clouds.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>
#include <optional>
#include <random>
#include <vector>

using namespace hrixs;
using doctest::Approx;

namespace {

constexpr double sigma = 0.5;
constexpr double noise = 5.0;
constexpr double charge = 400.0;

struct Cloud {
    double x;
    double y;
    double charge;
    double sigma;
};

double true_share(double distance, double width) {
    const double scale = std::numbers::sqrt2 * width;
    return 0.5 * (std::erfc((distance - 0.5) / scale) - std::erfc((distance + 0.5) / scale));
}

PairWindow window_of(const std::vector<Cloud>& clouds) {
    PairWindow window{};
    for (std::size_t k = 0; k < window.pixel.size(); ++k) {
        const auto i = static_cast<double>(static_cast<Index>(k) / pair_size - pair_reach);
        const auto j = static_cast<double>(static_cast<Index>(k) % pair_size - pair_reach);
        for (const Cloud& cloud : clouds)
            window.pixel[k] += cloud.charge * true_share(i - cloud.x, cloud.sigma) *
                               true_share(j - cloud.y, cloud.sigma);
        window.weight[k] = 1.0 / (noise * noise);
    }
    return window;
}

PairWindow noisy(PairWindow window, std::mt19937& random) {
    std::normal_distribution<double> deviations(0.0, noise);
    for (double& pixel : window.pixel)
        pixel += deviations(random);
    return window;
}

std::optional<Pair> split(const PairWindow& window, double adu_per_electron = 0.0) {
    return split_pair(window, sigma, adu_per_electron, 0.0, 0.0, 2.0 * charge);
}

// Two clouds around (x, y), each so far from it, in a direction.
std::vector<Cloud> two_clouds(double x, double y, double distance, double angle) {
    const double dx = distance * std::cos(angle);
    const double dy = distance * std::sin(angle);
    return {{x - dx, y - dy, charge, sigma}, {x + dx, y + dy, charge, sigma}};
}

} // namespace

TEST_CASE("two clouds: two of equal charge are found at their positions, in any direction") {
    for (const double adu_per_electron : {0.0, 0.3})
        for (const double distance : {0.5, 0.8, 1.2})
            for (const double angle : {-1.5, -1.0, -0.4, 0.0, 0.3, 0.8, 1.2}) {
                CAPTURE(adu_per_electron);
                CAPTURE(distance);
                CAPTURE(angle);
                const auto clouds = two_clouds(0.13, -0.21, distance, angle);
                const auto pair = split(window_of(clouds), adu_per_electron);
                REQUIRE(pair);
                for (std::size_t one = 0; one < 2; ++one) {
                    CHECK(std::abs(pair->photons[one].x - clouds[one].x) < 1e-4);
                    CHECK(std::abs(pair->photons[one].y - clouds[one].y) < 1e-4);
                }
                CHECK(pair->charge == Approx(charge).epsilon(1e-4));
                CHECK(pair->chi2 < 1e-4);
            }
}

TEST_CASE("two clouds: the one at the lower x comes first") {
    std::mt19937 random(3);
    const PairWindow window = window_of(two_clouds(0.1, 0.2, 0.7, 0.5 * std::numbers::pi));
    int n_first_is_lower_y = 0;
    for (int trial = 0; trial < 60; ++trial) {
        const auto pair = split(noisy(window, random));
        REQUIRE(pair);
        CHECK(pair->photons[0].x <= pair->photons[1].x);
        n_first_is_lower_y += pair->photons[0].y < pair->photons[1].y ? 1 : 0;
    }
    CHECK(n_first_is_lower_y > 10);
    CHECK(n_first_is_lower_y < 50);
}

TEST_CASE("two clouds: a single one is not split, twice the charge, wide or narrow") {
    for (const double width : {0.4, 0.5, 0.6, 0.8, 1.0})
        for (const double position : {0.0, 0.3, 0.5}) {
            CAPTURE(width);
            CAPTURE(position);
            CHECK_FALSE(split(window_of({{position, -position, 2.0 * charge, width}})));
        }
}

TEST_CASE("two clouds: noise rarely splits a single one, and rarely hides two") {
    std::mt19937 random(1);
    const PairWindow one = window_of({{0.2, -0.1, 2.0 * charge, sigma}});
    const PairWindow two = window_of(two_clouds(0.2, -0.1, 0.7, 0.6));
    int n_split = 0;
    int n_found = 0;
    for (int trial = 0; trial < 200; ++trial) {
        n_split += split(noisy(one, random)) ? 1 : 0;
        n_found += split(noisy(two, random)) ? 1 : 0;
    }
    CHECK(n_split <= 4);
    CHECK(n_found >= 196);
}

TEST_CASE("two clouds: two that are far apart are never taken for one") {
    std::mt19937 random(4);
    const PairWindow window = window_of(two_clouds(0.1, 0.2, 1.2, 0.25 * std::numbers::pi));
    int n_found = 0;
    for (int trial = 0; trial < 400; ++trial)
        n_found += split(noisy(window, random)) ? 1 : 0;
    CHECK(n_found == 400);
}

TEST_CASE("two clouds: positions scatter as they tell, chi square is that of the noise") {
    std::mt19937 random(2);
    const auto clouds = two_clouds(0.1, 0.2, 0.8, 0.4);
    const PairWindow window = window_of(clouds);
    double squares = 0.0;
    double chi2 = 0.0;
    double n = 0.0;
    for (int trial = 0; trial < 300; ++trial) {
        const auto pair = split(noisy(window, random));
        if (!pair)
            continue;
        for (std::size_t one = 0; one < 2; ++one) {
            const Position& position = pair->photons[one];
            squares += std::pow(position.x - clouds[one].x, 2) / position.variance_x;
            squares += std::pow(position.y - clouds[one].y, 2) / position.variance_y;
        }
        chi2 += pair->chi2;
        ++n;
    }
    REQUIRE(n > 290.0);
    CHECK(std::sqrt(squares / (4.0 * n)) == Approx(1.0).epsilon(0.1));
    CHECK(chi2 / n == Approx(1.0).epsilon(0.05));
}

TEST_CASE("two clouds: pixels of no weight have no influence") {
    const auto clouds = two_clouds(0.0, 0.0, 0.8, 0.5);
    PairWindow window = window_of(clouds);
    for (const std::size_t k :
         {std::size_t{0}, std::size_t{16}, std::size_t{25}, std::size_t{48}}) {
        window.pixel[k] = 0.0;
        window.weight[k] = 0.0;
    }
    const auto pair = split(window);
    REQUIRE(pair);
    CHECK(std::abs(pair->photons[0].x - clouds[0].x) < 1e-4);
    CHECK(std::abs(pair->photons[1].y - clouds[1].y) < 1e-4);
}

TEST_CASE("two clouds: no photon is put on a pixel that was not seen") {
    PairWindow window = window_of({{-1.0, 0.0, charge, sigma}, {1.0, 0.0, charge, sigma}});
    CHECK(split(window));
    const std::size_t at_second = 4 * static_cast<std::size_t>(pair_size) + 3;
    window.pixel[at_second] = 0.0;
    window.weight[at_second] = 0.0;
    CHECK_FALSE(split(window));
}

TEST_CASE("two clouds: nothing is split where there is nothing to fit") {
    PairWindow window = window_of(two_clouds(0.0, 0.0, 0.8, 0.5));
    const PairWindow whole = window;
    for (double& weight : window.weight)
        weight = 0.0;
    CHECK_FALSE(split(window));
    // As many pixels as numbers to be found.
    for (const std::size_t k : {23, 24, 25, 31, 17})
        window.weight[k] = whole.weight[k];
    CHECK_FALSE(split(window));
    CHECK_FALSE(split(PairWindow{}));
    CHECK_FALSE(split_pair(whole, sigma, 0.0, 0.0, 0.0, -1.0));
    CHECK_FALSE(split_pair(whole, sigma, 0.0, 3.5, 0.0, charge));
}
