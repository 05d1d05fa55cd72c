// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/scene.hpp"
#include "crowd/squares.hpp"

#include <vector>

namespace hrixs::crowd {

struct Seed {
    Index x; // lowest pixel of a 2x2 square with light
    Index y;
};

// Resolves the photons of one frame after another.
class Search {
  public:
    Search(const Profile& profile, Index nx, Index ny) : scene_(profile, nx, ny) {}

    // The seeds are where light was seen; light that goes on from there is followed. Ends with more
    // than max_photons as soon as there are.
    void run(const TileSource& source, const std::vector<Seed>& seeds, Light light,
             Index max_photons);

    const Canvas& canvas() const { return scene_.canvas(); }
    const PhotonList& photons() const { return scene_.photons(); }

  private:
    template <int Reach> void run_with(Index max_photons);
    template <int Reach> Index round(bool wide, Index max_photons);
    void collect(float limit, bool wide);
    template <int Reach> Index empty_overfull();
    template <int Reach> Index add_candidates(float limit, bool wide, Index max_photons);
    template <int Reach> Index prune();

    Scene scene_;
    std::vector<std::int32_t> changed_; // tiles to look at
    std::vector<Square> candidates_;
    std::vector<Square> overfull_;
};

} // namespace hrixs::crowd
