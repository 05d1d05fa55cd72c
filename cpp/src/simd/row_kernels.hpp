// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/index.hpp"
#include "simd/spot_fit.hpp"

#include <cstdint>

namespace hrixs {

// Of the 2x2 squares between two rows of counts. All sums are exact.
struct CountScan {
    std::int64_t sum = 0;      // of D, a square's deviation from a shift; of pixels, the pixels
    std::uint64_t squares = 0; // of D * D
    std::int64_t rest = 0;     // of (D + count_offset) * the dark's rest
    std::int64_t fine_rest = 0;
    Index n_found = 0;
};

// Squares are compared in 16 bits where, so much above the shift, they are numbers from 0 to the
// largest.
constexpr Index count_offset = 1024;
constexpr Index largest_raised = 4095;
constexpr Index largest_near_dark = 32767; // of a dark's squares, as far as chunks have these alone
struct CountLimits {
    std::int64_t shift; // of the squares, near their mean
    std::int64_t limit; // of the squares
};

// Of a dark, rounded to counts: what belongs to one row of squares. All its rows follow each other,
// and two more can be read after the last.
struct CountDarkRow {
    const std::uint16_t* squares;
    const std::int16_t* rest;      // what rounding took from the squares, in units of 2^-11
    const std::int16_t* fine_rest; // and from that, in units of 2^-24
    const std::uint8_t* far;       // by chunks: 1 where a square is not near
};
constexpr Index largest_dark_rest = 4096;
constexpr double dark_rest_units = 2048.0; // in a count
constexpr double fine_rest_units = 8192.0; // in one of those

// Of a row of doubles and the squares below it, in 8 lanes whose order of additions is fixed.
struct RealScan {
    double pixels = 0.0;
    double sum = 0.0; // of D, where a pixel is masked; else the pixels' sums give it
    double squares = 0.0;
    Index n_found = 0;
};

// Of a row of floats.
struct FloatScan {
    double pixels = 0.0;  // sum
    float largest = 0.0F; // magnitude; a NaN gives infinity
    Index n_found = 0;
};

// Of a block of a dark.
struct DarkScan {
    double rest = 0.0; // sum of what rounding took from the squares
    double rest_squares = 0.0;
    std::int64_t rest_units = 0; // the same sum, in the units of CountDarkRow
    std::int64_t fine_rest_units = 0;
    bool fits = true; // no pixel below 0 or above the largest
};
constexpr double largest_dark_pixel = 16383.0; // four of them make a square of 16 bits

// Rows of doubles and floats are worked on in blocks of at most this.
constexpr Index row_block = 512;

// More rows could make the moments of 16-bit counts overflow.
constexpr Index most_moment_rows = 72;

// Pixels whose values of all frames are worked on side by side, in the cache.
constexpr Index column_block = 64;

struct KeptColumns {
    double n[column_block];
    double sum[column_block]; // of deviations from the middle
    double squares[column_block];
};
// Of counts: what belongs to a pixel's own limits.
struct OwnLimits {
    double n_sigma;
    double least_noise;
};
struct OwnColumns {
    double median[column_block];
    double noise[column_block];
    double lower_noise[column_block];
    double total[column_block];
    std::int32_t n_kept[column_block];
};

// What is done with the pixels of a row or a window: the inner loops, compiled once for each level
// of the processor from simd/level.cpp. All levels give the same bytes.
//
// found takes, in order, the positions of what lies above a limit; those that are no maxima of
// their row, by the rule of is_local_maximum, may be missing. ahead is what will be read
// soon, and is fetched bit by bit: many fetches at once would stop the processor.
struct RowKernels {
    const char* level;

    // 16-bit counts, read in place; dark may be null.
    std::uint64_t (*sum_counts)(const std::uint16_t* row, Index n);
    void (*mark_far_squares)(const std::uint16_t* squares, Index n, std::uint8_t* far);
    CountScan (*scan_counts)(const std::uint16_t* lower, const std::uint16_t* upper,
                             const std::uint16_t* ahead, const CountDarkRow* dark, Index n,
                             const CountLimits& limits, Index* found);
    // The same without the sums of squares and rests.
    CountScan (*find_counts)(const std::uint16_t* lower, const std::uint16_t* upper,
                             const std::uint16_t* ahead, const CountDarkRow* dark, Index n,
                             const CountLimits& limits, Index* found);
    // Of pixels above a dark that is rounded; a neighbour counts where it is larger by 1.
    CountScan (*counts_above)(const std::uint16_t* row, const std::uint16_t* ahead,
                              const std::uint16_t* dark, Index n, std::uint16_t limit,
                              Index* found);

