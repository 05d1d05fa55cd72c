// SPDX-License-Identifier: BSD-3-Clause
#include "placement/cloud_table.hpp"

#include "simd/row_kernels.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>
#include <random>
#include <utility>

using namespace hrixs;
using doctest::Approx;

namespace {

constexpr double sigmas[] = {0.1, 0.2, 0.35, 0.5, 0.8, 1.3, 2.0};
constexpr double half_node = 0.5 / static_cast<double>(cloud_nodes_per_pixel);

// Of a cloud at 0, between two edges.
double part_between(double lower, double upper, double sigma) {
    const double scale = std::numbers::sqrt2 * sigma;
    return 0.5 * (std::erfc(lower / scale) - std::erfc(upper / scale));
}
double true_share(double distance, double sigma) {
    return part_between(distance - 0.5, distance + 0.5, sigma);
}

// What a series of four orders leaves out half a node away: 0.046 is twice the largest fourth
// derivative of a Gaussian's integral, over 4!.
double left_out(double sigma) {
    return 0.046 * std::pow(half_node / sigma, 4) + 1e-15;
}

// As the fit reads the table: share and slope in pixel k of a cloud at a position.
struct Read {
    Read(const CloudTable& table, double position, Index k) {
        const double in_nodes =
            (position + cloud_range) * static_cast<double>(cloud_nodes_per_pixel);
        const auto node = static_cast<Index>(in_nodes + 0.5);
        const double rest = 2.0 * half_node * (in_nodes - static_cast<double>(node));
        const double* order = table.nodes() + node * cloud_node_size + k;
        const double first = order[cloud_row];
        const double second = order[2 * cloud_row];
        const double third = order[3 * cloud_row];
        share = order[0] + rest * (first + rest * (second + rest * third));
        slope = first + rest * (2.0 * second + rest * 3.0 * third);
    }
    double share;
    double slope;
};

} // namespace

TEST_CASE("cloud table: shares of the window's pixels are those of a Gaussian, at any position") {
    std::mt19937 random(1);
    std::uniform_real_distribution<double> positions(-cloud_range, cloud_range);
    for (const double sigma : sigmas) {
        CAPTURE(sigma);
        const CloudTable table(sigma);
        for (int trial = 0; trial < 300; ++trial) {
            const double position = positions(random);
            CAPTURE(position);
            for (Index k = 0; k < window_size; ++k) {
                const double distance = static_cast<double>(k - window_reach) - position;
                CHECK(std::abs(Read(table, position, k).share - true_share(distance, sigma)) <
                      left_out(sigma));
            }
        }
    }
}

TEST_CASE("cloud table: both ends of the range have nodes, and what fills up a row is 0") {
    const CloudTable table(0.5);
    CHECK(table.nodes()[0] == Approx(true_share(0.0, 0.5)).epsilon(1e-15));
    const double* last = table.nodes() + (n_cloud_nodes - 1) * cloud_node_size;
    CHECK(last[window_size - 1] == Approx(true_share(0.0, 0.5)).epsilon(1e-15));
    for (Index node = 0; node < n_cloud_nodes; ++node)
        for (Index order = 0; order < cloud_orders; ++order)
            for (Index k = window_size; k < cloud_row; ++k)
                CHECK(table.nodes()[node * cloud_node_size + order * cloud_row + k] == 0.0);
}

TEST_CASE("cloud table: slopes are the differences of shares") {
    std::mt19937 random(2);
    std::uniform_real_distribution<double> positions(-cloud_range, cloud_range);
    for (const double sigma : sigmas) {
        CAPTURE(sigma);
        const CloudTable table(sigma);
        const double step = 1e-4 * sigma;
        for (int trial = 0; trial < 300; ++trial) {
            const double position = positions(random);
            CAPTURE(position);
            for (Index k = 0; k < window_size; ++k) {
                const double distance = static_cast<double>(k - window_reach) - position;
                const double difference =
                    true_share(distance - step, sigma) - true_share(distance + step, sigma);
                CHECK(std::abs(Read(table, position, k).slope - difference / (2.0 * step)) <
                      4.0 / half_node * left_out(sigma) + 1e-8 / sigma);
            }
        }
    }
}

TEST_CASE("cloud table: the share at any distance, 0 beyond four standard deviations") {
    std::mt19937 random(3);
    for (const double sigma : sigmas) {
        CAPTURE(sigma);
        const CloudTable table(sigma);
        const double end = std::ceil(0.5 + 4.0 * sigma);
        std::uniform_real_distribution<double> distances(-end, end);
        for (int trial = 0; trial < 1000; ++trial) {
            const double distance = distances(random);
            CAPTURE(distance);
            CHECK(std::abs(table.share(distance) - true_share(distance, sigma)) < left_out(sigma));
            CHECK(table.share(distance) == table.share(-distance));
        }
        for (const double beyond : {end, end + 0.01, end + 100.0, 1e300}) {
            CHECK(table.share(beyond) == 0.0);
            CHECK(table.share(-beyond) == 0.0);
            CHECK(true_share(beyond, sigma) < 3.2e-5);
        }
    }
}

TEST_CASE("cloud table: a cloud of the same charge beyond reach hardly moves the position") {
    constexpr double charge = 1000.0;
    for (const double sigma : {0.2, 0.35, 0.5, 0.8, 1.0}) {
        CAPTURE(sigma);
        const CloudTable table(sigma);
        const auto moved_by = [&](double distance) {
            SpotGroup group{};
            for (Index lane = 0; lane < spots_together; ++lane) {
                group.charge[lane] = charge;
                for (Index k = 0; k < window_pixels; ++k) {
                    const auto i = static_cast<double>(k / window_size - window_reach);
                    const auto j = static_cast<double>(k % window_size - window_reach);
                    group.pixel[k][lane] = charge * true_share(j, sigma) *
                                           (true_share(i, sigma) + true_share(i - distance, sigma));
                    group.weight[k][lane] = 1.0;
                }
            }
            row_kernels().fit_spots(&group, 1, {table.nodes(), sigma, 0.0, false});
            REQUIRE(group.converged[0]);
            return group.x[0];
        };
        CHECK(moved_by(table.reach()) < 2e-3);
        CHECK(moved_by(table.reach()) >= 0.0);
        CHECK(moved_by(table.reach() - 1.0) > 2e-3);
    }
}

TEST_CASE("cloud table: the start turns a centre of mass of 3x3 pixels into the cloud's position") {
    for (const double sigma : sigmas) {
        CAPTURE(sigma);
        const CloudTable table(sigma);
        const CloudTable::Start start = table.start();
        const auto of_three = [&](double x) {
            const double lower = true_share(-1.0 - x, sigma);
            const double upper = true_share(1.0 - x, sigma);
            const double all = lower + true_share(-x, sigma) + upper;
            return std::pair{start.position * (upper - lower) / all, std::sqrt(start.charge) * all};
        };
        for (const double x : {0.25, -0.25}) {
            CHECK(of_three(x).first == Approx(x).epsilon(1e-3));
            CHECK(of_three(x).second == Approx(1.0).epsilon(1e-3));
        }
        CHECK(of_three(0.0).first == Approx(0.0));
        CHECK(of_three(0.0).second == Approx(1.0).epsilon(0.1));
    }
}
