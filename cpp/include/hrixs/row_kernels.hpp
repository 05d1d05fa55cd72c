// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/index.hpp"

#include <cstdint>

namespace hrixs {

// What a scan of the 2x2 squares between two rows gives: the sum of D * D, where D is a square's
// deviation from a shift, and how many squares were found above a limit.
struct CountScan {
    std::uint64_t squares = 0;
    Index n_found = 0;
};
struct RealScan {
    double sum = 0.0; // of D
    double squares = 0.0;
    Index n_found = 0;
};

// Values of scratch memory that the kernels on counts need.
constexpr Index row_scratch = 544;

// What is done with the pixels of a row: the inner loops, compiled once for each level of the
// processor from row_kernels_level.cpp. All levels give the same bytes.
struct RowKernels {
    const char* level;

    // Rows of 16-bit counts, read in place. Every sum is exact. found takes, in order, the
    // positions of squares above the limit, or of pixels of at least that.
    std::uint64_t (*sum_counts)(const std::uint16_t* row, Index n);
    CountScan (*scan_counts)(const std::uint16_t* lower, const std::uint16_t* upper,
                             Index n_squares, std::int64_t shift, std::int64_t limit,
                             std::uint16_t* scratch, Index* found);
    Index (*counts_at_least)(const std::uint16_t* row, Index n, std::uint16_t at_least,
                             std::uint16_t* scratch, Index* found);

    // The same for rows of doubles, where a masked pixel is NaN and is found by nothing.
    double (*sum_row)(const double* row, Index n);
    double (*sum_valid)(const double* row, Index n); // a NaN adds nothing
    RealScan (*scan_row)(const double* lower, const double* upper, Index n_squares, double shift,
                         double threshold, Index* found);
    Index (*pixels_above)(const double* row, Index n, double limit, Index* found);
    void (*subtract)(double* row, const double* dark, Index n);
    // sums[k] += lower * row[k] and sums[k + 1] += upper * row[k].
    void (*add_shares)(double* sums, const double* row, double lower, double upper, Index n);

    void (*from_u8)(const std::uint8_t* row, Index n, double* out);
    void (*from_u16)(const std::uint16_t* row, Index n, double* out);
    void (*from_i16)(const std::int16_t* row, Index n, double* out);
    void (*from_u32)(const std::uint32_t* row, Index n, double* out);
    void (*from_i32)(const std::int32_t* row, Index n, double* out);
    void (*from_f32)(const float* row, Index n, double* out);
    void (*from_f64)(const double* row, Index n, double* out);
};

// Those of the best level that this processor has, or of the one that HRIXS_SIMD names. Throws
// ParameterError where that is not to be had.
const RowKernels& row_kernels();

inline void to_double(const std::uint8_t* row, Index n, double* out) {
    row_kernels().from_u8(row, n, out);
}
inline void to_double(const std::uint16_t* row, Index n, double* out) {
    row_kernels().from_u16(row, n, out);
}
inline void to_double(const std::int16_t* row, Index n, double* out) {
    row_kernels().from_i16(row, n, out);
}
inline void to_double(const std::uint32_t* row, Index n, double* out) {
    row_kernels().from_u32(row, n, out);
}
inline void to_double(const std::int32_t* row, Index n, double* out) {
    row_kernels().from_i32(row, n, out);
}
inline void to_double(const float* row, Index n, double* out) {
    row_kernels().from_f32(row, n, out);
}
inline void to_double(const double* row, Index n, double* out) {
    row_kernels().from_f64(row, n, out);
}

} // namespace hrixs
