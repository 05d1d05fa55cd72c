// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "input.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace hrixs::fuzz {

using Real = long double;

// One frame, dark subtracted, a masked pixel NaN and bad.
struct PlainFrame {
    Index nx = 0;
    Index ny = 0;
    bool counts = false; // whole numbers, which add up without rounding
    std::vector<double> pixels;
    std::vector<char> bad;

    bool valid(Index x, Index y) const { return bad[static_cast<std::size_t>(x * ny + y)] == 0; }
    double operator()(Index x, Index y) const {
        return pixels[static_cast<std::size_t>(x * ny + y)];
    }
    // In the order of additions that decides.
    double square(Index x, Index y) const {
        const PlainFrame& p = *this;
        return (p(x, y) + p(x, y + 1)) + (p(x + 1, y) + p(x + 1, y + 1));
    }
};

template <class Pixel> std::vector<PlainFrame> plain_frames(const Frames<Pixel>& frames) {
    const Index nx = frames.nx();
    const Index ny = frames.ny();
    const Index size = nx * ny;
    const Index n = size > 0 ? frames.pixels->layout.count() / size : 0;
    std::vector<PlainFrame> all;
    for (Index f = 0; f < n; ++f) {
        PlainFrame frame{nx, ny, std::is_integral_v<Pixel> && !frames.has_dark(), {}, {}};
        for (Index k = 0; k < size; ++k) {
            const bool bad = frames.mask && frames.mask->at(k) != 0;
            double value = static_cast<double>(frames.pixels->at(f * size + k));
            if (frames.dark32)
                value -= static_cast<double>(frames.dark32->at(k));
            if (frames.dark64)
                value -= frames.dark64->at(k);
            frame.pixels.push_back(bad ? std::numeric_limits<double>::quiet_NaN() : value);
            frame.bad.push_back(bad ? 1 : 0);
        }
        all.push_back(std::move(frame));
    }
    return all;
}

// What a call may throw; several at once where it is not said what is checked first.
enum Fault : unsigned { none = 1, shape = 2, parameter = 4, non_finite = 8, too_many = 16 };

template <class Pixel> unsigned faults_of_camera(const Frames<Pixel>& frames) {
    unsigned faults = 0;
    const std::vector<Index> of_frame{frames.nx(), frames.ny()};
    if (frames.nx() < 4 || frames.ny() < 4)
        faults |= shape;
    if (frames.mask && frames.mask->layout.shape != of_frame)
        faults |= shape;
    const auto look_at = [&](const auto& dark) {
        if (dark.layout.shape != of_frame) {
            faults |= shape;
            return;
        }
        if (frames.mask && frames.mask->layout.shape != of_frame)
            return;
        for (Index k = 0; k < dark.layout.count(); ++k)
            if (!(frames.mask && frames.mask->at(k) != 0) && !std::isfinite(dark.at(k)))
                faults |= parameter;
    };
    if (frames.dark32)
        look_at(*frames.dark32);
    if (frames.dark64)
        look_at(*frames.dark64);
    return faults;
}

// Of the pixels that are valid.
struct Sums {
    Real n = 0;
    Real sum = 0;
    Real magnitude = 0;
    double largest = 0.0;
    bool finite = true;

    void add(double value) {
        n += 1;
        sum += value;
        magnitude += std::abs(static_cast<Real>(value));
        largest = std::max(largest, std::abs(value));
        finite = finite && std::isfinite(value);
    }
};

inline Sums sums_of(const PlainFrame& frame) {
    Sums sums;
    for (Index x = 0; x < frame.nx; ++x)
        for (Index y = 0; y < frame.ny; ++y)
            if (frame.valid(x, y))
                sums.add(frame(x, y));
    return sums;
}

} // namespace hrixs::fuzz
