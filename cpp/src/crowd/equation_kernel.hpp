// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/kernels.hpp"
#include "crowd/window_lanes.hpp"

namespace hrixs::crowd::HRIXS_LEVEL {
namespace {

template <int Rows> struct Weights {
    Lanes weight[Rows];
};

// Slopes count photons; the weights have the charge, so that sums are those of light.
template <int Rows>
Equation own_equation(const FitPhoton& photon, const Cloud& cloud, const ShareLanes& along_y,
                      Light light, Weights<Rows>& weights) {
    const WindowPixels<Rows> pixels(photon.window);
    const Lanes scale = all_of(light.charge);
    Lanes g_x = all_of(0.0F);
    Lanes g_y = g_x;
    Lanes h_xx = g_x;
    Lanes h_xy = g_x;
    Lanes h_yy = g_x;
    for (int row = 0; row < Rows; ++row) {
        const float share = cloud.along_x.share[row];
        const float slope = cloud.along_x.slope[row];
        const Lanes once = scale / (pixels.variance[row] + all_of(least_variance));
        const Lanes weight = scale * once;
        const Lanes left = once * pixels.rest[row];
        g_x = g_x + all_of(slope) * left;
        g_y = g_y + all_of(share) * left;
        h_xx = h_xx + all_of(slope * slope) * weight;
        h_xy = h_xy + all_of(slope * share) * weight;
        h_yy = h_yy + all_of(share * share) * weight;
        weights.weight[row] = weight;
    }
    const Four four_sums =
        sums(g_x * along_y.share, g_y * along_y.slope, h_xx * along_y.share * along_y.share,
             h_xy * along_y.share * along_y.slope);
    return {four_sums[0], four_sums[1], four_sums[2], four_sums[3],
            sum(h_yy * along_y.slope * along_y.slope)};
}

template <int Rows>
void couple(const Cloud& own, const ShareLanes& along_y, const Weights<Rows>& weights,
            const Cloud& other, Coupling& coupling) {
    const float* its_share_y = other.share_y + lanes + coupling.columns;
    const float* its_slope_y = other.slope_y + lanes + coupling.columns;
    const Lanes its_shares = load(its_share_y);
    const Lanes its_slopes = load(its_slope_y);
    const int begin = coupling.rows < 0 ? -coupling.rows : 0;
    const int end = coupling.rows < 0 ? Rows : Rows - coupling.rows;
    Lanes xx = all_of(0.0F);
    Lanes xy = xx;
    Lanes yx = xx;
    Lanes yy = xx;
    for (int row = begin; row < end; ++row) {
        const float share = own.along_x.share[row];
        const float slope = own.along_x.slope[row];
        const float its_share = other.along_x.share[row + coupling.rows];
        const float its_slope = other.along_x.slope[row + coupling.rows];
        const Lanes weight = weights.weight[row];
        xx = xx + all_of(slope * its_slope) * weight;
        xy = xy + all_of(slope * its_share) * weight;
        yx = yx + all_of(share * its_slope) * weight;
        yy = yy + all_of(share * its_share) * weight;
    }
    const Four four_sums = sums(xx * along_y.share * its_shares, xy * along_y.share * its_slopes,
                                yx * along_y.slope * its_shares, yy * along_y.slope * its_slopes);
    std::memcpy(&coupling.xx, &four_sums, sizeof four_sums);
}

template <int Rows>
void make_equations(const FitPhoton* photons, Index n, const ShareNode* nodes, Light light,
                    Cloud* clouds, Equation* equations, Coupling* couplings, Index n_couplings) {
    const Coupling* const end = couplings + n_couplings;
    Coupling* next = couplings;
    for (Index a = 0; a < n; ++a) {
        Cloud& cloud = clouds[a];
        const ShareLanes along_y = shares_at(nodes, photons[a].place.y);
        store_shares(nodes, photons[a].place.x, cloud.along_x);
        store(cloud.share_y + lanes, along_y.share);
        store(cloud.slope_y + lanes, along_y.slope);
        Weights<Rows> weights;
        equations[a] = own_equation(photons[a], cloud, along_y, light, weights);
        for (; next != end && next->a == a; ++next)
            couple(cloud, along_y, weights, clouds[next->b], *next);
    }
}

} // namespace
} // namespace hrixs::crowd::HRIXS_LEVEL
