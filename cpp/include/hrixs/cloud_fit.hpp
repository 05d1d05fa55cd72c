// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/frames.hpp"

#include <cstdint>
#include <optional>

namespace hrixs {

// How photons are placed by a fit of their charge cloud: a Gaussian integrated over the pixels.
struct CloudFit {
    double cloud_sigma = 0.0;                   // pixels
    std::optional<double> read_noise;           // ADU; without it and a map, from each frame
    std::optional<ImageView<double>> noise_map; // ADU, of each pixel
    std::optional<double> electrons_per_adu;    // without it, electrons have no noise of their own
    bool local_background = false; // fitted with each photon; else the frame's pedestal
    bool split_doubles = false;    // two photons in one spot are placed one by one
};

// Smallest and largest cloud that a window of pixels can hold.
constexpr double least_cloud_sigma = 0.1;
constexpr double most_cloud_sigma = 2.0;

// What is special about a photon's position; bits of a flag.
enum PhotonFlag : std::uint8_t {
    not_converged = 1, // centre of mass in place of the fit
    left_pixel = 2,    // the same
    neighbour = 4,     // another hit is near, both are fitted together
    cut = 8,           // pixels of the window are masked or beyond the frame
    split = 16,        // one of two photons in one spot
};

// Throws ParameterError.
void check_fit(const CloudFit& fit, Index nx, Index ny);

} // namespace hrixs
