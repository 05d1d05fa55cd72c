// SPDX-License-Identifier: BSD-3-Clause
#include "array_output.hpp"
#include "dtype_dispatch.hpp"
#include "hrixs/integrate.hpp"
#include "hrixs/sample.hpp"
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

py::array sample(const py::array& frames, const std::vector<Index>& whole_rows,
                 const std::vector<Index>& phases, Index n_phases,
                 const std::optional<py::array>& dark, const std::optional<py::array>& mask,
                 int threads, Index first_frame) {
    const RowPhases where{whole_rows, phases, n_phases};
    const CameraCorrection camera = camera_from(dark, mask);
    return with_frames(frames, first_frame, [&](const auto& stack) {
        RowValues sums = without_gil(threads, [&](const Execution& execution) {
            return sample_frames(stack, camera, where, execution);
        });
        return py::array(to_array(std::move(sums), {stack.size(), n_phases, stack.first.ny}));
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
    module.def("sample_frames", &hrixs::bindings::sample, py::arg("frames"), py::kw_only(),
               py::arg("whole_rows"), py::arg("phases"), py::arg("n_phases"), py::arg("dark"),
               py::arg("mask"), py::arg("threads"), py::arg("first_frame") = 0);
}
