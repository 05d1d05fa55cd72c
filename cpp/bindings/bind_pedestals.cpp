// SPDX-License-Identifier: BSD-3-Clause
#include "array_output.hpp"
#include "dtype_dispatch.hpp"
#include "hrixs/pedestals.hpp"
#include "interrupt.hpp"

#include <pybind11/stl.h>

namespace hrixs::bindings {

namespace {

py::tuple pedestals(const py::array& frames, const std::optional<py::array>& dark,
                    const std::optional<py::array>& mask, int threads) {
    const CameraCorrection camera = camera_from(dark, mask);
    return with_frames(frames, 0, [&](const auto& stack) {
        Pedestals result = without_gil(threads, [&](const Execution& execution) {
            return frame_pedestals(stack, camera, execution);
        });
        return py::make_tuple(to_array(std::move(result.mean)), to_array(std::move(result.noise)));
    });
}

} // namespace

} // namespace hrixs::bindings

void bind_pedestals(pybind11::module_& module) {
    namespace py = pybind11;
    module.def("frame_pedestals", &hrixs::bindings::pedestals, py::arg("frames"), py::kw_only(),
               py::arg("dark"), py::arg("mask"), py::arg("threads"));
}
