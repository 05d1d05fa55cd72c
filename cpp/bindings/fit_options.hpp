// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "array_input.hpp"
#include "hrixs/cloud_fit.hpp"
#include "hrixs/cosmics.hpp"

#include <pybind11/stl.h>

#include <optional>

namespace hrixs::bindings {

// How photons are placed, and what is no photon, as the Python layer hands it on.
struct FitOptions {
    std::optional<double> cloud_sigma; // without it, by a centre of mass
    std::optional<double> read_noise;
    std::optional<py::array> noise_map;
    std::optional<double> electrons_per_adu;
    bool local_background = false;
    bool split_doubles = false;
    std::optional<double> max_pixel;
    std::optional<double> max_charge;

    std::optional<CloudFit> cloud_fit() const {
        if (!cloud_sigma)
            return std::nullopt;
        CloudFit fit{*cloud_sigma,      read_noise,       {},
                     electrons_per_adu, local_background, split_doubles};
        if (noise_map)
            fit.noise_map = image_from<double>(*noise_map, "read_noise");
        return fit;
    }
    CosmicLimits cosmics() const { return {max_pixel, max_charge}; }
};

} // namespace hrixs::bindings
