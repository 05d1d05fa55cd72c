// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "placement/hits_of_frame.hpp"
#include "rows/bands.hpp"
#include "rows/row_scratch.hpp"

#include <vector>

namespace hrixs {

// Working memory of one thread that searches frames: what each band of those that it has together
// gives, and a frame's hits.
template <class BandHits> struct SearchScratch {
    SearchScratch(Index nx, Index ny, Index frames_together)
        : rows(ny), bands(static_cast<std::size_t>(frames_together),
                          std::vector<BandHits>(static_cast<std::size_t>(count_bands(nx)))) {}
    RowScratch rows;
    std::vector<std::vector<BandHits>> bands; // of each frame
    HitScratch hits;
};

} // namespace hrixs
