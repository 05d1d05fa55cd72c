// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/tile.hpp"

#include <vector>

namespace hrixs::crowd {

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

    // What its shares are computed from, for places from -share_range to share_range.
    const ShareNode* nodes() const { return nodes_.data(); }

  private:
    int reach_;
    double power_ = 0.0;
    double near_ = 0.0;
    double square_share_ = 0.0;
    double pixel_share_ = 0.0;
    std::vector<ShareNode> nodes_;
};

} // namespace hrixs::crowd
