// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace hrixs {

// The level of the processor that is used: the best that it has, or what HRIXS_SIMD names. Throws
// ParameterError where that is not to be had.
const char* simd_level();

} // namespace hrixs
