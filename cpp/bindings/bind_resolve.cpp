// SPDX-License-Identifier: BSD-3-Clause
#include "dtype_dispatch.hpp"
#include "fit_options.hpp"
#include "found_to_python.hpp"
#include "hrixs/resolve.hpp"
#include "interrupt.hpp"

#include <pybind11/stl.h>

namespace hrixs::bindings {

namespace {

py::dict light_to_python(const std::vector<LightSums>& light) {
    const auto column = [&](auto take) {
        std::vector<double> values;
        values.reserve(light.size());
        for (const LightSums& one : light)
            values.push_back(static_cast<double>(take(one)));
        return to_array(std::move(values));
    };
    py::dict result;
    result["pixels"] = column([](const LightSums& one) { return one.pixels; });
    result["charge"] = column([](const LightSums& one) { return one.charge; });
    result["light"] = column([](const LightSums& one) { return one.light; });
    result["variance"] = column([](const LightSums& one) { return one.variance; });
    result["dark_pixels"] = column([](const LightSums& one) { return one.dark_pixels; });
    result["dark_level"] = column([](const LightSums& one) { return one.dark_level; });
    return result;
}

py::dict resolve(const py::array& frames, const py::array_t<double, py::array::c_style>& photon_adu,
                 const std::optional<py::array>& dark, const std::optional<py::array>& mask,
                 Index max_photons, const FitOptions& fit, int threads, Index first_frame) {
    const std::optional<CloudFit> cloud = fit.cloud_fit();
    if (!cloud)
        throw py::value_error("fit has no cloud_sigma, expected a number of pixels.");
    const ResolveSettings settings{*cloud, max_photons, fit.max_pixel};
    const CameraCorrection camera = camera_from(dark, mask);
    require_readable<double>(photon_adu, "photon_adu");
    return with_frames(frames, first_frame, [&](const auto& stack) {
        require_one_each(photon_adu, "photon_adu", stack.size());
        ResolvedPhotons resolved = without_gil(threads, [&](const Execution& execution) {
            return resolve_photons(stack, photon_adu.data(), camera, settings, execution);
        });
        py::dict result = to_python(std::move(resolved.found), true);
        result["crowding"] = to_array(std::move(resolved.crowding));
        result["light"] = light_to_python(resolved.light);
        return result;
    });
}

} // namespace

} // namespace hrixs::bindings

void bind_resolve(pybind11::module_& module) {
    namespace py = pybind11;
    module.def("resolve_photons", &hrixs::bindings::resolve, py::arg("frames"), py::kw_only(),
               py::arg("photon_adu").noconvert(), py::arg("dark"), py::arg("mask"),
               py::arg("max_photons"), py::arg("fit"), py::arg("threads"),
               py::arg("first_frame") = 0);
}
