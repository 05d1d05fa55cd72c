// SPDX-License-Identifier: BSD-3-Clause
#include "crowd/joint_fit.hpp"

#include <algorithm>
#include <cstring>

namespace hrixs::crowd {

namespace {

constexpr double belief = 0.5; // that a place is right within a pixel or so
constexpr double damping = 0.2;
constexpr int most_iterations = 12;
constexpr double enough = 0.03; // of the squared length that is left

} // namespace

void JointFit::prepare(PhotonList& photons, const std::vector<std::int32_t>& together) {
    clouds_.resize(together.size());
    blocks_.resize(together.size());
    slope_.resize(together.size());
    couplings_.clear();
    for (std::size_t a = 0; a < together.size(); ++a) {
        Photon& photon = photons[together[a]];
        photon.place_in_fit = static_cast<std::int32_t>(a);
        Cloud& cloud = clouds_[a];
        Shares along_y;
        profile_.shares(static_cast<float>(photon.x - static_cast<double>(photon.centre_x)),
                        cloud.along_x);
        profile_.shares(static_cast<float>(photon.y - static_cast<double>(photon.centre_y)),
                        along_y);
        std::memset(cloud.share_y, 0, sizeof cloud.share_y);
        std::memset(cloud.slope_y, 0, sizeof cloud.slope_y);
        std::memcpy(cloud.share_y + margin, along_y.share, sizeof along_y.share);
        std::memcpy(cloud.slope_y + margin, along_y.slope, sizeof along_y.slope);
    }
}

template <int Reach>
void JointFit::add_equations(const Canvas& canvas, const PhotonList& photons, Light light,
                             std::int32_t k, int a) {
    constexpr int rows = Patch<Reach>::rows;
    const Photon& photon = photons[k];
    const Patch<Reach> patch(canvas, photon.centre_x, photon.centre_y);
    const Cloud& own = clouds_[static_cast<std::size_t>(a)];
    const Lanes shares = Lanes::load(own.share_y + margin);
    const Lanes slopes = Lanes::load(own.slope_y + margin);
    const Lanes scale = Lanes::of(light.charge);
    const Lanes zero = Lanes::of(0.0F);
    Lanes weight[rows];
    Lanes g_x = zero;
    Lanes g_y = zero;
    Lanes h_xx = zero;
    Lanes h_xy = zero;
    Lanes h_yy = zero;
    for (int row = 0; row < rows; ++row) {
        const float share = own.along_x.share[row];
        const float slope = own.along_x.slope[row];
        // Slopes count photons; the weights have the charge, so that sums are those of light.
        const Lanes once = scale / (Lanes::load(patch.variance(row)) + Lanes::of(least_variance));
        weight[row] = scale * once;
        const Lanes left = once * Lanes::load(patch.rest(row));
        g_x = g_x + slope * left;
        g_y = g_y + share * left;
        h_xx = h_xx + slope * slope * weight[row];
        h_xy = h_xy + slope * share * weight[row];
        h_yy = h_yy + share * share * weight[row];
    }
    const auto at = static_cast<std::size_t>(a);
    slope_[at] = {static_cast<double>((g_x * shares).sum()),
                  static_cast<double>((g_y * slopes).sum())};
    blocks_[at] = {(1.0 + damping) * static_cast<double>((h_xx * shares * shares).sum()) + belief,
                   static_cast<double>((h_xy * shares * slopes).sum()),
                   (1.0 + damping) * static_cast<double>((h_yy * slopes * slopes).sum()) + belief};
    const double near = profile_.near();
    photons.for_each_near(canvas, photon.x, photon.y, near, [&](std::int32_t other) {
        const std::int32_t b = photons[other].place_in_fit;
        if (b == none || b >= a)
            return;
        const double d_x = photons[other].x - photon.x;
        const double d_y = photons[other].y - photon.y;
        if (d_x * d_x + d_y * d_y > near * near)
            return;
        const Cloud& its = clouds_[static_cast<std::size_t>(b)];
        // Where this window begins in the other's.
        const int row_0 = static_cast<int>(photon.centre_x - photons[other].centre_x);
        const int column_0 = static_cast<int>(photon.centre_y - photons[other].centre_y);
        if (column_0 < -margin || column_0 > margin)
            return;
        const Lanes its_shares = Lanes::load(its.share_y + margin + column_0);
        const Lanes its_slopes = Lanes::load(its.slope_y + margin + column_0);
        Lanes xx = zero;
        Lanes xy = zero;
        Lanes yx = zero;
        Lanes yy = zero;
        for (int row = std::max(0, -row_0); row < std::min(rows, rows - row_0); ++row) {
            const float share = own.along_x.share[row];
            const float slope = own.along_x.slope[row];
            const float its_share = its.along_x.share[row + row_0];
            const float its_slope = its.along_x.slope[row + row_0];
            xx = xx + slope * its_slope * weight[row];
            xy = xy + slope * its_share * weight[row];
            yx = yx + share * its_slope * weight[row];
            yy = yy + share * its_share * weight[row];
        }
        couplings_.push_back({a, b, static_cast<double>((xx * shares * its_shares).sum()),
                              static_cast<double>((xy * shares * its_slopes).sum()),
                              static_cast<double>((yx * slopes * its_shares).sum()),
                              static_cast<double>((yy * slopes * its_slopes).sum())});
    });
}

void JointFit::multiply(const std::vector<Pair>& v, std::vector<Pair>& product) const {
    for (std::size_t a = 0; a < v.size(); ++a)
        product[a] = blocks_[a].times(v[a]);
    for (const Coupling& c : couplings_) {
        const auto a = static_cast<std::size_t>(c.a);
        const auto b = static_cast<std::size_t>(c.b);
        product[a][0] += c.xx * v[b][0] + c.xy * v[b][1];
        product[a][1] += c.yx * v[b][0] + c.yy * v[b][1];
        product[b][0] += c.xx * v[a][0] + c.yx * v[a][1];
        product[b][1] += c.xy * v[a][0] + c.yy * v[a][1];
    }
}

// By conjugate gradients, each photon's own block as preconditioner.
void JointFit::solve() {
    const std::size_t n = slope_.size();
    step_.assign(n, {0.0, 0.0});
    rest_ = slope_;
    direction_.resize(n);
    product_.resize(n);
    inverse_.resize(n);
    double length = 0.0;
    for (std::size_t a = 0; a < n; ++a) {
        inverse_[a] = blocks_[a].inverse();
        direction_[a] = inverse_[a].times(rest_[a]);
        length += direction_[a][0] * rest_[a][0] + direction_[a][1] * rest_[a][1];
    }
    const double end = enough * length;
    for (int iteration = 0; iteration < most_iterations && length > end && length > 0.0;
         ++iteration) {
        multiply(direction_, product_);
        double bend = 0.0;
        for (std::size_t a = 0; a < n; ++a)
            bend += direction_[a][0] * product_[a][0] + direction_[a][1] * product_[a][1];
        if (!(bend > 0.0))
            return;
        const double by = length / bend;
        double next = 0.0;
        for (std::size_t a = 0; a < n; ++a) {
            for (std::size_t c = 0; c < 2; ++c) {
                step_[a][c] += by * direction_[a][c];
                rest_[a][c] -= by * product_[a][c];
            }
            const Pair z = inverse_[a].times(rest_[a]);
            next += z[0] * rest_[a][0] + z[1] * rest_[a][1];
        }
        for (std::size_t a = 0; a < n; ++a) {
            const Pair z = inverse_[a].times(rest_[a]);
            for (std::size_t c = 0; c < 2; ++c)
                direction_[a][c] = z[c] + next / length * direction_[a][c];
        }
        length = next;
    }
}

template void JointFit::add_equations<2>(const Canvas&, const PhotonList&, Light, std::int32_t,
                                         int);
template void JointFit::add_equations<3>(const Canvas&, const PhotonList&, Light, std::int32_t,
                                         int);

} // namespace hrixs::crowd
