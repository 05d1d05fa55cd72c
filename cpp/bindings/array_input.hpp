// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/camera.hpp"
#include "hrixs/frames.hpp"

#include <pybind11/numpy.h>

#include <optional>
#include <string>

// Whatever could make C++ misread NumPy's memory is checked here, and nowhere else: dtype, byte
// order, alignment, strides, dimensions. The friendlier texts are the Python layer's.
namespace hrixs::bindings {

namespace py = pybind11;

template <class T> void require_readable(const py::array& array, const char* name) {
    if (!py::isinstance<py::array_t<T>>(array))
        throw py::type_error(std::string(name) + " has dtype " +
                             py::str(array.dtype()).cast<std::string>() + ", expected " +
                             py::str(py::dtype::of<T>()).cast<std::string>() +
                             " in native byte order.");
    constexpr int aligned = py::detail::npy_api::NPY_ARRAY_ALIGNED_;
    if ((array.flags() & aligned) == 0)
        throw py::value_error(std::string(name) + " is not aligned in memory, expected an aligned "
                                                  "array. Copy it first.");
    for (py::ssize_t d = 0; d < array.ndim(); ++d)
        if (array.shape(d) > 1 && array.strides(d) % static_cast<py::ssize_t>(sizeof(T)) != 0)
            throw py::value_error(
                std::string(name) + " has a stride of " + std::to_string(array.strides(d)) +
                " bytes, expected a multiple of the pixel's size. Copy it first.");
}

// Of numbers that belong to frames.
inline void require_one_each(const py::array& array, const char* name, Index n_frames) {
    if (array.ndim() != 1 || array.shape(0) != n_frames)
        throw py::value_error(std::string(name) + " has " + std::to_string(array.size()) +
                              " values, expected one for each of " + std::to_string(n_frames) +
                              " frames.");
}

template <class T> Index element_stride(const py::array& array, py::ssize_t dimension) {
    // NumPy leaves the stride of a dimension of one element undefined.
    return array.shape(dimension) > 1
               ? array.strides(dimension) / static_cast<py::ssize_t>(sizeof(T))
               : 0;
}

template <class T> ImageView<T> last_two_dimensions(const py::array& array) {
    const py::ssize_t x = array.ndim() - 2;
    return {static_cast<const T*>(array.data()), array.shape(x), array.shape(x + 1),
            element_stride<T>(array, x), element_stride<T>(array, x + 1)};
}

template <class Pixel> FrameStack<Pixel> frames_from(const py::array& array, Index first_number) {
    require_readable<Pixel>(array, "frames");
    if (array.ndim() < 2)
        throw py::value_error("frames has " + std::to_string(array.ndim()) +
                              " dimensions, expected (..., x, y).");
    FrameStack<Pixel> frames;
    frames.first_number = first_number;
    frames.first = last_two_dimensions<Pixel>(array);
    for (py::ssize_t d = 0; d + 2 < array.ndim(); ++d) {
        frames.shape.push_back(array.shape(d));
        frames.strides.push_back(element_stride<Pixel>(array, d));
    }
    return frames;
}

template <class T> ImageView<T> image_from(const py::array& array, const char* name) {
    require_readable<T>(array, name);
    if (array.ndim() != 2)
        throw py::value_error(std::string(name) + " has " + std::to_string(array.ndim()) +
                              " dimensions, expected (x, y).");
    return last_two_dimensions<T>(array);
}

inline CameraCorrection camera_from(const std::optional<py::array>& dark,
                                    const std::optional<py::array>& mask) {
    CameraCorrection camera;
    if (dark && py::isinstance<py::array_t<float>>(*dark))
        camera.dark = image_from<float>(*dark, "dark");
    else if (dark)
        camera.dark = image_from<double>(*dark, "dark");
    if (mask)
        camera.mask = image_from<std::uint8_t>(*mask, "mask");
    return camera;
}

} // namespace hrixs::bindings
