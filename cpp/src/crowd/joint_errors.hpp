// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/canvas.hpp"
#include "crowd/one_cloud.hpp"
#include "crowd/photon_list.hpp"
#include "crowd/profile.hpp"

#include <array>

namespace hrixs::crowd {

struct PlaceErrors {
    double sigma_x;
    double sigma_y;
};

// So many neighbours, the nearest ones, share their freedom with a photon.
constexpr int most_neighbours = 6;

// Farther ones would leave the pixels that are looked at.
constexpr double farthest_neighbour = 4.0;

// The photons that are nearer to one of them, the one itself first, then by distance.
struct Group {
    std::array<std::int32_t, most_neighbours + 1> photon;
    int size = 1;
};

Group group_of(const Canvas& canvas, const PhotonList& photons, std::int32_t k, double reach);

// Standard deviations of the place of a group's first photon, from the information that the pixels
// give about all places of the group together. NaN where they don't tell.
PlaceErrors joint_errors(const Canvas& canvas, const PhotonList& photons, const Group& group,
                         const Profile& profile, Light light);

} // namespace hrixs::crowd
