// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/index.hpp"

namespace hrixs {

// Windows of pixels around photons, four of which are fitted side by side.
constexpr Index window_size = 5;
constexpr Index window_reach = window_size / 2;
constexpr Index window_pixels = window_size * window_size;
constexpr Index spots_together = 4;

// A cloud's share in each pixel of a row or column of the window, by the cloud's position: values
// and derivatives at nodes, from which a short Taylor series leads on.
constexpr double cloud_range = 2.0; // of positions, from the window's middle
constexpr Index cloud_nodes_per_pixel = 64;
constexpr Index n_cloud_nodes = static_cast<Index>(2.0 * cloud_range) * cloud_nodes_per_pixel + 1;
constexpr Index cloud_orders = 4; // share, its first derivative, half its second, 1/6 of its third
constexpr Index cloud_row = 8;    // window_size, in whole registers
constexpr Index cloud_node_size = cloud_orders * cloud_row;

// Positions count from the window's middle pixel. Each array ends with the four spots.
struct SpotGroup {
    double pixel[window_pixels][spots_together];  // ADU above the pedestal; 0 where not used
    double weight[window_pixels][spots_together]; // 1 / variance, without that of the photon's own
                                                  // electrons; 0 where not used
    double x[spots_together];                     // where to begin; then the position
    double y[spots_together];
    double charge[spots_together]; // the same
    double background[spots_together];
    double variance_x[spots_together]; // of the position
    double variance_y[spots_together];
    double chi2[spots_together];           // sum of squared residuals over variances
    double cloud_step[spots_together];     // from the cloud's sigma to that of the spot's own cloud
    double cloud_variance[spots_together]; // of that
    bool converged[spots_together];
};

struct SpotFitOptions {
    const double* nodes; // n_cloud_nodes times cloud_node_size
    double cloud_sigma;
    double adu_per_electron; // 0: electrons have no noise
    bool free_background;
};

constexpr int most_fit_steps = 30;
constexpr double least_fit_step = 1e-3; // pixels; a shorter one is the last
constexpr double most_fit_step = 0.5;
constexpr double certain_cloud = 4.0;   // standard deviations of a cloud's own width
constexpr double most_correction = 0.5; // for it: pixels, and parts of the charge

} // namespace hrixs
