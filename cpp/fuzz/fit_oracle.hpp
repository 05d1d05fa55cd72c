// SPDX-License-Identifier: BSD-3-Clause
// The fit of a photon's cloud as docs/algorithms.md has it, naively: one photon at a time, in long
// double, with the constants of spot_fit.hpp.
#pragma once

#include "pedestal_oracle.hpp"
#include "plain_frame.hpp"

#include "hrixs/cloud_fit.hpp"
#include "simd/spot_fit.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <vector>

namespace hrixs::fuzz {

// The pixels around a photon's brightest one.
struct PlainWindow {
    std::array<Real, window_pixels> pixel{};    // above the pedestal; 0 where not used
    std::array<Real, window_pixels> weight{};   // 1 / variance; 0 where not used
    std::array<Real, window_pixels> rounding{}; // of the pixel
    Index n_pixels = 0;
    bool comparable = true;
};

// noise(x, y): NaN where a pixel is not to be used.
template <class Noise>
PlainWindow window_at(const PlainFrame& frame, Index x, Index y, const PedestalAnswer& pedestal,
                      Noise noise) {
    PlainWindow window;
    for (Index k = 0; k < window_pixels; ++k) {
        const Index i = x - window_reach + k / window_size;
        const Index j = y - window_reach + k % window_size;
        if (i < 0 || j < 0 || i >= frame.nx || j >= frame.ny || !frame.valid(i, j))
            continue;
        const Real of_pixel = noise(i, j);
        if (std::isnan(of_pixel))
            continue;
        const auto at = static_cast<std::size_t>(k);
        const Real pixel = frame(i, j);
        window.pixel[at] = pixel - pedestal.mean;
        window.weight[at] = 1 / (of_pixel * of_pixel);
        window.rounding[at] =
            2e-15L * (std::abs(pixel) + std::abs(pedestal.mean)) + pedestal.mean_tolerance;
        ++window.n_pixels;
        // Far from what a camera gives, squares of doubles are 0 or infinite.
        if (!(of_pixel > 1e-60L && std::abs(pixel) < 1e60L))
            window.comparable = false;
    }
    return window;
}

// The same pixels, here a little brighter and there a little darker, for what rounding does.
inline PlainWindow changed(PlainWindow window, std::uint32_t pattern) {
    std::uint32_t state = pattern;
    const auto any_sign = [&]() -> Real {
        state = state * 1664525U + 1013904223U;
        return (state >> 31) == 0 ? 1 : -1;
    };
    for (std::size_t k = 0; k < window.pixel.size(); ++k) {
        window.pixel[k] += any_sign() * window.rounding[k];
        window.weight[k] *= 1 + any_sign() * 1e-14L;
    }
    return window;
}

// A cloud's share in a pixel, and its derivatives by the cloud's position.
struct PlainShare {
    Real share;
    Real slope;
    Real bend;
    Real twist;
};

// pixel: from the cloud's middle to that of the pixel.
inline PlainShare share_at(Real pixel, Real sigma) {
    const Real lower = (pixel - 0.5L) / sigma;
    const Real upper = (pixel + 0.5L) / sigma;
    const auto beyond = [](Real z) { return std::erfc(z / std::numbers::sqrt2_v<Real>) / 2; };
    const auto density = [&](Real z) {
        return std::exp(-z * z / 2) * std::numbers::inv_sqrtpi_v<Real> /
               (std::numbers::sqrt2_v<Real> * sigma);
    };
    const Real below = density(lower);
    const Real above = density(upper);
    return {lower > 0 ? beyond(lower) - beyond(upper) : beyond(-upper) - beyond(-lower),
            below - above, (lower * below - upper * above) / sigma,
            ((lower * lower - 1) * below - (upper * upper - 1) * above) / (sigma * sigma)};
}

// Of the window's pixels.
using PlainShares = std::array<PlainShare, window_size>;

struct FitAnswer {
    bool comparable = true; // no decision depends on rounding
    std::uint8_t flag = 0;
    int n_steps = 0;
    bool corrected = false; // for the cloud's own width
    Real x = 0;             // from the window's middle
    Real y = 0;
    Real charge = 0;
    Real sigma_x = 0;
    Real sigma_y = 0;
    Real chi2 = 0;
    Real chi2_rounding = 0; // of small differences of pixels and cloud
    Real cloud_sigma = 0;
    Real cloud_sigma_err = 0;
    Real cloud_floor = 0;    // of the width found
    Real cloud_rounding = 0; // part of what is between the width found and the one given
    Real largest_charge = 0; // on the way
    Real least_pivot = 1;    // on the way, as a part of the matrix's own
    Real series_error = 0;   // of the position, in units of what residuals leave uncertain

