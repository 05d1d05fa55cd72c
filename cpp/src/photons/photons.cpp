// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/photons.hpp"

namespace hrixs {

namespace {

template <class Columns> void clear_rows(Columns& columns) {
    Columns::for_each_column([&](auto column, auto, auto) { (columns.*column).clear(); });
}

template <class Columns> void append_rows(Columns& columns, const Columns& more) {
    Columns::for_each_column([&](auto column, auto, auto) {
        auto& values = columns.*column;
        values.insert(values.end(), (more.*column).begin(), (more.*column).end());
    });
}

} // namespace

void PhotonTable::clear() {
    clear_rows(*this);
    clear_rows(fitted);
}

void PhotonTable::append(const FoundHit& hit) {
    append_row(*this, hit);
}

void PhotonTable::append(const PhotonTable& other) {
    append_rows(*this, other);
    append_rows(fitted, other.fitted);
}

void PhotonTable::reserve(Index n) {
    reserve_rows(*this, n);
}

} // namespace hrixs
