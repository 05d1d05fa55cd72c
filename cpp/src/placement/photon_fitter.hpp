// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "frame/corrected_frame.hpp"
#include "frame/pedestal.hpp"
#include "hrixs/cloud_fit.hpp"
#include "placement/cloud_table.hpp"
#include "placement/hits_of_frame.hpp"
#include "placement/windows.hpp"

#include <functional>
#include <vector>

namespace hrixs {

// Fits the clouds of photons; what all frames of a call share.
class PhotonFitter {
  public:
    explicit PhotonFitter(const CloudFit& fit) : fit_(fit), table_(fit.cloud_sigma) {}

    // Fits a frame's photons and tells how well. Gives the noise of its pixels, ADU.
    template <class Pixel> double fit(const CorrectedFrame<Pixel>& frame, HitScratch& hits) const {
        const Pedestal pedestal = pedestal_of(frame, hits.sample);
        fit_windows(pedestal, hits, [&](const PixelIndex& centre, PairPixels& pixels) {
            read_window<pair_size>(frame, centre, pixels.data());
        });
        return pedestal.noise;
    }

  private:
    using ReadPair = std::function<void(const PixelIndex& centre, PairPixels& pixels)>;
    void fit_windows(const Pedestal& pedestal, HitScratch& hits, const ReadPair& read_pair) const;

    CloudFit fit_;
    CloudTable table_;
};

} // namespace hrixs
