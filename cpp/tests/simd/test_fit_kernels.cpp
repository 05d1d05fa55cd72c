// SPDX-License-Identifier: BSD-3-Clause
#include "simd/spot_fit.hpp"

#include "levels.hpp"
#include "placement/cloud_table.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numbers>
#include <random>
#include <string>
#include <vector>

using namespace hrixs;
using namespace hrixs::test;
using doctest::Approx;

namespace {

using Random = std::mt19937;

double true_share(double distance, double sigma) {
    const double scale = std::numbers::sqrt2 * sigma;
    return 0.5 * (std::erfc((distance - 0.5) / scale) - std::erfc((distance + 0.5) / scale));
}

struct Cloud {
    double x = 0.0;
    double y = 0.0;
    double charge = 500.0;
    double sigma = 0.5;
    double background = 0.0;

    double in_pixel(Index k) const {
        const auto i = static_cast<double>(k / window_size - window_reach);
        const auto j = static_cast<double>(k % window_size - window_reach);
        return background + charge * true_share(i - x, sigma) * true_share(j - y, sigma);
    }
};

double uniform(double from, double to, Random& random) {
    return std::uniform_real_distribution<double>(from, to)(random);
}

// One spot of a group: its pixels, equal weights, and a start that is somewhat off.
void put(SpotGroup& group, Index lane, const Cloud& cloud, double noise) {
    for (Index k = 0; k < window_pixels; ++k) {
        group.pixel[k][lane] = cloud.in_pixel(k);
        group.weight[k][lane] = 1.0 / (noise * noise);
    }
    group.x[lane] = 0.7 * cloud.x + 0.03;
    group.y[lane] = 0.7 * cloud.y - 0.03;
    group.charge[lane] = 0.9 * cloud.charge;
    group.background[lane] = 0.0;
}

void put_in_all(SpotGroup& group, const Cloud& cloud, double noise) {
    for (Index lane = 0; lane < spots_together; ++lane)
        put(group, lane, cloud, noise);
}

void copy(const SpotGroup& from, Index lane, SpotGroup& to, Index lane_to) {
    for (Index k = 0; k < window_pixels; ++k) {
        to.pixel[k][lane_to] = from.pixel[k][lane];
        to.weight[k][lane_to] = from.weight[k][lane];
    }
    to.x[lane_to] = from.x[lane];
    to.y[lane_to] = from.y[lane];
    to.charge[lane_to] = from.charge[lane];
    to.background[lane_to] = from.background[lane];
}

// A photon with noise, its own electrons' too.
void put_noisy(SpotGroup& group, Index lane, const Cloud& cloud, double noise,
               double adu_per_electron, Random& random) {
    put(group, lane, cloud, noise);
    for (Index k = 0; k < window_pixels; ++k) {
        const double light = cloud.in_pixel(k) - cloud.background;
        const double variance = noise * noise + adu_per_electron * light;
        group.pixel[k][lane] += std::normal_distribution<double>(0.0, std::sqrt(variance))(random);
    }
}

Cloud random_cloud(Random& random, double sigma = 0.5) {
    return {uniform(-0.6, 0.6, random), uniform(-0.6, 0.6, random), uniform(100.0, 900.0, random),
            sigma, 0.0};
}

// The four ways a fit is done.
struct Way {
    double adu_per_electron;
    bool free_background;
};
constexpr Way ways[] = {{0.0, false}, {0.0, true}, {0.3, false}, {0.3, true}};

void fit(const RowKernels& level, std::vector<SpotGroup>& groups, const Way& way,
         double sigma = 0.5) {
    const CloudTable table(sigma);
    level.fit_spots(groups.data(), static_cast<Index>(groups.size()),
                    {table.nodes(), sigma, way.adu_per_electron, way.free_background});
}

void fit(SpotGroup& group, const Way& way, double sigma = 0.5) {
    std::vector<SpotGroup> groups{group};
    fit(row_kernels(), groups, way, sigma);
    group = groups.front();
}

// What a fit tells of one spot.
std::array<double, 10> told(const SpotGroup& group, Index lane) {
    return {group.x[lane],
            group.y[lane],
            group.charge[lane],
            group.background[lane],
            group.variance_x[lane],
            group.variance_y[lane],
            group.chi2[lane],
            group.cloud_step[lane],
            group.cloud_variance[lane],
            group.converged[lane] ? 1.0 : 0.0};
}

// Bit for bit; a NaN is a NaN.
bool is_same(const SpotGroup& a, Index lane_a, const SpotGroup& b, Index lane_b) {
    const auto one = told(a, lane_a);
    const auto other = told(b, lane_b);
    return std::equal(one.begin(), one.end(), other.begin(), [](double left, double right) {
        return std::memcmp(&left, &right, sizeof left) == 0 || (left != left && right != right);
    });
}

// Whatever may come: photons, noise alone, pixels that are not used, huge and negative numbers.
void put_nasty(SpotGroup& group, Index lane, Random& random) {
    put_noisy(group, lane, random_cloud(random), 5.0, 0.3, random);
    const auto spoil_pixels = [&](double scale) {
        for (Index k = 0; k < window_pixels; ++k)
            group.pixel[k][lane] = scale * uniform(-1.0, 1.0, random);
    };
    switch (random() % 8) {
    case 0:
        spoil_pixels(5.0);
        break;
    case 1:
        spoil_pixels(1e200);
        break;
    case 2:
        group.charge[lane] = -group.charge[lane];
        break;
    case 3:
        for (Index k = 0; k < window_pixels; ++k)
            group.pixel[k][lane] = -group.pixel[k][lane];
        break;
    case 4:
        for (Index k = 0; k < window_pixels; ++k)
            group.weight[k][lane] *= static_cast<double>(random() % 2);
        break;
    case 5:
        for (Index k = 0; k < window_pixels; ++k)
            group.weight[k][lane] = 0.0;
        break;
    case 6:
        group.weight[random() % window_pixels][lane] = 1e290;
        break;
    default:
        group.x[lane] = cloud_range;
        group.y[lane] = -cloud_range;
    }
}

} // namespace

