// SPDX-License-Identifier: BSD-3-Clause
// Takes the place of row_kernels.cpp, which chooses once for the whole process.
#include "level.hpp"

#include "planted.hpp"

#include <cstdlib>

namespace hrixs {

namespace {

// What is planted in all levels alike is for the oracle to find.
const RowKernels* or_planted(const RowKernels* kernels) {
    static const bool wanted = std::getenv("HRIXS_FUZZ_PLANT") != nullptr;
    return wanted ? &fuzz::planted(*kernels) : kernels;
}

const RowKernels* in_use = or_planted(usable_levels().back());

} // namespace

const RowKernels& row_kernels() {
    return *in_use;
}

namespace fuzz {

void use_level(const RowKernels* level) {
    in_use = or_planted(level);
}

void use_best_level() {
    static const RowKernels* best = usable_levels().back();
    use_level(best);
}

} // namespace fuzz

} // namespace hrixs
