// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/index.hpp"

#include <cstdint>
#include <vector>

namespace hrixs {

// The photon table, structure of arrays: one entry a hit, frames in order, hits in row-major order.
// Positions are as measured, in pixels of the frame given; an integer is the centre of a pixel.
struct PhotonTable {
    std::vector<Index> frame;
    std::vector<double> x;
    std::vector<double> y;
    std::vector<double> charge;          // sum of the spot above the frame's mean, ADU
    std::vector<std::uint8_t> is_double; // 1: two photons in one spot

    Index size() const { return static_cast<Index>(x.size()); }
    void clear();
    void append(Index frame_number, double x_position, double y_position, double spot_charge,
                bool two_photons);
    void append(const PhotonTable& other);
    void reserve(Index n);
};

// What was found in a stack, with the facts that belong to a frame and not to a photon.
struct FoundPhotons {
    PhotonTable table;
    std::vector<double> base;      // mean of each frame, ADU
    std::vector<double> threshold; // that each frame was searched with, ADU
    std::vector<Index> n_dropped;  // spots dropped in each frame: charge below what counts
};

} // namespace hrixs
