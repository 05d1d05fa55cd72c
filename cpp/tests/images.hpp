// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/frames.hpp"

#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace hrixs::test {

inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
inline constexpr double infinity = std::numeric_limits<double>::infinity();

// A stack of frames that owns its pixels.
template <class Pixel> struct Stack {
    Stack(Index n_frames, Index nx_, Index ny_, Pixel fill = 0)
        : n(n_frames), nx(nx_), ny(ny_), pixels(static_cast<std::size_t>(n * nx * ny), fill) {}

    template <class Other>
    explicit Stack(const Stack<Other>& other) : Stack(other.n, other.nx, other.ny) {
        for (std::size_t k = 0; k < pixels.size(); ++k)
            pixels[k] = static_cast<Pixel>(other.pixels[k]);
    }

    Pixel& operator()(Index frame, Index x, Index y) {
        return pixels[static_cast<std::size_t>((frame * nx + x) * ny + y)];
    }
    FrameStack<Pixel> frames() const { return {{pixels.data(), nx, ny, ny, 1}, {n}, {nx * ny}}; }

    Index n;
    Index nx;
    Index ny;
    std::vector<Pixel> pixels;
};

template <class Pixel> struct Image : Stack<Pixel> {
    Image(Index nx_, Index ny_, Pixel fill = 0) : Stack<Pixel>(1, nx_, ny_, fill) {}

    Pixel& operator()(Index x, Index y) { return Stack<Pixel>::operator()(0, x, y); }
    ImageView<Pixel> view() const { return this->frames().first; }
};

// A charge cloud whose 2x2 square at (x, y) is the only maximum around.
template <class Pixel>
void put_block(Stack<Pixel>& stack, Index frame, Index x, Index y, Pixel value) {
    for (Index i = 0; i < 2; ++i)
        for (Index j = 0; j < 2; ++j)
            stack(frame, x + i, y + j) = value;
}

// Few values, so that ties and plateaus are common.
inline Stack<std::uint16_t> random_stack(Index n, Index nx, Index ny, unsigned seed) {
    std::mt19937 generator(seed);
    Stack<std::uint16_t> stack(n, nx, ny);
    for (std::uint16_t& pixel : stack.pixels)
        pixel = static_cast<std::uint16_t>(generator() % 200);
    return stack;
}

} // namespace hrixs::test
