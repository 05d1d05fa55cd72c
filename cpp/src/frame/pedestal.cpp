// SPDX-License-Identifier: BSD-3-Clause
#include "frame/pedestal.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace hrixs {

namespace {

constexpr double n_sigma = 3.0;
// Standard deviation of a Gaussian that is cut at three of its own.
constexpr double clipped_part = 0.98657;
constexpr int most_rounds = 20;
constexpr std::size_t lanes = 4;
constexpr double rounding = 1e-6; // of a mean square, about a pedestal that is the mean

struct Moments {
    double n = 0.0;
    double sum = 0.0;
    double squares = 0.0;
};

// Of values - shift that lie within the limit; a NaN does not. In lanes, so that it is fast.
Moments moments(const std::vector<double>& values, double shift, double limit) {
    std::array<Moments, lanes> lane{};
    const auto add = [&](Moments& to, double value) {
        const double deviation = value - shift;
        const bool within = std::abs(deviation) <= limit;
        const double kept = within ? deviation : 0.0;
        to.n += within ? 1.0 : 0.0;
        to.sum += kept;
        to.squares += kept * kept;
    };
    std::size_t k = 0;
    for (; k + lanes <= values.size(); k += lanes)
        for (std::size_t l = 0; l < lanes; ++l)
            add(lane[l], values[k + l]);
    for (; k < values.size(); ++k)
        add(lane[0], values[k]);
    Moments total;
    for (const Moments& one : lane) {
        total.n += one.n;
        total.sum += one.sum;
        total.squares += one.squares;
    }
    return total;
}

} // namespace

Pedestal clipped_pedestal(const std::vector<double>& values) {
    constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
    if (std::none_of(values.begin(), values.end(), [](double value) { return value == value; }))
        return {unknown, unknown};
    Pedestal result;
    double limit = std::numeric_limits<double>::max();
    double n_before = -1.0;
    double part = 1.0;
    for (int round = 0; round < most_rounds; ++round) {
        const Moments within = moments(values, result.mean, limit);
        if (within.n == 0.0)
            break;
        // The same values again, now from a pedestal near theirs: few digits are lost.
        const bool is_last = within.n == n_before || round == most_rounds - 1;
        const double mean = within.sum / within.n;
        const double square = within.squares / within.n;
        const double variance = square - mean * mean;
        if (round > 0 && !is_last)
            part = clipped_part;
        result.mean += mean;
        // Values that are all alike differ by rounding.
        result.noise =
            variance > (is_last ? rounding * square : 0.0) ? std::sqrt(variance) / part : 0.0;
        if (is_last)
            break;
        limit = std::max(n_sigma * result.noise, 1e-9 * std::abs(result.mean));
        n_before = within.n;
    }
    return result;
}

} // namespace hrixs
