// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/equations.hpp"

#include <array>
#include <vector>

namespace hrixs::crowd {

// Steps of photons' places that solve their normal equations.
class JointFit {
  public:
    using Pair = std::array<double, 2>;

    // One damped Gauss-Newton step for each of the photons.
    const std::vector<Pair>& steps(const Equations& equations);

  private:
    struct Block { // symmetric
        double xx;
        double xy;
        double yy;
        Pair times(const Pair& v) const { return {xx * v[0] + xy * v[1], xy * v[0] + yy * v[1]}; }
        Block inverse() const {
            const double inverse = 1.0 / (xx * yy - xy * xy);
            return {yy * inverse, -xy * inverse, xx * inverse};
        }
    };

    void start(const Equations& equations);
    void multiply(const std::vector<Coupling>& couplings);

    std::vector<Block> blocks_;
    std::vector<Block> inverse_;
    std::vector<Pair> step_;
    std::vector<Pair> rest_;
    std::vector<Pair> conditioned_; // the rest, by each photon's own block
    std::vector<Pair> direction_;
    std::vector<Pair> product_;
};

} // namespace hrixs::crowd
