// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/photons.hpp"

namespace hrixs {

void PhotonTable::clear() {
    frame.clear();
    x.clear();
    y.clear();
    charge.clear();
    is_double.clear();
}

void PhotonTable::append(Index frame_number, double x_position, double y_position,
                         double spot_charge, bool two_photons) {
    frame.push_back(frame_number);
    x.push_back(x_position);
    y.push_back(y_position);
    charge.push_back(spot_charge);
    is_double.push_back(two_photons ? 1 : 0);
}

void PhotonTable::append(const PhotonTable& other) {
    frame.insert(frame.end(), other.frame.begin(), other.frame.end());
    x.insert(x.end(), other.x.begin(), other.x.end());
    y.insert(y.end(), other.y.begin(), other.y.end());
    charge.insert(charge.end(), other.charge.begin(), other.charge.end());
    is_double.insert(is_double.end(), other.is_double.begin(), other.is_double.end());
}

void PhotonTable::reserve(Index n) {
    const auto count = static_cast<std::size_t>(n);
    frame.reserve(count);
    x.reserve(count);
    y.reserve(count);
    charge.reserve(count);
    is_double.reserve(count);
}

} // namespace hrixs
