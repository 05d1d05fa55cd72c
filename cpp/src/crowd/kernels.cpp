// SPDX-License-Identifier: BSD-3-Clause
#include "crowd/kernels.hpp"

#include "simd/levels.hpp"

#include <cstring>

namespace hrixs::crowd {

#define HRIXS_DECLARE_KERNELS(name, usable)                                                        \
    namespace name {                                                                               \
    extern const Kernels kernels[2];                                                               \
    }
HRIXS_FOR_EACH_LEVEL(HRIXS_DECLARE_KERNELS)
HRIXS_DECLARE_KERNELS(plain, false)
#undef HRIXS_DECLARE_KERNELS

const Kernels& kernels_of(const RowKernels& level, int reach) {
    const int size = reach - 2;
#define HRIXS_RETURN_KERNELS(name, usable)                                                         \
    if (std::strcmp(level.level, #name) == 0)                                                      \
        return name::kernels[size];
    HRIXS_FOR_EACH_LEVEL(HRIXS_RETURN_KERNELS)
#ifdef HRIXS_HAS_PLAIN_LEVEL
    HRIXS_RETURN_KERNELS(plain, true)
#endif
#undef HRIXS_RETURN_KERNELS
    return baseline::kernels[size];
}

const Kernels& kernels_in_use(int reach) {
    return kernels_of(row_kernels(), reach);
}

} // namespace hrixs::crowd
