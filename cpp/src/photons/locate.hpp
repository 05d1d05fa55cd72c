// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/index.hpp"

#include <cmath>

namespace hrixs {

struct SpotMoments {
    double charge = 0.0;    // sum of the weights
    double magnitude = 0.0; // sum of their absolute values
    double x = 0.0;
    double y = 0.0;

    // A charge that is nothing but the rounding of weights that cancel is not positive.
    bool is_positive() const { return charge > 1e-14 * magnitude; }
};

// Centre of mass of a Size x Size square whose lowest pixel is (x0, y0). weight(i, j) is the
// intensity of pixel (x0 + i, y0 + j); a NaN (masked pixel) weighs nothing.
template <Index Size, class Weight> SpotMoments centre_of_mass(Index x0, Index y0, Weight weight) {
    double sum = 0.0;
    double magnitude = 0.0;
    double moment_x = 0.0;
    double moment_y = 0.0;
    for (Index i = 0; i < Size; ++i)
        for (Index j = 0; j < Size; ++j) {
            const double w = weight(i, j);
            if (w != w)
                continue;
            sum += w;
            magnitude += std::abs(w);
            moment_x += static_cast<double>(i) * w;
            moment_y += static_cast<double>(j) * w;
        }
    return {sum, magnitude, static_cast<double>(x0) + moment_x / sum,
            static_cast<double>(y0) + moment_y / sum};
}

} // namespace hrixs
