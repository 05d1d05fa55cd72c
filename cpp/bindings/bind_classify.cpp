// SPDX-License-Identifier: BSD-3-Clause
#include "dtype_dispatch.hpp"
#include "fit_options.hpp"
#include "found_to_python.hpp"
#include "hrixs/classify.hpp"
#include "interrupt.hpp"

#include <pybind11/stl.h>

namespace hrixs::bindings {

namespace {

py::dict classify(const py::array& frames,
                  const py::array_t<double, py::array::c_style>& photon_adu, double candidate_low,
                  double candidate_high, double single_low, double double_low,
                  const std::optional<py::array>& dark, const std::optional<py::array>& mask,
                  Index max_photons, const FitOptions& fit, int threads, Index first_frame) {
    const ClassifySettings settings{candidate_low, candidate_high,  single_low,   double_low,
                                    max_photons,   fit.cloud_fit(), fit.cosmics()};
    const CameraCorrection camera = camera_from(dark, mask);
    require_readable<double>(photon_adu, "photon_adu");
    return with_frames(frames, first_frame, [&](const auto& stack) {
        require_one_each(photon_adu, "photon_adu", stack.size());
        return to_python(without_gil(threads,
                                     [&](const Execution& execution) {
                                         return classify_photons(stack, photon_adu.data(), camera,
                                                                 settings, execution);
                                     }),
                         settings.fit.has_value());
    });
}

} // namespace

} // namespace hrixs::bindings

void bind_classify(pybind11::module_& module) {
    namespace py = pybind11;
    module.def("classify_photons", &hrixs::bindings::classify, py::arg("frames"), py::kw_only(),
               py::arg("photon_adu").noconvert(), py::arg("candidate_low"),
               py::arg("candidate_high"), py::arg("single_low"), py::arg("double_low"),
               py::arg("dark"), py::arg("mask"), py::arg("max_photons"),
               py::arg("fit") = hrixs::bindings::FitOptions{}, py::arg("threads"),
               py::arg("first_frame") = 0);
}
