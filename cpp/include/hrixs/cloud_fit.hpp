// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/frames.hpp"

#include <cstdint>
#include <optional>

namespace hrixs {

// Settings of the fit of positions: the charge cloud is a Gaussian integrated over the pixels.
struct CloudFit {
    double cloud_sigma = 0.0;                   // pixels
    std::optional<double> read_noise;           // ADU; without it and the map: from each frame
    std::optional<ImageView<double>> noise_map; // ADU, of each pixel
    std::optional<double> electrons_per_adu;    // without it, electrons have no noise of their own
    bool local_background = false; // fitted for each photon; otherwise that of the frame
    bool split_doubles = false;    // two photons in one spot get two positions
};

// Smallest and largest cloud that a window of pixels can hold.
constexpr double least_cloud_sigma = 0.1;
constexpr double most_cloud_sigma = 2.0;

// Bits of the flag of a photon: how its position was found.
enum PhotonFlag : std::uint8_t {
    not_converged = 1, // the fit failed; position is the centre of mass
    left_pixel = 2,    // the fit left the brightest pixel; also the centre of mass
    neighbour = 4,     // another hit is near; both were fitted together
    cut = 8,           // pixels of the window are masked or outside the frame
    split = 16,        // one of two photons in one spot
};

// Throws ParameterError.
void check_fit(const CloudFit& fit, Index nx, Index ny);

} // namespace hrixs
