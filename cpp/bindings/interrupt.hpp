// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/parallel.hpp"

#include <pybind11/pybind11.h>

#include <utility>

namespace hrixs::bindings {

namespace py = pybind11;

// Runs work(execution) without the GIL; Ctrl-C ends it with KeyboardInterrupt.
template <class Work> auto without_gil(int threads, Work work) {
    const Execution execution{threads, [] {
                                  const py::gil_scoped_acquire gil;
                                  return PyErr_CheckSignals() != 0;
                              }};
    try {
        const py::gil_scoped_release no_gil;
        return work(execution);
    } catch (const Interrupted&) {
        throw py::error_already_set();
    }
}

} // namespace hrixs::bindings