    bool fitted() const { return (flag & (not_converged | left_pixel)) == 0; }
};

// How a fit has the shares: by their definition, or by a series from the nearest node of a table,
// as spot_fit.hpp says.
enum class SharesBy { definition, series };

class PlainFit {
  public:
    // rounding: of the shares, to see what it does.
    PlainFit(const PlainWindow& window, const CloudFit& fit, SharesBy way, Real rounding = 0)
        : window_(window), sigma_(fit.cloud_sigma), way_(way), rounding_(rounding),
          adu_per_electron_(fit.electrons_per_adu ? 1 / static_cast<Real>(*fit.electrons_per_adu)
                                                  : 0),
          n_(fit.local_background ? 4 : 3) {}

    FitAnswer run() {
        answer_.comparable = window_.comparable;
        if (window_.n_pixels <= static_cast<Index>(n_)) {
            answer_.flag = not_converged;
            answer_.comparable = true;
            return answer_;
        }
        begin();
        bool converged = false;
        while (answer_.n_steps < most_fit_steps && !converged)
            if (!step(converged))
                break;
        if (!converged) {
            answer_.flag = not_converged;
            return answer_;
        }
        const FitAnswer solution = answer_;
        finish();
        tell_series_error(solution);
        return answer_;
    }

  private:
    using Unknowns = std::array<Real, 4>; // charge, charge times position, pedestal below
    using Matrix = std::array<Unknowns, 4>;

    PlainShares shares(Real position) {
        PlainShares all;
        const Real in_nodes = (position + static_cast<Real>(cloud_range)) * cloud_nodes_per_pixel;
        const Real node = std::floor(in_nodes + 0.5L);
        const Real rest = way_ == SharesBy::series ? (in_nodes - node) / cloud_nodes_per_pixel : 0;
        if (way_ == SharesBy::series && std::abs(std::abs(in_nodes - node) - 0.5L) < 1e-7L)
            answer_.comparable = false;
        for (Index k = 0; k < window_size; ++k) {
            PlainShare& one = all[static_cast<std::size_t>(k)];
            one = share_at(static_cast<Real>(k - window_reach) - (position - rest), sigma_);
            one.share += rest * (one.slope + rest * (one.bend / 2 + rest * one.twist / 6));
            one.slope += rest * (one.bend + rest * one.twist / 2);
            one.bend += rest * one.twist;
            const Real error = k == 1 || k == 4 ? -rounding_ : rounding_;
            one.share += error;
            one.slope -= error / sigma_;
            one.bend += error / (sigma_ * sigma_);
        }
        return all;
    }

    // With the clouds' position and charge as they are now: work(derivatives by the unknowns,
    // derivative by the cloud's spread, residual, weight) for each pixel.
    template <class Work> void for_each_pixel(Work work) {
        const PlainShares along_x = shares(answer_.x);
        const PlainShares along_y = shares(answer_.y);
        for (std::size_t k = 0; k < window_.pixel.size(); ++k) {
            if (window_.weight[k] == 0)
                continue;
            const PlainShare& i = along_x[k / window_size];
            const PlainShare& j = along_y[k % window_size];
            const Unknowns rates{i.share * j.share, i.slope * j.share, i.share * j.slope, 1};
            const Real model = answer_.charge * rates[0];
            const Real variance = 1 / window_.weight[k] + model * adu_per_electron_;
            work(rates, i.bend * j.share + i.share * j.bend, window_.pixel[k] - model - background_,
                 1 / variance);
        }
    }

    // Of the middle 3x3 pixels, with what makes it right for a cloud a quarter of a pixel off.
    void begin() {
        Real sum = 0;
        Real moment_x = 0;
        Real moment_y = 0;
        Real rounding = 0;
        for (std::size_t i = 1; i <= 3; ++i)
            for (std::size_t j = 1; j <= 3; ++j) {
                const std::size_t k = i * window_size + j;
                sum += window_.pixel[k];
                moment_x += (static_cast<Real>(i) - 2) * window_.pixel[k];
                moment_y += (static_cast<Real>(j) - 2) * window_.pixel[k];
                rounding += window_.rounding[k];
            }
        const std::size_t middle = window_pixels / 2;
        const Real brightest = window_.pixel[middle];
        decide(sum, brightest, rounding);
        decide(brightest, 0, window_.rounding[middle]);
        answer_.charge = std::max(brightest, static_cast<Real>(std::numeric_limits<double>::min()));
        if (!(sum > brightest && brightest > 0))
            return;
        const Real typical = 0.25L;
        // From the first whole pixel on that is four sigma off, nothing of a cloud is seen.
        const bool is_seen = 1 + typical < std::ceil(0.5L + 4 * sigma_);
        const Real lower = is_seen ? share_at(-1 - typical, sigma_).share : 0;
        const Real upper = share_at(1 - typical, sigma_).share;
        const Real all = lower + share_at(-typical, sigma_).share + upper;
        const Real lever = typical * all / (upper - lower);
        answer_.x = std::clamp(lever * moment_x / sum, -0.7L, 0.7L);
        answer_.y = std::clamp(lever * moment_y / sum, -0.7L, 0.7L);
        answer_.charge = sum / (all * all);
    }

