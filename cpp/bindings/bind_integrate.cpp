// SPDX-License-Identifier: BSD-3-Clause
#include "array_output.hpp"
#include "dtype_dispatch.hpp"
#include "hrixs/integrate.hpp"
#include "interrupt.hpp"

#include <pybind11/stl.h>

#include <optional>
#include <vector>

namespace hrixs::bindings {

namespace {

py::tuple integrate(const py::array& frames, double curve_a, double curve_b,
                    const std::optional<py::array>& dark, const std::optional<py::array>& mask,
                    int threads, Index first_frame, double first_column,
                    const std::optional<std::vector<double>>& displacements) {
    Curvature curvature{curve_a, curve_b, first_column, {}};
    if (displacements)
        curvature.displacements = *displacements;
    const CameraCorrection camera = camera_from(dark, mask);
    return with_frames(frames, first_frame, [&](const auto& stack) {
        Integrated result = without_gil(threads, [&](const Execution& execution) {
            return integrate_frames(stack, camera, curvature, execution);
        });
        return py::make_tuple(to_array(std::move(result.sums), {stack.size(), stack.first.ny}),
                              to_array(std::move(result.weights)));
    });
}

} // namespace

} // namespace hrixs::bindings

void bind_integrate(pybind11::module_& module) {
    namespace py = pybind11;
    module.def("integrate_frames", &hrixs::bindings::integrate, py::arg("frames"), py::kw_only(),
               py::arg("curve_a"), py::arg("curve_b"), py::arg("dark"), py::arg("mask"),
               py::arg("threads"), py::arg("first_frame") = 0, py::arg("first_column") = 0.0,
               py::arg("displacements") = py::none());
}
