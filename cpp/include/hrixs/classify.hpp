// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/camera.hpp"
#include "hrixs/cloud_fit.hpp"
#include "hrixs/cosmics.hpp"
#include "hrixs/parallel.hpp"
#include "hrixs/photons.hpp"

#include <optional>

namespace hrixs {

// The four limits are fractions of the charge of one photon.
struct ClassifySettings {
    double candidate_low = 0.0;    // the brightest pixel of a candidate is above this ...
    double candidate_high = 0.0;   // ... and below this
    double single_low = 0.0;       // a spot at or below this is dropped
    double double_low = 0.0;       // a spot above this is a double hit
    Index max_photons = 0;         // in one frame
    std::optional<CloudFit> fit{}; // without it, positions are centres of mass
    CosmicLimits cosmics{};
};

// centroid_two: single and double hits by the photon energy, after the ESRF classifier
// (Kummer et al., J. Synchrotron Rad. 24, 531 (2017)). photon_adu: ADU of one photon, for each
// frame.
template <class Pixel>
FoundPhotons classify_photons(const FrameStack<Pixel>& frames, const double* photon_adu,
                              const CameraCorrection& camera, const ClassifySettings& settings,
                              const Execution& execution);

} // namespace hrixs
