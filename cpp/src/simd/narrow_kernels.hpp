// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "simd/row_kernels.hpp"
#include "simd/vectors.hpp"

#include <cstring>

namespace hrixs::HRIXS_LEVEL {
namespace {

// Numbers that are whole and fit 16 bits as such; false where one does not.
template <class Pixel>
bool narrow(const Pixel* __restrict row, Index n, std::uint16_t* __restrict out) {
    std::uint32_t reach = 0;
    for (Index y = 0; y < n; ++y) {
        const auto value = static_cast<std::uint32_t>(row[y]); // negative ones become large
        out[y] = static_cast<std::uint16_t>(value);
        reach |= value;
    }
    return reach <= 0xffff;
}

inline bool narrow(const std::uint16_t* row, Index n, std::uint16_t* out) {
    std::memcpy(out, row, static_cast<std::size_t>(n) * sizeof *row);
    return true;
}

// Added to a number of 16 bits, this leaves it in the last ones of the sum, rounded.
constexpr double to_last_bits = 6755399441055744.0; // 1.5 * 2^52

inline bool narrow_one(double value, std::uint16_t& out) {
    const double moved = value + to_last_bits;
    std::uint64_t bits = 0;
    std::memcpy(&bits, &moved, sizeof bits);
    out = static_cast<std::uint16_t>(bits);
    return (moved - to_last_bits == value) & (value >= 0.0) & (value <= 65535.0);
}

template <class Real> bool narrow_reals(const Real* row, Index n, std::uint16_t* out) {
    Index y = 0;
#if defined(__AVX512BW__) && !defined(HRIXS_NO_VECTOR_TYPES)
    __mmask8 differs = 0;
    __m256i reach = _mm256_setzero_si256();
    for (; y + 8 <= n; y += 8) {
        __m512d values;
        if constexpr (sizeof(Real) == sizeof(double))
            values = _mm512_loadu_pd(row + y);
        else
            values = _mm512_maskz_cvtps_pd(0xff, _mm256_loadu_ps(row + y));
        // What is no whole number of 32 bits becomes another one.
        const __m256i whole = _mm512_maskz_cvttpd_epi32(0xff, values);
        differs = static_cast<__mmask8>(
            differs |
            _mm512_cmp_pd_mask(_mm512_maskz_cvtepi32_pd(0xff, whole), values, _CMP_NEQ_UQ));
        reach = _mm256_or_si256(reach, whole);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out + y),
                         _mm256_maskz_cvtepi32_epi16(0xff, whole));
    }
    const __m256i high = _mm256_srli_epi32(reach, 16);
    if (differs != 0 || !_mm256_testz_si256(high, high))
        return false;
#elif defined(__AVX2__) && !defined(HRIXS_NO_VECTOR_TYPES)
    __m256d differs = _mm256_setzero_pd();
    __m128i reach = _mm_setzero_si128();
    const auto four = [&](const Real* from) {
        __m256d values;
        if constexpr (sizeof(Real) == sizeof(double))
            values = _mm256_loadu_pd(from);
        else
            values = _mm256_cvtps_pd(_mm_loadu_ps(from));
        const __m128i whole = _mm256_cvttpd_epi32(values);
        differs =
            _mm256_or_pd(differs, _mm256_cmp_pd(_mm256_cvtepi32_pd(whole), values, _CMP_NEQ_UQ));
        reach = _mm_or_si128(reach, whole);
        return whole;
    };
    for (; y + 8 <= n; y += 8) {
        const __m128i low = four(row + y);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out + y),
                         _mm_packus_epi32(low, four(row + y + 4)));
    }
    const __m128i high = _mm_srli_epi32(reach, 16);
    if (_mm256_movemask_pd(differs) != 0 || !_mm_testz_si128(high, high))
        return false;
#endif
    bool fits = true;
    for (; y < n; ++y)
        fits &= narrow_one(static_cast<double>(row[y]), out[y]);
    return fits;
}

inline bool narrow(const double* row, Index n, std::uint16_t* out) {
    return narrow_reals(row, n, out);
}
inline bool narrow(const float* row, Index n, std::uint16_t* out) {
    return narrow_reals(row, n, out);
}

} // namespace
} // namespace hrixs::HRIXS_LEVEL
