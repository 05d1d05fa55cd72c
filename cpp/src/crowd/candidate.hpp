// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/scene.hpp"

namespace hrixs::crowd {

// Adds a photon near a place if its amplitude, in photons, is at least that, and sure; wide: light
// is known to be left over there, and with photons near the noise is not asked.
bool try_candidate(Scene& scene, double x, double y, float least_amplitude, bool wide);

} // namespace hrixs::crowd
