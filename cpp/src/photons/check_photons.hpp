// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/errors.hpp"
#include "hrixs/index.hpp"

#include <limits>
#include <string>

namespace hrixs {

// What every way to find photons asks of their charges and of their greatest number.

inline void check_max_photons(Index max_photons) {
    if (max_photons < 1)
        throw ParameterError("max_photons = " + std::to_string(max_photons) +
                             ", expected 1 or more.");
}

// Charges of one photon in each frame, in ADU, below a limit. `advice`: what to check.
inline void check_charges(const double* photon_adu, Index n_frames, Index first_number,
                          const std::string& advice,
                          double limit = std::numeric_limits<double>::infinity()) {
    for (Index frame = 0; frame < n_frames; ++frame)
        if (!(photon_adu[frame] > 0.0) || !(photon_adu[frame] < limit))
            throw ParameterError("a photon of frame " + std::to_string(first_number + frame) +
                                 " makes " + text(photon_adu[frame]) +
                                 " ADU, expected a positive number. Check " + advice + ".");
}

} // namespace hrixs
