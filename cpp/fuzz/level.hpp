// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace hrixs::fuzz {

enum class Level { best, baseline, plain };

// The inner loops that all kernels use from here on.
void use_level(Level level);

} // namespace hrixs::fuzz
