// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/camera.hpp"

#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace hrixs::fuzz {

// The fuzzer's bytes as numbers. Where they are at an end, the plainest choices follow.
class Input {
  public:
    Input(const std::uint8_t* data, std::size_t size) : bytes_(data, size) {}

    Index whole(Index low, Index high) { return bytes_.ConsumeIntegralInRange<Index>(low, high); }
    bool one_in(Index n) { return whole(0, n - 1) == n - 1; }
    bool yes() { return one_in(2); }
    template <class Value> Value one_of(std::initializer_list<Value> values) {
        return *(values.begin() + whole(0, static_cast<Index>(values.size()) - 1));
    }
    // Mostly within the limits, a multiple of a thousandth of them; now and then anything.
    double number(double low, double high) {
        constexpr double infinity = std::numeric_limits<double>::infinity();
        if (one_in(24))
            return one_of({0.0, -1.0, 1e300, 5e-324, infinity, -infinity,
                           std::numeric_limits<double>::quiet_NaN()});
        return low + (high - low) * static_cast<double>(whole(0, 1000)) / 1000.0;
    }
    std::optional<double> maybe_number(double low, double high) {
        return yes() ? std::optional(number(low, high)) : std::nullopt;
    }
    // A part of the bytes that are left.
    std::vector<std::uint8_t> some_bytes() {
        const auto all = static_cast<Index>(bytes_.remaining_bytes());
        const Index n = yes() ? all : whole(0, std::min<Index>(all, 400));
        return bytes_.ConsumeBytes<std::uint8_t>(static_cast<std::size_t>(n));
    }

  private:
    FuzzedDataProvider bytes_;
};

// Where the elements of an array lie in memory: any order of the axes, gaps, backwards, repeated.
struct Layout {
    std::vector<Index> shape;
    std::vector<Index> strides;
    Index first = 0; // element of the memory
    Index size = 0;  // the memory's

    Layout(std::vector<Index> shape_, Input& input)
        : shape(std::move(shape_)), strides(shape.size()) {
        std::vector<std::size_t> axes(shape.size());
        std::iota(axes.begin(), axes.end(), 0);
        const bool plain = !input.one_in(3);
        if (!plain)
            for (std::size_t k = axes.size(); k-- > 1;)
                std::swap(axes[k],
                          axes[static_cast<std::size_t>(input.whole(0, static_cast<Index>(k)))]);
        // As given, the last axis is the innermost one.
        Index step = 1;
        size = 1;
        for (std::size_t k = axes.size(); k-- > 0;) {
            const std::size_t axis = axes[k];
            const Index extent = shape[axis];
            if (!plain && input.one_in(8))
                continue; // stride 0
            if (!plain && input.one_in(4))
                step *= input.whole(2, 3);
            const bool backwards = !plain && input.one_in(4);
            strides[axis] = backwards ? -step : step;
            const Index reach = step * std::max<Index>(extent - 1, 0);
            first += backwards ? reach : 0;
            size += reach;
            step *= std::max<Index>(extent, 1);
        }
        if (std::find(shape.begin(), shape.end(), 0) != shape.end())
            first = 0;
    }

    // number counts in row-major order.
    Index element(Index number) const {
        Index place = first;
        for (std::size_t axis = shape.size(); axis-- > 0;) {
            place += number % shape[axis] * strides[axis];
            number /= shape[axis];
        }
        return place;
    }
    Index count() const {
        Index n = 1;
        for (const Index extent : shape)
            n *= extent;
        return n;
    }
};

// Pixels as a function of a byte.
template <class Pixel> class Palette {
  public:
    explicit Palette(Input& input)
        : kind_(input.whole(0, 4)), scale_(input.one_of({1.0, 3.0, 0.1, 37.0, 257.0})),
          offset_(input.one_of({0.0, 100.0, -20.0, 16000.0, 1e6})) {}

    Pixel operator()(std::uint8_t byte) const {
        using Limits = std::numeric_limits<Pixel>;
        switch (kind_) {
        case 0: // few values: plateaus
            return within(offset_ + (byte & 7));
        case 1: // extremes
            switch (byte % 16) {
            case 0:
                return Limits::lowest();
            case 1:
                return Limits::max();
            case 2:
                return static_cast<Pixel>(Limits::max() - Pixel{1});
            case 3:
                return static_cast<Pixel>(Limits::max() / Pixel{2});
            default:
                return static_cast<Pixel>(byte);
            }
        case 2: // what only real numbers can be
            if constexpr (std::is_floating_point_v<Pixel>)
                switch (byte) {
                case 255:
                    return Limits::quiet_NaN();
                case 254:
                    return Limits::infinity();
                case 253:
                    return -Limits::infinity();
                case 252:
                    return static_cast<Pixel>(1e30);
                case 251:
                    return Limits::denorm_min();
                default:
                    break;
                }
            return within(offset_ + scale_ * (byte - 128.0));
        default: // background with photons
            return within(offset_ + (byte < 224 ? byte % 8 : scale_ * byte));
        }
    }

  private:
    static Pixel within(double value) {
        if constexpr (std::is_integral_v<Pixel>)
            value = std::clamp(value, static_cast<double>(std::numeric_limits<Pixel>::lowest()),
                               static_cast<double>(std::numeric_limits<Pixel>::max()));
        return static_cast<Pixel>(value);
    }
    Index kind_;
    double scale_;
    double offset_;
};

