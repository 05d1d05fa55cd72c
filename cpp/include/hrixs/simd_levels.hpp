// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

namespace hrixs {

// The level of the processor that is used: the best that it has, or what HRIXS_SIMD names. Throws
// ParameterError where that is not to be had.
std::string simd_level();

// All that this machine has, the best last.
std::vector<std::string> simd_levels();

} // namespace hrixs
