// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "array_output.hpp"
#include "hrixs/photons.hpp"

namespace hrixs::bindings {

inline py::dict to_python(FoundPhotons&& found, bool is_placed) {
    py::dict result;
    result["frame"] = to_array(std::move(found.table.frame));
    result["x"] = to_array(std::move(found.table.x));
    result["y"] = to_array(std::move(found.table.y));
    result["charge"] = to_array(std::move(found.table.charge));
    result["double"] = to_array(std::move(found.table.is_double)).attr("view")("bool");
    PlaceColumns& placed = found.table.placed;
    if (is_placed) {
        result["sigma_x"] = to_array(std::move(placed.sigma_x));
        result["sigma_y"] = to_array(std::move(placed.sigma_y));
        result["chi2"] = to_array(std::move(placed.chi2));
        result["cloud_sigma"] = to_array(std::move(placed.cloud_sigma));
        result["cloud_sigma_err"] = to_array(std::move(placed.cloud_sigma_err));
        result["flag"] = to_array(std::move(placed.flag));
        result["noise"] = to_array(std::move(found.noise));
    }
    result["n_spikes"] = to_array(std::move(found.n_spikes));
    result["base"] = to_array(std::move(found.base));
    result["threshold"] = to_array(std::move(found.threshold));
    result["n_dropped"] = to_array(std::move(found.n_dropped));
    return result;
}

} // namespace hrixs::bindings
