// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/frames.hpp"
#include "rows/bands.hpp"
#include "rows/count_dark.hpp"
#include "rows/frame_sums.hpp"
#include "rows/row_scratch.hpp"
#include "simd/prefetch.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace hrixs {

// Goes through 16-bit counts in place; with a dark, as whole numbers above the rounded one. Sums
// are exact but for what the dark brings. See frame_rows.hpp.
class CountRows {
  public:
    // dark may be null.
    CountRows(const ImageView<std::uint16_t>& image, const CountDark* dark, RowScratch& scratch)
        : image_(image), dark_(dark), scratch_(scratch) {}

    // Whether frames whose squares' mean is about the shift can be gone through: with a dark, the
    // windows of both must fit together.
    bool fits(double shift) const {
        if (!dark_)
            return true;
        constexpr double tolerated = 8.0;
        const double lowest = lowest_pixel(shift);
        return -tolerated <= lowest && lowest <= 65536.0 - count_window + tolerated;
    }

    double sample_mean() const {
        std::int64_t sum = 0;
        for_sample_rows(image_.nx, [&](Index x) { sum += sum_of_row(x); });
        return static_cast<double>(sum) / static_cast<double>(n_sample_rows * image_.ny) -
               (dark_ ? dark_->mean() : 0.0);
    }

    SquareSums sample_squares(double shift) const {
        std::uint64_t squares = 0;
        for_sample_rows(image_.nx - 1, [&](Index x) {
            const CountLimits limits = limits_of(shift, no_limit);
            kernels_.mark_far(image_.row(x), image_.ny, limits.lowest_pixel, scratch_.far.data());
            squares += scan_row(kernels_.scan_counts, x, image_.row(x), limits).squares;
        });
        return {n_sample_rows * (image_.ny - 1), shift, 0.0, {static_cast<double>(squares), 0.0}};
    }

    // What has been added of a band, in whole numbers, when it is gone through part by part.
    struct BandScan : CountScan {
        std::int64_t pixels = 0;
        std::int64_t ends = 0; // of the rows' first and last pixels
    };

    // A part of a band's rows; the parts follow each other.
    template <class Keep>
    void scan_part(const Band& part, double shift, double limit, BandScan& scan, Keep keep) const {
        go(kernels_.scan_counts, part, shift, limit, scan, keep);
    }
    template <class Keep>
    void find_part(const Band& part, double shift, double limit, BandScan& scan, Keep keep) const {
        go(kernels_.find_counts, part, shift, limit, scan, keep);
    }

    template <class Keep>
    FrameSums scan(const Band& band, double shift, double limit, Keep keep) const {
        BandScan scan;
        scan_part(band, shift, limit, scan, keep);
        return sums_of_scan(band, shift, scan);
    }

    // Of a band whose parts have all been scanned.
    FrameSums sums_of_scan(const Band& band, double shift, const BandScan& parts) const {
        const BandScan scan = with_pixels(band, shift, parts);
        FrameSums sums{pixels_of(band, scan), {0, shift, static_cast<double>(scan.sum), {}}};
        ExactSum& squares = sums.squares.squares;
        squares.high = static_cast<double>(scan.squares);
        squares.low = static_cast<double>(
            static_cast<std::int64_t>(scan.squares - static_cast<std::uint64_t>(squares.high)));
        if (dark_) {
            // A square is D - r, with the dark's rest r.
            const CountDark::BandSums& dark = dark_->sums(band);
            sums.squares.sum -= dark.rest;
            squares.add(-2.0 / dark_rest_units * static_cast<double>(scan.rest));
            squares.add(-2.0 / (dark_rest_units * fine_rest_units) *
                        static_cast<double>(scan.fine_rest));
            squares.add(dark.rest_squares);
        }
        return sums;
    }

    template <class Keep>
    double find(const Band& band, double shift, double limit, Keep keep) const {
        BandScan scan;
        find_part(band, shift, limit, scan, keep);
        return sum_of_found(band, shift, scan);
    }

    // The pixels' sum of a band whose parts have all been gone through.
    double sum_of_found(const Band& band, double shift, const BandScan& parts) const {
        return pixels_of(band, with_pixels(band, shift, parts));
    }

    // Whether find_pixels can be used.
    bool finds_pixels_above(double limit) const { return !dark_ || limit >= rounding_of_pixel; }

    template <class Keep> double find_pixels(const Band& band, double limit, Keep keep) const {
        // Above the limit is above its floor for whole numbers, and no 0 is above all its
        // neighbours.
        const double lowered = std::floor(dark_ ? limit - rounding_of_pixel : limit);
        const auto whole = static_cast<std::uint16_t>(std::fmin(std::fmax(lowered, 0.0), 65535.0));
        std::int64_t sum = 0;
        for (Index x = band.begin; x < band.end; ++x) {
            const CountScan scan = kernels_.counts_above(image_.row(x), read_soon(image_, x, 0),
                                                         dark_ ? dark_->pixels(x) : nullptr,
                                                         image_.ny, whole, scratch_.found.data());
            sum += scan.sum;
            scratch_.keep_waiting(keep);
            scratch_.for_each_inner(x, scan.n_found, image_.nx, image_.ny,
                                    [&](Index at_x, Index y) { wait(at_x, y); });
        }
        scratch_.keep_waiting(keep);
        return static_cast<double>(sum) - (dark_ ? dark_->sums(band).pixels : 0.0);
    }

