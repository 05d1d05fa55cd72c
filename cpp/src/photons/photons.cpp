// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/photons.hpp"

namespace hrixs {

namespace {

template <class Value> void extend(std::vector<Value>& values, const std::vector<Value>& more) {
    values.insert(values.end(), more.begin(), more.end());
}

} // namespace

void PlaceColumns::clear() {
    sigma_x.clear();
    sigma_y.clear();
    chi2.clear();
    cloud_sigma.clear();
    cloud_sigma_err.clear();
    flag.clear();
}

void PlaceColumns::append(const PhotonPlace& place) {
    sigma_x.push_back(place.sigma_x);
    sigma_y.push_back(place.sigma_y);
    chi2.push_back(place.chi2);
    cloud_sigma.push_back(place.cloud_sigma);
    cloud_sigma_err.push_back(place.cloud_sigma_err);
    flag.push_back(place.flag);
}

void PlaceColumns::append(const PlaceColumns& other) {
    extend(sigma_x, other.sigma_x);
    extend(sigma_y, other.sigma_y);
    extend(chi2, other.chi2);
    extend(cloud_sigma, other.cloud_sigma);
    extend(cloud_sigma_err, other.cloud_sigma_err);
    extend(flag, other.flag);
}

void PlaceColumns::reserve(Index n) {
    const auto count = static_cast<std::size_t>(n);
    sigma_x.reserve(count);
    sigma_y.reserve(count);
    chi2.reserve(count);
    cloud_sigma.reserve(count);
    cloud_sigma_err.reserve(count);
    flag.reserve(count);
}

void PhotonTable::clear() {
    frame.clear();
    x.clear();
    y.clear();
    charge.clear();
    is_double.clear();
    placed.clear();
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
    extend(frame, other.frame);
    extend(x, other.x);
    extend(y, other.y);
    extend(charge, other.charge);
    extend(is_double, other.is_double);
    placed.append(other.placed);
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
