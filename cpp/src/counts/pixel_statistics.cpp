// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/pixel_statistics.hpp"

#include "counts/sort_network.hpp"
#include "frame/check_frames.hpp"
#include "frame/corrected_frame.hpp"
#include "hrixs/errors.hpp"
#include "hrixs/pixel_types.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <type_traits>

namespace hrixs {

namespace {

// Columns that are worked on side by side, those of all frames in the cache.
constexpr Index block = 64;
constexpr Index rows_together = 8;

template <class Number> using Columns = std::array<Number, block>;

// Counts of 16 bits less half or whole ADU are floats without loss.
template <class Pixel>
using Working = std::conditional_t<std::is_integral_v<Pixel> && sizeof(Pixel) <= 2, float, double>;

template <class Pixel> struct Scratch {
    explicit Scratch(Index n) : values(static_cast<std::size_t>(n)), n_left_out(values.size()) {}
    std::vector<Columns<Working<Pixel>>> values; // by frames
    std::vector<Columns<Working<Pixel>>> sorted;
    Columns<double> row{};
    Columns<std::uint8_t> bad{};
    std::vector<Index> n_left_out;
};

template <class Pixel>
void read_block(const FrameStack<Pixel>& frames, std::span<const double> offsets, Index x, Index y,
                Index n, Scratch<Pixel>& scratch) {
    const CameraCorrection nothing;
    scratch.bad.fill(0);
    for (std::size_t frame = 0; frame < scratch.values.size(); ++frame) {
        const CorrectedFrame<Pixel> one{frames.frame(static_cast<Index>(frame)), &nothing};
        one.read(x, y, n, scratch.row.data());
        auto& values = scratch.values[frame];
        for (std::size_t k = 0; k < static_cast<std::size_t>(n); ++k) {
            if constexpr (std::is_floating_point_v<Pixel>)
                if (!std::isfinite(scratch.row[k])) {
                    scratch.bad[k] = 1;
                    scratch.row[k] = 0.0;
                }
            values[k] = static_cast<Working<Pixel>>(scratch.row[k] - offsets[frame]);
        }
    }
}

template <class Number> void sort_columns(std::vector<Columns<Number>>& values) {
    sort_network(static_cast<Index>(values.size()), [&](Index i, Index j) {
        Number* low = values[static_cast<std::size_t>(i)].data();
        Number* high = values[static_cast<std::size_t>(j)].data();
        Columns<Number> higher; // a loop that writes to one place alone becomes one of vectors
        for (std::size_t k = 0; k < block; ++k) {
            const Number a = low[k];
            const Number b = high[k];
            higher[k] = a > b ? a : b;
            low[k] = a < b ? a : b;
        }
        std::copy(higher.begin(), higher.end(), high);
    });
}

// Median and limit of each column, whose values are sorted.
template <class Number>
void own_limits(const std::vector<Columns<Number>>& values, const PixelLimits& limits,
                Columns<double>& middle, Columns<double>& noise, Columns<double>& limit) {
    const std::size_t n = values.size();
    const std::size_t first = n > 2 ? (n - 1) / 2 : 0;
    const std::size_t second = n > 2 ? n / 2 : 0;
    for (std::size_t k = 0; k < block; ++k)
        middle[k] =
            0.5 * (static_cast<double>(values[first][k]) + static_cast<double>(values[second][k]));
    Columns<double> squares{};
    for (std::size_t frame = 0; frame <= first; ++frame)
        for (std::size_t k = 0; k < block; ++k) {
            const double below = static_cast<double>(values[frame][k]) - middle[k];
            squares[k] += below * below;
        }
    for (std::size_t k = 0; k < block; ++k) {
        noise[k] = std::sqrt(2.0 * squares[k] / static_cast<double>(n));
        limit[k] = limits.n_sigma * (noise[k] > limits.least_noise ? noise[k] : limits.least_noise);
    }
}

// Of the values within the limits.
struct Kept {
    Columns<double> n{};
    Columns<double> sum{}; // of deviations from the middle
    Columns<double> squares{};
};

template <class Number>
Kept keep(const std::vector<Columns<Number>>& values, const Columns<double>& middle,
          const Columns<double>& limit) {
    Kept kept;
    for (const Columns<Number>& of_frame : values)
        for (std::size_t k = 0; k < block; ++k) {
            const double deviation = static_cast<double>(of_frame[k]) - middle[k];
            const double within = std::abs(deviation) <= limit[k] ? 1.0 : 0.0;
            const double own = deviation * within;
            kept.n[k] += within;
            kept.sum[k] += own;
            kept.squares[k] += own * own;
        }
    return kept;
}

// To counts[frame] those of n values that are not within the limits.
template <class Number>
void count_left_out(const std::vector<Columns<Number>>& values, const Columns<double>& middle,
                    const Columns<double>& limit, Index n, std::vector<Index>& counts) {
    for (std::size_t frame = 0; frame < values.size(); ++frame) {
        Index n_out = 0;
        for (std::size_t k = 0; k < static_cast<std::size_t>(n); ++k) {
            const double deviation = static_cast<double>(values[frame][k]) - middle[k];
            n_out += std::abs(deviation) <= limit[k] ? 0 : 1;
        }
        counts[frame] += n_out;
    }
}

template <class Pixel>
void check(const FrameStack<Pixel>& frames, std::span<const double> offsets,
           const PixelLimits& limits) {
    check_frames(frames, 1);
    if (frames.size() < 1)
        throw ShapeError("there are no frames, expected at least one.");
    if (static_cast<Index>(offsets.size()) != frames.size())
        throw ShapeError(std::to_string(offsets.size()) +
                         " offsets given, expected one for each of " +
                         std::to_string(frames.size()) + " frames.");
    if (limits.reference.has_value() != limits.limit.has_value())
        throw ParameterError("a reference and its limit belong together, only one was given.");
    for (const auto& image : {limits.reference, limits.limit})
        if (image && (image->nx != frames.first.nx || image->ny != frames.first.ny))
            throw ShapeError("reference and limit have another shape than the frames.");
    if (!limits.reference && !(limits.n_sigma > 0.0 && limits.least_noise >= 0.0))
        throw ParameterError("n_sigma = " + text(limits.n_sigma) + ", least_noise = " +
                             text(limits.least_noise) + ", expected positive numbers.");
}

} // namespace

template <class Pixel>
PixelStatistics pixel_statistics(const FrameStack<Pixel>& frames, std::span<const double> offsets,
                                 const PixelLimits& limits, const Execution& execution) {
    check(frames, offsets, limits);
    const Index nx = frames.first.nx;
    const Index ny = frames.first.ny;
    const auto size = static_cast<std::size_t>(nx * ny);
    const bool has_reference = limits.reference.has_value();
    const auto n_frames = static_cast<std::size_t>(frames.size());
    PixelStatistics result;
    result.total.resize(size);
    result.n_kept.resize(size);
    result.n_left_out.resize(n_frames);
    if (!has_reference)
        for (auto* image : {&result.median, &result.noise, &result.lower_noise})
            image->resize(size);
    const auto work = [&](Index x, Index y, Index n, Scratch<Pixel>& scratch) {
        read_block(frames, offsets, x, y, n, scratch);
        Columns<double> middle{};
        Columns<double> lower_noise{};
        Columns<double> limit{};
        if (has_reference) {
            for (Index k = 0; k < n; ++k) {
                middle[static_cast<std::size_t>(k)] = (*limits.reference)(x, y + k);
                limit[static_cast<std::size_t>(k)] = (*limits.limit)(x, y + k);
            }
            count_left_out(scratch.values, middle, limit, n, scratch.n_left_out);
        } else {
            scratch.sorted = scratch.values;
            sort_columns(scratch.sorted);
            own_limits(scratch.sorted, limits, middle, lower_noise, limit);
            count_left_out(scratch.values, middle, limit, n, scratch.n_left_out);
        }
        const Kept kept = keep(scratch.values, middle, limit);
        for (std::size_t k = 0; k < static_cast<std::size_t>(n); ++k) {
            const std::size_t at = static_cast<std::size_t>(x * ny + y) + k;
            constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
            const bool bad = scratch.bad[k] != 0;
            const double n_kept = kept.n[k];
            result.total[at] = bad ? unknown : n_kept * middle[k] + kept.sum[k];
            result.n_kept[at] = bad ? 0 : static_cast<std::int32_t>(n_kept);
            if (has_reference)
                continue;
            const double mean = n_kept > 0.0 ? kept.sum[k] / n_kept : 0.0;
            const double square = std::fmax(kept.squares[k] - kept.sum[k] * mean, 0.0);
            result.median[at] = bad ? unknown : middle[k];
            result.lower_noise[at] = bad ? unknown : lower_noise[k];
            result.noise[at] = bad ? unknown : std::sqrt(square / std::fmax(n_kept - 1.0, 1.0));
        }
    };
    const Index n_groups = (nx + rows_together - 1) / rows_together;
    std::vector<std::vector<Index>> n_left_out(static_cast<std::size_t>(n_groups));
    for_each_frame(
        n_groups, execution, [&] { return Scratch<Pixel>(frames.size()); },
        [&](Index group, Scratch<Pixel>& scratch) {
            scratch.n_left_out.assign(n_frames, 0);
            const Index end = std::min(nx, (group + 1) * rows_together);
            for (Index x = group * rows_together; x < end; ++x)
                for (Index y = 0; y < ny; y += block)
                    work(x, y, std::min(block, ny - y), scratch);
            n_left_out[static_cast<std::size_t>(group)] = scratch.n_left_out;
        });
    for (const std::vector<Index>& of_group : n_left_out)
        for (std::size_t frame = 0; frame < n_frames; ++frame)
            result.n_left_out[frame] += of_group[frame];
    return result;
}

#define HRIXS_INSTANTIATE(Pixel)                                                                   \
    template PixelStatistics pixel_statistics<Pixel>(                                              \
        const FrameStack<Pixel>&, std::span<const double>, const PixelLimits&, const Execution&);
HRIXS_FOR_EACH_PIXEL_TYPE(HRIXS_INSTANTIATE)

} // namespace hrixs
