// SPDX-License-Identifier: BSD-3-Clause
#include "placement/cloud_table.hpp"

#include "placement/cloud_edges.hpp"

#include <cmath>

namespace hrixs {

namespace {

// Beyond so many standard deviations from its middle, nothing of a cloud is seen.
constexpr double cloud_end = 4.0;

} // namespace

CloudTable::CloudTable(double cloud_sigma)
    : sigma_(cloud_sigma), farthest_(static_cast<Index>(std::ceil(0.5 + cloud_end * cloud_sigma))),
      nodes_(static_cast<std::size_t>(n_cloud_nodes * cloud_node_size), 0.0),
      far_nodes_(static_cast<std::size_t>((farthest_ * cloud_nodes_per_pixel + 1) * cloud_orders)) {
    for (std::size_t node = 0; node * cloud_orders < far_nodes_.size(); ++node) {
        const double distance =
            static_cast<double>(node) / static_cast<double>(cloud_nodes_per_pixel);
        // A cloud that moves away from its pixel is a pixel that lies at the other side.
        const CloudEdge lower(-distance - 0.5, cloud_sigma);
        const CloudEdge upper(-distance + 0.5, cloud_sigma);
        double* order = far_nodes_.data() + node * cloud_orders;
        order[0] = upper.share - lower.share;
        order[1] = upper.first - lower.first;
        order[2] = (upper.second - lower.second) / 2.0;
        order[3] = (upper.third - lower.third) / 6.0;
    }
    for (Index node = 0; node < n_cloud_nodes; ++node) {
        const double position =
            static_cast<double>(node) / static_cast<double>(cloud_nodes_per_pixel) - cloud_range;
        double* order = nodes_.data() + node * cloud_node_size;
        CloudEdge lower(-static_cast<double>(window_reach) - 0.5 - position, cloud_sigma);
        for (Index k = 0; k < window_size; ++k) {
            const CloudEdge upper(static_cast<double>(k - window_reach) + 0.5 - position,
                                  cloud_sigma);
            order[k] = upper.share - lower.share;
            order[cloud_row + k] = upper.first - lower.first;
            order[2 * cloud_row + k] = (upper.second - lower.second) / 2.0;
            order[3 * cloud_row + k] = (upper.third - lower.third) / 6.0;
            lower = upper;
        }
    }
}

} // namespace hrixs
