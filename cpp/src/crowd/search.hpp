// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/by_band.hpp"
#include "crowd/scene.hpp"

#include <vector>

namespace hrixs::crowd {

struct Seed {
    Index x; // lowest pixel of a 2x2 square with light
    Index y;
};

// Resolves the photons of one frame after another.
class Search {
  public:
    Search(const Profile& profile, const Kernels& kernels, Index nx, Index ny)
        : scene_(profile, kernels, nx, ny) {}

    // The seeds are where light was seen; light that goes on from there is followed. Ends with more
    // than max_photons as soon as there are.
    void run(const TileSource& source, const std::vector<Seed>& seeds, Light light,
             Index max_photons);

    Scene& scene() { return scene_; }

  private:
    void find_photons(const std::vector<Seed>& seeds, Index max_photons);
    void balance_light(Index max_photons);
    void settle_all();
    bool is_full(Index max_photons) { return scene_.photons().n_there() > max_photons; }
    Index round(bool wide, Index max_photons);
    void collect(float limit, bool wide);
    float left_in(const Square& square);
    Index empty_overfull();
    Index add_candidates(float limit, bool wide, Index max_photons);
    Index prune();

    Scene scene_;
    ByBand by_band_;
    std::vector<std::int32_t> changed_;   // tiles to look at
    std::vector<std::int32_t> unchecked_; // photons to look at
    std::vector<Square> candidates_;
    std::vector<Square> overfull_;
};

} // namespace hrixs::crowd
