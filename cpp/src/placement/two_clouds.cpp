// SPDX-License-Identifier: BSD-3-Clause
#include "placement/two_clouds.hpp"

#include "placement/cloud_edges.hpp"

#include <algorithm>
#include <cmath>

namespace hrixs {

namespace {

// What two clouds must gain in chi square over a single one of any width, for their one number
// more.
constexpr double least_gain = 9.0;
constexpr int most_steps = 60;
constexpr double least_step = 1e-4;
constexpr double farthest_position = static_cast<double>(pair_reach);

constexpr std::size_t pixels = static_cast<std::size_t>(pair_pixels);
constexpr std::size_t side = static_cast<std::size_t>(pair_size);

// A cloud's shares in the window's columns or rows, and two derivatives.
struct AxisShares {
    AxisShares(double position, double sigma) {
        CloudEdge lower(-static_cast<double>(pair_reach) - 0.5 - position, sigma);
        for (std::size_t k = 0; k < side; ++k) {
            const CloudEdge upper(
                static_cast<double>(k) - static_cast<double>(pair_reach) + 0.5 - position, sigma);
            share[k] = upper.share - lower.share;
            slope[k] = upper.first - lower.first;
            bend[k] = upper.second - lower.second;
            lower = upper;
        }
    }
    std::array<double, side> share;
    std::array<double, side> slope;
    std::array<double, side> bend;
};

template <std::size_t N> using Numbers = std::array<double, N>;
template <std::size_t N> using Matrix = std::array<Numbers<N>, N>;
template <std::size_t N> using Slopes = std::array<Numbers<N>, pixels>;

// Charge, x, y, sigma.
struct OneCloud {
    static constexpr std::size_t n = 4;
    static void model(const Numbers<n>& p, Numbers<pixels>& value, Slopes<n>& slopes) {
        const AxisShares along_x(p[1], p[3]);
        const AxisShares along_y(p[2], p[3]);
        for (std::size_t i = 0; i < side; ++i)
            for (std::size_t j = 0; j < side; ++j) {
                const double cloud = along_x.share[i] * along_y.share[j];
                value[i * side + j] = p[0] * cloud;
                slopes[i * side + j] = {
                    cloud, p[0] * along_x.slope[i] * along_y.share[j],
                    p[0] * along_x.share[i] * along_y.slope[j],
                    p[0] * p[3] *
                        (along_x.bend[i] * along_y.share[j] + along_x.share[i] * along_y.bend[j])};
            }
    }
    static bool is_possible(const Numbers<n>& p) {
        return p[0] > 0.0 && std::abs(p[1]) < farthest_position &&
               std::abs(p[2]) < farthest_position && p[3] > 0.1 && p[3] < 3.0;
    }
};

// Charge of each, x and y of both.
struct TwoClouds {
    static constexpr std::size_t n = 5;
    double sigma;
    void model(const Numbers<n>& p, Numbers<pixels>& value, Slopes<n>& slopes) const {
        const AxisShares x1(p[1], sigma);
        const AxisShares y1(p[2], sigma);
        const AxisShares x2(p[3], sigma);
        const AxisShares y2(p[4], sigma);
        for (std::size_t i = 0; i < side; ++i)
            for (std::size_t j = 0; j < side; ++j) {
                const double both = x1.share[i] * y1.share[j] + x2.share[i] * y2.share[j];
                value[i * side + j] = p[0] * both;
                slopes[i * side + j] = {
                    both, p[0] * x1.slope[i] * y1.share[j], p[0] * x1.share[i] * y1.slope[j],
                    p[0] * x2.slope[i] * y2.share[j], p[0] * x2.share[i] * y2.slope[j]};
            }
    }
    static bool is_possible(const Numbers<n>& p) {
        return p[0] > 0.0 && std::all_of(p.begin() + 1, p.end(), [](double position) {
                   return std::abs(position) < farthest_position;
               });
    }
};

// By Gaussian elimination of a positive matrix; false where it is not. Columns of `right` become
// solutions.
template <std::size_t N, std::size_t M>
bool solve(Matrix<N> matrix, std::array<Numbers<M>, N>& right) {
    for (std::size_t k = 0; k < N; ++k) {
        if (!(matrix[k][k] > 0.0))
            return false;
        for (std::size_t row = 0; row < N; ++row) {
            if (row == k)
                continue;
            const double factor = matrix[row][k] / matrix[k][k];
            for (std::size_t column = k; column < N; ++column)
                matrix[row][column] -= factor * matrix[k][column];
            for (std::size_t column = 0; column < M; ++column)
                right[row][column] -= factor * right[k][column];
        }
    }
    for (std::size_t k = 0; k < N; ++k)
        for (double& value : right[k])
            value /= matrix[k][k];
    return true;
}

template <std::size_t N> struct Fitted {
    Numbers<N> parameters{};
    double chi2 = 0.0;
    Matrix<N> matrix{};
    Numbers<pixels> value{};
};

// Levenberg and Marquardt's least squares.
template <class Model, std::size_t N = Model::n>
std::optional<Fitted<N>> fit(const Model& model, const PairWindow& window, Numbers<N> start) {
    const auto chi2_of = [&](const Numbers<pixels>& value) {
        double sum = 0.0;
        for (std::size_t k = 0; k < pixels; ++k)
            sum += window.weight[k] * (window.pixel[k] - value[k]) * (window.pixel[k] - value[k]);
        return sum;
    };
    if (!model.is_possible(start))
        return std::nullopt;
    Fitted<N> best{start, 0.0, {}, {}};
    Slopes<N> slopes;
    model.model(start, best.value, slopes);
    best.chi2 = chi2_of(best.value);
    double damping = 1e-2;
    for (int step = 0; step < most_steps; ++step) {
        Matrix<N> matrix{};
        std::array<Numbers<1>, N> score{};
        for (std::size_t k = 0; k < pixels; ++k) {
            const double residual = window.pixel[k] - best.value[k];
            for (std::size_t a = 0; a < N; ++a) {
                const double weighed = window.weight[k] * slopes[k][a];
                score[a][0] += weighed * residual;
                for (std::size_t b = 0; b < N; ++b)
                    matrix[a][b] += weighed * slopes[k][b];
            }
        }
        best.matrix = matrix;
        for (std::size_t a = 0; a < N; ++a)
            matrix[a][a] *= 1.0 + damping;
        if (!solve(matrix, score))
            return std::nullopt;
        Fitted<N> next = best;
        double largest = 0.0;
        for (std::size_t a = 0; a < N; ++a) {
            next.parameters[a] += score[a][0];
            if (a > 0)
                largest = std::max(largest, std::abs(score[a][0]));
        }
        Slopes<N> next_slopes;
        bool better = model.is_possible(next.parameters);
        if (better) {
            model.model(next.parameters, next.value, next_slopes);
            next.chi2 = chi2_of(next.value);
            better = next.chi2 <= best.chi2;
        }
        if (better) {
            best = next;
            slopes = next_slopes;
            damping *= 0.2;
        } else {
            damping *= 10.0;
        }
        if (largest < least_step)
            break;
    }
    // Models that do not suit the pixels creep on; where they have come tells enough.
    return best;
}

// Where two clouds may lie, from the second moments of the single one.
struct Spread {
    double x;
    double y;
    double angle;
    double distance; // of each from the middle
};

Spread spread_of(const PairWindow& window, double x, double y, double sigma) {
    double sum = 0.0;
    double xx = 0.0;
    double yy = 0.0;
    double xy = 0.0;
    for (std::size_t k = 0; k < pixels; ++k) {
        const double i = static_cast<double>(k / side) - static_cast<double>(pair_reach) - x;
        const double j = static_cast<double>(k % side) - static_cast<double>(pair_reach) - y;
        // Far pixels are noise.
        if (window.weight[k] == 0.0 || i * i + j * j > farthest_position * farthest_position)
            continue;
        const double pixel = std::max(window.pixel[k], 0.0);
        sum += pixel;
        xx += pixel * i * i;
        yy += pixel * j * j;
        xy += pixel * i * j;
    }
    const double angle = 0.5 * std::atan2(2.0 * xy, xx - yy);
    const double along = 0.5 * (xx + yy) + 0.5 * std::hypot(xx - yy, 2.0 * xy);
    const double excess = sum > 0.0 ? along / sum - sigma * sigma - 1.0 / 12.0 : 0.0;
    return {x, y, angle, std::clamp(std::sqrt(std::max(excess, 0.0)), 0.3, 1.5)};
}

} // namespace

std::optional<Pair> split_pair(PairWindow window, double cloud_sigma, double adu_per_electron,
                               double x, double y, double charge) {
    const auto one = fit(OneCloud{}, window, {charge, x, y, cloud_sigma});
    if (!one)
        return std::nullopt;
    // Both models are compared with the same weights.
    Index n_pixels = 0;
    for (std::size_t k = 0; k < pixels; ++k) {
        window.weight[k] /= 1.0 + window.weight[k] * one->value[k] * adu_per_electron;
        n_pixels += window.weight[k] > 0.0 ? 1 : 0;
    }
    const auto weighed = fit(OneCloud{}, window, one->parameters);
    if (!weighed || n_pixels <= static_cast<Index>(TwoClouds::n))
        return std::nullopt;
    const auto& [total, middle_x, middle_y, width] = weighed->parameters;
    const Spread spread = spread_of(window, middle_x, middle_y, cloud_sigma);
    const TwoClouds model{cloud_sigma};
    std::optional<Fitted<TwoClouds::n>> two;
    for (const double turn : {0.0, 0.25, 0.5}) {
        constexpr double half_turn = 3.14159265358979323846;
        const double dx = spread.distance * std::cos(spread.angle + turn * half_turn);
        const double dy = spread.distance * std::sin(spread.angle + turn * half_turn);
        const auto next =
            fit(model, window,
                {0.5 * total, middle_x - dx, middle_y - dy, middle_x + dx, middle_y + dy});
        if (next && (!two || next->chi2 < two->chi2))
            two = next;
        if (two && weighed->chi2 - two->chi2 > least_gain)
            break;
    }
    if (!two || weighed->chi2 - two->chi2 < least_gain)
        return std::nullopt;
    const auto is_seen = [&](double at_x, double at_y) {
        const auto i = static_cast<std::size_t>(std::lround(at_x) + pair_reach);
        const auto j = static_cast<std::size_t>(std::lround(at_y) + pair_reach);
        return i < side && j < side && window.weight[i * side + j] > 0.0;
    };
    const auto& p = two->parameters;
    if (!is_seen(p[1], p[2]) || !is_seen(p[3], p[4]))
        return std::nullopt;
    std::array<Numbers<TwoClouds::n>, TwoClouds::n> inverse{};
    for (std::size_t a = 0; a < TwoClouds::n; ++a)
        inverse[a][a] = 1.0;
    if (!solve(two->matrix, inverse))
        return std::nullopt;
    Pair pair{{Position{p[1], p[2], inverse[1][1], inverse[2][2]},
               Position{p[3], p[4], inverse[3][3], inverse[4][4]}},
              p[0],
              two->chi2 / static_cast<double>(n_pixels - static_cast<Index>(TwoClouds::n))};
    if (pair.photons[1].x < pair.photons[0].x)
        std::swap(pair.photons[0], pair.photons[1]);
    return pair;
}

} // namespace hrixs
