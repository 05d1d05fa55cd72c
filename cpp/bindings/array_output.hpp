// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/index.hpp"

#include <pybind11/numpy.h>

#include <memory>
#include <utility>
#include <vector>

namespace hrixs::bindings {

namespace py = pybind11;

// Hands a vector's memory to NumPy without a copy; the array owns it from then on.
template <class T, class Allocator>
py::array_t<T> to_array(std::vector<T, Allocator>&& values, std::vector<Index> shape) {
    using Values = std::vector<T, Allocator>;
    auto owner = std::make_unique<Values>(std::move(values));
    T* data = owner->data();
    const py::capsule free_when_done(owner.get(), [](void* p) { delete static_cast<Values*>(p); });
    owner.release();
    return py::array_t<T>(shape, data, free_when_done);
}

template <class T, class Allocator> py::array_t<T> to_array(std::vector<T, Allocator>&& values) {
    const auto n = static_cast<Index>(values.size());
    return to_array(std::move(values), {n});
}

} // namespace hrixs::bindings
