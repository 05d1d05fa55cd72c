// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "simd/spot_fit.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace hrixs {

// A Gaussian cloud's shares in the window's pixels, for every position of it.
class CloudTable {
  public:
    explicit CloudTable(double cloud_sigma);
    const double* nodes() const { return nodes_.data(); }

    // Share in the pixel whose middle is that far from the cloud's.
    double share(double distance) const {
        const double in_nodes = std::abs(distance) * cloud_nodes_per_pixel;
        if (!(in_nodes < static_cast<double>(farthest_ * cloud_nodes_per_pixel)))
            return 0.0;
        const auto node = static_cast<Index>(in_nodes + 0.5);
        const double rest = (in_nodes - static_cast<double>(node)) / cloud_nodes_per_pixel;
        const double* order = far_nodes_.data() + node * cloud_orders;
        return order[0] + rest * (order[1] + rest * (order[2] + rest * order[3]));
    }

    // What makes position and charge of the middle 3x3 pixels' centre of mass those of the cloud.
    struct Start {
        double position;
        double charge;
    };
    Start start() const {
        constexpr double typical = 0.25;
        const double lower = share(-1.0 - typical);
        const double upper = share(1.0 - typical);
        const double all = lower + share(typical) + upper;
        return {typical * all / (upper - lower), 1.0 / (all * all)};
    }

    // A cloud of the same charge that is nearer than this to a window's middle moves the position
    // by more than 0.002 pixels, or shows in its sum of squares.
    double reach() const { return std::max(1.6 + 3.9 * sigma_, 2.5 + 2.3 * sigma_); }

  private:
    double sigma_;
    Index farthest_; // pixels that the cloud reaches
    std::vector<double> nodes_;
    std::vector<double> far_nodes_; // by distance
};

} // namespace hrixs
