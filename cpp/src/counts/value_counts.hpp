// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/frame_counts.hpp"

#include <cstdint>
#include <vector>

namespace hrixs {

// How often each whole number from 0 on was seen.
using Tally = std::vector<std::uint32_t>;

ValueCounts count_tally(const Tally& tally);

// Working memory for values that are no small whole numbers.
struct ValueScratch {
    std::vector<double> values; // of a frame, without NaN
    std::vector<double> sample;
    std::vector<double> near;
};

// Of scratch.values, which are finite; step as for count_frames.
ValueCounts count_values(ValueScratch& scratch, double step);

} // namespace hrixs
