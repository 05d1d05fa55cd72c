// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/index.hpp"

#include <vector>

namespace hrixs {

// One frame, not owned. Axis x runs along the spectral line, y along the energy.
// Strides count elements and may be negative or zero.
template <class Pixel> struct ImageView {
    const Pixel* data = nullptr;
    Index nx = 0;
    Index ny = 0;
    Index stride_x = 0;
    Index stride_y = 0;

    const Pixel* row(Index x) const { return data + x * stride_x; }
    const Pixel& operator()(Index x, Index y) const { return data[x * stride_x + y * stride_y]; }
};

// A stack of frames, not owned, with any number of leading dimensions, counted in row-major order.
template <class Pixel> struct FrameStack {
    ImageView<Pixel> first;
    std::vector<Index> shape;   // of the leading dimensions
    std::vector<Index> strides; // of the leading dimensions, in elements
    Index first_number = 0;     // number of the first frame, for texts of errors

    Index size() const {
        Index n = 1;
        for (const Index extent : shape)
            n *= extent;
        return n;
    }

    ImageView<Pixel> frame(Index number) const {
        Index offset = 0;
        for (std::size_t d = shape.size(); d-- > 0;) {
            offset += (number % shape[d]) * strides[d];
            number /= shape[d];
        }
        ImageView<Pixel> view = first;
        view.data += offset;
        return view;
    }
};

} // namespace hrixs
