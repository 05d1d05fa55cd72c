// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/index.hpp"

#include <optional>

namespace hrixs {

// Hits too bright for a photon, such as cosmic rays, are dropped with their neighbourhood. Limits
// in ADU above the mean of the frame.
struct CosmicLimits {
    std::optional<double> max_pixel;
    std::optional<double> max_charge;
};

// Hits nearer than this to a cosmic, along both axes, are dropped.
constexpr Index cosmic_reach = 5;

} // namespace hrixs