TEST_CASE("fit of spots: all levels give the same bytes, of photons and of nasty numbers") {
    for (const Way& way : ways)
        for (const RowKernels* level : levels()) {
            CAPTURE(way.adu_per_electron);
            CAPTURE(way.free_background);
            CAPTURE(std::string(level->level));
            Random random(1);
            std::vector<SpotGroup> expected(150);
            for (std::size_t k = 0; k < expected.size(); ++k)
                for (Index lane = 0; lane < spots_together; ++lane)
                    if (k % 3 == 0)
                        put_nasty(expected[k], lane, random);
                    else
                        put_noisy(expected[k], lane, random_cloud(random), 5.0, 0.3, random);
            std::vector<SpotGroup> groups = expected;
            fit(baseline::kernels, expected, way);
            fit(*level, groups, way);
            int n_converged = 0;
            for (std::size_t k = 0; k < groups.size(); ++k)
                for (Index lane = 0; lane < spots_together; ++lane) {
                    CAPTURE(k);
                    CAPTURE(lane);
                    n_converged += groups[k].converged[lane] ? 1 : 0;
                    CHECK(is_same(groups[k], lane, expected[k], lane));
                }
            CHECK(n_converged > 450);
            CHECK(n_converged < 600);
        }
}

TEST_CASE("fit of spots: a spot's result does not depend on its lane or on the other three") {
    Random random(2);
    for (const Way& way : ways) {
        CAPTURE(way.adu_per_electron);
        CAPTURE(way.free_background);
        for (int trial = 0; trial < 50; ++trial) {
            CAPTURE(trial);
            SpotGroup alone;
            put_noisy(alone, 0, random_cloud(random), 5.0, 0.3, random);
            SpotGroup among;
            const Index lane = trial % spots_together;
            for (Index other = 0; other < spots_together; ++other) {
                copy(alone, 0, alone, other);
                put_nasty(among, other, random);
            }
            copy(alone, 0, among, lane);
            fit(alone, way);
            fit(among, way);
            CHECK(is_same(among, lane, alone, 0));
        }
    }
}

