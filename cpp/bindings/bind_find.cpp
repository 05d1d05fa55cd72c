// SPDX-License-Identifier: BSD-3-Clause
#include "dtype_dispatch.hpp"
#include "fit_options.hpp"
#include "found_to_python.hpp"
#include "hrixs/find.hpp"
#include "interrupt.hpp"

#include <pybind11/stl.h>

namespace hrixs::bindings {

namespace {

py::dict find(const py::array& frames, std::optional<double> threshold, double std_threshold,
              std::optional<double> dbl_threshold, const std::optional<py::array>& dark,
              const std::optional<py::array>& mask, Index max_photons, const FitOptions& fit,
              int threads, Index first_frame, std::optional<double> noise_threshold) {
    const FindSettings settings{threshold,       std_threshold, dbl_threshold,  max_photons,
                                fit.cloud_fit(), fit.cosmics(), noise_threshold};
    const CameraCorrection camera = camera_from(dark, mask);
    return with_frames(frames, first_frame, [&](const auto& stack) {
        return to_python(without_gil(threads,
                                     [&](const Execution& execution) {
                                         return find_photons(stack, camera, settings, execution);
                                     }),
                         settings.fit.has_value());
    });
}

} // namespace

} // namespace hrixs::bindings

void bind_find(pybind11::module_& module) {
    namespace py = pybind11;
    module.def("find_photons", &hrixs::bindings::find, py::arg("frames"), py::kw_only(),
               py::arg("threshold"), py::arg("std_threshold"), py::arg("dbl_threshold"),
               py::arg("dark"), py::arg("mask"), py::arg("max_photons"),
               py::arg("fit") = hrixs::bindings::FitOptions{}, py::arg("threads"),
               py::arg("first_frame") = 0, py::arg("noise_threshold") = std::nullopt);
}
