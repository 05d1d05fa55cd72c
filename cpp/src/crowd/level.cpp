// SPDX-License-Identifier: BSD-3-Clause
// Compiled once for each level of the processor, into a namespace of its own. No inline function of
// the standard library is used here or in the headers of the kernels: compiled for a newer
// processor, it could be the one that the linker keeps for all.
#include "crowd/equation_kernel.hpp"
#include "crowd/light_kernel.hpp"
#include "crowd/place_kernel.hpp"
#include "crowd/report_kernel.hpp"
#include "crowd/squares_kernel.hpp"
#include "crowd/tile_kernel.hpp"

namespace hrixs::crowd::HRIXS_LEVEL {

namespace {

template <int Rows> constexpr Kernels kernels_for() {
    return {
        .shares = store_shares,
        .fit_place = fit_place<Rows>,
        .amplitude_without = amplitude_without<Rows>,
        .exchange = exchange<Rows>,
        .equations = make_equations<Rows>,
        .overlap = overlap<Rows>,
        .remainder = remainder<Rows>,
        .small_squares = small_squares,
        .large_squares = large_squares,
        .fill_counts = fill_counts,
        .tile_sums = tile_sums,
    };
}

} // namespace

extern const Kernels kernels[2];
const Kernels kernels[2] = {kernels_for<5>(), kernels_for<7>()};

} // namespace hrixs::crowd::HRIXS_LEVEL
