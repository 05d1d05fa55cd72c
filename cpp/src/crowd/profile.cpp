// SPDX-License-Identifier: BSD-3-Clause
#include "crowd/profile.hpp"

#include "placement/cloud_edges.hpp"

#include <cmath>

namespace hrixs::crowd {

namespace {

// Wider clouds need windows of 7x7 pixels.
constexpr double widest_in_five = 0.65;

double share_between(double lower, double upper, double sigma) {
    return CloudEdge(upper, sigma).share - CloudEdge(lower, sigma).share;
}

} // namespace

Profile::Profile(double cloud_sigma) : reach_(cloud_sigma > widest_in_five ? 3 : 2) {
    const int n_nodes = static_cast<int>(2.0F * share_range * nodes_per_pixel) + 1;
    nodes_.resize(static_cast<std::size_t>(n_nodes), ShareNode{});
    for (int number = 0; number < n_nodes; ++number) {
        const double place =
            number / static_cast<double>(nodes_per_pixel) - static_cast<double>(share_range);
        ShareNode& node = nodes_[static_cast<std::size_t>(number)];
        CloudEdge lower(-reach_ - 0.5 - place, cloud_sigma);
        for (int k = 0; k <= 2 * reach_; ++k) {
            const CloudEdge upper(k - reach_ + 0.5 - place, cloud_sigma);
            node.share[k] = static_cast<float>(upper.share - lower.share);
            node.first[k] = static_cast<float>(upper.first - lower.first);
            node.second[k] = static_cast<float>((upper.second - lower.second) / 2.0);
            node.third[k] = static_cast<float>((upper.third - lower.third) / 6.0);
            lower = upper;
        }
    }
    double power = 0.0;
    for (int k = -reach_; k <= reach_; ++k) {
        const double share = share_between(k - 0.5, k + 0.5, cloud_sigma);
        power += share * share;
    }
    power_ = power * power;
    near_ = 4.2 * std::sqrt(cloud_sigma * cloud_sigma + 1.0 / 12.0);
    const double pair = share_between(-0.5, 1.5, cloud_sigma);
    square_share_ = pair * pair;
    const double half = share_between(0.0, 1.0, cloud_sigma);
    pixel_share_ = half * half;
}

} // namespace hrixs::crowd
