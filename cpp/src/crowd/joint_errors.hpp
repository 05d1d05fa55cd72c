// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/neighbourhood.hpp"

namespace hrixs::crowd {

struct PlaceErrors {
    double sigma_x;
    double sigma_y;
};

// Standard deviations of the place of a group's first photon, from the information that the pixels
// give about all places of the group together. NaN where they don't tell.
PlaceErrors joint_errors(const Equations& equations, const Neighbourhood& neighbourhood,
                         const Group& group);

} // namespace hrixs::crowd