// An array that owns just the memory that its layout spans, so that every step beyond is seen.
template <class Pixel> struct Array {
    Array(std::vector<Index> shape, Input& input, const Pixel& gap)
        : layout(std::move(shape), input), memory(static_cast<std::size_t>(layout.size), gap) {
        const Palette<Pixel> palette(input);
        const bool noisy = input.yes();
        const std::vector<std::uint8_t> bytes = input.some_bytes();
        const Index n = layout.count();
        const std::size_t n_bytes = bytes.size();
        std::uint32_t state = n_bytes > 0 ? bytes[0] + 1U : 1U;
        for (Index number = 0; number < n; ++number) {
            const auto k = static_cast<std::size_t>(number);
            std::uint8_t byte = n_bytes > 0 ? bytes[k % n_bytes] : 0;
            state = state * 1664525U + 1013904223U;
            if (noisy || k >= n_bytes)
                byte = static_cast<std::uint8_t>(byte ^ (state >> 29));
            memory[static_cast<std::size_t>(layout.element(number))] = palette(byte);
        }
    }

    Pixel at(Index number) const {
        return memory[static_cast<std::size_t>(layout.element(number))];
    }
    const Pixel* data() const { return memory.data() + layout.first; }

    // The last two axes.
    ImageView<Pixel> image() const {
        const std::size_t y = layout.shape.size() - 1;
        return {data(), layout.shape[y - 1], layout.shape[y], layout.strides[y - 1],
                layout.strides[y]};
    }
    FrameStack<Pixel> stack() const {
        const auto end = static_cast<std::ptrdiff_t>(layout.shape.size()) - 2;
        return {image(),
                {layout.shape.begin(), layout.shape.begin() + end},
                {layout.strides.begin(), layout.strides.begin() + end}};
    }

    Layout layout;
    std::vector<Pixel> memory;
};

// Of a pixel that is not part of an array, but lies between its pixels.
template <class Pixel> constexpr Pixel gap_value() {
    return std::is_floating_point_v<Pixel> ? std::numeric_limits<Pixel>::quiet_NaN()
                                           : std::numeric_limits<Pixel>::max();
}

// (frames', x, y) shape: small, or long in one direction, where frames are cut into bands or rows
// into blocks.
inline std::vector<Index> any_shape(Input& input) {
    std::vector<Index> shape;
    const Index n_leading = input.whole(0, 2);
    Index nx = input.whole(3, 20);
    Index ny = input.whole(3, 40);
    switch (input.whole(0, 7)) {
    case 5:
        nx = input.whole(250, 530);
        ny = input.whole(3, 9);
        break;
    case 6:
        nx = input.whole(3, 9);
        ny = input.whole(500, 1060);
        break;
    default:
        break;
    }
    const Index most = nx * ny > 900 ? 2 : 5;
    for (Index k = 0; k < n_leading; ++k)
        shape.push_back(input.one_in(32) ? 0 : input.whole(1, k == 0 ? most : 2));
    shape.push_back(nx);
    shape.push_back(ny);
    return shape;
}

// Dark, mask, or any image that should have the frames' (x, y) shape, but sometimes has not.
inline std::vector<Index> image_shape(Input& input, const std::vector<Index>& frames) {
    std::vector<Index> shape(frames.end() - 2, frames.end());
    if (input.one_in(32))
        shape[static_cast<std::size_t>(input.whole(0, 1))] += input.one_of<Index>({-1, 1});
    return shape;
}

// Frames with all that belongs to the camera.
template <class Pixel> struct Frames {
    explicit Frames(Input& input) : shape(any_shape(input)) {
        switch (input.whole(0, 4)) {
        case 3:
            dark32.emplace(image_shape(input, shape), input, gap_value<float>());
            break;
        case 4:
            dark64.emplace(image_shape(input, shape), input, gap_value<double>());
            break;
        default:
            break;
        }
        if (input.one_in(3)) {
            mask.emplace(image_shape(input, shape), input, std::uint8_t{1});
            // Mostly few bad pixels.
            if (!input.one_in(4))
                for (std::uint8_t& bad : mask->memory)
                    bad = bad % 32 == 7 ? bad : 0;
        }
        pixels.emplace(shape, input, gap_value<Pixel>());
    }

    CameraCorrection camera() const {
        CameraCorrection correction;
        if (dark32)
            correction.dark = Dark(dark32->image());
        if (dark64)
            correction.dark = Dark(dark64->image());
        if (mask)
            correction.mask = mask->image();
        return correction;
    }
    bool has_dark() const { return dark32 || dark64; }
    Index nx() const { return shape[shape.size() - 2]; }
    Index ny() const { return shape[shape.size() - 1]; }

    std::vector<Index> shape;
    std::optional<Array<float>> dark32;
    std::optional<Array<double>> dark64;
    std::optional<Array<std::uint8_t>> mask;
    std::optional<Array<Pixel>> pixels;
};

// The same frames as another type, pixel after pixel.
template <class To, class Pixel> struct Copied {
    explicit Copied(const Frames<Pixel>& frames) {
        const Index n = frames.pixels->layout.count();
        for (Index k = 0; k < n; ++k)
            memory.push_back(static_cast<To>(frames.pixels->at(k)));
        const Index nx = frames.nx();
        const Index ny = frames.ny();
        const Index n_frames = nx * ny > 0 ? n / (nx * ny) : 0;
        stack = {{memory.data(), nx, ny, ny, 1}, {n_frames}, {nx * ny}};
    }
    std::vector<To> memory;
    FrameStack<To> stack;
};

} // namespace hrixs::fuzz
