// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/corrected_frame.hpp"

#include <array>
#include <cmath>
#include <utility>
#include <vector>

namespace hrixs {

// Sums in a fixed order, eight lanes a row and rows in turn: the same bytes whatever the width of
// the machine's registers or the pixel type, and exact for integers up to 32 bit.
class LaneSum {
  public:
    // Adds term(y) for y in [0, n) as one row. NaN terms (masked pixels) add nothing.
    template <class Term> void add_row(Index n, bool skip_nan, Term term) {
        std::array<double, lanes> partial{};
        const Index whole = n - n % lanes;
        if (skip_nan) {
            for (Index y = 0; y < n; ++y) {
                const double value = term(y);
                const bool valid = value == value;
                partial[static_cast<std::size_t>(y % lanes)] += valid ? value : 0.0;
                count_ += valid;
            }
        } else {
            for (Index y = 0; y < whole; y += lanes)
                for (Index lane = 0; lane < lanes; ++lane)
                    partial[static_cast<std::size_t>(lane)] += term(y + lane);
            for (Index y = whole; y < n; ++y)
                partial[static_cast<std::size_t>(y - whole)] += term(y);
            count_ += n;
        }
        sum_ += ((partial[0] + partial[4]) + (partial[2] + partial[6])) +
                ((partial[1] + partial[5]) + (partial[3] + partial[7]));
    }

    double sum() const { return sum_; }
    Index count() const { return count_; }
    double mean() const { return count_ > 0 ? sum_ / static_cast<double>(count_) : 0.0; }

  private:
    static constexpr Index lanes = 8;
    double sum_ = 0.0;
    Index count_ = 0;
};

// Sum of the 2x2 square whose lower corner is y, of two neighbouring rows. The order of additions
// is part of the definition: ties between squares depend on it.
inline double square_sum(const double* row, const double* next_row, Index y) {
    return (row[y] + row[y + 1]) + (next_row[y] + next_row[y + 1]);
}

// Two neighbouring rows of a frame, and the way from one pair to the next.
struct RowPair {
    explicit RowPair(Index ny)
        : lower(static_cast<std::size_t>(ny)), upper(static_cast<std::size_t>(ny)) {}

    template <class Frame> void start(const Frame& frame) { frame.read_row(0, upper.data()); }
    // Afterwards `lower` is row x and `upper` row x + 1.
    template <class Frame> void advance_to(const Frame& frame, Index x) {
        std::swap(lower, upper);
        frame.read_row(x + 1, upper.data());
    }
    double square(Index y) const { return square_sum(lower.data(), upper.data(), y); }

    std::vector<double> lower;
    std::vector<double> upper;
};

// Mean over the pixels that are not masked. Throws NonFinitePixels.
template <class Pixel>
double frame_mean(const CorrectedFrame<Pixel>& frame, Index number, std::vector<double>& row) {
    LaneSum pixels;
    for (Index x = 0; x < frame.nx(); ++x) {
        frame.read_row(x, row.data());
        pixels.add_row(frame.ny(), frame.has_mask(), [&](Index y) { return row[y]; });
    }
    // The sum leaves masked pixels out, and with them any NaN.
    const bool finite = std::isfinite(pixels.sum());
    const Index bad = finite && !frame.has_mask() ? 0 : frame.count_non_finite();
    if (bad > 0 || !finite)
        throw NonFinitePixels(number, bad);
    return pixels.mean();
}

// mean(S) + std_threshold * std(S) over all 2x2 squares S without a masked pixel.
template <class Pixel>
double square_threshold(const CorrectedFrame<Pixel>& frame, double std_threshold, RowPair& rows) {
    const Index squares = frame.ny() - 1;
    const auto sum_over_squares = [&](auto term) {
        LaneSum sum;
        rows.start(frame);
        for (Index x = 0; x + 1 < frame.nx(); ++x) {
            rows.advance_to(frame, x);
            sum.add_row(squares, frame.has_mask(), [&](Index y) { return term(rows.square(y)); });
        }
        return sum;
    };
    const double mean = sum_over_squares([](double s) { return s; }).mean();
    const double variance =
        sum_over_squares([mean](double s) { return (s - mean) * (s - mean); }).mean();
    return mean + std_threshold * std::sqrt(variance);
}

} // namespace hrixs
