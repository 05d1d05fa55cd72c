// SPDX-License-Identifier: BSD-3-Clause
// Takes the place of row_kernels.cpp, which chooses once for the whole process.
#include "level.hpp"

#include "hrixs/row_kernels.hpp"

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

const RowKernels* in_use = best();

} // namespace

const RowKernels& row_kernels() {
    return *in_use;
}

namespace fuzz {

void use_level(Level level) {
    in_use = level == Level::baseline ? &baseline::kernels
             : level == Level::plain  ? &plain::kernels
                                      : best();
}

} // namespace fuzz

} // namespace hrixs
