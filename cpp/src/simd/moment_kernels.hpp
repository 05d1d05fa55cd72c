// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/index.hpp"
#include "simd/vectors.hpp"

#include <cstdint>
#include <cstring>

namespace hrixs::HRIXS_LEVEL {
namespace {

constexpr Index rows_together = 8; // for which the moments stay in registers

// A running sum of running sums gives the moments without a multiplication: what was added n rows
// ago has been added n + 1 times to the second.
template <Index Rows, class Pixel, class Sum>
void add_rows(const Pixel* __restrict row, Index stride, Index n, Sum* __restrict moments) {
    for (Index y = 0; y < n; ++y) {
        Sum zeroth = moments[y];
        Sum first = moments[n + y];
        Sum second = moments[2 * n + y];
        for (Index x = 0; x < Rows; ++x) {
            zeroth += static_cast<Sum>(row[x * stride + y]);
            first += zeroth;
            second += first;
        }
        moments[y] = zeroth;
        moments[n + y] = first;
        moments[2 * n + y] = second;
    }
}

template <class Pixel, class Sum>
void add_moments_by_rows(const Pixel* row, Index stride, Index n_rows, Index n, Sum* moments) {
    Index x = 0;
    for (; x + rows_together <= n_rows; x += rows_together)
        add_rows<rows_together>(row + x * stride, stride, n, moments);
    for (; x < n_rows; ++x)
        add_rows<1>(row + x * stride, stride, n, moments);
}

#if defined(__AVX2__) && !defined(HRIXS_NO_VECTOR_TYPES)

// Whole registers, of doubles too: columns are added each by itself.
#if defined(__AVX512BW__)
constexpr Index wide_bytes = 64;
#else
constexpr Index wide_bytes = 32;
#endif
template <class Sum> struct WideOf {
    using Type __attribute__((vector_size(wide_bytes))) = Sum;
};
template <class Sum> using Wide = typename WideOf<Sum>::Type;

// By copying: of a type with less alignment clang forgets that where references are passed on.
template <class Sum> inline Wide<Sum> load_wide(const Sum* from) {
    Wide<Sum> values;
    std::memcpy(&values, from, sizeof values);
    return values;
}
template <class Sum> inline void store_wide(Sum* to, Wide<Sum> values) {
    std::memcpy(to, &values, sizeof values);
}

#if defined(__AVX512BW__)
// Without a mask GCC warns of what is not set.
constexpr __mmask8 all_eight = 0xff;
constexpr __mmask16 all_sixteen = 0xffff;
inline Wide<std::uint32_t> widened(const std::uint16_t* from) {
    return reinterpret_cast<Wide<std::uint32_t>>(_mm512_maskz_cvtepu16_epi32(
        all_sixteen, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))));
}
inline Wide<double> widened(const float* from) {
    return _mm512_maskz_cvtps_pd(all_eight, _mm256_loadu_ps(from));
}
inline Wide<double> widened(const std::int32_t* from) {
    return _mm512_maskz_cvtepi32_pd(all_eight,
                                    _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}
#else
inline Wide<std::uint32_t> widened(const std::uint16_t* from) {
    return reinterpret_cast<Wide<std::uint32_t>>(
        _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
}
inline Wide<double> widened(const float* from) {
    return _mm256_cvtps_pd(_mm_loadu_ps(from));
}
inline Wide<double> widened(const std::int32_t* from) {
    return _mm256_cvtepi32_pd(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}
#endif
inline Wide<double> widened(const double* from) {
    return load_wide(from);
}

template <class Pixel> constexpr bool has_widened = false;
template <> constexpr bool has_widened<std::uint16_t> = true;
template <> constexpr bool has_widened<std::int32_t> = true;
template <> constexpr bool has_widened<float> = true;
template <> constexpr bool has_widened<double> = true;

// A line of the cache of each row is read as a whole before the next: rows of a power of two share
// a place in the cache, and would push each other out.
template <class Pixel, class Sum>
void add_lines(const Pixel* row, Index stride, Index n_rows, Index n_columns, Index n,
               Sum* moments) {
    constexpr Index line = 64 / sizeof(Pixel);
    constexpr Index width = wide_bytes / sizeof(Sum);
    constexpr Index n_wide = line / width;
    for (Index y = 0; y < n_columns; y += line) {
        Wide<Sum> moment[3][n_wide];
        Sum* const to = moments + y;
        for (Index order = 0; order < 3; ++order)
            for (Index k = 0; k < n_wide; ++k)
                moment[order][k] = load_wide(to + order * n + k * width);
        const Pixel* from = row + y;
        for (Index x = 0; x < n_rows; ++x, from += stride)
            for (Index k = 0; k < n_wide; ++k) {
                moment[0][k] += widened(from + k * width);
                moment[1][k] += moment[0][k];
                moment[2][k] += moment[1][k];
            }
        for (Index order = 0; order < 3; ++order)
            for (Index k = 0; k < n_wide; ++k)
                store_wide(to + order * n + k * width, moment[order][k]);
    }
}

template <class Pixel, class Sum>
void add_moments(const Pixel* row, Index stride, Index n_rows, Index n, Sum* moments) {
    if constexpr (has_widened<Pixel>) {
        constexpr Index line = 64 / sizeof(Pixel);
        const Index whole = n - n % line;
        // As even as can be.
        const Index n_parts = n_rows < rows_together ? 1 : n_rows / rows_together;
        for (Index part = 0; part < n_parts; ++part) {
            const Index begin = part * n_rows / n_parts;
            const Index end = (part + 1) * n_rows / n_parts;
            add_lines(row + begin * stride, stride, end - begin, whole, n, moments);
        }
        for (Index x = 0; x < n_rows; ++x)
            for (Index y = whole; y < n; ++y) {
                moments[y] += static_cast<Sum>(row[x * stride + y]);
                moments[n + y] += moments[y];
                moments[2 * n + y] += moments[n + y];
            }
    } else
        add_moments_by_rows(row, stride, n_rows, n, moments);
}

#else

template <class Pixel, class Sum>
void add_moments(const Pixel* row, Index stride, Index n_rows, Index n, Sum* moments) {
    add_moments_by_rows(row, stride, n_rows, n, moments);
}

#endif

template <class Sum>
void share(const Sum* __restrict moments, Index n, const double* weights, double* __restrict lower,
           double* __restrict upper) {
    const double zeroth = weights[0];
    const double first = weights[1];
    const double second = weights[2];
    for (Index y = 0; y < n; ++y) {
        const auto pixels = static_cast<double>(moments[y]);
        const double share = (zeroth * pixels + first * static_cast<double>(moments[n + y])) +
                             second * static_cast<double>(moments[2 * n + y]);
        upper[y] = share;
        lower[y] = pixels - share;
    }
}

} // namespace
} // namespace hrixs::HRIXS_LEVEL
