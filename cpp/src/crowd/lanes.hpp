// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/tile.hpp"

#include <cstring>

// Eight floats in the registers of the level; the same bytes, whatever these are.
namespace hrixs::crowd::HRIXS_LEVEL {
namespace {

#if defined(__GNUC__) && !defined(HRIXS_NO_VECTOR_TYPES)
using Four = float __attribute__((vector_size(16)));
using FourBits = std::int32_t __attribute__((vector_size(16)));
template <int P, int Q, int R, int S> inline Four pick(Four a, Four b) {
#if defined(__clang__) || __GNUC__ >= 12
    return __builtin_shufflevector(a, b, P, Q, R, S);
#else
    return __builtin_shuffle(a, b, FourBits{P, Q, R, S});
#endif
}
inline Four four(float value) {
    return Four{value, value, value, value};
}
inline Four choose(FourBits bits, Four a, Four b) {
    return bits ? a : b;
}
inline FourBits four_without(std::int32_t set, FourBits each) {
    return (FourBits{set, set, set, set} & each) == FourBits{};
}
#else
template <class Number> struct FourOf {
    Number lane[4];
    Number operator[](int k) const { return lane[k]; }
};
using Four = FourOf<float>;
using FourBits = FourOf<std::int32_t>;
template <int P, int Q, int R, int S> inline Four pick(const Four& a, const Four& b) {
    const auto at = [&](int k) { return k < 4 ? a[k] : b[k - 4]; };
    return {{at(P), at(Q), at(R), at(S)}};
}
#define HRIXS_FOUR(Result, op, prefix)                                                             \
    inline Result operator op(const Four& a, const Four& b) {                                      \
        return {{prefix(a[0] op b[0]), prefix(a[1] op b[1]), prefix(a[2] op b[2]),                 \
                 prefix(a[3] op b[3])}};                                                           \
    }
HRIXS_FOUR(Four, +, )
HRIXS_FOUR(Four, -, )
HRIXS_FOUR(Four, *, )
HRIXS_FOUR(Four, /, )
HRIXS_FOUR(FourBits, <, -)
#undef HRIXS_FOUR
inline FourBits operator&(const FourBits& a, const FourBits& b) {
    return {{a[0] & b[0], a[1] & b[1], a[2] & b[2], a[3] & b[3]}};
}
inline Four four(float value) {
    return {{value, value, value, value}};
}
inline Four choose(const FourBits& bits, const Four& a, const Four& b) {
    return {{bits[0] ? a[0] : b[0], bits[1] ? a[1] : b[1], bits[2] ? a[2] : b[2],
             bits[3] ? a[3] : b[3]}};
}
inline FourBits four_without(std::int32_t set, const FourBits& each) {
    const auto at = [&](int k) { return (set & each[k]) == 0 ? -1 : 0; };
    return {{at(0), at(1), at(2), at(3)}};
}
#endif

#if defined(__AVX2__) && defined(__GNUC__) && !defined(HRIXS_NO_VECTOR_TYPES)

using Lanes = float __attribute__((vector_size(32)));
using Bits = std::int32_t __attribute__((vector_size(32)));

inline Lanes all_of(float value) {
    return Lanes{value, value, value, value, value, value, value, value};
}
inline Lanes load(const float* from) {
    Lanes result;
    std::memcpy(&result, from, sizeof result);
    return result;
}
inline Bits load_bits(const std::int32_t* from) {
    Bits result;
    std::memcpy(&result, from, sizeof result);
    return result;
}
inline void store(float* to, Lanes value) {
    std::memcpy(to, &value, sizeof value);
}
inline Lanes choose(Bits bits, Lanes a, Lanes b) {
    return bits ? a : b;
}
// All ones in the lanes whose bit is not set.
inline Bits lanes_without(std::int32_t set) {
    const Bits each{1, 2, 4, 8, 16, 32, 64, 128};
    return (Bits{set, set, set, set, set, set, set, set} & each) == Bits{};
}
inline Four fold(Lanes a) {
    return __builtin_ia32_vextractf128_ps256(a, 0) + __builtin_ia32_vextractf128_ps256(a, 1);
}
inline bool any(Bits bits) {
    using Quad = long long __attribute__((vector_size(32)));
    const auto quad = reinterpret_cast<Quad>(bits);
    return __builtin_ia32_ptestz256(quad, quad) == 0;
}

#else

struct Lanes {
    Four low;
    Four high;
};
struct Bits {
    FourBits low;
    FourBits high;
};

inline Lanes all_of(float value) {
    return {four(value), four(value)};
}
inline Lanes load(const float* from) {
    Lanes result;
    std::memcpy(&result.low, from, sizeof(Four));
    std::memcpy(&result.high, from + 4, sizeof(Four));
    return result;
}
inline Bits load_bits(const std::int32_t* from) {
    Bits result;
    std::memcpy(&result.low, from, sizeof(FourBits));
    std::memcpy(&result.high, from + 4, sizeof(FourBits));
    return result;
}
inline void store(float* to, const Lanes& value) {
    std::memcpy(to, &value.low, sizeof(Four));
    std::memcpy(to + 4, &value.high, sizeof(Four));
}
#define HRIXS_LANES(Result, op, Operand)                                                           \
    inline Result operator op(const Operand& a, const Operand& b) {                                \
        return {a.low op b.low, a.high op b.high};                                                 \
    }
HRIXS_LANES(Lanes, +, Lanes)
HRIXS_LANES(Lanes, -, Lanes)
HRIXS_LANES(Lanes, *, Lanes)
HRIXS_LANES(Lanes, /, Lanes)
HRIXS_LANES(Bits, <, Lanes)
HRIXS_LANES(Bits, &, Bits)
#undef HRIXS_LANES
inline Lanes choose(const Bits& bits, const Lanes& a, const Lanes& b) {
    return {choose(bits.low, a.low, b.low), choose(bits.high, a.high, b.high)};
}
inline Bits lanes_without(std::int32_t set) {
    return {four_without(set, FourBits{1, 2, 4, 8}), four_without(set, FourBits{16, 32, 64, 128})};
}
inline Four fold(const Lanes& a) {
    return a.low + a.high;
}
inline bool any(const Bits& bits) {
    std::int32_t bit[4];
    std::int32_t other[4];
    std::memcpy(bit, &bits.low, sizeof bit);
    std::memcpy(other, &bits.high, sizeof other);
    return (((bit[0] | other[0]) | (bit[1] | other[1])) |
            ((bit[2] | other[2]) | (bit[3] | other[3]))) != 0;
}

#endif

inline Lanes larger(const Lanes& a, const Lanes& b) {
    return choose(b < a, a, b);
}
inline Lanes smaller(const Lanes& a, const Lanes& b) {
    return choose(a < b, a, b);
}

// In fixed order.
inline float sum(const Lanes& a) {
    const Four both = fold(a);
    return (both[0] + both[2]) + (both[1] + both[3]);
}
// The sums of four, in the same order.
inline Four sums(const Lanes& a, const Lanes& b, const Lanes& c, const Lanes& d) {
    const Four p = fold(a);
    const Four q = fold(b);
    const Four r = fold(c);
    const Four s = fold(d);
    // Lanes 0 and 2 of two of them, then 1 and 3: added pair by pair.
    const Four first = pick<0, 1, 4, 5>(p, q) + pick<2, 3, 6, 7>(p, q);
    const Four second = pick<0, 1, 4, 5>(r, s) + pick<2, 3, 6, 7>(r, s);
    return pick<0, 2, 4, 6>(first, second) + pick<1, 3, 5, 7>(first, second);
}

} // namespace
} // namespace hrixs::crowd::HRIXS_LEVEL
