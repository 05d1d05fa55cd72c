// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/camera.hpp"
#include "hrixs/cloud_fit.hpp"
#include "hrixs/cosmics.hpp"
#include "hrixs/parallel.hpp"
#include "hrixs/photons.hpp"

#include <optional>

namespace hrixs {

struct FindSettings {
    std::optional<double> threshold;     // sum of a 2x2 square, ADU; without it: from the frame
    double std_threshold = 0.0;          // in standard deviations of the frame's squares
    std::optional<double> dbl_threshold; // of a spot, ADU; without it no hit is double
    Index max_photons = 0;               // in one frame
    std::optional<CloudFit> fit{};       // without it: positions are centres of mass
    CosmicLimits cosmics{};
    // Instead of both: standard deviations of the noise of a square without light, above four times
    // the level of its pixels.
    std::optional<double> noise_threshold{};
};

// centroid_one: photons by a 2x2 square above a threshold that is a local maximum, placed at the
// centre of mass of the 4x4 square around it.
template <class Pixel>
FoundPhotons find_photons(const FrameStack<Pixel>& frames, const CameraCorrection& camera,
                          const FindSettings& settings, const Execution& execution);

} // namespace hrixs
