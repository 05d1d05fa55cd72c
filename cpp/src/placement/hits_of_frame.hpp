// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/cloud_fit.hpp"
#include "hrixs/cosmics.hpp"
#include "hrixs/errors.hpp"
#include "hrixs/photons.hpp"
#include "placement/windows.hpp"

#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

namespace hrixs {

// Of one frame's hits: what a thread works with.
struct HitScratch {
    PhotonTable table;
    std::vector<PixelIndex> centres; // of the table's photons: their brightest pixels
    std::vector<PixelIndex> cosmics;
    double double_charge = std::numeric_limits<double>::infinity(); // a double has more, ADU
    std::vector<Window> windows; // of the photons, where they are placed by a fit
    std::vector<double> sample;  // of the frame's pixels
};

// Collects one frame's hits and goes on counting when there are too many to keep.
class FrameHits {
  public:
    FrameHits(Index frame, Index max_photons, const CosmicLimits& limits, HitScratch& scratch)
        : frame_(frame), max_photons_(max_photons), limits_(limits), scratch_(scratch) {
        scratch_.table.clear();
        scratch_.centres.clear();
        scratch_.cosmics.clear();
        scratch_.windows.clear();
    }

    // window: to be placed by a fit; null where there is none.
    void add(double x, double y, double charge, bool is_double, const PixelIndex& centre,
             const Window* window) {
        if (++count_ > max_photons_)
            return;
        scratch_.table.append({frame_, x, y, charge, is_double});
        scratch_.centres.push_back(centre);
        if (window != nullptr)
            scratch_.windows.push_back(*window);
    }
    void drop() { ++n_dropped_; }
    Index n_dropped() const { return n_dropped_; }
    Index n_cosmics() const { return n_cosmics_; }

    // Whether a hit is too bright for a photon; it is remembered then, with its neighbourhood.
    bool is_cosmic(double brightest, double charge, const PixelIndex& centre) {
        const bool cosmic = (limits_.max_pixel && brightest > *limits_.max_pixel) ||
                            (limits_.max_charge && charge > *limits_.max_charge);
        if (cosmic) {
            scratch_.cosmics.push_back(centre);
            ++n_cosmics_;
        }
        return cosmic;
    }

    template <class Criterion> void check_count(Index first_number, Criterion criterion) const {
        if (count_ > max_photons_)
            throw TooManyPhotons(first_number + frame_, count_, max_photons_, criterion());
    }

    // The hits near cosmics.
    void drop_near_cosmics();

  private:
    Index frame_;
    Index max_photons_;
    const CosmicLimits& limits_;
    HitScratch& scratch_;
    Index count_ = 0;
    Index n_dropped_ = 0;
    Index n_cosmics_ = 0;
};

} // namespace hrixs