    // Doubles. A row goes with its pairs, the sums of neighbours row[y] + row[y + 1]; a square is
    // the sum of two rows' pairs. A scan takes those of the row below and leaves those of the row.
    // A masked pixel is NaN and is found by nothing.
    double (*sum_row)(const double* row, Index n);
    double (*sum_floats)(const float* row, Index n);
    double (*sum_valid)(const double* row, Index n); // a NaN adds nothing
    void (*pair_row)(const double* row, Index n, double* pairs);
    RealScan (*scan_row)(const double* row, double* pairs, Index n, double shift, double limit,
                         Index* found);
    RealScan (*scan_valid)(const double* row, double* pairs, Index n, double shift, double limit,
                           Index* found);
    // Of the pixels: their sum, and those above the limit.
    RealScan (*doubles_above)(const double* row, Index n, double limit, Index* found);
    RealScan (*valid_above)(const double* row, Index n, double limit, Index* found);
    RealScan (*wholes_above)(const std::int32_t* row, Index n, double limit, Index* found);
    void (*subtract_f32)(double* row, const float* dark, Index n);
    void (*subtract_f64)(double* row, const double* dark, Index n);
    void (*mask)(double* row, const std::uint8_t* bad, Index n);

    // A block of a dark's row, of at most row_block squares and a pixel more, rounded to counts:
    // the squares with the row below, and what rounding took from them. pairs and rest_pairs, as
    // below, carry on from row to row.
    DarkScan (*round_dark_f32)(const float* row, Index n, float* pairs, float* rest_pairs,
                               std::uint16_t* squares, std::int16_t* rest, std::int16_t* fine_rest);
    DarkScan (*round_dark_f64)(const double* row, Index n, double* pairs, double* rest_pairs,
                               std::uint16_t* squares, std::int16_t* rest, std::int16_t* fine_rest);
    // Only the pixels; false where one is below 0 or above the largest.
    bool (*round_pixels_f32)(const float* row, Index n, std::uint16_t* pixels);
    bool (*round_pixels_f64)(const double* row, Index n, std::uint16_t* pixels);

    // Plain rows of floats: squares and sums in doubles, or squares in floats where about right is
    // enough. A neighbour makes a value no maximum only where it is larger by the slack.
    RealScan (*scan_floats)(const float* row, const float* ahead, double* pairs, Index n,
                            double shift, double limit, Index* found);
    FloatScan (*find_floats)(const float* pairs_below, const float* row, const float* ahead,
                             float* pairs, Index n, float limit, float slack, Index* found);
    FloatScan (*floats_above)(const float* row, const float* ahead, Index n, float limit,
                              float slack, Index* found);

    // Moments of columns over n_rows rows, for weights that are a parabola of the row: to
    // moments[y], moments[n + y] and moments[2 * n + y] the pixels are added with the weights 1,
    // m and m * (m + 1) / 2, where m counts the rows from 1 for the last one added. Rows that were
    // added before are carried on.
    void (*add_moments_u8)(const std::uint8_t* row, Index stride, Index n_rows, Index n,
                           std::uint32_t* moments);
    void (*add_moments_u16)(const std::uint16_t* row, Index stride, Index n_rows, Index n,
                            std::uint32_t* moments);
    void (*add_moments_i16)(const std::int16_t* row, Index stride, Index n_rows, Index n,
                            double* moments);
    void (*add_moments_u32)(const std::uint32_t* row, Index stride, Index n_rows, Index n,
                            double* moments);
    void (*add_moments_i32)(const std::int32_t* row, Index stride, Index n_rows, Index n,
                            double* moments);
    void (*add_moments_f32)(const float* row, Index stride, Index n_rows, Index n, double* moments);
    void (*add_moments_f64)(const double* row, Index stride, Index n_rows, Index n,
                            double* moments);
    // upper[y] becomes the sum of moments times weights; lower[y] the rest of the pixels' sum.
    void (*share_counts)(const std::uint32_t* moments, Index n, const double* weights,
                         double* lower, double* upper);
    void (*share_reals)(const double* moments, Index n, const double* weights, double* lower,
                        double* upper);

    // Fits the charge clouds of photons, each by itself.
    void (*fit_spots)(SpotGroup* groups, Index n_groups, const SpotFitOptions& options);

