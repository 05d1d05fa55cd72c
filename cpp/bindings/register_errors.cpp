// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/errors.hpp"

#include <pybind11/pybind11.h>

namespace py = pybind11;

// The other errors of the core derive from std::invalid_argument, which is ValueError to pybind11.
void register_errors(py::module_& module) {
    py::register_exception<hrixs::NonFinitePixels>(module, "NonFinitePixelsError",
                                                   PyExc_ValueError);
    py::register_exception<hrixs::TooManyPhotons>(module, "TooManyPhotonsError", PyExc_ValueError);
}