    Unknowns fisher_step() {
        Unknowns score{};
        Matrix fisher{};
        for_each_pixel([&](const Unknowns& rates, Real, Real residual, Real weight) {
            for (std::size_t a = 0; a < n_; ++a) {
                score[a] += weight * residual * rates[a];
                for (std::size_t b = 0; b < n_; ++b)
                    fisher[a][b] += weight * rates[a] * rates[b];
            }
        });
        invert(fisher);
        return times_inverse(score);
    }

    // False where there is no way on.
    bool step(bool& converged) {
        const Unknowns solution = fisher_step();
        const Real new_charge = answer_.charge + solution[0];
        Real step_x = limited(solution[1] / answer_.charge);
        Real step_y = limited(solution[2] / answer_.charge);
        decide(new_charge, 0, 1e-9L * answer_.charge);
        if (!(new_charge > 0) || std::isnan(step_x) || std::isnan(step_y))
            return false;
        if (answer_.n_steps % 2 == 1) {
            // To where it leads on depends on the sign of the step before.
            if (std::abs(step_x) > 1e-9L)
                decide(last_x_, 0, 1e-10L);
            if (std::abs(step_y) > 1e-9L)
                decide(last_y_, 0, 1e-10L);
            step_x = limited(step_x * to_the_end(step_x, last_x_));
            step_y = limited(step_y * to_the_end(step_y, last_y_));
        }
        last_x_ = step_x;
        last_y_ = step_y;
        ++answer_.n_steps;
        answer_.largest_charge = std::max({answer_.largest_charge, answer_.charge, new_charge});
        answer_.charge = new_charge;
        answer_.x = in_range(answer_.x + step_x);
        answer_.y = in_range(answer_.y + step_y);
        background_ += n_ == 4 ? solution[3] : 0;
        const Real longest = std::max(std::abs(step_x), std::abs(step_y));
        decide(longest, least_fit_step, 1e-9L);
        converged = longest < static_cast<Real>(least_fit_step);
        return true;
    }

    // The matrix is that of the last step, all else belongs to its end.
    void finish() {
        Real squares = 0;
        Real residuals = 0;
        Real score = 0;
        Real widening = 0;
        Real alone = 0;
        Unknowns mixed{};
        for_each_pixel([&](const Unknowns& rates, Real wider, Real residual, Real weight) {
            squares += weight * residual * residual;
            residuals += weight * std::abs(residual);
            score += weight * residual * wider;
            widening += weight * std::abs(wider);
            alone += weight * wider * wider;
            for (std::size_t a = 0; a < n_; ++a)
                mixed[a] += weight * wider * rates[a];
        });
        const Unknowns taken = times_inverse(mixed);
        Real information = alone;
        for (std::size_t a = 0; a < n_; ++a)
            information -= mixed[a] * taken[a];
        // Little is left of numbers that are alike, and some of that is rounding: of 25 products of
        // shares that have five roundings each.
        answer_.cloud_rounding = 3e-14L * alone / information;
        if (!(information > 1e-13L * alone))
            answer_.comparable = false;
        const Real charge = answer_.charge;
        const Real variance_x = inverse_[1][1] / (charge * charge);
        const Real variance_y = inverse_[2][2] / (charge * charge);
        const Real spread = score / information; // charge * sigma * (its own width - sigma)
        answer_.sigma_x = std::sqrt(variance_x);
        answer_.sigma_y = std::sqrt(variance_y);
        const auto n_free = static_cast<Real>(window_.n_pixels - static_cast<Index>(n_));
        answer_.chi2 = squares / n_free;
        answer_.chi2_rounding = 8e-15L * charge * residuals / n_free;
        answer_.cloud_sigma = sigma_ + spread / (charge * sigma_);
        // Pixels and cloud are alike; little information makes much of their difference's rounding.
        answer_.cloud_floor = 2e-15L * widening / (information * sigma_);
        answer_.cloud_sigma_err = 1 / (std::sqrt(information) * charge * sigma_);
        correct(taken, spread, score * spread);
        const Real certain = most_distance * most_distance;
        decide(variance_x, certain, 1e-6L * certain);
        decide(variance_y, certain, 1e-6L * certain);
        decide(answer_.charge, 0, 1e-9L * charge);
        const Real farthest = std::max(std::abs(answer_.x), std::abs(answer_.y));
        if (!(variance_x < certain && variance_y < certain && answer_.charge > 0)) {
            answer_.flag = not_converged;
            return;
        }
        decide(farthest, most_distance, 1e-9L);
        answer_.flag = farthest > most_distance ? left_pixel : 0;
    }

