// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/lanes.hpp"

#include <vector>

namespace hrixs::crowd {

// A cloud's shares in the pixels of a window's row or column, and their slopes by its place.
struct Shares {
    alignas(32) float share[lanes];
    alignas(32) float slope[lanes];
};

// A Gaussian cloud integrated over pixels, for places up to a pixel from the middle of a window of
// 2 * reach + 1 pixels.
class Profile {
  public:
    explicit Profile(double cloud_sigma);

    int reach() const { return reach_; }
    // Sum of the squared shares of a cloud in a pixel's middle.
    double power() const { return power_; }
    // Least share of a cloud in the brightest 2x2 square.
    double square_share() const { return square_share_; }
    // Photons that are farther, along one axis, leave each other's places alone; pixels.
    double near() const { return near_; }
    // Least share in the brightest pixel.
    double pixel_share() const { return pixel_share_; }

    void shares(float place, Shares& out) const {
        const float in_nodes = (place + range) * nodes_per_pixel;
        const int node = static_cast<int>(in_nodes + 0.5F);
        const float rest = (in_nodes - static_cast<float>(node)) / nodes_per_pixel;
        const Node& at = nodes_[static_cast<std::size_t>(node)];
        const Lanes second = Lanes::load(at.second);
        const Lanes third = Lanes::load(at.third);
        const Lanes first = Lanes::load(at.first);
        (Lanes::load(at.share) + rest * (first + rest * (second + rest * third))).store(out.share);
        (first + rest * (2.0F * second + 3.0F * rest * third)).store(out.slope);
    }

    static constexpr float range = 1.0F;

  private:
    static constexpr float nodes_per_pixel = 64.0F;
    // Taylor's coefficients.
    struct Node {
        alignas(32) float share[lanes];
        float first[lanes];
        float second[lanes];
        float third[lanes];
    };
    int reach_;
    double power_ = 0.0;
    double near_ = 0.0;
    double square_share_ = 0.0;
    double pixel_share_ = 0.0;
    std::vector<Node> nodes_;
};

} // namespace hrixs::crowd
