// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "rows/corrected_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace hrixs {

// Goes through plain floats in place. Where nothing but candidates and the pixels' sum is wanted,
// squares are added in single precision, and the limit is lowered by more than rounding can change.
// See frame_rows.hpp.
class FloatRows : public CorrectedRows<float> {
  public:
    using CorrectedRows::CorrectedRows;

    template <class Keep>
    double find(const Band& band, double shift, double limit, Keep keep) const {
        Bounds bounds(limit);
        double sum = 0.0;
        for (Index x = band.begin; x <= std::min(band.end, frame_.nx() - 1); ++x) {
            const FloatScan row = find_in_row(x, x == band.begin, bounds);
            if (!bounds.hold()) {
                keep_column_maxima(0, 0, keep);
                // The squares below this row are left too.
                if (x > band.begin)
                    CorrectedRows::find({x - 1, x}, shift, limit, keep);
                return x < band.end ? sum + CorrectedRows::find({x, band.end}, shift, limit, keep)
                                    : sum;
            }
            if (x < band.end)
                sum += row.pixels;
            keep_column_maxima(x - 1, row.n_found, keep);
        }
        keep_column_maxima(0, 0, keep);
        return sum;
    }

    template <class Keep> double find_pixels(const Band& band, double limit, Keep keep) const {
        // A float above the limit is above the next float below that.
        const float lowered = below(limit);
        double sum = 0.0;
        for (Index x = band.begin; x < band.end; ++x) {
            Index n_found = 0;
            for_each_block(frame_.ny(), [&](Index y, Index n) {
                const FloatScan scan =
                    kernels_.floats_above(frame_.image.row(x) + y, read_soon(frame_.image, x, y), n,
                                          lowered, 0.0F, found_from(n_found));
                sum += scan.pixels;
                n_found = append(n_found, y, scan.n_found);
            });
            scratch_.for_each_inner(x, n_found, frame_.nx(), frame_.ny(), keep);
        }
        return sum;
    }

  private:
    static float below(double limit) {
        return std::nextafter(static_cast<float>(limit), -std::numeric_limits<float>::infinity());
    }

    // What rounding can do to a square, for the largest pixel so far: three additions make at most
    // eight times half its last digit.
    class Bounds {
      public:
        explicit Bounds(double limit) : exact_limit_(limit), limit_(below(limit)) {}
        // Whether the largest pixel is a new one.
        bool reach(float magnitude) {
            if (magnitude <= largest_)
                return false;
            largest_ = magnitude;
            const double error = std::ldexp(static_cast<double>(largest_), -20);
            limit_ = below(exact_limit_ - error);
            slack_ = static_cast<float>(3.0 * error);
            return true;
        }
        // Nothing overflows, and there is no NaN.
        bool hold() const { return largest_ < 1e37F; }
        float limit() const { return limit_; }
        float slack() const { return slack_; }

      private:
        double exact_limit_;
        float limit_;
        float slack_ = 0.0F;
        float largest_ = 0.0F;
    };

    // The squares below row x; in a band's first row there are none.
    FloatScan find_in_row(Index x, bool is_first, Bounds& bounds) const {
        const Index ny = frame_.ny();
        const float* row = frame_.image.row(x);
        const float raised = is_first ? std::numeric_limits<float>::infinity() : 0.0F;
        std::swap(scratch_.float_pairs_below, scratch_.float_pairs);
        FloatScan whole;
        for_each_block(ny - 1, [&](Index y, Index n) {
            bounds.reach(std::abs(row[y + n])); // the last square's, which is the next block's
            const auto find_in_block = [&] {
                return kernels_.find_floats(
                    scratch_.float_pairs_below.data() + y, row + y, read_soon(frame_.image, x, y),
                    scratch_.float_pairs.data() + y, n + 1, bounds.limit() + raised, bounds.slack(),
                    found_from(whole.n_found));
            };
            FloatScan block = find_in_block();
            if (bounds.reach(block.largest))
                block = find_in_block();
            whole.pixels += block.pixels;
            whole.n_found = append(whole.n_found, y, block.n_found);
        });
        whole.pixels += static_cast<double>(row[ny - 1]);
        return whole;
    }
};

} // namespace hrixs