TEST_CASE("fit of spots: a cloud without noise is found where it is, and leaves nothing") {
    Random random(3);
    for (const Way& way : ways)
        for (const double sigma : {0.25, 0.4, 0.6, 0.9}) {
            CAPTURE(way.adu_per_electron);
            CAPTURE(way.free_background);
            CAPTURE(sigma);
            for (int trial = 0; trial < 50; ++trial) {
                Cloud cloud = random_cloud(random, sigma);
                cloud.background = way.free_background ? uniform(-20.0, 20.0, random) : 0.0;
                SpotGroup group;
                put_in_all(group, cloud, 5.0);
                fit(group, way, sigma);
                // The last step may be as long as that; a second fit goes on from there.
                REQUIRE(group.converged[0]);
                CHECK(std::abs(group.x[0] - cloud.x) < least_fit_step / 5.0);
                CHECK(std::abs(group.y[0] - cloud.y) < least_fit_step / 5.0);
                fit(group, way, sigma);
                REQUIRE(group.converged[0]);
                CHECK(std::abs(group.x[0] - cloud.x) < 1e-5);
                CHECK(std::abs(group.y[0] - cloud.y) < 1e-5);
                CHECK(group.charge[0] == Approx(cloud.charge).epsilon(1e-5));
                CHECK(std::abs(group.background[0] - cloud.background) < 1e-3);
                CHECK(group.chi2[0] < 1e-5);
                CHECK(std::abs(group.cloud_step[0]) < 1e-3 * std::sqrt(group.cloud_variance[0]));
            }
        }
}

TEST_CASE("fit of spots: positions, charges and widths scatter as they tell") {
    Random random(4);
    constexpr double noise = 6.0;
    constexpr int n_groups = 1500;
    for (const Way& way : ways) {
        CAPTURE(way.adu_per_electron);
        CAPTURE(way.free_background);
        std::vector<SpotGroup> groups(n_groups);
        std::vector<Cloud> clouds;
        for (SpotGroup& group : groups)
            for (Index lane = 0; lane < spots_together; ++lane) {
                Cloud cloud = random_cloud(random);
                cloud.charge = 600.0;
                clouds.push_back(cloud);
                put_noisy(group, lane, cloud, noise, way.adu_per_electron, random);
            }
        fit(row_kernels(), groups, way);
        double squares[3] = {};
        double chi2 = 0.0;
        for (std::size_t k = 0; k < clouds.size(); ++k) {
            const SpotGroup& group = groups[k / spots_together];
            const auto lane = static_cast<Index>(k % spots_together);
            REQUIRE(group.converged[lane]);
            const double off[] = {group.x[lane] - clouds[k].x, group.y[lane] - clouds[k].y,
                                  group.cloud_step[lane]};
            squares[0] += off[0] * off[0] / group.variance_x[lane];
            squares[1] += off[1] * off[1] / group.variance_y[lane];
            squares[2] += off[2] * off[2] / group.cloud_variance[lane];
            chi2 += group.chi2[lane];
        }
        const auto n = static_cast<double>(clouds.size());
        for (const double sum : squares)
            CHECK(std::sqrt(sum / n) == Approx(1.0).epsilon(0.03));
        CHECK(chi2 / n == Approx(way.free_background ? 21.0 : 22.0).epsilon(0.02));
    }
}

