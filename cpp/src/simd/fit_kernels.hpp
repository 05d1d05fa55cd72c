// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "simd/spot_fit.hpp"
#include "simd/vectors.hpp"

namespace hrixs::HRIXS_LEVEL {
namespace {

using Four = Vector<double>;

// A cloud's shares in the window's columns or rows, for four spots, and their derivatives.
struct Shares {
    Four share[window_size];
    Four slope[window_size];
    Four bend[window_size];
};

// From values of four pixels for each spot, and of the fifth, to those of the spots for each pixel.
inline void by_pixel(Four (&first_four)[spots_together], const Four (&fifth)[spots_together],
                     Four (&of_pixel)[window_size]) {
    transpose(first_four);
    for (Index k = 0; k < spots_together; ++k)
        of_pixel[k] = first_four[k];
    double last[spots_together];
    for (Index spot = 0; spot < spots_together; ++spot)
        last[spot] = fifth[spot][0];
    of_pixel[spots_together] = load(last);
}

template <bool WithBend>
HRIXS_INLINE void shares_at(const double* nodes, const double (&position)[spots_together],
                            Shares& shares) {
    constexpr Index n_parts = cloud_row / half_lanes;
    Four share[n_parts][spots_together];
    Four slope[n_parts][spots_together];
    Four bend[n_parts][spots_together];
    for (Index spot = 0; spot < spots_together; ++spot) {
        const double in_nodes = (position[spot] + cloud_range) * cloud_nodes_per_pixel;
        const auto node = static_cast<Index>(in_nodes + 0.5);
        const Four rest = all_equal((in_nodes - static_cast<double>(node)) / cloud_nodes_per_pixel);
        const Four two = all_equal(2.0);
        const Four three = all_equal(3.0);
        const double* order = nodes + node * cloud_node_size;
        for (Index part = 0; part < n_parts; ++part) {
            const double* values = order + part * half_lanes;
            const Four first = load(values + cloud_row);
            const Four second = load(values + 2 * cloud_row);
            const Four third = load(values + 3 * cloud_row);
            share[part][spot] = load(values) + rest * (first + rest * (second + rest * third));
            slope[part][spot] = first + rest * (two * second + rest * (three * third));
            if constexpr (WithBend)
                bend[part][spot] = two * (second + rest * (three * third));
        }
    }
    by_pixel(share[0], share[1], shares.share);
    by_pixel(slope[0], slope[1], shares.slope);
    if constexpr (WithBend)
        by_pixel(bend[0], bend[1], shares.bend);
}

// Charge, x, y, and the background where it is free.
template <bool FreeBackground> constexpr Index n_unknowns = FreeBackground ? 4 : 3;

// Sums over a window: of the score and, by columns, of the upper half of the Fisher matrix. The
// unknowns of the position are in units of the charge.
template <bool FreeBackground> struct Normal {
    static constexpr Index n = n_unknowns<FreeBackground>;
    Four score[n] = {};
    Four matrix[n][n] = {};
};

// Turns the matrix into its factors, L D L^T, with the inverse of D.
template <Index N> HRIXS_INLINE void factorise(Four (&matrix)[N][N], Four (&inverse_pivot)[N]) {
    const Four one = all_equal(1.0);
    for (Index j = 0; j < N; ++j) {
        inverse_pivot[j] = one / matrix[j][j];
        for (Index i = j + 1; i < N; ++i) {
            const Four factor = matrix[j][i] * inverse_pivot[j];
            for (Index k = i; k < N; ++k)
                matrix[i][k] = matrix[i][k] - factor * matrix[j][k];
            matrix[i][j] = factor;
        }
    }
}

// right becomes the solution.
template <Index N>
HRIXS_INLINE void solve(const Four (&factors)[N][N], const Four (&inverse_pivot)[N],
                        Four (&right)[N]) {
    for (Index i = 0; i < N; ++i)
        for (Index j = 0; j < i; ++j)
            right[i] = right[i] - factors[i][j] * right[j];
    for (Index i = N; i-- > 0;) {
        right[i] = right[i] * inverse_pivot[i];
        for (Index j = i + 1; j < N; ++j)
            right[i] = right[i] - factors[j][i] * right[j];
    }
}

template <bool Electrons, bool FreeBackground> class SpotFit {
  public:
    SpotFit(SpotGroup& group, const SpotFitOptions& options) : group_(group), options_(options) {}

    void run() {
        bool done[spots_together] = {};
        for (Index spot = 0; spot < spots_together; ++spot)
            group_.converged[spot] = false;
        bool all_done = false;
        for (int step = 0; step < most_fit_steps && !all_done; ++step) {
            Shares along_x;
            Shares along_y;
            shares_at<false>(options_.nodes, group_.x, along_x);
            shares_at<false>(options_.nodes, group_.y, along_y);
            Unknowns normal;
            add_up(along_x, along_y, normal);
            Four inverse_pivot[n];
            factorise(normal.matrix, inverse_pivot);
            solve(normal.matrix, inverse_pivot, normal.score);
            keep_factors(normal.matrix, inverse_pivot, done);
            all_done = move(normal.score, step, done);
        }
        tell();
    }

  private:
    using Unknowns = Normal<FreeBackground>;
    static constexpr Index n = Unknowns::n;

    // In place of a charge below zero, for the variance.
    Four electrons_variance() const {
        double charge[spots_together];
        for (Index spot = 0; spot < spots_together; ++spot)
            charge[spot] =
                (group_.charge[spot] > 0.0 ? group_.charge[spot] : 0.0) * options_.adu_per_electron;
        return load(charge);
    }

    // Of a pixel, with the noise of the photon's own electrons.
    Four weight_of(Index k, const Four& cloud, const Four& own_variance) const {
        const Four weight = load(group_.weight[k]);
        if constexpr (Electrons)
            return weight / (all_equal(1.0) + weight * (own_variance * cloud));
        else
            return weight;
    }

    void add_up(const Shares& along_x, const Shares& along_y, Unknowns& normal) const {
        const Four charge = load(group_.charge);
        const Four background = load(group_.background);
        const Four own_variance = electrons_variance();
        for (Index i = 0; i < window_size; ++i) {
            Four residual_share{};
            Four residual_slope{};
            Four share_share{};
            Four share_slope{};
            Four slope_slope{};
            [[maybe_unused]] Four residual_one{};
            [[maybe_unused]] Four one_share{};
            [[maybe_unused]] Four one_slope{};
            [[maybe_unused]] Four one_one{};
            for (Index j = 0; j < window_size; ++j) {
                const Index k = i * window_size + j;
                const Four& share = along_y.share[j];
                const Four& slope = along_y.slope[j];
                const Four cloud = along_x.share[i] * share;
                const Four weight = weight_of(k, cloud, own_variance);
                Four residual = load(group_.pixel[k]) - charge * cloud;
                if constexpr (FreeBackground)
                    residual = residual - background;
                const Four weighed = weight * residual;
                const Four weighed_share = weight * share;
                const Four weighed_slope = weight * slope;
                residual_share += weighed * share;
                residual_slope += weighed * slope;
                share_share += weighed_share * share;
                share_slope += weighed_share * slope;
                slope_slope += weighed_slope * slope;
                if constexpr (FreeBackground) {
                    residual_one += weighed;
                    one_share += weighed_share;
                    one_slope += weighed_slope;
                    one_one += weight;
                }
            }
            const Four& share = along_x.share[i];
            const Four& slope = along_x.slope[i];
            normal.score[0] += share * residual_share;
            normal.score[1] += slope * residual_share;
            normal.score[2] += share * residual_slope;
            const Four squared = share * share;
            const Four mixed = share * slope;
            normal.matrix[0][0] += squared * share_share;
            normal.matrix[0][1] += mixed * share_share;
            normal.matrix[0][2] += squared * share_slope;
            normal.matrix[1][1] += slope * slope * share_share;
            normal.matrix[1][2] += mixed * share_slope;
            normal.matrix[2][2] += squared * slope_slope;
            if constexpr (FreeBackground) {
                normal.score[3] += residual_one;
                normal.matrix[0][3] += share * one_share;
                normal.matrix[1][3] += slope * one_share;
                normal.matrix[2][3] += share * one_slope;
                normal.matrix[3][3] += one_one;
            }
        }
    }

    // Of the spots that are not done: the others' do not depend on their company.
    void keep_factors(const Four (&matrix)[n][n], const Four (&inverse_pivot)[n],
                      const bool (&done)[spots_together]) {
        double going_on[spots_together];
        for (Index spot = 0; spot < spots_together; ++spot)
            going_on[spot] = done[spot] ? 0.0 : 1.0;
        const Vector<std::uint64_t> mask = above(load(going_on), 0.0);
        for (Index k = 0; k < n; ++k) {
            inverse_pivot_[k] = choose(mask, inverse_pivot[k], inverse_pivot_[k]);
            for (Index l = 0; l < n; ++l)
                factors_[k][l] = choose(mask, matrix[k][l], factors_[k][l]);
        }
    }

    // By the solution of the normal equations; true where all spots are done.
    bool move(const Four (&solution)[n], int number, bool (&done)[spots_together]) {
        double step[n][spots_together];
        for (Index k = 0; k < n; ++k)
            store(step[k], solution[k]);
        bool all_done = true;
        for (Index spot = 0; spot < spots_together; ++spot) {
            if (done[spot])
                continue;
            const double charge = group_.charge[spot];
            double step_x = limited(step[1][spot] / charge);
            double step_y = limited(step[2][spot] / charge);
            const double new_charge = charge + step[0][spot];
            if (!(new_charge > 0.0) || step_x != step_x || step_y != step_y) {
                done[spot] = true;
                continue;
            }
            // Steps shrink, or swing, by the same part each time: every other one goes to where
            // they would end.
            if (number % 2 == 1) {
                step_x = limited(step_x * to_the_end(step_x, last_x_[spot]));
                step_y = limited(step_y * to_the_end(step_y, last_y_[spot]));
            }
            last_x_[spot] = step_x;
            last_y_[spot] = step_y;
            group_.charge[spot] = new_charge;
            group_.x[spot] = in_range(group_.x[spot] + step_x);
            group_.y[spot] = in_range(group_.y[spot] + step_y);
            if constexpr (FreeBackground)
                group_.background[spot] += step[3][spot];
            done[spot] = magnitude(step_x) < least_fit_step && magnitude(step_y) < least_fit_step;
            group_.converged[spot] = done[spot];
            all_done = all_done && done[spot];
        }
        return all_done;
    }

    // Uncertainties, from the last step's matrix, sum of squares and the cloud's own sigma.
    void tell() {
        Shares along_x;
        Shares along_y;
        shares_at<true>(options_.nodes, group_.x, along_x);
        shares_at<true>(options_.nodes, group_.y, along_y);
        const Four charge = load(group_.charge);
        const Four background = load(group_.background);
        const Four own_variance = electrons_variance();
        Four squares{};
        Four cloud_score{};
        Four cloud_information{};
        Four mixed[n] = {};
        for (Index i = 0; i < window_size; ++i)
            for (Index j = 0; j < window_size; ++j) {
                const Index k = i * window_size + j;
                const Four cloud = along_x.share[i] * along_y.share[j];
                // A wider cloud is a cloud that has diffused on: sigma times the second
                // derivatives.
                const Four wider =
                    along_x.bend[i] * along_y.share[j] + along_x.share[i] * along_y.bend[j];
                const Four weight = weight_of(k, cloud, own_variance);
                Four residual = load(group_.pixel[k]) - charge * cloud;
                if constexpr (FreeBackground)
                    residual = residual - background;
                const Four weighed = weight * residual;
                const Four weighed_wider = weight * wider;
                squares += weighed * residual;
                cloud_score += weighed * wider;
                cloud_information += weighed_wider * wider;
                mixed[0] += weighed_wider * cloud;
                mixed[1] += weighed_wider * (along_x.slope[i] * along_y.share[j]);
                mixed[2] += weighed_wider * (along_x.share[i] * along_y.slope[j]);
                if constexpr (FreeBackground)
                    mixed[3] += weighed_wider;
            }
        Four removed[n];
        for (Index k = 0; k < n; ++k)
            removed[k] = mixed[k];
        solve(factors_, inverse_pivot_, removed);
        Four information = cloud_information;
        for (Index k = 0; k < n; ++k)
            information = information - mixed[k] * removed[k];
        const Four of_x = variance_of<1>();
        const Four of_y = variance_of<2>();
        double value[5][spots_together];
        double shift[n][spots_together];
        for (Index k = 0; k < n; ++k)
            store(shift[k], removed[k]);
        store(value[0], of_x);
        store(value[1], of_y);
        store(value[2], squares);
        store(value[3], cloud_score);
        store(value[4], information);
        for (Index spot = 0; spot < spots_together; ++spot) {
            const double of_spot = group_.charge[spot];
            group_.variance_x[spot] = value[0][spot] / (of_spot * of_spot);
            group_.variance_y[spot] = value[1][spot] / (of_spot * of_spot);
            group_.chi2[spot] = value[2][spot];
            const double scale = options_.cloud_sigma * of_spot;
            group_.cloud_step[spot] = value[3][spot] / (value[4][spot] * scale);
            group_.cloud_variance[spot] = 1.0 / (value[4][spot] * scale * scale);
            // A cloud that is certainly wider or narrower than the one given has moved the
            // position.
            const double wider = value[3][spot] / value[4][spot];
            const double step_x = -shift[1][spot] * wider / of_spot;
            const double step_y = -shift[2][spot] * wider / of_spot;
            const double part = -shift[0][spot] * wider / of_spot;
            const bool is_small = magnitude(step_x) < most_correction &&
                                  magnitude(step_y) < most_correction &&
                                  magnitude(part) < most_correction;
            if (value[3][spot] * wider > certain_cloud * certain_cloud && is_small) {
                group_.x[spot] = in_range(group_.x[spot] + step_x);
                group_.y[spot] = in_range(group_.y[spot] + step_y);
                group_.charge[spot] += part * of_spot;
            }
        }
    }

    template <Index K> Four variance_of() const {
        Four unit[n] = {};
        unit[K] = all_equal(1.0);
        solve(factors_, inverse_pivot_, unit);
        return unit[K];
    }

    static double magnitude(double a) { return a < 0.0 ? -a : a; }
    // Sum of a geometric series of steps that begins with this one, over its first.
    static double to_the_end(double step, double before) {
        const double part = before != 0.0 ? step / before : 0.0;
        return 1.0 / (1.0 - (part > 0.7 ? 0.7 : part < -1.0 ? -1.0 : part));
    }
    static double limited(double step) {
        return step > most_fit_step ? most_fit_step : step < -most_fit_step ? -most_fit_step : step;
    }
    static double in_range(double position) {
        return position > cloud_range    ? cloud_range
               : position < -cloud_range ? -cloud_range
                                         : position;
    }

    SpotGroup& group_;
    const SpotFitOptions& options_;
    Four factors_[n][n] = {};
    Four inverse_pivot_[n] = {};
    double last_x_[spots_together] = {};
    double last_y_[spots_together] = {};
};

template <bool Electrons, bool FreeBackground>
void fit_all(SpotGroup* groups, Index n_groups, const SpotFitOptions& options) {
    for (Index k = 0; k < n_groups; ++k)
        SpotFit<Electrons, FreeBackground>(groups[k], options).run();
}

void fit_spots(SpotGroup* groups, Index n_groups, const SpotFitOptions& options) {
    const bool electrons = options.adu_per_electron > 0.0;
    if (options.free_background)
        electrons ? fit_all<true, true>(groups, n_groups, options)
                  : fit_all<false, true>(groups, n_groups, options);
    else
        electrons ? fit_all<true, false>(groups, n_groups, options)
                  : fit_all<false, false>(groups, n_groups, options);
}

} // namespace
} // namespace hrixs::HRIXS_LEVEL
