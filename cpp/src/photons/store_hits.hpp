// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "photons/found_by_frame.hpp"
#include "placement/hits_of_frame.hpp"
#include "placement/photon_fitter.hpp"

#include <limits>
#include <optional>

namespace hrixs {

inline std::optional<PhotonFitter> fitter_for(const std::optional<CloudFit>& fit, Index nx,
                                              Index ny) {
    if (!fit)
        return std::nullopt;
    check_fit(*fit, nx, ny);
    return PhotonFitter(*fit);
}

// What is left to be done with a frame's hits when all are found.
template <class Pixel>
void store_hits(Index number, const CorrectedFrame<Pixel>& frame, double frame_mean,
                double threshold, const std::optional<PhotonFitter>& fitter, FrameHits& hits,
                HitScratch& scratch, FoundByFrame& found) {
    hits.drop_near_cosmics();
    const FrameFacts facts{
        .n_cosmics = hits.n_cosmics(),
        .frame_mean = frame_mean,
        .threshold = threshold,
        .n_dropped = hits.n_dropped(),
        .noise = fitter ? fitter->fit(frame, scratch) : std::numeric_limits<double>::quiet_NaN(),
    };
    found.store(number, scratch.table, facts);
}

} // namespace hrixs
