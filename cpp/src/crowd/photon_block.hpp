// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/tile.hpp"

#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>

namespace hrixs::crowd {

// Places of some photons of a tile side by side, so that they are compared together.
struct alignas(64) PhotonBlock {
    static constexpr float nowhere = std::numeric_limits<float>::infinity();

    alignas(32) float x[lanes];
    alignas(32) float y[lanes];
    std::int32_t photon[lanes];
    std::int32_t next; // block of the same tile
    std::int32_t n;    // photons; the others are nowhere
};

// Four comparisons, as bits; those of the compiler where it has them.
#if defined(__GNUC__) && defined(__SSE2__) && !defined(HRIXS_NO_VECTOR_TYPES)
class FourNear {
  public:
    FourNear(const float* x, const float* y, float to_x, float to_y) {
        std::memcpy(&x_, x, sizeof x_);
        std::memcpy(&y_, y, sizeof y_);
        x_ -= to_x;
        y_ -= to_y;
    }
    unsigned in_square(float reach) const {
        return bits((x_ < reach) & (x_ > -reach) & (y_ < reach) & (y_ > -reach));
    }
    unsigned in_circle(float reach) const { return bits(x_ * x_ + y_ * y_ < reach * reach); }

  private:
    using Four = float __attribute__((vector_size(16)));
    using Mask = std::int32_t __attribute__((vector_size(16)));
    static unsigned bits(Mask mask) {
        return static_cast<unsigned>(__builtin_ia32_movmskps(reinterpret_cast<Four>(mask)));
    }
    Four x_;
    Four y_;
};
#else
class FourNear {
  public:
    FourNear(const float* x, const float* y, float to_x, float to_y) {
        for (int k = 0; k < 4; ++k) {
            x_[k] = x[k] - to_x;
            y_[k] = y[k] - to_y;
        }
    }
    unsigned in_square(float reach) const {
        return bits([&](float x, float y) {
            return (x < reach) & (x > -reach) & (y < reach) & (y > -reach);
        });
    }
    unsigned in_circle(float reach) const {
        return bits([&](float x, float y) { return x * x + y * y < reach * reach; });
    }

  private:
    template <class Is> unsigned bits(Is is) const {
        unsigned all = 0;
        for (int k = 0; k < 4; ++k)
            all |= static_cast<unsigned>(is(x_[k], y_[k])) << k;
        return all;
    }
    float x_[4];
    float y_[4];
};
#endif

// Which photons of a block are near to a place: bits(four) of each four of them.
template <class Bits> unsigned near_bits(const PhotonBlock& block, float x, float y, Bits bits) {
    return bits(FourNear(block.x, block.y, x, y)) | bits(FourNear(block.x + 4, block.y + 4, x, y))
                                                        << 4;
}

} // namespace hrixs::crowd
