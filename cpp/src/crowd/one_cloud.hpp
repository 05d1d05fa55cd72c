// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/patch.hpp"
#include "crowd/profile.hpp"

namespace hrixs::crowd {

// What all photons of a frame share.
struct Light {
    float charge;           // of one photon, ADU
    float adu_per_electron; // 0: electrons have no noise
};

// Where the variance is 0, lanes beyond the window would make NaN.
constexpr float least_variance = 1e-20F;

// Adds `photons` clouds to what is left in a copy; -1 takes one out of it.
template <int Reach>
void add_light(Patch<Reach>& patch, const Shares& along_x, const Shares& along_y, Light light,
               float photons) {
    const Lanes shares = Lanes::load(along_y.share);
    for (int a = 0; a < Patch<Reach>::rows; ++a) {
        const Lanes part = (photons * light.charge * along_x.share[a]) * shares;
        (Lanes::load(patch.rest(a)) + part).store(patch.rest(a));
        (Lanes::load(patch.variance(a)) - light.adu_per_electron * part).store(patch.variance(a));
    }
}

// A cloud's shares as they are added to tiles: those of the columns with zeros around them.
struct Spread {
    explicit Spread(const Shares& x, const Shares& y) : along_x(x) {
        Lanes::of(0.0F).store(along_y);
        Lanes::load(y.share).store(along_y + lanes);
        Lanes::of(0.0F).store(along_y + 2 * lanes);
    }
    // Those of the columns of a tile, where the window begins in column `first` of it.
    Lanes columns(int first) const { return Lanes::load(along_y + lanes - first); }
    const Shares& along_x;
    float along_y[3 * lanes];
};

// Takes one cloud out of what is left in a canvas and puts another one back into it, both in the
// window around a pixel; changed(slot) for each of its tiles.
template <int Reach, class Changed>
void exchange_light(Canvas& canvas, Index x, Index y, Light light, const Spread* taken,
                    const Spread* put_back, Changed changed) {
    constexpr int rows = 2 * Reach + 1;
    const Index x0 = x - Reach;
    const Index y0 = y - Reach;
    const std::int32_t i0 = Canvas::tile_of(x0);
    const std::int32_t j0 = Canvas::tile_of(y0);
    const int row_0 = static_cast<int>(x0 - Canvas::first_pixel(i0));
    const int column = static_cast<int>(y0 - Canvas::first_pixel(j0));
    const Lanes none_of_it = Lanes::of(0.0F);
    for (int i = 0; i * tile_size < row_0 + rows; ++i)
        for (int j = 0; j * tile_size < column + rows; ++j) {
            const std::int32_t slot = canvas.slot(i0 + i, j0 + j);
            Tile& tile = canvas.tile(slot);
            const int first = column - j * tile_size;
            const Lanes out = taken ? light.charge * taken->columns(first) : none_of_it;
            const Lanes in = put_back ? light.charge * put_back->columns(first) : none_of_it;
            const int begin = std::max(0, i * tile_size - row_0);
            const int end = std::min(rows, (i + 1) * tile_size - row_0);
            for (int a = begin; a < end; ++a) {
                Tile::Row& row = tile.row[row_0 + a - i * tile_size];
                const Lanes part = (put_back ? put_back->along_x.share[a] : 0.0F) * in -
                                   (taken ? taken->along_x.share[a] : 0.0F) * out;
                (Lanes::load(row.rest) + part).store(row.rest);
                (Lanes::load(row.variance) - light.adu_per_electron * part).store(row.variance);
            }
            changed(slot);
        }
}

// One step of a fit of a photon's place, of known charge: slopes of half of chi square, and their
// slopes.
struct PlaceStep {
    float g_x;
    float g_y;
    float h_xx;
    float h_yy;
    float h_xy;

    // The step, with a weak belief that the place is right within a pixel or so.
    float along_x() const { return ((h_yy + belief) * g_x - h_xy * g_y) / determinant(); }
    float along_y() const { return ((h_xx + belief) * g_y - h_xy * g_x) / determinant(); }

  private:
    static constexpr float belief = 0.5F;
    float determinant() const { return (h_xx + belief) * (h_yy + belief) - h_xy * h_xy; }
};

template <int Reach>
PlaceStep place_step(const Patch<Reach>& patch, const Shares& along_x, const Shares& along_y,
                     Light light) {
    const Lanes shares = Lanes::load(along_y.share);
    const Lanes slopes = Lanes::load(along_y.slope);
    const Lanes zero = Lanes::of(0.0F);
    const Lanes least = Lanes::of(least_variance);
    const Lanes one = Lanes::of(1.0F);
    Lanes g_x = zero;
    Lanes g_y = zero;
    Lanes h_xx = zero;
    Lanes h_yy = zero;
    Lanes h_xy = zero;
    for (int a = 0; a < Patch<Reach>::rows; ++a) {
        const float share = light.charge * along_x.share[a];
        const Lanes part = share * shares;
        const Lanes d_x = (light.charge * along_x.slope[a]) * shares;
        const Lanes d_y = share * slopes;
        const Lanes variance = Lanes::load(patch.variance(a)) + light.adu_per_electron * part;
        const Lanes weight = one / (variance + least);
        const Lanes left = weight * (Lanes::load(patch.rest(a)) - part);
        const Lanes weighed_x = weight * d_x;
        g_x = g_x + left * d_x;
        g_y = g_y + left * d_y;
        h_xx = h_xx + weighed_x * d_x;
        h_yy = h_yy + weight * d_y * d_y;
        h_xy = h_xy + weighed_x * d_y;
    }
    return {g_x.sum(), g_y.sum(), h_xx.sum(), h_yy.sum(), h_xy.sum()};
}

// Of a photon that is not subtracted: its charge by weighted least squares, in photons, and more.
struct Amplitude {
    float value;    // photons
    float variance; // of it
    float seen;     // part of the cloud on pixels that are not masked
};

template <int Reach>
Amplitude amplitude_of(const Patch<Reach>& patch, const Shares& along_x, const Shares& along_y,
                       Light light) {
    const Lanes shares = Lanes::load(along_y.share);
    const Lanes least = Lanes::of(least_variance);
    Lanes n = Lanes::of(0.0F);
    Lanes d = n;
    float seen = 0.0F;
    for (int a = 0; a < Patch<Reach>::rows; ++a) {
        const Lanes part = along_x.share[a] * shares;
        const Lanes weighed = part / (Lanes::load(patch.variance(a)) + least);
        n = n + weighed * Lanes::load(patch.rest(a));
        d = d + weighed * part;
        for (int k = 0; k < Patch<Reach>::rows; ++k)
            seen += patch.variance(a)[k] < never ? along_x.share[a] * along_y.share[k] : 0.0F;
    }
    const float sum = d.sum();
    if (!(sum > 0.0F))
        return {0.0F, never, 0.0F};
    return {n.sum() / (sum * light.charge), 1.0F / (sum * light.charge * light.charge), seen};
}

} // namespace hrixs::crowd
