// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/index.hpp"

#include <optional>

namespace hrixs {

// What is too bright for a photon, as cosmic rays are: the hit is dropped with its neighbourhood.
// ADU above the frame's mean.
struct CosmicLimits {
    std::optional<double> max_pixel;
    std::optional<double> max_charge;
};

// Hits nearer than this to a cosmic, along both axes, are dropped.
constexpr Index cosmic_reach = 5;

} // namespace hrixs
