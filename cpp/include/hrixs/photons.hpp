// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/index.hpp"
#include "hrixs/photon_columns.hpp"

#include <cstddef>

namespace hrixs {

// The photon table: one entry a hit, frames in order, hits in row-major order.
struct PhotonTable : HitColumns {
    FitColumns fitted; // empty if positions are centres of mass

    Index size() const { return static_cast<Index>(x.size()); }
    void clear();
    void append(const FoundHit& hit);
    void append(const PhotonTable& other);
    void reserve(Index n); // of the hits' columns
    // Keeps only photons k for which keep(k) is true; call it before the fit.
    template <class Keep> void keep_if(Keep keep);
};

// The results for a stack.
struct FoundPhotons : FrameColumns {
    PhotonTable table;
};

template <class Columns> void append_row(Columns& columns, const typename Columns::Row& row) {
    Columns::for_each_column(
        [&](auto column, auto value, auto) { (columns.*column).push_back(row.*value); });
}

template <class Columns> void reserve_rows(Columns& columns, Index n) {
    Columns::for_each_column(
        [&](auto column, auto, auto) { (columns.*column).reserve(static_cast<std::size_t>(n)); });
}

template <class Keep> void PhotonTable::keep_if(Keep keep) {
    std::size_t kept = 0;
    for (std::size_t k = 0; k < x.size(); ++k) {
        if (!keep(k))
            continue;
        for_each_column(
            [&](auto column, auto, auto) { (this->*column)[kept] = (this->*column)[k]; });
        ++kept;
    }
    for_each_column([&](auto column, auto, auto) { (this->*column).resize(kept); });
}

} // namespace hrixs
