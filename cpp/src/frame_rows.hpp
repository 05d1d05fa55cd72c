// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/corrected_frame.hpp"
#include "hrixs/row_kernels.hpp"
#include "hrixs/statistics.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

namespace hrixs {

struct Place {
    Index x;
    Index y;
};

// Working memory of one thread, for rows of ny pixels.
struct RowScratch {
    explicit RowScratch(Index ny)
        : lower(static_cast<std::size_t>(ny)), upper(static_cast<std::size_t>(ny)),
          found(static_cast<std::size_t>(ny)), counts(static_cast<std::size_t>(row_scratch)) {}

    std::vector<double> lower;
    std::vector<double> upper;
    std::vector<Index> found;
    std::vector<std::uint16_t> counts;
    std::vector<Place> candidates;
};

// What one pass over a frame gives.
struct FrameSums {
    double pixels = 0.0; // sum of the pixels
    SquareSums squares;  // of the 2x2 squares
};

// Whether the square at y is a maximum within its row of squares, by the rule of is_local_maximum:
// most squares above a limit are not, and need no closer look. Not at either end of the row.
template <class Value, class Pixel>
bool is_row_maximum(const Pixel* lower, const Pixel* upper, Index y) {
    const auto square = [&](Index k) {
        return (Value{lower[k]} + Value{lower[k + 1]}) + (Value{upper[k]} + Value{upper[k + 1]});
    };
    const Value centre = square(y);
    return !(square(y - 1) > centre) && !(square(y + 1) >= centre);
}

constexpr double no_limit = std::numeric_limits<double>::infinity();

// The two ways to go through a frame's rows; both give the same numbers for the same pixels.
// Either has
//   scan(valid, shift, limit): sums of the frame, and candidates: squares above the limit that are
//     maxima of their row
//   scan_pixels(limit): sum of the pixels, and candidates: pixels above the limit, of which those
//     that are no maxima of their row may be missing
//   sample_mean(), sample_squares(shift): about the same, from a few rows
// Candidates stand in row-major order, and a photon's square fits around each of them.

// CountRows reads contiguous 16-bit counts in place, and its sums are integers.
class CountRows {
  public:
    CountRows(const ImageView<std::uint16_t>& image, RowScratch& scratch)
        : image_(image), scratch_(scratch) {}

    double sample_mean() const {
        std::uint64_t sum = 0;
        for_sample_rows(image_.nx,
                        [&](Index x) { sum += kernels_.sum_counts(image_.row(x), image_.ny); });
        return static_cast<double>(sum) / static_cast<double>(n_sample_rows * image_.ny);
    }

    // Without the sum of the deviations, which is small beside a shift from the sample's mean.
    SquareSums sample_squares(double shift) const {
        std::uint64_t squares = 0;
        for_sample_rows(image_.nx - 1, [&](Index x) {
            squares += kernels_
                           .scan_counts(image_.row(x), image_.row(x + 1), image_.ny - 1,
                                        static_cast<std::int64_t>(shift), 4 * 65535,
                                        scratch_.counts.data(), scratch_.found.data())
                           .squares;
        });
        return {n_sample_rows * (image_.ny - 1), shift, 0.0, {static_cast<double>(squares), 0.0}};
    }

    FrameSums scan(const ValidCounts& valid, double shift, double limit) const {
        scratch_.candidates.clear();
        const auto shift_count = static_cast<std::int64_t>(shift);
        // For whole numbers, above the limit is above its floor; no square is above 4 * 65535.
        const auto limit_count =
            static_cast<std::int64_t>(std::fmin(std::fmax(std::floor(limit), -1.0), 4.0 * 65535));
        std::int64_t pixels = 0;
        std::int64_t sum = 0;
        std::uint64_t squares = 0;
        for (Index x = 0; x < image_.nx; ++x) {
            const std::uint16_t* row = image_.row(x);
            const auto row_sum = static_cast<std::int64_t>(kernels_.sum_counts(row, image_.ny));
            pixels += row_sum;
            // A row belongs to the squares above and below it, but for the frame's ends; each of
            // its pixels to two squares, but for the row's.
            const std::int64_t rows = (x > 0) + (x + 1 < image_.nx);
            sum += rows * (2 * row_sum - row[0] - row[image_.ny - 1]);
            if (x + 1 == image_.nx)
                break;
            const CountScan one =
                kernels_.scan_counts(row, image_.row(x + 1), image_.ny - 1, shift_count,
                                     limit_count, scratch_.counts.data(), scratch_.found.data());
            squares += one.squares;
            if (x > 0 && x + 2 < image_.nx)
                keep(x, one.n_found);
        }
        const auto high = static_cast<double>(squares);
        const auto low = static_cast<double>(
            static_cast<std::int64_t>(squares - static_cast<std::uint64_t>(high)));
        return {static_cast<double>(pixels),
                {valid.squares,
                 shift,
                 static_cast<double>(sum - valid.squares * shift_count),
                 {high, low}}};
    }

    double scan_pixels(double limit) const {
        scratch_.candidates.clear();
        const double least = std::fmax(std::floor(limit) + 1.0, 0.0);
        std::uint64_t sum = 0;
        for (Index x = 0; x < image_.nx; ++x) {
            const std::uint16_t* row = image_.row(x);
            sum += kernels_.sum_counts(row, image_.ny);
            if (least > 65535.0 || x == 0 || x + 1 == image_.nx)
                continue;
            const Index n =
                kernels_.counts_at_least(row, image_.ny, static_cast<std::uint16_t>(least),
                                         scratch_.counts.data(), scratch_.found.data());
            for (Index k = 0; k < n; ++k) {
                const Index y = scratch_.found[static_cast<std::size_t>(k)];
                if (y > 0 && y + 1 < image_.ny && row[y - 1] <= row[y] && row[y + 1] < row[y])
                    scratch_.candidates.push_back({x, y});
            }
        }
        return static_cast<double>(sum);
    }

