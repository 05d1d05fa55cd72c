// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/index.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hrixs {

// What a fit tells about a photon's place, as the columns below.
struct PhotonPlace {
    double sigma_x;
    double sigma_y;
    double chi2;
    double cloud_sigma;
    double cloud_sigma_err;
    std::uint8_t flag;
};

// The same of all photons, structure of arrays.
struct PlaceColumns {
    std::vector<double> sigma_x; // uncertainty of the place, pixels; NaN where there is no fit
    std::vector<double> sigma_y;
    std::vector<double> chi2;            // for each degree of freedom
    std::vector<double> cloud_sigma;     // estimate from this photon alone, pixels ...
    std::vector<double> cloud_sigma_err; // ... and its uncertainty
    std::vector<std::uint8_t> flag;      // of PhotonFlag

    void clear();
    void append(const PhotonPlace& place);
    void append(const PlaceColumns& other);
    void reserve(Index n);
};

// The photon table, structure of arrays: one entry a hit, frames in order, hits in row-major order.
// Positions are as measured, in pixels of the frame given; an integer is the centre of a pixel.
struct PhotonTable {
    std::vector<Index> frame;
    std::vector<double> x;
    std::vector<double> y;
    std::vector<double> charge;          // sum of the spot above the frame's mean, or fitted, ADU
    std::vector<std::uint8_t> is_double; // 1: two photons in one spot
    PlaceColumns placed;                 // empty where photons are placed by a centre of mass

    Index size() const { return static_cast<Index>(x.size()); }
    void clear();
    void append(Index frame_number, double x_position, double y_position, double spot_charge,
                bool two_photons);
    void append(const PhotonTable& other);
    void reserve(Index n);
    // Only photons k for which keep(k) is true stay; before they are placed.
    template <class Keep> void keep_if(Keep keep);
};

// What was found in a stack, with the facts that belong to a frame and not to a photon.
struct FoundPhotons {
    PhotonTable table;
    std::vector<double> base;      // mean of each frame, ADU
    std::vector<double> threshold; // that each frame was searched with, ADU
    std::vector<Index> n_dropped;  // spots dropped in each frame: charge below what counts
    std::vector<Index> n_spikes;   // hits dropped in each frame: too bright, or near such a one
    std::vector<double> noise;     // of each frame's pixels, ADU; NaN where nobody asked for it
};

template <class Keep> void PhotonTable::keep_if(Keep keep) {
    std::size_t kept = 0;
    for (std::size_t k = 0; k < x.size(); ++k) {
        if (!keep(k))
            continue;
        frame[kept] = frame[k];
        x[kept] = x[k];
        y[kept] = y[k];
        charge[kept] = charge[k];
        is_double[kept] = is_double[k];
        ++kept;
    }
    frame.resize(kept);
    x.resize(kept);
    y.resize(kept);
    charge.resize(kept);
    is_double.resize(kept);
}

} // namespace hrixs
