// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

namespace hrixs {

// The instruction set that is used: the best of the processor, or the one named by HRIXS_SIMD.
// Throws ParameterError if the processor does not have it.
std::string simd_level();

// All instruction sets of this machine, the best last.
std::vector<std::string> simd_levels();

} // namespace hrixs