  private:
    static constexpr double rounding_of_pixel = 0.5;
    static constexpr double rounding_of_square = 2.0;
    static constexpr double largest_square = 4.0 * 65535;

    std::int64_t sum_of_row(Index x) const {
        return static_cast<std::int64_t>(kernels_.sum_counts(image_.row(x), image_.ny));
    }

    double pixels_of(const Band& band, const BandScan& scan) const {
        return static_cast<double>(scan.pixels) - (dark_ ? dark_->sums(band).pixels : 0.0);
    }

    CountLimits limits_of(double shift, double limit) const {
        // For whole numbers, above the limit is above its floor.
        const double lowered = std::floor(dark_ ? limit - rounding_of_square : limit);
        return {static_cast<std::int64_t>(shift),
                static_cast<std::int64_t>(
                    std::fmin(std::fmax(lowered, -largest_square), largest_square)),
                static_cast<std::uint16_t>(
                    std::fmin(std::fmax(lowest_pixel(shift), 0.0), 65536.0 - count_window))};
    }

    // Photons lie above the mean.
    double lowest_pixel(double shift) const {
        return dark_ ? std::rint(shift / 4.0) + dark_->lowest_pixel()
                     : std::floor(shift / 4.0) - count_window / 4.0;
    }

    template <class Kernel>
    CountScan scan_row(Kernel kernel, Index x, const std::uint16_t* ahead,
                       const CountLimits& limits) const {
        CountDarkRow dark{};
        if (dark_)
            dark = dark_->row(x);
        return kernel(image_.row(x), image_.row(x + 1), ahead, dark_ ? &dark : nullptr, image_.ny,
                      limits, scratch_.far.data(), scratch_.found.data());
    }

    std::int32_t square(Index x, Index y) const {
        const std::uint16_t* lower = image_.row(x) + y;
        const std::uint16_t* upper = image_.row(x + 1) + y;
        return (std::int32_t{lower[0]} + lower[1]) + (std::int32_t{upper[0]} + upper[1]) -
               (dark_ ? dark_->square(x, y) : 0);
    }

    // In units of the dark's rest where that is known: right to one of them.
    std::int32_t fine_square(Index x, Index y) const {
        const std::int32_t counts = square(x, y);
        if (!dark_ || !dark_->has_rests())
            return counts;
        return counts * static_cast<std::int32_t>(dark_rest_units) - dark_->rest(x, y);
    }

    // Most squares above a limit are no maxima of their column either, or only by rounding.
    bool is_column_maximum(Index x, Index y, double limit) const {
        const bool with_rests = dark_ && dark_->has_rests();
        const double unit = with_rests ? dark_rest_units : 1.0;
        const std::int32_t slack =
            with_rests ? 2 : (dark_ ? static_cast<std::int32_t>(2 * rounding_of_square) : 0);
        const std::int32_t centre = fine_square(x, y);
        // Numbers, no short cuts: which side is higher is chance, and branches would be missed.
        const int is_candidate = static_cast<double>(centre + slack) >= limit * unit;
        const int not_above = fine_square(x - 1, y) <= centre + slack;
        const int not_below = fine_square(x + 1, y) < centre + slack;
        return (is_candidate & not_above & not_below) != 0;
    }

    void wait(Index x, Index y) const {
        if (dark_) // the dark itself is not read otherwise
            dark_->fetch_spot(x - 1, y - 1);
        scratch_.wait(x, y);
    }

    template <class Kernel, class Keep>
    void go(Kernel kernel, const Band& part, double shift, double limit, BandScan& all,
            Keep keep) const {
        const Index ny = image_.ny;
        const CountLimits limits = limits_of(shift, limit);
        const Index end = std::min(part.end, image_.nx - 1); // of the squares' rows
        kernels_.mark_far(image_.row(part.begin), ny, limits.lowest_pixel, scratch_.far.data());
        for (Index x = part.begin; x < end; ++x) {
            const CountScan one = scan_row(kernel, x, read_soon(image_, x + 1, 0), limits);
            all.sum += one.sum;
            all.squares += one.squares;
            all.rest += one.rest;
            all.fine_rest += one.fine_rest;
            for (const std::uint16_t* row : {image_.row(x), image_.row(x + 1)})
                all.ends += std::int64_t{row[0]} + row[ny - 1];
            scratch_.keep_waiting(keep);
            scratch_.for_each_inner(x, one.n_found, image_.nx - 1, ny - 1,
                                    [&](Index at_x, Index y) {
                                        if (is_column_maximum(at_x, y, limit))
                                            wait(at_x, y);
                                    });
        }
        scratch_.keep_waiting(keep);
    }

    // Each pixel is in two squares of a row of squares, but for the row's ends, and in two rows of
    // squares, but for the first and the last.
    BandScan with_pixels(const Band& band, double shift, BandScan all) const {
        const Index end = std::min(band.end, image_.nx - 1);
        const std::int64_t n_squares = (end - band.begin) * (image_.ny - 1);
        const std::int64_t of_squares = all.sum + n_squares * static_cast<std::int64_t>(shift) +
                                        (dark_ ? dark_->sums(band).squares : 0);
        const std::int64_t both_rows = (of_squares + all.ends) / 2;
        all.pixels = (both_rows + sum_of_row(band.begin) - sum_of_row(end)) / 2;
        if (end < band.end)
            all.pixels += sum_of_row(end);
        return all;
    }

    ImageView<std::uint16_t> image_;
    const CountDark* dark_;
    RowScratch& scratch_;
    const RowKernels& kernels_ = row_kernels();
};

} // namespace hrixs
