// SPDX-License-Identifier: BSD-3-Clause
// Compiled once for each level of the processor, into a namespace of its own. No inline function of
// the standard library is used here or in the headers beside it: compiled for a newer processor, it
// could be the one that the linker keeps for all.
#include "simd/column_kernels.hpp"
#include "simd/count_kernels.hpp"
#include "simd/count_pixels.hpp"
#include "simd/dark_kernels.hpp"
#include "simd/fit_kernels.hpp"
#include "simd/float_kernels.hpp"
#include "simd/moment_kernels.hpp"
#include "simd/narrow_kernels.hpp"
#include "simd/own_column_kernels.hpp"
#include "simd/real_kernels.hpp"

namespace hrixs::HRIXS_LEVEL {

extern const RowKernels kernels;
const RowKernels kernels = {
    .level = HRIXS_LEVEL_NAME,
    .sum_counts = sum_counts,
    .mark_far_squares = mark_far_squares,
    .scan_counts = scan_counts<true>,
    .find_counts = scan_counts<false>,
    .counts_above = counts_above,
    .sum_row = sum_lanes<false, double>,
    .sum_floats = sum_lanes<false, float>,
    .sum_valid = sum_lanes<true, double>,
    .pair_row = pair_row,
    .scan_row = scan_doubles<false>,
    .scan_valid = scan_doubles<true>,
    .doubles_above = numbers_above<false, double>,
    .valid_above = numbers_above<true, double>,
    .wholes_above = numbers_above<false, std::int32_t>,
    .subtract_f32 = subtract<float>,
    .subtract_f64 = subtract<double>,
    .mask = mask,
    .round_dark_f32 = round_dark<float>,
    .round_dark_f64 = round_dark<double>,
    .round_pixels_f32 = round_pixels<float>,
    .round_pixels_f64 = round_pixels<double>,
    .scan_floats = scan_real_row<false, float>,
    .find_floats = find_floats,
    .floats_above = floats_above,
    .add_moments_u8 = add_moments<std::uint8_t, std::uint32_t>,
    .add_moments_u16 = add_moments<std::uint16_t, std::uint32_t>,
    .add_moments_i16 = add_moments<std::int16_t, double>,
    .add_moments_u32 = add_moments<std::uint32_t, double>,
    .add_moments_i32 = add_moments<std::int32_t, double>,
    .add_moments_f32 = add_moments<float, double>,
    .add_moments_f64 = add_moments<double, double>,
    .share_counts = share<std::uint32_t>,
    .share_reals = share<double>,
    .fit_spots = fit_spots,
    .sort_columns_f32 = sort_columns<float>,
    .sort_columns_f64 = sort_columns<double>,
    .square_columns_f32 = square_columns<float>,
    .square_columns_f64 = square_columns<double>,
    .keep_columns_f32 = keep_columns<float>,
    .keep_columns_f64 = keep_columns<double>,
    .own_columns_u8 = own_columns<std::uint8_t>,
    .own_columns_u16 = own_columns<std::uint16_t>,
    .from_u8 = to_double<std::uint8_t>,
    .from_u16 = to_double<std::uint16_t>,
    .from_i16 = to_double<std::int16_t>,
    .from_u32 = to_double<std::uint32_t>,
    .from_i32 = to_double<std::int32_t>,
    .from_f32 = to_double<float>,
    .from_f64 = to_double<double>,
    .narrow_u8 = narrow,
    .narrow_u16 = narrow,
    .narrow_i16 = narrow,
    .narrow_u32 = narrow,
    .narrow_i32 = narrow,
    .narrow_f32 = narrow,
    .narrow_f64 = narrow,
};

} // namespace hrixs::HRIXS_LEVEL
