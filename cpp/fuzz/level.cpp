// SPDX-License-Identifier: BSD-3-Clause
// Takes the place of row_kernels.cpp, which chooses once for the whole process.
#include "level.hpp"

#include "planted.hpp"

#include "simd/row_kernels.hpp"

#include <cstdlib>

namespace hrixs {

namespace baseline {
extern const RowKernels kernels;
}
namespace plain {
extern const RowKernels kernels;
}
#ifdef HRIXS_HAS_AVX2
namespace avx2 {
extern const RowKernels kernels;
}
#endif

namespace {

const RowKernels* best() {
#ifdef HRIXS_HAS_AVX2
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
        return &avx2::kernels;
#endif
    return &baseline::kernels;
}

// What is planted in all levels alike is for the oracle to find.
const RowKernels* or_planted(const RowKernels* kernels) {
    static const bool wanted = std::getenv("HRIXS_FUZZ_PLANT") != nullptr;
    return wanted ? &fuzz::planted(*kernels) : kernels;
}

const RowKernels* in_use = or_planted(best());

} // namespace

const RowKernels& row_kernels() {
    return *in_use;
}

namespace fuzz {

void use_level(Level level) {
    in_use = or_planted(level == Level::baseline ? &baseline::kernels
                        : level == Level::plain  ? &plain::kernels
                                                 : best());
}

} // namespace fuzz

} // namespace hrixs
