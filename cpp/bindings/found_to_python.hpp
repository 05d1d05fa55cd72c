// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "array_output.hpp"
#include "hrixs/photons.hpp"

namespace hrixs::bindings {

inline py::dict to_python(FoundPhotons&& found) {
    py::dict result;
    result["frame"] = to_array(std::move(found.table.frame));
    result["x"] = to_array(std::move(found.table.x));
    result["y"] = to_array(std::move(found.table.y));
    result["charge"] = to_array(std::move(found.table.charge));
    result["double"] = to_array(std::move(found.table.is_double)).attr("view")("bool");
    result["base"] = to_array(std::move(found.base));
    result["threshold"] = to_array(std::move(found.threshold));
    result["n_dropped"] = to_array(std::move(found.n_dropped));
    return result;
}

} // namespace hrixs::bindings
