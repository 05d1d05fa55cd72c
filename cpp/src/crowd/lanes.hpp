// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstring>

namespace hrixs::crowd {

// Pixels of a row that are worked on together; a window's own are the first of them.
constexpr int lanes = 8;

// Four floats; those of the compiler where it has them. Both give the same bytes.
#if defined(__GNUC__) && !defined(HRIXS_NO_VECTOR_TYPES)
using Four = float __attribute__((vector_size(16)));
inline Four four(float value) {
    return Four{value, value, value, value};
}
#else
struct Four {
    float lane[4];
    float operator[](int k) const { return lane[k]; }
};
#define HRIXS_FOUR(op)                                                                             \
    inline Four operator op(const Four& a, const Four& b) {                                        \
        return {{a.lane[0] op b.lane[0], a.lane[1] op b.lane[1], a.lane[2] op b.lane[2],           \
                 a.lane[3] op b.lane[3]}};                                                         \
    }
HRIXS_FOUR(+)
HRIXS_FOUR(-)
HRIXS_FOUR(*)
HRIXS_FOUR(/)
#undef HRIXS_FOUR
inline Four four(float value) {
    return {{value, value, value, value}};
}
#endif

// Eight floats.
struct Lanes {
    Four low;
    Four high;

    static Lanes of(float value) { return {four(value), four(value)}; }
    static Lanes load(const float* from) {
        Lanes result;
        std::memcpy(&result.low, from, sizeof(Four));
        std::memcpy(&result.high, from + 4, sizeof(Four));
        return result;
    }
    void store(float* to) const {
        std::memcpy(to, &low, sizeof(Four));
        std::memcpy(to + 4, &high, sizeof(Four));
    }
    // In fixed order, whatever the registers of the processor.
    float sum() const {
        const Four both = low + high;
        return (both[0] + both[2]) + (both[1] + both[3]);
    }
};

inline Lanes operator+(const Lanes& a, const Lanes& b) {
    return {a.low + b.low, a.high + b.high};
}
inline Lanes operator-(const Lanes& a, const Lanes& b) {
    return {a.low - b.low, a.high - b.high};
}
inline Lanes operator*(const Lanes& a, const Lanes& b) {
    return {a.low * b.low, a.high * b.high};
}
inline Lanes operator/(const Lanes& a, const Lanes& b) {
    return {a.low / b.low, a.high / b.high};
}
inline Lanes operator*(float a, const Lanes& b) {
    return Lanes::of(a) * b;
}

} // namespace hrixs::crowd
