// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "plain_frame.hpp"

#include "hrixs/integrate.hpp"

#include <cmath>
#include <vector>

namespace hrixs::fuzz {

// A frame's intensity and the pixels' shares, by rows.
struct RowAnswer {
    unsigned faults = 0;
    std::vector<Real> sums;
    std::vector<Real> weights;
    double sum_tolerance = 0.0;
    double weight_tolerance = 0.0;
};

inline RowAnswer integrate_in(const PlainFrame& frame, const Curvature& curvature,
                              double dark_magnitude) {
    RowAnswer answer;
    const Sums total = sums_of(frame);
    answer.faults = total.finite ? none : non_finite;
    const double size = total.largest + dark_magnitude;
    if (total.finite && size > 1e300)
        answer.faults |= non_finite;
    answer.sums.assign(static_cast<std::size_t>(frame.ny), 0);
    answer.weights = answer.sums;
    const auto nx = static_cast<double>(frame.nx) + std::abs(curvature.first_column);
    for (Index x = 0; x < frame.nx; ++x) {
        const auto position = static_cast<Real>(x) + static_cast<Real>(curvature.first_column);
        const Real shift =
            curvature.displacements.empty()
                ? -(curvature.b * position + curvature.a) * position
                : -static_cast<Real>(curvature.displacements[static_cast<std::size_t>(x)]);
        for (Index y = 0; y < frame.ny; ++y) {
            const Real to = static_cast<Real>(y) + shift;
            const Real row = std::floor(to);
            const Real share = to - row;
            if (!frame.valid(x, y))
                continue;
            const auto give = [&](Real where, Real part) {
                if (where < 0 || where >= static_cast<Real>(frame.ny))
                    return;
                answer.sums[static_cast<std::size_t>(where)] += part * frame(x, y);
                answer.weights[static_cast<std::size_t>(where)] += part;
            };
            give(row, 1 - share);
            give(row + 1, share);
        }
    }
    // A shift as double has it, and moments of up to 72 rows.
    const double shift_error =
        1e-15 * (std::abs(curvature.a) * nx + 100.0 * std::abs(curvature.b) * nx * nx +
                 static_cast<double>(frame.ny) + 100.0);
    answer.weight_tolerance = 10.0 * nx * shift_error;
    answer.sum_tolerance = 100.0 * nx * shift_error * size;
    return answer;
}

} // namespace hrixs::fuzz
