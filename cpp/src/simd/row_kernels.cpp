// SPDX-License-Identifier: BSD-3-Clause
#include "simd/row_kernels.hpp"

#include "hrixs/errors.hpp"
#include "hrixs/simd_level.hpp"

#include <array>
#include <cstdlib>
#include <string>

namespace hrixs {

namespace baseline {
extern const RowKernels kernels;
}
#ifdef HRIXS_HAS_AVX2
namespace avx2 {
extern const RowKernels kernels;
}
#endif

namespace {

struct Level {
    const RowKernels* kernels;
    bool usable;
};

const RowKernels& choose() {
    // The last usable one is the best.
    const std::array levels{
        Level{&baseline::kernels, true},
#ifdef HRIXS_HAS_AVX2
        Level{&avx2::kernels, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")},
#endif
    };
    const char* asked = std::getenv("HRIXS_SIMD");
    const RowKernels* chosen = nullptr;
    std::string known;
    for (const Level& level : levels) {
        if (!level.usable)
            continue;
        known += (known.empty() ? "" : ", ") + std::string(level.kernels->level);
        if (asked == nullptr || *asked == '\0' || std::string(asked) == level.kernels->level)
            chosen = level.kernels;
    }
    if (chosen == nullptr)
        throw ParameterError("HRIXS_SIMD = " + std::string(asked) +
                             ", expected one that this processor has: " + known + ".");
    return *chosen;
}

} // namespace

const RowKernels& row_kernels() {
    static const RowKernels& chosen = choose();
    return chosen;
}

const char* simd_level() {
    return row_kernels().level;
}

} // namespace hrixs
