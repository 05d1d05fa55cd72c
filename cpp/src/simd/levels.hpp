// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "simd/row_kernels.hpp"

#include <vector>

// The one list of the processor's levels, the best last: X(name, whether this machine has it). How
// each is compiled says CMakeLists.txt, also whether those of x86-64 are.
#ifdef HRIXS_HAS_X86_LEVELS
namespace hrixs {
// As in x86-64-v3 and v4, of which each level takes what it needs.
inline bool has_avx2() {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("fma");
}
inline bool has_avx512() {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}
} // namespace hrixs
#define HRIXS_FOR_EACH_LEVEL(X)                                                                    \
    X(baseline, true)                                                                              \
    X(avx2, has_avx2())                                                                            \
    X(avx512, has_avx512())
#else
#define HRIXS_FOR_EACH_LEVEL(X) X(baseline, true)
#endif

namespace hrixs {

#define HRIXS_DECLARE_LEVEL(name, usable)                                                          \
    namespace name {                                                                               \
    extern const RowKernels kernels;                                                               \
    }
HRIXS_FOR_EACH_LEVEL(HRIXS_DECLARE_LEVEL)
// What compilers without vector types get: built for tests and fuzzers alone.
HRIXS_DECLARE_LEVEL(plain, false)
#undef HRIXS_DECLARE_LEVEL

// Those that this machine has, the best last.
inline std::vector<const RowKernels*> usable_levels() {
    std::vector<const RowKernels*> levels;
#define HRIXS_ADD_LEVEL(name, usable)                                                              \
    if (usable)                                                                                    \
        levels.push_back(&name::kernels);
    HRIXS_FOR_EACH_LEVEL(HRIXS_ADD_LEVEL)
#undef HRIXS_ADD_LEVEL
    return levels;
}

} // namespace hrixs
