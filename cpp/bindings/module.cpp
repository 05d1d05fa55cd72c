// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/simd_levels.hpp"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;

void register_errors(py::module_& module);
void bind_fit(py::module_& module);
void bind_find(py::module_& module);
void bind_classify(py::module_& module);
void bind_counts(py::module_& module);
void bind_integrate(py::module_& module);
void bind_pedestals(py::module_& module);
void bind_resolve(py::module_& module);

// Nothing is shared between calls: each works on its own memory, and reads the arrays it is given.
PYBIND11_MODULE(_core, module, py::mod_gil_not_used()) {
    module.doc() = "The C++ core of hrixs. Use the functions of the package hrixs instead.";
    register_errors(module);
    bind_fit(module);
    bind_find(module);
    bind_classify(module);
    bind_counts(module);
    bind_integrate(module);
    bind_pedestals(module);
    bind_resolve(module);
    module.def("simd_level", &hrixs::simd_level);
    module.def("simd_levels", &hrixs::simd_levels);
}
