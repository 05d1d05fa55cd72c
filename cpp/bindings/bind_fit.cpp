// SPDX-License-Identifier: BSD-3-Clause
#include "fit_options.hpp"

void bind_fit(pybind11::module_& module) {
    namespace py = pybind11;
    using hrixs::PhotonFlag;
    using hrixs::bindings::FitOptions;
    py::class_<FitOptions>(module, "FitOptions")
        .def(
            py::init([](std::optional<double> cloud_sigma, std::optional<double> read_noise,
                        std::optional<py::array> noise_map, std::optional<double> electrons_per_adu,
                        bool local_background, bool split_doubles, std::optional<double> max_pixel,
                        std::optional<double> max_charge) {
                return FitOptions{cloud_sigma,       read_noise,       std::move(noise_map),
                                  electrons_per_adu, local_background, split_doubles,
                                  max_pixel,         max_charge};
            }),
            py::kw_only(), py::arg("cloud_sigma") = py::none(), py::arg("read_noise") = py::none(),
            py::arg("noise_map") = py::none(), py::arg("electrons_per_adu") = py::none(),
            py::arg("local_background") = false, py::arg("split_doubles") = false,
            py::arg("max_pixel") = py::none(), py::arg("max_charge") = py::none());
    module.attr("PHOTON_FLAGS") =
        py::dict(py::arg("not_converged") = int{PhotonFlag::not_converged},
                 py::arg("left_pixel") = int{PhotonFlag::left_pixel},
                 py::arg("neighbour") = int{PhotonFlag::neighbour},
                 py::arg("cut") = int{PhotonFlag::cut}, py::arg("split") = int{PhotonFlag::split});
}
