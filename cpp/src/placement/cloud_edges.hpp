// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <numbers>

namespace hrixs {

// A Gaussian cloud beyond one edge of a pixel: its share below the edge, and derivatives of that by
// the cloud's position.
struct CloudEdge {
    // distance: of the edge from the cloud's middle.
    CloudEdge(double distance, double sigma) {
        const double edge = distance / sigma;
        const double density =
            std::exp(-0.5 * edge * edge) * std::numbers::inv_sqrtpi / (std::numbers::sqrt2 * sigma);
        share = 0.5 * std::erfc(-edge / std::numbers::sqrt2);
        first = -density;
        second = -edge * density / sigma;
        third = (1.0 - edge * edge) * density / (sigma * sigma);
    }
    double share;
    double first;
    double second;
    double third;
};

} // namespace hrixs
