// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/pixel_statistics.hpp"

#include "counts/own_counts.hpp"
#include "counts/whole_counts.hpp"
#include "frame/check_frames.hpp"
#include "frame/corrected_frame.hpp"
#include "hrixs/errors.hpp"
#include "hrixs/pixel_types.hpp"
#include "simd/row_kernels.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <type_traits>

namespace hrixs {

namespace {

constexpr Index rows_together = 8;

template <class Number> using Columns = std::array<Number, column_block>;

// Counts of 16 bits less half or whole ADU are floats without loss.
template <class Pixel>
using Working = std::conditional_t<std::is_integral_v<Pixel> && sizeof(Pixel) <= 2, float, double>;

template <class Pixel> struct Scratch {
    Scratch(Index n_frames, Index ny)
        : n_blocks((ny + column_block - 1) / column_block), whole(is_whole_count<Pixel> ? ny : 0),
          values(static_cast<std::size_t>(n_blocks * n_frames)),
          sorted(static_cast<std::size_t>(n_frames)), own(n_frames),
          row(static_cast<std::size_t>(n_blocks * column_block)), bad(row.size()) {}

    Index n_blocks;
    typename WholeCounts<Pixel>::Scratch whole;
    std::vector<Columns<Working<Pixel>>> values; // of a row: by blocks, by frames
    std::vector<Columns<Working<Pixel>>> sorted; // of a block
    typename OwnCounts<Pixel>::Scratch own;
    std::vector<double> row;
    std::vector<std::uint8_t> bad;
    std::vector<Index> n_left_out;

    Columns<Working<Pixel>>* block(Index number) {
        return values.data() + static_cast<std::size_t>(number) * sorted.size();
    }
};

// A row of all frames; a whole one at a time, for memory is fastest in order.
template <class Pixel>
void read_row(const FrameStack<Pixel>& frames, std::span<const double> offsets, Index x,
              Scratch<Pixel>& scratch) {
    const CameraCorrection nothing;
    const Index ny = frames.first.ny;
    std::fill(scratch.bad.begin(), scratch.bad.end(), std::uint8_t{0});
    for (std::size_t frame = 0; frame < scratch.sorted.size(); ++frame) {
        const CorrectedFrame<Pixel> one{frames.frame(static_cast<Index>(frame)), &nothing};
        one.read(x, 0, ny, scratch.row.data());
        if constexpr (std::is_floating_point_v<Pixel>)
            for (std::size_t y = 0; y < static_cast<std::size_t>(ny); ++y)
                if (!std::isfinite(scratch.row[y])) {
                    scratch.bad[y] = 1;
                    scratch.row[y] = 0.0;
                }
        for (Index number = 0; number < scratch.n_blocks; ++number) {
            const double* row = scratch.row.data() + number * column_block;
            auto& values = scratch.block(number)[frame];
            for (std::size_t k = 0; k < column_block; ++k)
                values[k] = static_cast<Working<Pixel>>(row[k] - offsets[frame]);
        }
    }
}

// Median and limit of each column, whose values are sorted.
template <class Number>
void own_limits(const std::vector<Columns<Number>>& values, const PixelLimits& limits,
                Columns<double>& middle, Columns<double>& noise, Columns<double>& limit) {
    const std::size_t n = values.size();
    const std::size_t first = n > 2 ? (n - 1) / 2 : 0;
    const std::size_t second = n > 2 ? n / 2 : 0;
    for (std::size_t k = 0; k < column_block; ++k)
        middle[k] =
            0.5 * (static_cast<double>(values[first][k]) + static_cast<double>(values[second][k]));
    Columns<double> squares;
    square_columns(values[0].data(), static_cast<Index>(first) + 1, middle.data(), squares.data());
    for (std::size_t k = 0; k < column_block; ++k) {
        noise[k] = std::sqrt(2.0 * squares[k] / static_cast<double>(n));
        limit[k] = limits.n_sigma * (noise[k] > limits.least_noise ? noise[k] : limits.least_noise);
    }
}

template <class Pixel>
void check(const FrameStack<Pixel>& frames, std::span<const double> offsets,
           const PixelLimits& limits, const PixelSums& sums) {
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
    if (sums.total && !limits.reference)
        throw ParameterError("sums are added to without a reference, expected both.");
    if (!limits.reference && !(limits.n_sigma > 0.0 && limits.least_noise >= 0.0))
        throw ParameterError("n_sigma = " + text(limits.n_sigma) + ", least_noise = " +
                             text(limits.least_noise) + ", expected positive numbers.");
}

} // namespace

template <class Pixel>
PixelStatistics pixel_statistics(const FrameStack<Pixel>& frames, std::span<const double> offsets,
                                 const PixelLimits& limits, const Execution& execution,
                                 const PixelSums& sums) {
    check(frames, offsets, limits, sums);
    const Index nx = frames.first.nx;
    const Index ny = frames.first.ny;
    const auto size = static_cast<std::size_t>(nx * ny);
    const bool has_reference = limits.reference.has_value();
    const auto n_frames = static_cast<std::size_t>(frames.size());
    PixelStatistics result;
    if (!sums.total) {
        result.total.resize(size);
        result.n_kept.resize(size);
        if (has_reference) { // or all are written
            std::fill(result.total.begin(), result.total.end(), 0.0);
            std::fill(result.n_kept.begin(), result.n_kept.end(), 0);
        }
    }
    double* total = sums.total ? sums.total : result.total.data();
    std::int32_t* all_kept = sums.total ? sums.n_kept : result.n_kept.data();
    result.n_left_out.resize(n_frames);
    const bool with_medians = limits.with_medians && !has_reference;
    if (!has_reference)
        result.noise.resize(size);
    if (with_medians)
        for (auto* image : {&result.median, &result.lower_noise})
            image->resize(size);
    const auto work = [&](Index x, Index number, Scratch<Pixel>& scratch) {
        const Index y = number * column_block;
        const Index n = std::min(column_block, ny - y);
        Columns<Working<Pixel>>* values = scratch.block(number);
        Columns<double> middle{};
        Columns<double> lower_noise{};
        Columns<double> limit{};
        if (has_reference) {
            for (Index k = 0; k < n; ++k) {
                middle[static_cast<std::size_t>(k)] = (*limits.reference)(x, y + k);
                limit[static_cast<std::size_t>(k)] = (*limits.limit)(x, y + k);
            }
        } else {
            std::copy(values, values + n_frames, scratch.sorted.begin());
            sort_columns(scratch.sorted[0].data(), frames.size());
            own_limits(scratch.sorted, limits, middle, lower_noise, limit);
        }
        // Beyond the frame's end lies nothing to be left out.
        for (std::size_t k = static_cast<std::size_t>(n); k < column_block; ++k)
            limit[k] = std::numeric_limits<double>::infinity();
        KeptColumns kept;
        keep_columns(values[0].data(), frames.size(), middle.data(), limit.data(), kept,
                     scratch.n_left_out.data());
        for (std::size_t k = 0; k < static_cast<std::size_t>(n); ++k) {
            const std::size_t at = static_cast<std::size_t>(x * ny + y) + k;
            constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
            const bool bad = scratch.bad[static_cast<std::size_t>(y) + k] != 0;
            const double n_kept = kept.n[k];
            const double own_total = bad ? unknown : n_kept * middle[k] + kept.sum[k];
            const std::int32_t own_kept = bad ? 0 : static_cast<std::int32_t>(n_kept);
            if (has_reference) {
                total[at] += own_total;
                all_kept[at] += own_kept;
                continue;
            }
            total[at] = own_total;
            all_kept[at] = own_kept;
            const double mean = n_kept > 0.0 ? kept.sum[k] / n_kept : 0.0;
            const double square = std::fmax(kept.squares[k] - kept.sum[k] * mean, 0.0);
            if (with_medians) {
                result.median[at] = bad ? unknown : middle[k];
                result.lower_noise[at] = bad ? unknown : lower_noise[k];
            }
            result.noise[at] = bad ? unknown : std::sqrt(square / std::fmax(n_kept - 1.0, 1.0));
        }
    };
    const WholeCounts<Pixel> whole(frames, offsets);
    const auto add_whole = [&](Index x, Scratch<Pixel>& scratch) {
        if constexpr (is_whole_count<Pixel>)
            return has_reference && whole.add_row(frames, limits, x, scratch.whole, total + x * ny,
                                                  all_kept + x * ny, scratch.n_left_out.data());
        else
            return false;
    };
    const OwnCounts<Pixel> own_counts(frames, offsets);
    // Blocks of a row whose counts lie near each other; the others are read.
    const auto work_by_counts = [&](Index x, Index number, Scratch<Pixel>& scratch) {
        if constexpr (is_whole_count<Pixel>) {
            OwnColumns& own = scratch.own.result;
            const Index y = number * column_block;
            const Index n = std::min(column_block, ny - y);
            if (has_reference ||
                !own_counts.find(frames, limits, x, y, n, scratch.own, scratch.n_left_out.data()))
                return false;
            const auto at = static_cast<std::ptrdiff_t>(x * ny + y);
            std::copy_n(own.noise, n, result.noise.begin() + at);
            if (with_medians) {
                std::copy_n(own.median, n, result.median.begin() + at);
                std::copy_n(own.lower_noise, n, result.lower_noise.begin() + at);
            }
            std::copy_n(own.total, n, result.total.begin() + at);
            std::copy_n(own.n_kept, n, result.n_kept.begin() + at);
            return true;
        } else {
            return false;
        }
    };
    const Index n_groups = (nx + rows_together - 1) / rows_together;
    std::vector<std::vector<Index>> n_left_out(static_cast<std::size_t>(n_groups));
    for_each_frame(
        n_groups, execution, [&] { return Scratch<Pixel>(frames.size(), ny); },
        [&](Index group, Scratch<Pixel>& scratch) {
            scratch.n_left_out.assign(n_frames, 0);
            const Index end = std::min(nx, (group + 1) * rows_together);
            for (Index x = group * rows_together; x < end; ++x) {
                if (add_whole(x, scratch))
                    continue;
                bool is_read = false;
                for (Index number = 0; number < scratch.n_blocks; ++number) {
                    if (work_by_counts(x, number, scratch))
                        continue;
                    if (!is_read)
                        read_row(frames, offsets, x, scratch);
                    is_read = true;
                    work(x, number, scratch);
                }
            }
            n_left_out[static_cast<std::size_t>(group)] = scratch.n_left_out;
        });
    for (const std::vector<Index>& of_group : n_left_out)
        for (std::size_t frame = 0; frame < n_frames; ++frame)
            result.n_left_out[frame] += of_group[frame];
    return result;
}

#define HRIXS_INSTANTIATE(Pixel)                                                                   \
    template PixelStatistics pixel_statistics<Pixel>(const FrameStack<Pixel>&,                     \
                                                     std::span<const double>, const PixelLimits&,  \
                                                     const Execution&, const PixelSums&);
HRIXS_FOR_EACH_PIXEL_TYPE(HRIXS_INSTANTIATE)

} // namespace hrixs