    // Of n values of each pixel of a block, as simd/column_kernels.hpp has them.
    void (*sort_columns_f32)(float* values, Index n);
    void (*sort_columns_f64)(double* values, Index n);
    void (*square_columns_f32)(const float* values, Index n, const double* middle, double* squares);
    void (*square_columns_f64)(const double* values, Index n, const double* middle,
                               double* squares);
    void (*keep_columns_f32)(const float* values, Index n, const double* middle,
                             const double* limit, KeptColumns& kept, Index* n_out);
    void (*keep_columns_f64)(const double* values, Index n, const double* middle,
                             const double* limit, KeptColumns& kept, Index* n_out);
    bool (*own_columns_u8)(const std::uint8_t* const* rows, const std::int16_t* twice_offsets,
                           Index n, const OwnLimits& limits, Index n_columns, std::int16_t* scratch,
                           OwnColumns& own, Index* n_out);
    bool (*own_columns_u16)(const std::uint16_t* const* rows, const std::int16_t* twice_offsets,
                            Index n, const OwnLimits& limits, Index n_columns,
                            std::int16_t* scratch, OwnColumns& own, Index* n_out);
    void (*from_u8)(const std::uint8_t* row, Index n, double* out);
    void (*from_u16)(const std::uint16_t* row, Index n, double* out);
    void (*from_i16)(const std::int16_t* row, Index n, double* out);
    void (*from_u32)(const std::uint32_t* row, Index n, double* out);
    void (*from_i32)(const std::int32_t* row, Index n, double* out);
    void (*from_f32)(const float* row, Index n, double* out);
    void (*from_f64)(const double* row, Index n, double* out);

    // As 16-bit counts; false where one of them is no such number.
    bool (*narrow_u8)(const std::uint8_t* row, Index n, std::uint16_t* out);
    bool (*narrow_u16)(const std::uint16_t* row, Index n, std::uint16_t* out);
    bool (*narrow_i16)(const std::int16_t* row, Index n, std::uint16_t* out);
    bool (*narrow_u32)(const std::uint32_t* row, Index n, std::uint16_t* out);
    bool (*narrow_i32)(const std::int32_t* row, Index n, std::uint16_t* out);
    bool (*narrow_f32)(const float* row, Index n, std::uint16_t* out);
    bool (*narrow_f64)(const double* row, Index n, std::uint16_t* out);
};

// Those of the best level that this processor has, or of the one that HRIXS_SIMD names. Throws
// ParameterError where that is not to be had.
const RowKernels& row_kernels();

#define HRIXS_COLUMN_KERNELS_OF(Number, suffix)                                                    \
    inline void sort_columns(Number* values, Index n) {                                            \
        row_kernels().sort_columns_##suffix(values, n);                                            \
    }                                                                                              \
    inline void square_columns(const Number* values, Index n, const double* middle,                \
                               double* squares) {                                                  \
        row_kernels().square_columns_##suffix(values, n, middle, squares);                         \
    }                                                                                              \
    inline void keep_columns(const Number* values, Index n, const double* middle,                  \
                             const double* limit, KeptColumns& kept, Index* n_out) {               \
        row_kernels().keep_columns_##suffix(values, n, middle, limit, kept, n_out);                \
    }
HRIXS_COLUMN_KERNELS_OF(float, f32)
HRIXS_COLUMN_KERNELS_OF(double, f64)
#undef HRIXS_COLUMN_KERNELS_OF

#define HRIXS_OWN_COLUMNS_OF(Pixel, suffix)                                                        \
    inline bool own_columns(const Pixel* const* rows, const std::int16_t* twice_offsets, Index n,  \
                            const OwnLimits& limits, Index n_columns, std::int16_t* scratch,       \
                            OwnColumns& own, Index* n_out) {                                       \
        return row_kernels().own_columns_##suffix(rows, twice_offsets, n, limits, n_columns,       \
                                                  scratch, own, n_out);                            \
    }
HRIXS_OWN_COLUMNS_OF(std::uint8_t, u8)
HRIXS_OWN_COLUMNS_OF(std::uint16_t, u16)
#undef HRIXS_OWN_COLUMNS_OF

// The kernels of one pixel type, by name for all types.
#define HRIXS_ROW_KERNELS_OF(Pixel, suffix, Sum)                                                   \
    inline void to_double(const Pixel* row, Index n, double* out) {                                \
        row_kernels().from_##suffix(row, n, out);                                                  \
    }                                                                                              \
    inline bool narrow(const Pixel* row, Index n, std::uint16_t* out) {                            \
        return row_kernels().narrow_##suffix(row, n, out);                                         \
    }                                                                                              \
    inline void add_moments(const Pixel* row, Index stride, Index n_rows, Index n, Sum* moments) { \
        row_kernels().add_moments_##suffix(row, stride, n_rows, n, moments);                       \
    }
HRIXS_ROW_KERNELS_OF(std::uint8_t, u8, std::uint32_t)
HRIXS_ROW_KERNELS_OF(std::uint16_t, u16, std::uint32_t)
HRIXS_ROW_KERNELS_OF(std::int16_t, i16, double)
HRIXS_ROW_KERNELS_OF(std::uint32_t, u32, double)
HRIXS_ROW_KERNELS_OF(std::int32_t, i32, double)
HRIXS_ROW_KERNELS_OF(float, f32, double)
HRIXS_ROW_KERNELS_OF(double, f64, double)
#undef HRIXS_ROW_KERNELS_OF

} // namespace hrixs
