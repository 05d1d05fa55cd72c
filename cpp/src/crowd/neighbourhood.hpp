// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/equations.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace hrixs::crowd {

// So many neighbours, the nearest ones, share their freedom with a photon.
constexpr int most_neighbours = 6;

struct Neighbour {
    std::int32_t photon; // its place in the equations
    std::int32_t coupling;
    double distance; // squared
};

// A photon, first, and those that are nearest to it.
struct Group {
    std::array<Neighbour, most_neighbours + 1> member;
    int size = 1;
};

// Which photons are near to each other, by their couplings.
class Neighbourhood {
  public:
    // Places are those of the photons in the equations.
    void find(const Equations& equations, const std::vector<std::int32_t>& together,
              const PhotonList& photons);

    // Those that are nearer than `reach`.
    Group group_of(std::int32_t a, double reach) const;
    // Of two photons; none where they are not near.
    std::int32_t coupling_of(std::int32_t a, std::int32_t b) const;

  private:
    std::vector<std::size_t> begin_; // of each photon's neighbours
    std::vector<Neighbour> neighbours_;
};

} // namespace hrixs::crowd
