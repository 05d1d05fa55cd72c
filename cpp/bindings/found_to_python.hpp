// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "array_output.hpp"
#include "hrixs/photons.hpp"

#include <utility>

namespace hrixs::bindings {

template <class Columns> void add_columns(py::dict& result, Columns& columns) {
    Columns::for_each_column([&](auto column, auto, const char* name) {
        result[name] = to_array(std::move(columns.*column));
    });
}

inline py::dict to_python(FoundPhotons&& found, bool is_fitted) {
    py::dict result;
    add_columns(result, found.table);
    result["double"] = result["double"].attr("view")("bool");
    if (is_fitted)
        add_columns(result, found.table.fitted);
    add_columns<FrameColumns>(result, found);
    if (!is_fitted)
        result.attr("pop")("noise");
    return result;
}

} // namespace hrixs::bindings
