// SPDX-License-Identifier: BSD-3-Clause
#include "simd/row_kernels.hpp"

#include "hrixs/errors.hpp"
#include "hrixs/simd_levels.hpp"
#include "simd/levels.hpp"

#include <cstdlib>

namespace hrixs {

namespace {

const RowKernels& choose() {
    const char* given = std::getenv("HRIXS_SIMD");
    const std::string asked = given == nullptr ? "" : given;
    const std::vector<const RowKernels*> levels = usable_levels();
    if (asked.empty())
        return *levels.back();
    std::string known;
    for (const RowKernels* level : levels) {
        if (asked == level->level)
            return *level;
        known += (known.empty() ? "" : ", ") + std::string(level->level);
    }
    throw ParameterError("HRIXS_SIMD = " + asked +
                         ", expected one that this processor has: " + known + ".");
}

} // namespace

const RowKernels& row_kernels() {
    static const RowKernels& chosen = choose();
    return chosen;
}

std::string simd_level() {
    return row_kernels().level;
}

std::vector<std::string> simd_levels() {
    std::vector<std::string> names;
    for (const RowKernels* level : usable_levels())
        names.emplace_back(level->level);
    return names;
}

} // namespace hrixs