    void check_finite(double, Index) const {}

    static constexpr Index n_sample_rows = 16;
    template <class Work> static void for_sample_rows(Index nx, Work work) {
        for (Index k = 0; k < n_sample_rows; ++k)
            work(k * nx / n_sample_rows);
    }

  private:
    void keep(Index x, Index n_found) const {
        for (Index k = 0; k < n_found; ++k) {
            const Index y = scratch_.found[static_cast<std::size_t>(k)];
            if (y > 0 && y + 2 < image_.ny &&
                is_row_maximum<std::int64_t>(image_.row(x), image_.row(x + 1), y))
                scratch_.candidates.push_back({x, y});
        }
    }

    ImageView<std::uint16_t> image_;
    RowScratch& scratch_;
    const RowKernels& kernels_ = row_kernels();
};

// CorrectedRows reads every other frame, row by row into doubles.
template <class Pixel> class CorrectedRows {
  public:
    CorrectedRows(const CorrectedFrame<Pixel>& frame, RowScratch& scratch)
        : frame_(frame), scratch_(scratch) {}

    double sample_mean() const {
        double sum = 0.0;
        CountRows::for_sample_rows(frame_.nx(), [&](Index x) {
            frame_.read_row(x, scratch_.upper.data());
            sum += kernels_.sum_valid(scratch_.upper.data(), frame_.ny());
        });
        const double mean = sum / static_cast<double>(CountRows::n_sample_rows * frame_.ny());
        return std::isfinite(mean) ? mean : 0.0;
    }

    SquareSums sample_squares(double shift) const {
        double squares = 0.0;
        CountRows::for_sample_rows(frame_.nx() - 1, [&](Index x) {
            frame_.read_row(x, scratch_.lower.data());
            frame_.read_row(x + 1, scratch_.upper.data());
            squares += kernels_
                           .scan_row(scratch_.lower.data(), scratch_.upper.data(), frame_.ny() - 1,
                                     shift, no_limit, scratch_.found.data())
                           .squares;
        });
        return {CountRows::n_sample_rows * (frame_.ny() - 1), shift, 0.0, {squares, 0.0}};
    }

    FrameSums scan(const ValidCounts& valid, double shift, double limit) const {
        scratch_.candidates.clear();
        FrameSums sums{0.0, {valid.squares, shift, 0.0, {}}};
        for (Index x = 0; x < frame_.nx(); ++x) {
            std::swap(scratch_.lower, scratch_.upper);
            sums.pixels += read_and_sum(x);
            if (x == 0)
                continue;
            const RealScan one =
                kernels_.scan_row(scratch_.lower.data(), scratch_.upper.data(), frame_.ny() - 1,
                                  shift, limit, scratch_.found.data());
            sums.squares.sum += one.sum;
            sums.squares.squares.add(one.squares);
            if (x > 1 && x + 1 < frame_.nx())
                keep(x - 1, one.n_found, frame_.ny() - 2, [&](Index y) {
                    return is_row_maximum<double>(scratch_.lower.data(), scratch_.upper.data(), y);
                });
        }
        return sums;
    }

    double scan_pixels(double limit) const {
        scratch_.candidates.clear();
        double sum = 0.0;
        for (Index x = 0; x < frame_.nx(); ++x) {
            sum += read_and_sum(x);
            if (x > 0 && x + 1 < frame_.nx())
                keep(x,
                     kernels_.pixels_above(scratch_.upper.data(), frame_.ny(), limit,
                                           scratch_.found.data()),
                     frame_.ny() - 1, [](Index) { return true; });
        }
        return sum;
    }

    void check_finite(double sum, Index number) const {
        // Without a mask a NaN shows in the sum.
        const bool finite = std::isfinite(sum);
        const Index bad = finite && !frame_.has_mask() ? 0 : frame_.count_non_finite();
        if (bad > 0 || !finite)
            throw NonFinitePixels(number, bad);
    }

  private:
    double read_and_sum(Index x) const {
        frame_.read_row(x, scratch_.upper.data());
        return frame_.has_mask() ? kernels_.sum_valid(scratch_.upper.data(), frame_.ny())
                                 : kernels_.sum_row(scratch_.upper.data(), frame_.ny());
    }

    template <class Wanted> void keep(Index x, Index n_found, Index end, Wanted wanted) const {
        for (Index k = 0; k < n_found; ++k) {
            const Index y = scratch_.found[static_cast<std::size_t>(k)];
            if (y > 0 && y < end && wanted(y))
                scratch_.candidates.push_back({x, y});
        }
    }

    CorrectedFrame<Pixel> frame_;
    RowScratch& scratch_;
    const RowKernels& kernels_ = row_kernels();
};

// work(rows) with the faster of the two that can read the frame.
template <class Pixel, class Work>
void with_rows(const CorrectedFrame<Pixel>& frame, RowScratch& scratch, Work work) {
    if constexpr (std::is_same_v<Pixel, std::uint16_t>)
        if (frame.is_plain())
            return work(CountRows(frame.image, scratch));
    work(CorrectedRows<Pixel>(frame, scratch));
}

} // namespace hrixs
