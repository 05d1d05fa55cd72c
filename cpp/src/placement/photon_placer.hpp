// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "frame/corrected_frame.hpp"
#include "frame/frame_level.hpp"
#include "hrixs/place.hpp"
#include "placement/cloud_table.hpp"
#include "placement/hits_of_frame.hpp"
#include "placement/windows.hpp"

#include <functional>
#include <vector>

namespace hrixs {

// Places photons by fits of their clouds; what all frames of a call share.
class PhotonPlacer {
  public:
    explicit PhotonPlacer(const CloudFit& fit) : fit_(fit), table_(fit.cloud_sigma) {}

    // Places a frame's photons anew and tells how well. Gives the noise of its pixels, ADU.
    template <class Pixel>
    double place(const CorrectedFrame<Pixel>& frame, HitScratch& hits) const {
        const FrameLevel level = frame_level(frame, hits.sample);
        place_windows(level, hits, [&](const Place& centre, PairPixels& pixels) {
            read_window<pair_size>(frame, centre, pixels.data());
        });
        return level.noise;
    }

  private:
    using ReadPair = std::function<void(const Place& centre, PairPixels& pixels)>;
    void place_windows(const FrameLevel& level, HitScratch& hits, const ReadPair& read_pair) const;

    CloudFit fit_;
    CloudTable table_;
};

} // namespace hrixs
