// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/frame_counts.hpp"

#include "counts/value_counts.hpp"
#include "frame/check_frames.hpp"
#include "frame/corrected_frame.hpp"
#include "hrixs/errors.hpp"
#include "hrixs/pixel_types.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
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

// Counts of 16 bits that lie near a base are tallied in pairs: half as many steps, and neighbours
// that are the same wait for each other less often.
class PairTally {
  public:
    void begin(std::uint16_t middle) {
        pairs_.assign(std::size_t{span} * span, 0);
        const std::uint32_t lowest = middle < span / 2 ? 0 : middle - span / 2;
        base_ = std::min<std::uint32_t>(lowest, highest_base);
    }
    // Of a row; those that lie elsewhere go to `others`.
    void add(const std::uint16_t* row, std::size_t n, Tally& others) {
        constexpr std::uint64_t each = 0x0001000100010001;
        constexpr std::uint64_t beyond = 0xff00 * each;
        const std::uint64_t bases = base_ * each;
        std::size_t y = 0;
        for (; y + 4 <= n; y += 4) {
            std::uint64_t four = 0;
            std::memcpy(&four, row + y, sizeof four);
            // One below the base makes itself too large, and so all four go elsewhere.
            const std::uint64_t above = four - bases;
            if ((above & beyond) != 0) {
                for (std::size_t k = y; k < y + 4; ++k)
                    ++others[row[k]];
                continue;
            }
            const std::uint64_t joined = above | above >> 8;
            ++pairs_[joined & 0xffff];
            ++pairs_[joined >> 32 & 0xffff];
        }
        for (; y < n; ++y)
            ++others[row[y]];
    }
    void end(Tally& all) const {
        for (std::size_t high = 0; high < span; ++high)
            for (std::size_t low = 0; low < span; ++low) {
                const std::uint32_t count = pairs_[high * span + low];
                all[base_ + low] += count;
                all[base_ + high] += count;
            }
    }

  private:
    static constexpr std::uint32_t span = 256;
    // What lies below a higher one could come out near it.
    static constexpr std::uint32_t highest_base = 0xff00 - 1;

    std::vector<std::uint32_t> pairs_;
    std::uint32_t base_ = 0;
};

struct Scratch {
    explicit Scratch(Index ny)
        : row(static_cast<std::size_t>(ny)), pairs(row.size()), pairs_below(row.size()),
          squares(row.size()), real_row(row.size()), real_pairs(row.size()) {}

    Tallies pixel_tally;
    PairTally pair_tally;
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

// Of pixels alone.
ValueCounts count_pairs(const ImageView<std::uint16_t>& image, Scratch& scratch) {
    Tally& tally = scratch.pixel_tally.even;
    scratch.pair_tally.begin(image(image.nx / 2, image.ny / 2));
    for (Index x = 0; x < image.nx; ++x)
        scratch.pair_tally.add(image.row(x), static_cast<std::size_t>(image.ny), tally);
    scratch.pair_tally.end(tally);
    return count_tally(tally);
}

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
    if constexpr (sizeof(Pixel) == 2)
        if (!with_squares && !frame.has_mask() && image.stride_y == 1 && image.nx * image.ny > 0)
            return {count_pairs(image, scratch), count_tally(scratch.square_tally.joined())};
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
