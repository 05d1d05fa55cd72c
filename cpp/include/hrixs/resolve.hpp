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
    CloudFit cloud{};                // split_doubles has no meaning here
    Index max_photons = 0;           // in one frame
    std::optional<double> max_pixel; // ADU above the pedestal: masked with those around it
};

// What the light of one frame adds up to, over the tiles of pixels that were searched.
struct LightSums {
    Index pixels = 0;        // not masked
    double charge = 0.0;     // above the level, ADU
    double light = 0.0;      // of the photons found, ADU
    double variance = 0.0;   // of the charge, from noise and electrons
    Index dark_pixels = 0;   // of them without light to speak of
    double dark_level = 0.0; // mean of those above the frame's level, ADU
};

struct ResolvedPhotons {
    FoundPhotons found;
    std::vector<double> crowding; // of each photon
    std::vector<LightSums> light; // of each frame
};

// Smallest and largest cloud that is resolved, pixels.
constexpr double least_resolved_cloud = 0.2;
constexpr double most_resolved_cloud = 1.25;

// Photons of one known charge in clouds of one known width, also where clouds lie over each other:
// the best place for one more photon in what the others leave, again and again, and all places
// fitted together. photon_adu: ADU of one photon, for each frame.
template <class Pixel>
ResolvedPhotons resolve_photons(const FrameStack<Pixel>& frames, const double* photon_adu,
                                const CameraCorrection& camera, const ResolveSettings& settings,
                                const Execution& execution);

} // namespace hrixs
