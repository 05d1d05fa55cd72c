// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "simd/levels.hpp"

namespace hrixs::fuzz {

// The inner loops that all kernels use from here on.
void use_level(const RowKernels* level);
void use_best_level();

} // namespace hrixs::fuzz
