// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "array_input.hpp"
#include "hrixs/pixel_types.hpp"

namespace hrixs::bindings {

// Calls work(FrameStack<Pixel>) for the pixel type of `frames`.
template <class Work> auto with_frames(const py::array& frames, Index first_number, Work work) {
#define HRIXS_TRY(Pixel)                                                                           \
    if (py::isinstance<py::array_t<Pixel>>(frames))                                                \
        return work(frames_from<Pixel>(frames, first_number));
    HRIXS_FOR_EACH_PIXEL_TYPE(HRIXS_TRY)
#undef HRIXS_TRY
    throw py::type_error("frames has dtype " + py::str(frames.dtype()).cast<std::string>() +
                         ", expected uint8, uint16, int16, uint32, int32, float32 or float64 in "
                         "native byte order.");
}

} // namespace hrixs::bindings
