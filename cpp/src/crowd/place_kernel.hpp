// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/kernels.hpp"
#include "crowd/window_lanes.hpp"

namespace hrixs::crowd::HRIXS_LEVEL {
namespace {

constexpr int most_steps = 3;
constexpr float short_step = 0.02F; // pixels; a shorter step is the last
constexpr float most_step = 0.5F;
constexpr float place_belief = 0.5F; // that the place is right within a pixel or so

// One step of a fit of a photon's place, of known charge.
template <int Rows>
Place place_step(const WindowPixels<Rows>& pixels, const Shares& along_x, const ShareLanes& along_y,
                 Light light) {
    Lanes g_x = all_of(0.0F);
    Lanes g_y = g_x;
    Lanes h_xx = g_x;
    Lanes h_yy = g_x;
    Lanes h_xy = g_x;
    for (int a = 0; a < Rows; ++a) {
        const Lanes share = all_of(light.charge * along_x.share[a]);
        const Lanes part = share * along_y.share;
        const Lanes d_x = all_of(light.charge * along_x.slope[a]) * along_y.share;
        const Lanes d_y = share * along_y.slope;
        const Lanes variance = pixels.variance[a] + all_of(light.adu_per_electron) * part;
        const Lanes weight = all_of(1.0F) / (variance + all_of(least_variance));
        const Lanes left = weight * (pixels.rest[a] - part);
        const Lanes weighed_x = weight * d_x;
        g_x = g_x + left * d_x;
        g_y = g_y + left * d_y;
        h_xx = h_xx + weighed_x * d_x;
        h_yy = h_yy + weight * d_y * d_y;
        h_xy = h_xy + weighed_x * d_y;
    }
    const Four four_sums = sums(g_x, g_y, h_xx, h_yy);
    const float h_both = sum(h_xy);
    const float xx = four_sums[2] + place_belief;
    const float yy = four_sums[3] + place_belief;
    const float determinant = xx * yy - h_both * h_both;
    return {(yy * four_sums[0] - h_both * four_sums[1]) / determinant,
            (xx * four_sums[1] - h_both * four_sums[0]) / determinant};
}

template <int Rows>
Amplitude amplitude_of(const WindowPixels<Rows>& pixels, const Shares& along_x,
                       const Lanes& along_y, Light light) {
    const Lanes zero = all_of(0.0F);
    Lanes n = zero;
    Lanes d = zero;
    Lanes seen = zero;
    for (int a = 0; a < Rows; ++a) {
        const Lanes part = all_of(along_x.share[a]) * along_y;
        const Lanes weighed = part / (pixels.variance[a] + all_of(least_variance));
        n = n + weighed * pixels.rest[a];
        d = d + weighed * part;
        seen = seen + choose(pixels.variance[a] < all_of(never), part, zero);
    }
    const Four four_sums = sums(n, d, seen, zero);
    if (!(four_sums[1] > 0.0F))
        return {0.0F, never, 0.0F};
    return {four_sums[0] / (four_sums[1] * light.charge),
            1.0F / (four_sums[1] * light.charge * light.charge), four_sums[2]};
}

template <int Rows>
FittedPlace fit_place(const Window& window, const ShareNode* nodes, Light light, Place place) {
    const WindowPixels<Rows> pixels(window);
    Shares along_x;
    store_shares(nodes, place.x, along_x);
    ShareLanes along_y = shares_at(nodes, place.y);
    for (int step = 0; step < most_steps; ++step) {
        const Place by = place_step(pixels, along_x, along_y, light);
        const float d_x = within(by.x, -most_step, most_step);
        const float d_y = within(by.y, -most_step, most_step);
        if (!((d_x + d_y) - (d_x + d_y) == 0.0F)) // no number
            break;
        place.x = within(place.x + d_x, -share_range, share_range);
        place.y = within(place.y + d_y, -share_range, share_range);
        store_shares(nodes, place.x, along_x);
        along_y = shares_at(nodes, place.y);
        if ((d_x < 0.0F ? -d_x : d_x) + (d_y < 0.0F ? -d_y : d_y) < short_step)
            break;
    }
    return {place, amplitude_of(pixels, along_x, along_y.share, light)};
}

// With its light put back into a copy.
template <int Rows>
Amplitude amplitude_without(const Window& window, const ShareNode* nodes, Light light,
                            Place place) {
    WindowPixels<Rows> pixels(window);
    Shares along_x;
    store_shares(nodes, place.x, along_x);
    const Lanes along_y = shares_at(nodes, place.y).share;
    for (int a = 0; a < Rows; ++a) {
        const Lanes part = all_of(light.charge * along_x.share[a]) * along_y;
        pixels.rest[a] = pixels.rest[a] + part;
        pixels.variance[a] = pixels.variance[a] - all_of(light.adu_per_electron) * part;
    }
    return amplitude_of(pixels, along_x, along_y, light);
}

} // namespace
} // namespace hrixs::crowd::HRIXS_LEVEL