    // From one and the same position, a step by the shares as they are, and one by the series.
    void tell_series_error(const FitAnswer& solution) {
        FitAnswer told = answer_;
        answer_ = solution;
        const Unknowns by_series = fisher_step();
        way_ = SharesBy::definition;
        const Unknowns by_definition = fisher_step();
        const auto error = [&](std::size_t a, Real sigma) {
            const Real off = std::abs(by_series[a] - by_definition[a]) / solution.charge;
            return std::max<Real>(off - 1e-7L, 0) / (sigma * std::sqrt(1 + told.chi2));
        };
        told.series_error = std::max(error(1, told.sigma_x), error(2, told.sigma_y));
        answer_ = told;
    }

    void correct(const Unknowns& taken, Real spread, Real significance) {
        const Real charge = answer_.charge;
        const Real step_x = -taken[1] * spread / charge;
        const Real step_y = -taken[2] * spread / charge;
        const Real part = -taken[0] * spread / charge;
        const Real certain = static_cast<Real>(certain_cloud) * certain_cloud;
        const Real largest = std::max({std::abs(step_x), std::abs(step_y), std::abs(part)});
        decide(significance, certain, (1e-6L + answer_.cloud_rounding) * certain);
        if (!(significance > certain))
            return;
        decide(largest, most_correction, 1e-6L);
        if (!(largest < static_cast<Real>(most_correction)))
            return;
        answer_.corrected = true;
        answer_.x = in_range(answer_.x + step_x);
        answer_.y = in_range(answer_.y + step_y);
        answer_.charge += part * charge;
    }

    // Gauss and Jordan.
    void invert(Matrix matrix) {
        inverse_ = {};
        for (std::size_t a = 0; a < n_; ++a)
            inverse_[a][a] = 1;
        const Matrix given = matrix;
        for (std::size_t a = 0; a < n_; ++a) {
            const Real pivot = matrix[a][a];
            answer_.least_pivot = std::min(answer_.least_pivot, pivot / given[a][a]);
            // Of a matrix that is nearly singular, doubles keep nothing.
            if (!(pivot > 1e-9L * given[a][a]))
                answer_.comparable = false;
            for (std::size_t b = 0; b < n_; ++b) {
                matrix[a][b] /= pivot;
                inverse_[a][b] /= pivot;
            }
            for (std::size_t c = 0; c < n_; ++c) {
                const Real factor = c == a ? 0 : matrix[c][a];
                for (std::size_t b = 0; b < n_; ++b) {
                    matrix[c][b] -= factor * matrix[a][b];
                    inverse_[c][b] -= factor * inverse_[a][b];
                }
            }
        }
    }

    Unknowns times_inverse(const Unknowns& right) const {
        Unknowns result{};
        for (std::size_t a = 0; a < n_; ++a)
            for (std::size_t b = 0; b < n_; ++b)
                result[a] += inverse_[a][b] * right[b];
        return result;
    }

    // Which of both is more, where rounding does not say that.
    void decide(Real value, Real limit, Real tolerance) {
        if (std::abs(value - limit) <= tolerance && tolerance > 0)
            answer_.comparable = false;
    }

    static Real limited(Real step) {
        const Real most = most_fit_step;
        return step > most ? most : step < -most ? -most : step;
    }
    static Real in_range(Real position) {
        const Real most = cloud_range;
        return position > most ? most : position < -most ? -most : position;
    }
    // Sum of a geometric series that begins with this step, over its first.
    static Real to_the_end(Real step, Real before) {
        const Real part = before != 0 ? step / before : 0;
        return 1 / (1 - std::clamp(part, -1.0L, 0.7L));
    }

    // Farther than this from the middle of its brightest pixel, a photon has left it.
    static constexpr Real most_distance = 1.5L;

    const PlainWindow& window_;
    Real sigma_;
    SharesBy way_;
    Real rounding_;
    Real adu_per_electron_;
    std::size_t n_;
    FitAnswer answer_;
    Real background_ = 0;
    Real last_x_ = 0;
    Real last_y_ = 0;
    Matrix inverse_{};
};

} // namespace hrixs::fuzz
