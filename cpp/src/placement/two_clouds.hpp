// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/index.hpp"

#include <array>
#include <optional>

namespace hrixs {

// A window that holds two photons some pixels apart. Positions count from its middle pixel.
constexpr Index pair_size = 7;
constexpr Index pair_reach = pair_size / 2;
constexpr Index pair_pixels = pair_size * pair_size;

struct PairWindow {
    std::array<double, pair_pixels> pixel;  // ADU above the pedestal; 0 where not used
    std::array<double, pair_pixels> weight; // 1 / variance, without the photons' electrons; or 0
};

struct Position {
    double x;
    double y;
    double variance_x;
    double variance_y;
};

struct Pair {
    std::array<Position, 2> photons;
    double charge; // of each
    double chi2;   // for each degree of freedom
};

// Two clouds of equal charge, where they are far more likely than a single one, however wide.
// x, y, charge: of the single cloud, to begin with.
std::optional<Pair> split_pair(PairWindow window, double cloud_sigma, double adu_per_electron,
                               double x, double y, double charge);

} // namespace hrixs
