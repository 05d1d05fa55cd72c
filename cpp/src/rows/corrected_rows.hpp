// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "frame/corrected_frame.hpp"
#include "rows/bands.hpp"
#include "rows/frame_sums.hpp"
#include "rows/row_scratch.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace hrixs {

// Goes through any frame, row by row in doubles. See frame_rows.hpp.
template <class Pixel> class CorrectedRows {
  public:
    CorrectedRows(const CorrectedFrame<Pixel>& frame, RowScratch& scratch)
        : frame_(frame), scratch_(scratch) {}

    static bool fits(double) { return true; }
    static bool finds_pixels_above(double) { return true; }

    double sample_mean() const {
        double sum = 0.0;
        for_sample_rows(frame_.nx(), [&](Index x) {
            for_each_block(frame_.ny(),
                           [&](Index y, Index n) { sum += kernels_.sum_valid(read(x, y, n), n); });
        });
        const double mean = sum / static_cast<double>(n_sample_rows * frame_.ny());
        return std::isfinite(mean) ? mean : 0.0;
    }

    SquareSums sample_squares(double shift) const {
        double squares = 0.0;
        for_sample_rows(frame_.nx() - 1, [&](Index x) {
            begin_with(x);
            squares += scan_row(x + 1, shift, no_limit).squares;
        });
        return {n_sample_rows * (frame_.ny() - 1), shift, 0.0, {squares, 0.0}};
    }

    template <class Keep>
    FrameSums scan(const Band& band, double shift, double limit, Keep keep) const {
        FrameSums sums{0.0, {0, shift, 0.0, {}}};
        scan_from(band.begin, band, shift, limit, sums, keep);
        return sums;
    }

    template <class Keep>
    double find(const Band& band, double shift, double limit, Keep keep) const {
        return scan(band, shift, limit, keep).pixels;
    }

    template <class Keep> double find_pixels(const Band& band, double limit, Keep keep) const {
        double sum = 0.0;
        find_pixels_from(band.begin, band, limit, sum, keep);
        return sum;
    }

  protected:
    // Goes on at a row of a band, when those below it have been added.
    template <class Keep>
    void scan_from(Index first, const Band& band, double shift, double limit, FrameSums& sums,
                   Keep keep) const {
        const Index ny = frame_.ny();
        const auto add_row = [&](Index x, double row_sum) {
            sums.pixels += row_sum;
            if (frame_.has_mask())
                return;
            // As in CountRows: each pixel of the row by the number of squares that it belongs to.
            const auto rows = static_cast<double>((x > 0) + (x + 1 < frame_.nx()));
            sums.squares.sum += rows * ((2.0 * row_sum - (frame_(x, 0) + frame_(x, ny - 1))) -
                                        0.5 * static_cast<double>(ny - 1) * shift);
        };
        if (first == band.begin)
            add_row(first, begin_with(first));
        else
            begin_with(first - 1);
        for (Index x = std::max(first, band.begin + 1); x <= std::min(band.end, frame_.nx() - 1);
             ++x) {
            const RealScan one = scan_row(x, shift, limit);
            if (x < band.end)
                add_row(x, one.pixels);
            sums.squares.sum += one.sum;
            sums.squares.squares.add(one.squares);
            keep_column_maxima(x - 1, one.n_found, keep);
        }
        keep_column_maxima(0, 0, keep);
    }

    template <class Keep>
    void find_pixels_from(Index first, const Band& band, double limit, double& sum,
                          Keep keep) const {
        for (Index x = first; x < band.end; ++x) {
            Index n_found = 0;
            for_each_block(frame_.ny(), [&](Index y, Index n) {
                const RealScan one = pixels_above(x, y, n, limit, found_from(n_found));
                sum += one.pixels;
                n_found = append(n_found, y, one.n_found);
            });
            scratch_.for_each_inner(x, n_found, frame_.nx(), frame_.ny(), keep);
        }
    }

    double square(Index x, Index y) const {
        return (frame_(x, y) + frame_(x, y + 1)) + (frame_(x + 1, y) + frame_(x + 1, y + 1));
    }

    // Keeps what waits, and has the row's wait but for squares that are no maxima of their column.
    template <class Keep> void keep_column_maxima(Index row, Index n_found, Keep keep) const {
        scratch_.keep_waiting([&](Index x, Index y) {
            const double centre = square(x, y);
            // Numbers, no short cuts: which side is higher is chance, and branches would be missed.
            const int not_above = !(square(x - 1, y) > centre);
            const int not_below = !(square(x + 1, y) >= centre);
            if ((not_above & not_below) != 0)
                keep(x, y);
        });
        scratch_.for_each_inner(row, n_found, frame_.nx() - 1, frame_.ny() - 1,
                                [&](Index x, Index y) { scratch_.wait(x, y); });
    }

    Index* found_from(Index n_found) const { return scratch_.found.data() + n_found; }

    Index append(Index n_found, Index y, Index n_more) const {
        for (Index k = 0; k < n_more; ++k)
            found_from(n_found)[k] += y;
        return n_found + n_more;
    }

    CorrectedFrame<Pixel> frame_;
    RowScratch& scratch_;
    const RowKernels& kernels_ = row_kernels();

  private:
    const double* read(Index x, Index y, Index n) const {
        if constexpr (std::is_same_v<Pixel, double>)
            if (frame_.is_plain_row(x))
                return frame_.image.row(x) + y;
        frame_.read(x, y, n, scratch_.block.data());
        return scratch_.block.data();
    }

    double sum_of(const double* row, Index n) const {
        return frame_.has_mask() ? kernels_.sum_valid(row, n) : kernels_.sum_row(row, n);
    }

    // The row's pairs; gives the sum of its pixels.
    double begin_with(Index x) const {
        double sum = 0.0;
        for_each_block(frame_.ny() - 1, [&](Index y, Index n) {
            const double* row = read(x, y, n + 1);
            kernels_.pair_row(row, n + 1, scratch_.pairs.data() + y);
            sum += sum_of(row, y + n + 1 == frame_.ny() ? n + 1 : n);
        });
        return sum;
    }

    // The squares between the row below, whose pairs are at hand, and row x, whose pairs take their
    // place.
    RealScan scan_row(Index x, double shift, double limit) const {
        RealScan whole;
        for_each_block(frame_.ny() - 1, [&](Index y, Index n) {
            const RealScan one = scan_block(x, y, n, shift, limit, found_from(whole.n_found));
            whole.pixels += one.pixels;
            whole.sum += one.sum;
            whole.squares += one.squares;
            whole.n_found = append(whole.n_found, y, one.n_found);
        });
        const double last = frame_(x, frame_.ny() - 1);
        whole.pixels += sum_of(&last, 1);
        return whole;
    }

    RealScan pixels_above(Index x, Index y, Index n, double limit, Index* found) const {
        if (frame_.has_mask())
            return kernels_.valid_above(read(x, y, n), n, limit, found);
        if constexpr (std::is_same_v<Pixel, std::int32_t>)
            if (frame_.is_plain())
                return kernels_.wholes_above(frame_.image.row(x) + y, n, limit, found);
        return kernels_.doubles_above(read(x, y, n), n, limit, found);
    }

    RealScan scan_block(Index x, Index y, Index n, double shift, double limit, Index* found) const {
        double* pairs = scratch_.pairs.data() + y;
        if constexpr (std::is_same_v<Pixel, float>)
            if (frame_.is_plain())
                return kernels_.scan_floats(frame_.image.row(x) + y, read_soon(frame_.image, x, y),
                                            pairs, n + 1, shift, limit, found);
        const auto scan = frame_.has_mask() ? kernels_.scan_valid : kernels_.scan_row;
        return scan(read(x, y, n + 1), pairs, n + 1, shift, limit, found);
    }
};

} // namespace hrixs
