// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/camera.hpp"
#include "hrixs/cloud_fit.hpp"
#include "hrixs/parallel.hpp"
#include "hrixs/photons.hpp"

#include <optional>
#include <vector>

namespace hrixs {

struct ResolveSettings {
    CloudFit cloud{};                // split_doubles is ignored
    Index max_photons = 0;           // in one frame
    std::optional<double> max_pixel; // ADU above the pedestal; brighter ones are masked
};

// Sums of the light of one frame over the tiles that were searched.
struct LightSums {
    Index pixels = 0;        // not masked
    double charge = 0.0;     // above the level, ADU
    double light = 0.0;      // of the photons found, ADU
    double variance = 0.0;   // of the charge, from noise and electrons
    Index dark_pixels = 0;   // of them almost without light
    double dark_level = 0.0; // their mean above the level of the frame, ADU
};

struct ResolvedPhotons {
    FoundPhotons found;
    std::vector<double> crowding; // of each photon
    std::vector<LightSums> light; // of each frame
};

// Smallest and largest cloud that is resolved, pixels.
constexpr double least_resolved_cloud = 0.2;
constexpr double most_resolved_cloud = 1.25;

// Finds photons of known charge and cloud width, also if their clouds overlap: one more photon is
// put at the best place of the residual, again and again, and all positions are fitted together.
// photon_adu: ADU of one photon, for each frame.
template <class Pixel>
ResolvedPhotons resolve_photons(const FrameStack<Pixel>& frames, const double* photon_adu,
                                const CameraCorrection& camera, const ResolveSettings& settings,
                                const Execution& execution);

} // namespace hrixs
