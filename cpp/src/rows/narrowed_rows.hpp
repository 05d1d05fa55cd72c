// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "rows/corrected_rows.hpp"
#include "rows/narrowed_row.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <type_traits>

namespace hrixs {

// Goes through frames of other types, and such with a mask, as 16-bit counts: rows are copied as
// such, a few at a time, with a value near the mean in place of masked pixels, and what the copies
// have in place of masked squares is taken out of the sums. As sums of whole numbers are exact,
// they are those of CorrectedRows, which goes on where a row has a value that is no count. See
// frame_rows.hpp.
template <class Pixel> class NarrowedRows : public CorrectedRows<Pixel> {
    using Base = CorrectedRows<Pixel>;
    using Base::frame_;
    using Base::kernels_;
    using Base::scratch_;

  public:
    NarrowedRows(const CorrectedFrame<Pixel>& frame, RowScratch& scratch) : Base(frame, scratch) {
        scratch_.copied.resize(static_cast<std::size_t>(n_copied * row_distance()));
    }

    double sample_mean() const {
        std::int64_t sum = 0;
        bool fits = true;
        for_sample_rows(frame_.nx(), [&](Index x) {
            const std::uint16_t* row = fits ? copy(x, 0) : nullptr;
            fits = row != nullptr;
            if (fits)
                sum += sum_of_row(row);
        });
        return fits ? static_cast<double>(sum) / static_cast<double>(n_sample_rows * frame_.ny())
                    : Base::sample_mean();
    }

    SquareSums sample_squares(double shift) const {
        std::uint64_t squares = 0;
        bool fits = can_use(shift, no_limit);
        for_sample_rows(frame_.nx() - 1, [&](Index x) {
            if (!fits)
                return;
            Around rows(*this, shift);
            fits = rows.read(x) && rows.read(x + 1);
            if (!fits)
                return;
            const CountLimits limits = limits_of(shift, no_limit);
            CountScan one = scan_row(kernels_.scan_counts, x, rows, limits);
            leave_out_masked(x, rows, limits, one);
            squares += one.squares;
        });
        return fits ? SquareSums{n_sample_rows * (frame_.ny() - 1),
                                 shift,
                                 0.0,
                                 {static_cast<double>(squares), 0.0}}
                    : Base::sample_squares(shift);
    }

    template <class Keep>
    FrameSums scan(const Band& band, double shift, double limit, Keep keep) const {
        return go(kernels_.scan_counts, band, shift, limit, keep);
    }

    template <class Keep>
    double find(const Band& band, double shift, double limit, Keep keep) const {
        return go(kernels_.find_counts, band, shift, limit, keep).pixels;
    }

    template <class Keep> double find_pixels(const Band& band, double limit, Keep keep) const {
        std::int64_t whole_sum = 0;
        Index x = band.begin;
        // No count of 0 is above all its neighbours, but where they are masked.
        if (limit >= 0.0 && !is_fast_in_place()) {
            const auto whole =
                static_cast<std::uint16_t>(std::fmin(std::floor(limit), largest_count));
            for (; x < band.end; ++x) {
                const std::uint16_t* row = copy(x, 0);
                if (row == nullptr)
                    break;
                const CountScan scan = kernels_.counts_above(row, row, nullptr, frame_.ny(), whole,
                                                             scratch_.found.data());
                whole_sum += scan.sum;
                scratch_.keep_waiting(keep);
                scratch_.for_each_inner(x, scan.n_found, frame_.nx(), frame_.ny(),
                                        [&](Index at_x, Index y) { scratch_.wait(at_x, y); });
            }
            scratch_.keep_waiting(keep);
        }
        auto sum = static_cast<double>(whole_sum);
        Base::find_pixels_from(x, band, limit, sum, keep);
        return sum;
    }

  private:
    // Whether pixels are searched where they lie, of which a copy would take longer.
    bool is_fast_in_place() const {
        constexpr bool has_kernel =
            std::is_same_v<Pixel, std::int32_t> || std::is_same_v<Pixel, double>;
        return has_kernel && !frame_.has_mask();
    }

    static constexpr double largest_count = 65535.0;
    static constexpr double largest_square = 4.0 * largest_count;
    static constexpr Index n_copied = 4;

    // A line of the cache more than a row: rows of a power of two would get into each other's way.
    Index row_distance() const { return frame_.ny() + 64; }

    // The row as counts, in place where it can be; null where it can't. The last four rows that
    // were asked for remain.
    const std::uint16_t* copy(Index x, std::uint16_t in_place_of_masked) const {
        if constexpr (std::is_same_v<Pixel, std::uint16_t>)
            if (frame_.is_plain_row(x))
                return frame_.image.row(x);
        std::uint16_t* out = scratch_.copied.data() + x % n_copied * row_distance();
        return narrow_row(frame_, x, in_place_of_masked, out) ? out : nullptr;
    }

    // The rows around a row of squares.
    class Around {
      public:
        Around(const NarrowedRows& rows, double shift)
            : rows_(rows), in_place_of_masked_(static_cast<std::uint16_t>(shift / 4.0)) {}
        // Gives whether it can be had as counts.
        bool read(Index x) {
            row_[place(x)] =
                0 <= x && x < rows_.frame_.nx() ? rows_.copy(x, in_place_of_masked_) : nullptr;
            return (*this)[x] != nullptr;
        }
        const std::uint16_t* operator[](Index x) const { return row_[place(x)]; }
        std::int32_t square(Index x, Index y) const {
            const std::uint16_t* lower = (*this)[x] + y;
            const std::uint16_t* upper = (*this)[x + 1] + y;
            return (std::int32_t{lower[0]} + lower[1]) + (std::int32_t{upper[0]} + upper[1]);
        }
        bool has_squares(Index x) const {
            return (*this)[x] != nullptr && (*this)[x + 1] != nullptr;
        }
        std::int64_t in_place_of_masked() const { return in_place_of_masked_; }

      private:
        static std::size_t place(Index x) { return static_cast<std::size_t>(x & (n_copied - 1)); }
        const NarrowedRows& rows_;
        std::uint16_t in_place_of_masked_;
        std::array<const std::uint16_t*, n_copied> row_{};
    };

    // What has been added of a band: of the rows' copies, and without the masked squares.
    struct Added {
        std::int64_t squares = 0; // their deviations from the shift
        std::int64_t ends = 0;    // first and last pixels of both rows of each square
        std::int64_t valid = 0;   // deviations of squares without a masked pixel
        ExactSum valid_squares;   // of those
    };
    struct RowSums {
        std::int64_t pixels;
        std::int64_t ends;
    };

    // As counts, with sums in whole numbers. In place of what is masked lies no candidate.
    bool can_use(double shift, double limit) const {
        return 0.0 <= shift && shift <= largest_square && shift == std::rint(shift) &&
               (!frame_.has_mask() || limit >= shift);
    }

    static CountLimits limits_of(double shift, double limit) {
        return {static_cast<std::int64_t>(shift),
                static_cast<std::int64_t>(
                    std::fmin(std::fmax(std::floor(limit), -largest_square), largest_square))};
    }

    std::int64_t sum_of_row(const std::uint16_t* row) const {
        return static_cast<std::int64_t>(kernels_.sum_counts(row, frame_.ny()));
    }
    std::int64_t ends_of(const std::uint16_t* row) const {
        return std::int64_t{row[0]} + row[frame_.ny() - 1];
    }
    RowSums sums_of_row(const std::uint16_t* row) const { return {sum_of_row(row), ends_of(row)}; }

    template <class Kernel>
    CountScan scan_row(Kernel kernel, Index x, const Around& rows,
                       const CountLimits& limits) const {
        const std::uint16_t* ahead = rows[x];
        if constexpr (std::is_same_v<Pixel, std::uint16_t>)
            ahead = read_soon(frame_.image, x + 1, 0);
        else if (sizeof(Pixel) > sizeof(std::uint16_t))
            ahead = reinterpret_cast<const std::uint16_t*>(
                frame_.image.row(std::min(x + 2, frame_.nx() - 1)));
        return kernel(rows[x], rows[x + 1], ahead, nullptr, frame_.ny(), limits,
                      scratch_.found.data());
    }

    // Takes the masked squares out of what has been scanned. Where one would have been found, the
    // squares beside it are taken along, of which it may have been a rival.
    void leave_out_masked(Index x, const Around& rows, const CountLimits& limits,
                          CountScan& scan) const {
        if (!frame_.has_mask())
            return;
        const auto leave_out = [&](Index n, std::int64_t deviation) {
            scan.sum -= n * deviation;
            scan.squares -= static_cast<std::uint64_t>(n * deviation * deviation);
        };
        leave_out(frame_.masked_squares->n_whole(x), 4 * rows.in_place_of_masked() - limits.shift);
        for (const Index y : frame_.masked_squares->partial(x)) {
            const std::int64_t square = rows.square(x, y);
            leave_out(1, square - limits.shift);
            if (square > limits.limit)
                for (const Index beside : {y - 1, y + 1})
                    add_found(beside, scan.n_found);
        }
    }

    void add_found(Index y, Index& n_found) const {
        if (y < 0 || y >= frame_.ny() - 1)
            return;
        Index* begin = scratch_.found.data();
        Index* place = std::lower_bound(begin, begin + n_found, y);
        if (place != begin + n_found && *place == y)
            return;
        std::copy_backward(place, begin + n_found, begin + n_found + 1);
        *place = y;
        ++n_found;
    }

    // As in CorrectedRows, of rows as counts. A row that is no such one is no reason to leave out.
    template <class Keep>
    void keep_column_maxima(Index row, Index n_found, const Around& rows, Keep keep) const {
        const auto beats = [&](Index x, Index y, std::int32_t centre) {
            return rows.has_squares(x) && rows.square(x, y) >= centre &&
                   !(frame_.has_mask() && frame_.masked_squares->is_partial(x, y));
        };
        scratch_.keep_waiting([&](Index x, Index y) {
            const std::int32_t centre = rows.square(x, y);
            if (!beats(x - 1, y, centre + 1) && !beats(x + 1, y, centre))
                keep(x, y);
        });
        scratch_.for_each_inner(row, n_found, frame_.nx() - 1, frame_.ny() - 1,
                                [&](Index x, Index y) { scratch_.wait(x, y); });
    }

    template <class Kernel, class Keep>
    FrameSums go(Kernel kernel, const Band& band, double shift, double limit, Keep keep) const {
        FrameSums sums{0.0, {0, shift, 0.0, {}}};
        Around rows(*this, can_use(shift, limit) ? shift : 0.0);
        rows.read(band.begin - 1);
        if (!can_use(shift, limit) || !rows.read(band.begin)) {
            Base::scan_from(band.begin, band, shift, limit, sums, keep);
            return sums;
        }
        const RowSums first = sums_of_row(rows[band.begin]);
        const CountLimits limits = limits_of(shift, limit);
        Added added;
        const Index end = std::min(band.end, frame_.nx() - 1);
        Index x = band.begin;
        for (; x < end && rows.read(x + 1); ++x) {
            CountScan one = scan_row(kernel, x, rows, limits);
            added.squares += one.sum;
            added.ends += ends_of(rows[x]) + ends_of(rows[x + 1]);
            leave_out_masked(x, rows, limits, one);
            added.valid += one.sum;
            added.valid_squares.add(static_cast<double>(one.squares));
            keep_column_maxima(x, one.n_found, rows, keep);
        }
        const RowSums last = sums_of_row(rows[x]);
        const bool is_whole = x == end;
        if (is_whole) {
            rows.read(end + 1);
            keep_column_maxima(0, 0, rows, keep);
        }
        const Range scanned{band.begin, is_whole && end == band.end ? end : x + 1};
        add_rows(scanned, x, first, last, added, rows.in_place_of_masked(), sums);
        if (!is_whole)
            Base::scan_from(x + 1, band, shift, limit, sums, keep);
        return sums;
    }

    // The sums of the rows in a range, from those of the squares between its first row and `at`.
    void add_rows(const Range& range, Index at, const RowSums& first, const RowSums& last,
                  const Added& added, std::int64_t in_place_of_masked, FrameSums& sums) const {
        const auto shift = static_cast<std::int64_t>(sums.squares.shift);
        // Each pixel is in two squares of a row of squares, but for the row's ends, and in two rows
        // of squares, but for the first and the last.
        const std::int64_t n_in_row = frame_.ny() - 1;
        const std::int64_t of_squares = added.squares + (at - range.begin) * n_in_row * shift;
        RowSums all{((of_squares + added.ends) / 2 + first.pixels + last.pixels) / 2,
                    (added.ends + first.ends + last.ends) / 2};
        if (at == range.end) {
            all.pixels -= last.pixels;
            all.ends -= last.ends;
        }
        sums.squares.squares = added.valid_squares;
        if (frame_.has_mask()) {
            for (Index x = range.begin; x < range.end; ++x)
                all.pixels -= in_place_of_masked * frame_.masked_squares->n_pixels(x);
            sums.squares.sum = static_cast<double>(added.valid);
        } else {
            // As in CorrectedRows: each pixel of a row by the number of squares it belongs to.
            const auto of_rows = [&](std::int64_t n_rows, const RowSums& rows) {
                return static_cast<double>(2 * rows.pixels - rows.ends) -
                       0.5 * static_cast<double>(n_rows * n_in_row * shift);
            };
            sums.squares.sum = 2.0 * of_rows(range.end - range.begin, all);
            if (range.begin == 0)
                sums.squares.sum -= of_rows(1, first);
            if (range.end == frame_.nx())
                sums.squares.sum -= of_rows(1, last);
        }
        sums.pixels = static_cast<double>(all.pixels);
    }
};

} // namespace hrixs