TEST_CASE("fit of spots: a pixel of no weight has no influence") {
    Random random(5);
    for (const Way& way : ways) {
        SpotGroup zeros;
        SpotGroup others;
        for (Index lane = 0; lane < spots_together; ++lane) {
            put_noisy(zeros, lane, random_cloud(random), 5.0, 0.3, random);
            for (const Index k : {0, 4, 11, 18, 24})
                zeros.weight[k][lane] = zeros.pixel[k][lane] = 0.0;
        }
        others = zeros;
        for (Index lane = 0; lane < spots_together; ++lane)
            for (const Index k : {0, 4, 11, 18, 24})
                others.pixel[k][lane] = lane == 0 ? -1e6 : 3e4;
        fit(zeros, way);
        fit(others, way);
        for (Index lane = 0; lane < spots_together; ++lane) {
            CHECK(zeros.converged[lane]);
            CHECK(is_same(zeros, lane, others, lane));
        }
    }
}

TEST_CASE("fit of spots: where the charge falls to zero, nothing has converged") {
    for (const Way& way : ways) {
        CAPTURE(way.adu_per_electron);
        CAPTURE(way.free_background);
        SpotGroup group;
        put_in_all(group, Cloud{0.2, -0.1}, 5.0);
        for (Index k = 0; k < window_pixels; ++k) {
            group.pixel[k][0] = -group.pixel[k][0];
            group.pixel[k][1] = k == window_pixels / 2 ? 1.0 : -8.0;
            group.weight[k][2] = 0.0;
        }
        fit(group, way);
        CHECK_FALSE(group.converged[0]);
        CHECK(group.converged[1] == way.free_background);
        CHECK_FALSE(group.converged[2]);
        CHECK(group.converged[3]);
    }
}

TEST_CASE("fit of spots: of pixels without light, nothing certain comes") {
    for (const Way& way : ways) {
        CAPTURE(way.adu_per_electron);
        CAPTURE(way.free_background);
        SpotGroup group;
        put_in_all(group, Cloud{0.2, -0.1}, 5.0);
        for (Index k = 0; k < window_pixels; ++k)
            group.pixel[k][0] = 0.0;
        fit(group, way);
        CHECK_FALSE((group.converged[0] && group.variance_x[0] < 1.0));
    }
}

TEST_CASE("fit of spots: a cloud wider or narrower than given tells so and keeps its position") {
    Random random(6);
    for (const Way& way : ways)
        for (const double sigma : {0.42, 0.47, 0.53, 0.6}) {
            CAPTURE(sigma);
            for (int trial = 0; trial < 20; ++trial) {
                Cloud cloud = random_cloud(random, sigma);
                cloud.charge = 2000.0;
                SpotGroup group;
                put_in_all(group, cloud, 3.0);
                fit(group, way);
                REQUIRE(group.converged[0]);
                CHECK(std::abs(group.x[0] - cloud.x) < 0.01);
                CHECK(std::abs(group.y[0] - cloud.y) < 0.01);
                CHECK(0.5 + group.cloud_step[0] == Approx(sigma).epsilon(0.06));
            }
        }
}

TEST_CASE("fit of spots: what has converged has a charge above zero and a position in the window") {
    Random random(7);
    for (const Way& way : ways) {
        std::vector<SpotGroup> groups(300);
        for (SpotGroup& group : groups) {
            for (Index lane = 0; lane < spots_together; ++lane)
                put_noisy(group, lane, random_cloud(random), 5.0, 0.3, random);
            // Light all over the window, a hot pixel, and noise alone.
            for (Index k = 0; k < window_pixels; ++k) {
                group.pixel[k][0] = 200.0 + uniform(-5.0, 5.0, random);
                group.pixel[k][1] = k == window_pixels / 2 ? 1000.0 : uniform(-5.0, 5.0, random);
                group.pixel[k][2] = uniform(-5.0, 5.0, random);
            }
        }
        fit(row_kernels(), groups, way);
        for (const SpotGroup& group : groups)
            for (Index lane = 0; lane < spots_together; ++lane)
                if (group.converged[lane]) {
                    CAPTURE(way.adu_per_electron);
                    CAPTURE(way.free_background);
                    CAPTURE(lane);
                    CHECK(group.charge[lane] > 0.0);
                    CHECK(std::abs(group.x[lane]) <= cloud_range);
                    CHECK(std::abs(group.y[lane]) <= cloud_range);
                }
    }
}
