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
#include <vector>

namespace hrixs {

// Goes through 16-bit counts in place; with a dark, as whole numbers above the rounded one. Sums
// are exact but for what the dark brings. See frame_rows.hpp.
class CountRows {
  public:
    // dark may be null.
    CountRows(const ImageView<std::uint16_t>& image, const CountDark* dark, RowScratch& scratch)
        : image_(image), dark_(dark), scratch_(scratch) {}

    // Whether frames whose squares' mean is about the shift are gone through so: with a dark, their
    // pixels must lie about where counts can.
    bool fits(double shift) const {
        if (!dark_)
            return true;
        constexpr double tolerated = 8.0;
        constexpr double highest = 65536.0 - count_offset;
        const double lowest = std::rint(shift / 4.0) + dark_->lowest_pixel();
        return -tolerated <= lowest && lowest <= highest + tolerated;
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
            squares += scan_row(kernels_.scan_counts, x, image_.row(x), limits_of(shift, no_limit))
                           .squares;
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
            const std::int64_t rest = scan.rest - count_offset * dark.rest_units;
            const std::int64_t fine_rest = scan.fine_rest - count_offset * dark.fine_rest_units;
            squares.add(-2.0 / dark_rest_units * static_cast<double>(rest));
            squares.add(-2.0 / (dark_rest_units * fine_rest_units) *
                        static_cast<double>(fine_rest));
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
                                    [&](Index at_x, Index y) {
                                        if (dark_) // the dark itself is not read otherwise
                                            dark_->fetch_spot(at_x - 1, y - 1);
                                        scratch_.wait(at_x, y);
                                    });
        }
        scratch_.keep_waiting(keep);
        return static_cast<double>(sum) - (dark_ ? dark_->sums(band).pixels : 0.0);
    }

  private:
    static constexpr double rounding_of_pixel = 0.5;
    static constexpr double rounding_of_square = 2.0;
    static constexpr double largest_square = 4.0 * 65535;
    static constexpr Index rows_together = 8; // that are still in the cache

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
                    std::fmin(std::fmax(lowered, -largest_square), largest_square))};
    }

    template <class Kernel>
    CountScan scan_row(Kernel kernel, Index x, const std::uint16_t* ahead,
                       const CountLimits& limits) const {
        CountDarkRow dark{};
        if (dark_)
            dark = dark_->row(x);
        return kernel(image_.row(x), image_.row(x + 1), ahead, dark_ ? &dark : nullptr, image_.ny,
                      limits, scratch_.found.data());
    }

    // The nine squares around one. With a dark, in units of its rest where that is known: right to
    // one of them.
    struct Squares {
        std::int32_t value[3][3];
    };
    Squares squares_around(Index x, Index y) const {
        std::int32_t pairs[4][3];
        for (Index i = 0; i < 4; ++i) {
            const std::uint16_t* row = image_.row(x - 1 + i) + (y - 1);
            for (Index j = 0; j < 3; ++j)
                pairs[i][j] = std::int32_t{row[j]} + row[j + 1];
        }
        Squares squares;
        for (Index i = 0; i < 3; ++i)
            for (Index j = 0; j < 3; ++j)
                squares.value[i][j] = pairs[i][j] + pairs[i + 1][j];
        if (dark_)
            dark_->subtract(x - 1, y - 1, squares.value);
        return squares;
    }

    // Most squares above a limit are no maxima, or only by rounding.
    bool is_maximum(Index x, Index y, double limit) const {
        const bool with_rests = dark_ && dark_->has_rests();
        const double unit = with_rests ? dark_rest_units : 1.0;
        const std::int32_t slack =
            with_rests ? 2 : (dark_ ? static_cast<std::int32_t>(2 * rounding_of_square) : 0);
        const auto [value] = squares_around(x, y);
        const std::int32_t centre = value[1][1] + slack;
        // Numbers, no short cuts: which is higher is chance, and branches would be missed.
        int is_beaten = static_cast<double>(centre) < limit * unit;
        for (Index k = 0; k < 9; ++k)
            if (k != 4)
                is_beaten |= value[k / 3][k % 3] - (k > 4 ? 0 : 1) >= centre;
        return is_beaten == 0;
    }

    // Many together: which are maxima is chance, and what is done with them would be waited for.
    template <class Keep> void keep_maxima(double limit, Keep keep) const {
        std::vector<PixelIndex>& waiting = scratch_.waiting;
        std::size_t n = 0;
        for (const PixelIndex at : waiting) {
            waiting[n] = at;
            n += is_maximum(at.x, at.y, limit) ? 1 : 0;
        }
        waiting.resize(n);
        if (dark_) // which is not read otherwise
            for (const PixelIndex& at : waiting)
                dark_->fetch_spot(at.x - 1, at.y - 1);
        scratch_.keep_waiting(keep);
    }

    template <class Kernel, class Keep>
    void go(Kernel kernel, const Band& part, double shift, double limit, BandScan& all,
            Keep keep) const {
        constexpr std::size_t most_waiting = 256;
        const Index ny = image_.ny;
        const CountLimits limits = limits_of(shift, limit);
        const Index end = std::min(part.end, image_.nx - 1); // of the squares' rows
        for (Index x = part.begin; x < end; ++x) {
            const CountScan one = scan_row(kernel, x, read_soon(image_, x + 1, 0), limits);
            all.sum += one.sum;
            all.squares += one.squares;
            all.rest += one.rest;
            all.fine_rest += one.fine_rest;
            for (const std::uint16_t* row : {image_.row(x), image_.row(x + 1)})
                all.ends += std::int64_t{row[0]} + row[ny - 1];
            scratch_.for_each_inner(x, one.n_found, image_.nx - 1, ny - 1,
                                    [&](Index at_x, Index y) { scratch_.wait(at_x, y); });
            if (x % rows_together == rows_together - 1 || scratch_.waiting.size() >= most_waiting)
                keep_maxima(limit, keep);
        }
        keep_maxima(limit, keep);
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
