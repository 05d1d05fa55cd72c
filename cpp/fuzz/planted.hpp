// SPDX-License-Identifier: BSD-3-Clause
// Kernels with a small fault each, which the fuzzers must find: what finds nothing may look at
// nothing.
#pragma once

#include "simd/row_kernels.hpp"

#include <algorithm>
#include <tuple>

namespace hrixs::fuzz {

inline RowKernels right_kernels;

inline void forget_a_column(Index& n_found, Index* found) {
    n_found = std::remove(found, found + n_found, Index{3}) - found;
}

template <class Scan> void forget_a_column(Scan& scan, Index* found) {
    forget_a_column(scan.n_found, found);
}

// A kernel that never finds anything in one column.
template <auto Kernel, class Scan, class... Given>
void plant_blind_column(RowKernels& kernels, Scan (*RowKernels::*)(Given...)) {
    kernels.*Kernel = [](Given... given) {
        Scan scan = (right_kernels.*Kernel)(given...);
        forget_a_column(scan, std::get<sizeof...(Given) - 1>(std::tie(given...)));
        return scan;
    };
}

template <auto Kernel> void plant_blind_column(RowKernels& kernels) {
    plant_blind_column<Kernel>(kernels, Kernel);
}

// The upper row gets one part in a thousand too much of what is shared.
template <auto Kernel, class Moment>
void plant_wrong_share(RowKernels& kernels,
                       void (*RowKernels::*)(const Moment*, Index, const double*, double*,
                                             double*)) {
    kernels.*Kernel = [](const Moment* moments, Index n, const double* weights, double* lower,
                         double* upper) {
        (right_kernels.*Kernel)(moments, n, weights, lower, upper);
        for (Index y = 0; y < n; ++y)
            upper[y] *= 1.001;
    };
}

inline const RowKernels& planted(const RowKernels& right) {
    static RowKernels wrong;
    right_kernels = wrong = right;
    plant_blind_column<&RowKernels::scan_counts>(wrong);
    plant_blind_column<&RowKernels::find_counts>(wrong);
    plant_blind_column<&RowKernels::scan_row>(wrong);
    plant_blind_column<&RowKernels::scan_valid>(wrong);
    plant_blind_column<&RowKernels::scan_floats>(wrong);
    plant_blind_column<&RowKernels::find_floats>(wrong);
    plant_blind_column<&RowKernels::counts_above>(wrong);
    plant_blind_column<&RowKernels::floats_above>(wrong);
    plant_blind_column<&RowKernels::doubles_above>(wrong);
    plant_blind_column<&RowKernels::valid_above>(wrong);
    plant_blind_column<&RowKernels::wholes_above>(wrong);
    plant_wrong_share<&RowKernels::share_counts>(wrong, &RowKernels::share_counts);
    plant_wrong_share<&RowKernels::share_reals>(wrong, &RowKernels::share_reals);
    // One of the photons side by side gets one part in a thousand too much charge.
    wrong.fit_spots = [](SpotGroup* groups, Index n_groups, const SpotFitOptions& options) {
        right_kernels.fit_spots(groups, n_groups, options);
        for (Index group = 0; group < n_groups; ++group)
            groups[group].charge[spots_together - 1] *= 1.001;
    };
    return wrong;
}

} // namespace hrixs::fuzz
