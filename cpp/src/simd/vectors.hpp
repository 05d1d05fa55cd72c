// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/index.hpp"

#include <cstdint>
#include <cstring>

#if defined(__AVX2__)
#include <immintrin.h> // whose names are the same for all compilers
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

// Where a call would make registers go through memory.
#if defined(__GNUC__)
#define HRIXS_INLINE inline __attribute__((always_inline))
#else
#define HRIXS_INLINE inline
#endif

// Registers of the level, by the compilers' own vector types: numbers side by side, with the usual
// operators. Used where a compiler does not vectorise plain loops, or not in the order wanted.
namespace hrixs::HRIXS_LEVEL {
namespace {

// Of AVX-512 half a register: whole ones are no faster here, measured on Zen 4, which has units of
// half the width. Its instructions and its 32 registers are what is gained.
#if defined(__AVX2__)
constexpr Index register_bytes = 32;
#else
constexpr Index register_bytes = 16;
#endif
// Four doubles together at every level: their number is part of the definition of a sum.
template <class Number>
constexpr Index bytes_of_vector = sizeof(Number) == sizeof(double) ? 32 : register_bytes;

#if defined(__GNUC__) && !defined(HRIXS_NO_VECTOR_TYPES)

template <class Number> struct VectorOf {
    static constexpr Index bytes = bytes_of_vector<Number>;
    using Type __attribute__((vector_size(bytes))) = Number;
    using InMemory __attribute__((vector_size(bytes), aligned(alignof(Number)), may_alias)) =
        Number;
};
template <class Number> using Vector = typename VectorOf<Number>::Type;

template <class Number> inline Vector<Number> load(const Number* from) {
    return *reinterpret_cast<const typename VectorOf<Number>::InMemory*>(from);
}
template <class Number, class Value> inline void store(Number* to, Value value) {
    *reinterpret_cast<typename VectorOf<Number>::InMemory*>(to) = value;
}
// All ones where a lies above b, as signed numbers, else zero.
inline Vector<std::uint16_t> above(Vector<std::uint16_t> a, std::int16_t b) {
    return reinterpret_cast<Vector<std::uint16_t>>(reinterpret_cast<Vector<std::int16_t>>(a) > b);
}
// The larger of signed numbers.
inline Vector<std::uint16_t> higher(Vector<std::uint16_t> a, Vector<std::uint16_t> b) {
#if defined(__AVX512BW__) // where compilers take a comparison and a choice
    return reinterpret_cast<Vector<std::uint16_t>>(
        _mm256_max_epi16(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#else
    const auto signed_a = reinterpret_cast<Vector<std::int16_t>>(a);
    const auto signed_b = reinterpret_cast<Vector<std::int16_t>>(b);
    return reinterpret_cast<Vector<std::uint16_t>>(signed_a > signed_b ? signed_a : signed_b);
#endif
}
inline Vector<std::uint64_t> above(Vector<double> a, double b) {
#if defined(__AVX512BW__) // whose comparisons give bits else
    return reinterpret_cast<Vector<std::uint64_t>>(_mm256_cmp_pd(a, _mm256_set1_pd(b), _CMP_GT_OQ));
#else
    return reinterpret_cast<Vector<std::uint64_t>>(a > b);
#endif
}
inline bool any(Vector<std::uint64_t> bits) {
#if defined(__AVX2__)
    using Quad = long long __attribute__((vector_size(32)));
    const auto quad = reinterpret_cast<Quad>(bits);
    return __builtin_ia32_ptestz256(quad, quad) == 0;
#else
    return ((bits[0] | bits[1]) | (bits[2] | bits[3])) != 0;
#endif
}
template <class Bits> inline bool any(Bits bits) {
#if defined(__AVX2__)
    return any(reinterpret_cast<Vector<std::uint64_t>>(bits));
#else
    using Halves = std::uint64_t __attribute__((vector_size(16)));
    const auto halves = reinterpret_cast<Halves>(bits);
    return (halves[0] | halves[1]) != 0;
#endif
}
inline bool any_above(Vector<std::uint16_t> a, std::int16_t b) {
#if defined(__AVX512BW__)
    return _mm256_cmpgt_epi16_mask(reinterpret_cast<__m256i>(a), _mm256_set1_epi16(b)) != 0;
#else
    return any(above(a, b));
#endif
}
inline Vector<std::int32_t> above(Vector<float> a, float b) {
#if defined(__AVX512BW__) // whose comparisons give bits else
    return reinterpret_cast<Vector<std::int32_t>>(_mm256_cmp_ps(a, _mm256_set1_ps(b), _CMP_GT_OQ));
#else
    return reinterpret_cast<Vector<std::int32_t>>(a > b);
#endif
}
// Magnitudes of floats stand in the order of their bits, with infinity and NaN at the end.
inline Vector<std::int32_t> magnitude_bits(Vector<float> a) {
    return reinterpret_cast<Vector<std::int32_t>>(a) & 0x7fffffff;
}
inline Vector<std::int32_t> larger(Vector<std::int32_t> a, Vector<std::int32_t> b) {
#if defined(__AVX512BW__)
    return reinterpret_cast<Vector<std::int32_t>>(
        _mm256_max_epi32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#else
    return a > b ? a : b;
#endif
}
inline Vector<double> to_doubles(const float* from) {
#if defined(__AVX2__)
    // clang heeds the alignment only at the name.
    using Floats __attribute__((vector_size(16), aligned(4), may_alias)) = float;
#if defined(__clang__) // has not the instruction by name, but finds it
    return __builtin_convertvector(*reinterpret_cast<const Floats*>(from), Vector<double>);
#else
    return __builtin_ia32_cvtps2pd256(*reinterpret_cast<const Floats*>(from));
#endif
#else
    return Vector<double>{static_cast<double>(from[0]), static_cast<double>(from[1]),
                          static_cast<double>(from[2]), static_cast<double>(from[3])};
#endif
}
inline Vector<double> to_doubles(const std::int32_t* from) {
#if defined(__AVX2__)
    return _mm256_cvtepi32_pd(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
#else
    return Vector<double>{static_cast<double>(from[0]), static_cast<double>(from[1]),
                          static_cast<double>(from[2]), static_cast<double>(from[3])};
#endif
}
// Zero for a NaN.
inline Vector<double> or_zero(Vector<double> a) {
#if defined(__AVX512BW__)
    return _mm256_and_pd(a, _mm256_cmp_pd(a, a, _CMP_EQ_OQ));
#else
    return a == a ? a : Vector<double>{};
#endif
}
// The same as a + b, bit for bit, by the unit that multiplies: where most is addition, that one
// is idle. one: hidden_one().
inline Vector<double> sum_by_multiplier(Vector<double> a, Vector<double> b,
                                        [[maybe_unused]] Vector<double> one) {
#if defined(__FMA__)
    return _mm256_fmadd_pd(a, one, b);
#else
    return a + b;
#endif
}
// Adds the products of signed numbers, each two neighbours together.
inline void add_products(Vector<std::uint32_t>& sums, Vector<std::uint16_t> a,
                         Vector<std::uint16_t> b) {
#if defined(__AVX2__)
    using Short = short __attribute__((vector_size(32)));
    sums += reinterpret_cast<Vector<std::uint32_t>>(
        __builtin_ia32_pmaddwd256(reinterpret_cast<Short>(a), reinterpret_cast<Short>(b)));
#elif defined(__SSE2__)
    using Short = short __attribute__((vector_size(16)));
    sums += reinterpret_cast<Vector<std::uint32_t>>(
        __builtin_ia32_pmaddwd128(reinterpret_cast<Short>(a), reinterpret_cast<Short>(b)));
#else
    const auto pairs_a = reinterpret_cast<Vector<std::int32_t>>(a);
    const auto pairs_b = reinterpret_cast<Vector<std::int32_t>>(b);
    const auto low = ((pairs_a << 16) >> 16) * ((pairs_b << 16) >> 16);
    const auto high = (pairs_a >> 16) * (pairs_b >> 16);
    sums += reinterpret_cast<Vector<std::uint32_t>>(low + high);
#endif
}
// a - b, but 0 where b is larger.
inline Vector<std::uint16_t> above_or_zero(Vector<std::uint16_t> a, Vector<std::uint16_t> b) {
#if defined(__AVX2__)
    return reinterpret_cast<Vector<std::uint16_t>>(
        _mm256_subs_epu16(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#elif defined(__SSE2__)
    return reinterpret_cast<Vector<std::uint16_t>>(
        _mm_subs_epu16(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
#else
    return reinterpret_cast<Vector<std::uint16_t>>(a > b) & (a - b);
#endif
}
// a + b, but the largest number where that is more.
inline Vector<std::uint16_t> sum_or_most(Vector<std::uint16_t> a, Vector<std::uint16_t> b) {
#if defined(__AVX2__)
    return reinterpret_cast<Vector<std::uint16_t>>(
        _mm256_adds_epu16(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#elif defined(__SSE2__)
    return reinterpret_cast<Vector<std::uint16_t>>(
        _mm_adds_epu16(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
#else
    const Vector<std::uint16_t> sum = a + b;
    return sum | reinterpret_cast<Vector<std::uint16_t>>(sum < a);
#endif
}
// The larger of unsigned numbers.
inline Vector<std::uint16_t> larger(Vector<std::uint16_t> a, Vector<std::uint16_t> b) {
#if defined(__AVX2__)
    return reinterpret_cast<Vector<std::uint16_t>>(
        _mm256_max_epu16(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#else
    return above_or_zero(a, b) + b;
#endif
}
// A bit for each lane where a lies above b, as signed numbers; the lowest for the first.
inline std::uint64_t bits_above(Vector<std::uint16_t> a, Vector<std::uint16_t> b) {
#if defined(__AVX512BW__)
    return _mm256_cmpgt_epi16_mask(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b));
#elif defined(__AVX2__)
    const __m256i is_above =
        _mm256_cmpgt_epi16(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b));
    const auto bits =
        static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_packs_epi16(is_above, is_above)));
    return (bits & 0xff) | (bits >> 8 & 0xff00);
#elif defined(__SSE2__)
    const __m128i is_above =
        _mm_cmpgt_epi16(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b));
    return static_cast<std::uint64_t>(
        _mm_movemask_epi8(_mm_packs_epi16(is_above, _mm_setzero_si128())));
#else
    const auto is_above = reinterpret_cast<Vector<std::uint16_t>>(
        reinterpret_cast<Vector<std::int16_t>>(a) > reinterpret_cast<Vector<std::int16_t>>(b));
    std::uint64_t bits = 0;
    for (Index k = 0; k < register_bytes / 2; ++k)
        bits |= std::uint64_t{is_above[k] & 1U} << k;
    return bits;
#endif
}
// The numbers in these places, of a and b laid end to end.
template <int P, int Q, int R, int S>
HRIXS_INLINE Vector<double> pick(Vector<double> a, Vector<double> b) {
#if defined(__clang__) || __GNUC__ >= 12
    return __builtin_shufflevector(a, b, P, Q, R, S);
#else
    using Places = long long __attribute__((vector_size(32)));
    return __builtin_shuffle(a, b, Places{P, Q, R, S});
#endif
}
// a where the mask is all ones, b where it is 0.
inline Vector<double> choose(Vector<std::uint64_t> mask, Vector<double> a, Vector<double> b) {
    return mask ? a : b;
}
// Row k becomes what the rows have in place k.
inline void transpose(Vector<double> (&rows)[4]) {
    const auto even_01 = pick<0, 4, 2, 6>(rows[0], rows[1]);
    const auto odd_01 = pick<1, 5, 3, 7>(rows[0], rows[1]);
    const auto even_23 = pick<0, 4, 2, 6>(rows[2], rows[3]);
    const auto odd_23 = pick<1, 5, 3, 7>(rows[2], rows[3]);
    rows[0] = pick<0, 1, 4, 5>(even_01, even_23);
    rows[1] = pick<0, 1, 4, 5>(odd_01, odd_23);
    rows[2] = pick<2, 3, 6, 7>(even_01, even_23);
    rows[3] = pick<2, 3, 6, 7>(odd_01, odd_23);
}
// Adds unsigned numbers, each two neighbours together.
inline void add_counts(Vector<std::uint32_t>& sums, Vector<std::uint16_t> a) {
    const auto pairs = reinterpret_cast<Vector<std::uint32_t>>(a);
    sums += (pairs & 0xffff) + (pairs >> 16);
}

#else

// The same without vector types, for other compilers.
template <class Number> struct Vector {
    static constexpr Index size = bytes_of_vector<Number> / sizeof(Number);
    Number value[size];
    const Number& operator[](Index k) const { return value[k]; }
    template <class Operation>
    friend Vector combine(const Vector& a, const Vector& b, Operation operation) {
        Vector result;
        for (Index k = 0; k < size; ++k)
            result.value[k] = static_cast<Number>(operation(a.value[k], b.value[k]));
        return result;
    }
    static Vector all(Number number) {
        Vector result;
        for (Number& one : result.value)
            one = number;
        return result;
    }
    friend Vector operator+(const Vector& a, const Vector& b) {
        return combine(a, b, [](auto p, auto q) { return p + q; });
    }
    friend Vector operator-(const Vector& a, const Vector& b) {
        return combine(a, b, [](auto p, auto q) { return p - q; });
    }
    friend Vector operator-(const Vector& a, Number b) { return a - all(b); }
    friend Vector operator*(const Vector& a, const Vector& b) {
        return combine(a, b, [](auto p, auto q) { return p * q; });
    }
    friend Vector operator/(const Vector& a, const Vector& b) {
        return combine(a, b, [](auto p, auto q) { return p / q; });
    }
    friend Vector operator|(const Vector& a, const Vector& b) {
        return combine(a, b, [](auto p, auto q) { return p | q; });
    }
    friend Vector operator&(const Vector& a, const Vector& b) {
        return combine(a, b, [](auto p, auto q) { return p & q; });
    }
    friend Vector operator&(const Vector& a, Number b) { return a & all(b); }
    Vector& operator+=(const Vector& b) { return *this = *this + b; }
    Vector& operator|=(const Vector& b) { return *this = *this | b; }
};

template <class Number> inline Vector<Number> load(const Number* from) {
    Vector<Number> result;
    for (Index k = 0; k < Vector<Number>::size; ++k)
        result.value[k] = from[k];
    return result;
}
template <class Number> inline void store(Number* to, const Vector<Number>& from) {
    for (Index k = 0; k < Vector<Number>::size; ++k)
        to[k] = from.value[k];
}
inline Vector<std::uint16_t> above(const Vector<std::uint16_t>& a, std::int16_t b) {
    return combine(a, a,
                   [b](auto p, auto) { return static_cast<std::int16_t>(p) > b ? 0xffff : 0; });
}
inline Vector<std::uint16_t> higher(const Vector<std::uint16_t>& a,
                                    const Vector<std::uint16_t>& b) {
    return combine(a, b, [](auto p, auto q) {
        return static_cast<std::int16_t>(p) > static_cast<std::int16_t>(q) ? p : q;
    });
}
inline Vector<std::uint64_t> above(const Vector<double>& a, double b) {
    Vector<std::uint64_t> result;
    for (Index k = 0; k < Vector<double>::size; ++k)
        result.value[k] = a.value[k] > b ? ~std::uint64_t{0} : 0;
    return result;
}
inline Vector<std::int32_t> above(const Vector<float>& a, float b) {
    Vector<std::int32_t> result;
    for (Index k = 0; k < Vector<float>::size; ++k)
        result.value[k] = a.value[k] > b ? -1 : 0;
    return result;
}
inline Vector<std::int32_t> magnitude_bits(const Vector<float>& a) {
    Vector<std::int32_t> result;
    std::memcpy(result.value, a.value, sizeof a.value);
    return result & 0x7fffffff;
}
inline Vector<std::int32_t> larger(const Vector<std::int32_t>& a, const Vector<std::int32_t>& b) {
    return combine(a, b, [](auto p, auto q) { return p > q ? p : q; });
}
template <class Number> inline Vector<double> to_doubles(const Number* from) {
    Vector<double> result;
    for (Index k = 0; k < Vector<double>::size; ++k)
        result.value[k] = static_cast<double>(from[k]);
    return result;
}
template <class Number> inline bool any(const Vector<Number>& bits) {
    Number all = 0;
    for (const Number one : bits.value)
        all = static_cast<Number>(all | one);
    return all != 0;
}
inline bool any_above(const Vector<std::uint16_t>& a, std::int16_t b) {
    return any(above(a, b));
}
// The same as a + b.
inline Vector<double> sum_by_multiplier(const Vector<double>& a, const Vector<double>& b,
                                        const Vector<double>&) {
    return a + b;
}
inline Vector<double> or_zero(const Vector<double>& a) {
    return combine(a, a, [](auto p, auto) { return p == p ? p : 0.0; });
}
inline void add_products(Vector<std::uint32_t>& sums, const Vector<std::uint16_t>& a,
                         const Vector<std::uint16_t>& b) {
    const auto product = [&](Index k) {
        return static_cast<std::uint32_t>(std::int32_t{static_cast<std::int16_t>(a[k])} *
                                          static_cast<std::int16_t>(b[k]));
    };
    for (Index k = 0; k < Vector<std::uint32_t>::size; ++k)
        sums.value[k] += product(2 * k) + product(2 * k + 1);
}
inline Vector<std::uint16_t> above_or_zero(const Vector<std::uint16_t>& a,
                                           const Vector<std::uint16_t>& b) {
    return combine(a, b, [](auto p, auto q) { return p > q ? p - q : 0; });
}
inline Vector<std::uint16_t> sum_or_most(const Vector<std::uint16_t>& a,
                                         const Vector<std::uint16_t>& b) {
    return combine(a, b, [](auto p, auto q) { return p + q < 0xffff ? p + q : 0xffff; });
}
inline Vector<std::uint16_t> larger(const Vector<std::uint16_t>& a,
                                    const Vector<std::uint16_t>& b) {
    return combine(a, b, [](auto p, auto q) { return p > q ? p : q; });
}
inline std::uint64_t bits_above(const Vector<std::uint16_t>& a, const Vector<std::uint16_t>& b) {
    std::uint64_t bits = 0;
    for (Index k = 0; k < Vector<std::uint16_t>::size; ++k) {
        const bool is_above =
            static_cast<std::int16_t>(a.value[k]) > static_cast<std::int16_t>(b.value[k]);
        bits |= std::uint64_t{is_above} << k;
    }
    return bits;
}
inline Vector<double> choose(const Vector<std::uint64_t>& mask, const Vector<double>& a,
                             const Vector<double>& b) {
    Vector<double> result;
    for (Index k = 0; k < Vector<double>::size; ++k)
        result.value[k] = mask.value[k] != 0 ? a.value[k] : b.value[k];
    return result;
}
inline void transpose(Vector<double> (&rows)[4]) {
    for (Index i = 0; i < 4; ++i)
        for (Index k = 0; k < i; ++k) {
            const double value = rows[i].value[k];
            rows[i].value[k] = rows[k].value[i];
            rows[k].value[i] = value;
        }
}
inline void add_counts(Vector<std::uint32_t>& sums, const Vector<std::uint16_t>& a) {
    for (Index k = 0; k < Vector<std::uint32_t>::size; ++k)
        sums.value[k] += std::uint32_t{a[2 * k]} + a[2 * k + 1];
}

#endif

inline Vector<double> to_doubles(const double* from) {
    return load(from);
}

template <class Number>
constexpr Index numbers_in_vector = bytes_of_vector<Number> / sizeof(Number);

inline double or_zero(double a) {
    return a == a ? a : 0.0;
}

inline std::uint64_t sum(const Vector<std::uint32_t>& sums) {
    std::uint64_t total = 0;
    for (Index k = 0; k < numbers_in_vector<std::uint32_t>; ++k)
        total += sums[k];
    return total;
}
inline std::int64_t sum_signed(const Vector<std::uint32_t>& sums) {
    std::int64_t total = 0;
    for (Index k = 0; k < numbers_in_vector<std::uint32_t>; ++k)
        total += static_cast<std::int32_t>(sums[k]);
    return total;
}
template <class Number> inline Vector<Number> all_equal(Number number) {
    Number lanes[numbers_in_vector<Number>];
    for (Number& lane : lanes)
        lane = number;
    return load(lanes);
}

// Ones that compilers do not know to be ones: they would take an addition.
inline Vector<double> hidden_one() {
    Vector<double> one = all_equal(1.0);
#if defined(__FMA__) && !defined(HRIXS_NO_VECTOR_TYPES)
    __asm__("" : "+x"(one));
#endif
    return one;
}

// Eight doubles side by side. Named, and not an array, so that compilers keep them in registers.
constexpr Index n_lanes = 8;
constexpr Index half_lanes = n_lanes / 2;
struct Lanes {
    Vector<double> first = all_equal(0.0);
    Vector<double> second = all_equal(0.0);

    void copy_to(double* to) const {
        store(to, first);
        store(to + half_lanes, second);
    }
};

inline double add_lanes(const double* lane) {
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) +
           ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

} // namespace
} // namespace hrixs::HRIXS_LEVEL
