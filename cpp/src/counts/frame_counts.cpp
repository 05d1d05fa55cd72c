// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/frame_counts.hpp"

#include "counts/value_counts.hpp"
#include "frame/check_frames.hpp"
#include "frame/corrected_frame.hpp"
#include "hrixs/errors.hpp"
#include "hrixs/pixel_types.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

namespace hrixs {

namespace {

// Neighbouring values are often the same one: two tallies, so that none waits for the other.
struct Tallies {
    Tally even;
    Tally odd;

    void clear(Index n_values) {
        even.assign(static_cast<std::size_t>(n_values), 0);
        odd.assign(static_cast<std::size_t>(n_values), 0);
    }
    void add(const std::uint32_t* values, Index n) {
        Index k = 0;
        for (; k + 1 < n; k += 2) {
            ++even[values[k]];
            ++odd[values[k + 1]];
        }
        if (k < n)
            ++even[values[k]];
    }
    Tally& joined() {
        for (std::size_t value = 0; value < even.size(); ++value)
            even[value] += odd[value];
        return even;
    }
};

struct Scratch {
    explicit Scratch(Index ny)
        : row(static_cast<std::size_t>(ny)), pairs(row.size()), pairs_below(row.size()),
          squares(row.size()), real_row(row.size()), real_pairs(row.size()) {}

    Tallies pixel_tally;
    Tallies square_tally;
    std::vector<std::uint32_t> row;
    std::vector<std::uint32_t> pairs;
    std::vector<std::uint32_t> pairs_below;
    std::vector<std::uint32_t> squares;
    ValueScratch pixel_values;
    ValueScratch square_values;
    std::vector<double> real_row;
    std::vector<double> real_pairs;
};

template <class Pixel> constexpr bool is_tallied = std::is_unsigned_v<Pixel> && sizeof(Pixel) <= 2;

// Counts of few bits without a dark: how often each was seen. A masked pixel counts as more than
// any square can be, so that squares with one are told by their sum.
template <class Pixel>
FrameCounts tally_frame(const CorrectedFrame<Pixel>& frame, bool with_squares, Scratch& scratch) {
    constexpr Index n_values = Index{std::numeric_limits<Pixel>::max()} + 1;
    constexpr std::uint32_t masked = 4 * (n_values - 1) + 1;
    const ImageView<Pixel>& image = frame.image;
    const auto ny = static_cast<std::size_t>(image.ny);
    scratch.pixel_tally.clear(frame.has_mask() ? Index{masked} + 1 : n_values);
    scratch.square_tally.clear(with_squares ? Index{masked} + 1 : 0);
    for (Index x = 0; x < image.nx; ++x) {
        if (image.stride_y == 1)
            std::copy_n(image.row(x), ny, scratch.row.begin());
        else
            for (Index y = 0; y < image.ny; ++y)
                scratch.row[static_cast<std::size_t>(y)] = image(x, y);
        if (frame.has_mask())
            for (Index y = 0; y < image.ny; ++y)
                if ((*frame.camera->mask)(x, y) != 0)
                    scratch.row[static_cast<std::size_t>(y)] = masked;
        scratch.pixel_tally.add(scratch.row.data(), image.ny);
        if (!with_squares)
            continue;
        std::swap(scratch.pairs, scratch.pairs_below);
        for (std::size_t y = 0; y + 1 < ny; ++y)
            scratch.pairs[y] = scratch.row[y] + scratch.row[y + 1];
        if (x == 0)
            continue;
        for (std::size_t y = 0; y + 1 < ny; ++y) {
            const std::uint32_t square = scratch.pairs_below[y] + scratch.pairs[y];
            scratch.squares[y] = square < masked ? square : masked;
        }
        scratch.square_tally.add(scratch.squares.data(), image.ny - 1);
    }
    const auto counted = [&](Tallies& tallies) {
        Tally& tally = tallies.joined();
        if (tally.size() > masked)
            tally[masked] = 0;
        return count_tally(tally);
    };
    return {counted(scratch.pixel_tally), counted(scratch.square_tally)};
}

// Any values, each kept; a masked one is NaN, and so is a square that it is in.
template <class Pixel>
FrameCounts count_frame(const CorrectedFrame<Pixel>& frame, Index number, double step,
                        bool with_squares, Scratch& scratch) {
    const auto ny = static_cast<std::size_t>(frame.ny());
    std::vector<double>& pixels = scratch.pixel_values.values;
    std::vector<double>& squares = scratch.square_values.values;
    pixels.clear();
    squares.clear();
    for (Index x = 0; x < frame.nx(); ++x) {
        frame.read(x, 0, frame.ny(), scratch.real_row.data());
        for (const double pixel : scratch.real_row)
            if (pixel == pixel)
                pixels.push_back(pixel);
        for (std::size_t y = 0; with_squares && y + 1 < ny; ++y) {
            const double pair = scratch.real_row[y] + scratch.real_row[y + 1];
            const double square = scratch.real_pairs[y] + pair;
            scratch.real_pairs[y] = pair;
            if (x > 0 && square == square)
                squares.push_back(square);
        }
    }
    const bool finite = std::all_of(pixels.begin(), pixels.end(),
                                    [](double pixel) { return std::isfinite(pixel); });
    if (const Index bad = frame.count_non_finite(); bad > 0 || !finite)
        throw NonFinitePixels(number, bad);
    return {count_values(scratch.pixel_values, step), count_values(scratch.square_values, step)};
}

} // namespace

template <class Pixel>
std::vector<FrameCounts> count_frames(const FrameStack<Pixel>& frames,
                                      const CameraCorrection& camera, double step,
                                      const Execution& execution, bool with_squares) {
    if (!(step >= 0.0 && std::isfinite(step)))
        throw ParameterError("step = " + text(step) + ", expected a number of ADU, or 0.");
    check_frames(frames, 2);
    check_camera(camera, frames.first.nx, frames.first.ny);
    std::vector<FrameCounts> counts(static_cast<std::size_t>(frames.size()));
    for_each_frame(
        frames.size(), execution, [&] { return Scratch(frames.first.ny); },
        [&](Index number, Scratch& scratch) {
            const CorrectedFrame<Pixel> frame{frames.frame(number), &camera};
            FrameCounts& result = counts[static_cast<std::size_t>(number)];
            if constexpr (is_tallied<Pixel>)
                if (!camera.dark) {
                    result = tally_frame(frame, with_squares, scratch);
                    return;
                }
            result = count_frame(frame, frames.first_number + number, step, with_squares, scratch);
        });
    return counts;
}

#define HRIXS_INSTANTIATE(Pixel)                                                                   \
    template std::vector<FrameCounts> count_frames<Pixel>(                                         \
        const FrameStack<Pixel>&, const CameraCorrection&, double, const Execution&, bool);
HRIXS_FOR_EACH_PIXEL_TYPE(HRIXS_INSTANTIATE)

} // namespace hrixs
