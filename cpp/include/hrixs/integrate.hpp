// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/camera.hpp"
#include "hrixs/parallel.hpp"
#include "hrixs/uninitialised.hpp"

#include <memory>
#include <span>
#include <vector>

namespace hrixs {

// The curve of the spectral lines: the parabola (b * column + a) * column, or any other curve,
// given by its displacement at each x of the frame, in pixels.
struct Curvature {
    double a = 0.0;
    double b = 0.0;
    double first_column = 0.0;                  // of the first x of the frame
    std::span<const double> displacements = {}; // at each x of the frame, instead of the parabola
    double operator()(double column) const { return (b * column + a) * column; }
    bool is_parabola() const { return displacements.empty(); }
    double at_row(Index x) const {
        return is_parabola() ? (*this)(static_cast<double>(x) + first_column)
                             : displacements[static_cast<std::size_t>(x)];
    }
};

using RowValues = std::vector<double, Uninitialised<double>>;

struct Integrated {
    RowValues sums;    // frame by frame, one value a row y: intensity that fell into it
    RowValues weights; // one value a row y, the same for every frame: pixels' shares
};

// Every pixel (x, y) covers one pixel width around y - curvature.at_row(x) and is shared between
// the two rows that it overlaps. Shares outside the frame are lost.
template <class Pixel>
Integrated integrate_frames(const FrameStack<Pixel>& frames, const CameraCorrection& camera,
                            const Curvature& curvature, const Execution& execution);

} // namespace hrixs
