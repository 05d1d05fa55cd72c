// SPDX-License-Identifier: BSD-3-Clause
#include "crowd/joint_fit.hpp"

namespace hrixs::crowd {

namespace {

constexpr double belief = 0.5; // that a place is right within a pixel or so
constexpr double damping = 0.2;
constexpr int most_iterations = 12;
constexpr double enough = 0.03; // of the squared length that is left

} // namespace

void JointFit::start(const Equations& equations) {
    const std::size_t n = equations.size();
    blocks_.resize(n);
    inverse_.resize(n);
    rest_.resize(n);
    conditioned_.resize(n);
    direction_.resize(n);
    product_.resize(n);
    step_.assign(n, {0.0, 0.0});
    for (std::size_t a = 0; a < n; ++a) {
        const Equation& own = equations.own(a);
        blocks_[a] = {(1.0 + damping) * static_cast<double>(own.h_xx) + belief,
                      static_cast<double>(own.h_xy),
                      (1.0 + damping) * static_cast<double>(own.h_yy) + belief};
        inverse_[a] = blocks_[a].inverse();
        rest_[a] = {static_cast<double>(own.g_x), static_cast<double>(own.g_y)};
        direction_[a] = inverse_[a].times(rest_[a]);
    }
}

void JointFit::multiply(const std::vector<Coupling>& couplings) {
    const Pair* v = direction_.data();
    Pair* product = product_.data();
    for (std::size_t a = 0; a < direction_.size(); ++a)
        product[a] = blocks_[a].times(v[a]);
    for (const Coupling& c : couplings) {
        const auto a = static_cast<std::size_t>(c.a);
        const auto b = static_cast<std::size_t>(c.b);
        const auto xx = static_cast<double>(c.xx);
        const auto xy = static_cast<double>(c.xy);
        const auto yx = static_cast<double>(c.yx);
        const auto yy = static_cast<double>(c.yy);
        product[a][0] += xx * v[b][0] + xy * v[b][1];
        product[a][1] += yx * v[b][0] + yy * v[b][1];
        product[b][0] += xx * v[a][0] + yx * v[a][1];
        product[b][1] += xy * v[a][0] + yy * v[a][1];
    }
}

// By conjugate gradients, each photon's own block as preconditioner.
const std::vector<JointFit::Pair>& JointFit::steps(const Equations& equations) {
    start(equations);
    const std::size_t n = equations.size();
    Pair* step = step_.data();
    Pair* rest = rest_.data();
    Pair* direction = direction_.data();
    Pair* conditioned = conditioned_.data();
    const Pair* product = product_.data();
    double length = 0.0;
    for (std::size_t a = 0; a < n; ++a)
        length += direction[a][0] * rest[a][0] + direction[a][1] * rest[a][1];
    const double end = enough * length;
    for (int iteration = 0; iteration < most_iterations && length > end && length > 0.0;
         ++iteration) {
        multiply(equations.couplings());
        double bend = 0.0;
        for (std::size_t a = 0; a < n; ++a)
            bend += direction[a][0] * product[a][0] + direction[a][1] * product[a][1];
        if (!(bend > 0.0))
            break;
        const double by = length / bend;
        double next = 0.0;
        for (std::size_t a = 0; a < n; ++a) {
            for (std::size_t c = 0; c < 2; ++c) {
                step[a][c] += by * direction[a][c];
                rest[a][c] -= by * product[a][c];
            }
            conditioned[a] = inverse_[a].times(rest[a]);
            next += conditioned[a][0] * rest[a][0] + conditioned[a][1] * rest[a][1];
        }
        const double back = next / length;
        for (std::size_t a = 0; a < n; ++a)
            for (std::size_t c = 0; c < 2; ++c)
                direction[a][c] = conditioned[a][c] + back * direction[a][c];
        length = next;
    }
    return step_;
}

} // namespace hrixs::crowd
