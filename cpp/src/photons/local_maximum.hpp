// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/index.hpp"

namespace hrixs {

// Whether centre is a maximum among its 8 neighbours: at least those before it in row-major order,
// above those after, so that a plateau has one. neighbour(i, j) for i, j in -1..1; a NaN is no
// rival.
template <class Neighbour> bool is_local_maximum(double centre, Neighbour neighbour) {
    // All are asked: a processor guesses badly which rival is the first that beats the centre.
    bool beaten = false;
    for (Index i = -1; i <= 1; ++i)
        for (Index j = -1; j <= 1; ++j) {
            if (i == 0 && j == 0)
                continue;
            const bool before = i < 0 || (i == 0 && j < 0);
            const double rival = neighbour(i, j);
            beaten |= before ? rival > centre : rival >= centre;
        }
    return !beaten;
}

} // namespace hrixs
