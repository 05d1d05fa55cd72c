// SPDX-License-Identifier: BSD-3-Clause
// The pedestal and the noise of a frame, naively.
#pragma once

#include "plain_frame.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace hrixs::fuzz {

// A frame's clipped mean and standard deviation.
struct PedestalAnswer {
    Real mean = 0;
    Real noise = 0;
    Real mean_tolerance = 0;
    Real noise_tolerance = 0;
    bool known = false;
    bool comparable = true;
};

inline PedestalAnswer pedestal_in(const PlainFrame& frame) {
    std::vector<Real> values;
    Index n_rows = std::clamp<Index>((8192 + frame.ny - 1) / frame.ny, 1, frame.nx);
    for (;; n_rows = std::min(4 * n_rows, frame.nx)) {
        values.clear();
        for (Index k = 0; k < n_rows; ++k) {
            const Index x = (2 * k + 1) * frame.nx / (2 * n_rows);
            for (Index y = 0; y < frame.ny; ++y)
                if (frame.valid(x, y))
                    values.push_back(frame(x, y));
        }
        if (values.size() >= 2048 || n_rows == frame.nx)
            break;
    }
    PedestalAnswer answer;
    answer.known = !values.empty();
    Real narrow = std::numeric_limits<Real>::infinity();
    Real wide = narrow;
    Real n_before = -1;
    Real part = 1;
    for (int round = 0; round < 20; ++round) {
        const Real shift = answer.mean;
        const Real shift_error = answer.mean_tolerance;
        std::vector<Real> kept;
        Real size = 0;
        Real squares = 0;
        Real largest = 0;
        for (const Real value : values) {
            const Real off = std::abs(value - shift);
            const Real error = shift_error + 1e-15L * (std::abs(value) + std::abs(shift));
            if (off > narrow - error && off <= wide + error)
                answer.comparable = false;
            if (off > wide)
                continue;
            kept.push_back(value - shift);
            size += off;
            squares += off * off;
            largest = std::max(largest, std::abs(value));
        }
        const auto n = static_cast<Real>(kept.size());
        if (kept.empty())
            break;
        // The same values again, from a pedestal near theirs.
        const bool is_last = n == n_before;
        n_before = n;
        if (std::all_of(kept.begin(), kept.end(), [&](Real value) { return value == kept[0]; })) {
            answer.mean = shift + kept[0];
            answer.noise = answer.noise_tolerance = 0;
            answer.mean_tolerance = 5e-16L * (largest + std::abs(shift));
            break;
        }
        Real mean = 0;
        for (const Real value : kept)
            mean += value / n;
        Real variance = 0;
        for (const Real value : kept)
            variance += (value - mean) * (value - mean) / n;
        // A Gaussian that is cut at three standard deviations has this part of its own.
        if (round > 0 && !is_last)
            part = 0.98657L;
        // Sums of doubles, a quarter of the values one after another, unless all are whole.
        const bool exact = frame.counts && round == 0 && squares < 9e15L;
        const Real rounding = exact ? 0 : (n / 4 + 8) * 2.3e-16L / n;
        const Real variance_error = 2 * rounding * squares + 1e-15L * squares / n;
        answer.mean = shift + mean;
        answer.mean_tolerance = rounding * size + 5e-16L * (largest + std::abs(shift));
        answer.noise = std::sqrt(variance) / part;
        answer.noise_tolerance =
            std::min(std::sqrt(variance_error), variance_error / std::sqrt(variance)) / part +
            1e-15L * answer.noise;
        if (is_last)
            break;
        const Real least = 1e-9L * std::abs(answer.mean);
        narrow = std::max(3 * (answer.noise - answer.noise_tolerance), least * (1 - 1e-12L));
        wide = std::max(3 * (answer.noise + answer.noise_tolerance), least * (1 + 1e-12L));
    }
    return answer;
}

} // namespace hrixs::fuzz
