// SPDX-License-Identifier: BSD-3-Clause
// What the kernels must give, written naively from docs/algorithms.md. Sums are taken in long
// double; where a decision depends on how double rounds, the answer says so.
#pragma once

#include "plain_frame.hpp"

#include "hrixs/classify.hpp"
#include "hrixs/find.hpp"

#include <cmath>
#include <vector>

namespace hrixs::fuzz {

struct Hit {
    double x = 0.0;
    double y = 0.0;
    double charge = 0.0;
    bool is_double = false;
    double position_tolerance = 0.0;
    double charge_tolerance = 0.0;
    Index at_x = 0; // brightest pixel
    Index at_y = 0;
};

struct Answer {
    unsigned faults = 0; // none too, where there may be one or not
    bool comparable = true;
    double frame_mean = 0.0;
    double mean_tolerance = 0.0;
    double threshold = 0.0;
    double threshold_tolerance = 0.0;
    std::vector<Hit> hits;
    Index n_dropped = 0;
    Index n_cosmics = 0;
};

// The mean, and whether the frame can be used at all.
inline Sums begin(const PlainFrame& frame, Answer& answer) {
    const Sums sums = sums_of(frame);
    answer.faults = sums.finite ? none : non_finite;
    if (sums.finite && sums.magnitude > static_cast<Real>(1e307)) {
        answer.faults |= non_finite;
        answer.comparable = false;
    }
    if (sums.n > 0) {
        answer.frame_mean = static_cast<double>(sums.sum / sums.n);
        answer.mean_tolerance = frame.counts ? 1e-15 * std::abs(answer.frame_mean)
                                             : 1e-12 * static_cast<double>(sums.magnitude / sums.n);
    }
    if (sums.n == 0 || sums.largest > 1e140)
        answer.comparable = false;
    return sums;
}

enum class Side { below, above, unsure };
inline Side side_of(double value, double limit, double tolerance) {
    if (std::abs(value - limit) <= tolerance)
        return Side::unsure;
    return value > limit ? Side::above : Side::below;
}

// Maximum of the 3 x 3 around (x, y): at least those before, above those after. A NaN is no rival.
template <class Value> bool is_maximum(Index x, Index y, Value value) {
    const double centre = value(x, y);
    if (value(x - 1, y - 1) > centre || value(x - 1, y) > centre || value(x - 1, y + 1) > centre ||
        value(x, y - 1) > centre)
        return false;
    return !(value(x, y + 1) >= centre || value(x + 1, y - 1) >= centre ||
             value(x + 1, y) >= centre || value(x + 1, y + 1) >= centre);
}

// Centre of mass of n x n pixels from (x0, y0), less the mean.
inline Hit weigh(const PlainFrame& frame, const Sums& sums, const Answer& answer, Index x0,
                 Index y0, Index n) {
    Real charge = 0;
    Real moment_x = 0;
    Real moment_y = 0;
    Real magnitude = 0;
    for (Index x = x0; x < x0 + n; ++x)
        for (Index y = y0; y < y0 + n; ++y) {
            if (!frame.valid(x, y))
                continue;
            // n times the weight: whole where pixels are.
            const Real weight = sums.n * frame(x, y) - sums.sum;
            charge += weight;
            moment_x += weight * (x - x0);
            moment_y += weight * (y - y0);
            magnitude += std::abs(static_cast<Real>(frame(x, y))) + std::abs(answer.frame_mean);
        }
    Hit hit;
    hit.charge = static_cast<double>(charge / sums.n);
    hit.charge_tolerance =
        4e-15 * static_cast<double>(magnitude) + static_cast<double>(n * n) * answer.mean_tolerance;
    hit.x = static_cast<double>(x0 + moment_x / charge);
    hit.y = static_cast<double>(y0 + moment_y / charge);
    const double lever = static_cast<double>(n) + std::abs(hit.x - static_cast<double>(x0)) +
                         std::abs(hit.y - static_cast<double>(y0));
    hit.position_tolerance = 1e-13 * static_cast<double>(frame.nx + frame.ny) +
                             2.0 * lever * hit.charge_tolerance / std::abs(hit.charge);
    return hit;
}

// Collects hits and cosmics in row-major order.
class Collector {
  public:
    Collector(Answer& answer, const CosmicLimits& limits, Index max_photons)
        : answer_(answer), limits_(limits), max_photons_(max_photons) {}

    bool is_cosmic(double brightest, double brightest_tolerance, const Hit& hit) {
        bool cosmic = false;
        if (limits_.max_pixel)
            cosmic = above(brightest, *limits_.max_pixel, brightest_tolerance);
        if (limits_.max_charge)
            cosmic = above(hit.charge, *limits_.max_charge, hit.charge_tolerance) || cosmic;
        if (cosmic)
            cosmics_.push_back(hit);
        return cosmic;
    }
    bool above(double value, double limit, double tolerance) {
        const Side side = side_of(value, limit, tolerance);
        if (side == Side::unsure)
            answer_.comparable = false;
        return side == Side::above;
    }
    void add(const Hit& hit) { hits_.push_back(hit); }

    void finish() {
        if (!answer_.comparable)
            answer_.faults |= too_many;
        else if (static_cast<Index>(hits_.size()) > max_photons_)
            answer_.faults = too_many;
        answer_.n_cosmics = static_cast<Index>(cosmics_.size());
        for (const Hit& hit : hits_) {
            bool near = false;
            for (const Hit& cosmic : cosmics_)
                near = near || (std::abs(cosmic.at_x - hit.at_x) <= 5 &&
                                std::abs(cosmic.at_y - hit.at_y) <= 5);
            if (near)
                ++answer_.n_cosmics;
            else
                answer_.hits.push_back(hit);
        }
    }

  private:
    Answer& answer_;
    const CosmicLimits& limits_;
    Index max_photons_;
    std::vector<Hit> hits_;
    std::vector<Hit> cosmics_;
};

inline Answer find_in(const PlainFrame& frame, const FindSettings& settings) {
    Answer answer;
    const Sums sums = begin(frame, answer);
    if ((answer.faults & none) == 0)
        return answer;

    Sums squares;
    for (Index x = 0; x + 1 < frame.nx; ++x)
        for (Index y = 0; y + 1 < frame.ny; ++y)
            if (frame.valid(x, y) && frame.valid(x, y + 1) && frame.valid(x + 1, y) &&
                frame.valid(x + 1, y + 1))
                squares.add(frame.square(x, y));
    if (settings.threshold) {
        answer.threshold = *settings.threshold;
    } else if (squares.n > 0) {
        const Real mean = squares.sum / squares.n;
        Real variance = 0;
        for (Index x = 0; x + 1 < frame.nx; ++x)
            for (Index y = 0; y + 1 < frame.ny; ++y) {
                const double square = frame.square(x, y);
                if (square == square)
                    variance += (square - mean) * (square - mean);
            }
        const double std = static_cast<double>(std::sqrt(variance / squares.n));
        const double times = std::abs(settings.std_threshold);
        answer.threshold = static_cast<double>(mean) + settings.std_threshold * std;
        const double size = static_cast<double>(std::abs(mean));
        answer.threshold_tolerance =
            frame.counts ? 1e-13 * (size + times * std)
                         : 1e-12 * static_cast<double>(squares.magnitude / squares.n) +
                               times * (1e-9 * std + 1e-13 * squares.largest);
        if (!std::isfinite(answer.threshold) || !std::isfinite(answer.threshold_tolerance))
            answer.comparable = false;
    } else {
        answer.comparable = false;
    }

    Collector found(answer, settings.cosmics, settings.max_photons);
    for (Index x = 1; x + 2 < frame.nx; ++x)
        for (Index y = 1; y + 2 < frame.ny; ++y) {
            const double square = frame.square(x, y);
            if (square != square ||
                !is_maximum(x, y, [&](Index i, Index j) { return frame.square(i, j); }))
                continue;
            // A given threshold is compared as it is.
            if (settings.threshold
                    ? !(square > *settings.threshold)
                    : !found.above(square, answer.threshold, answer.threshold_tolerance))
                continue;
            Hit hit = weigh(frame, sums, answer, x - 1, y - 1, 4);
            if (hit.charge == 0.0 && frame.counts) {
                ++answer.n_dropped;
                continue;
            }
            if (!found.above(hit.charge, 0.0, hit.charge_tolerance)) {
                ++answer.n_dropped;
                continue;
            }
            double brightest = -std::numeric_limits<double>::infinity();
            for (Index i = x - 1; i < x + 3; ++i)
                for (Index j = y - 1; j < y + 3; ++j)
                    if (frame.valid(i, j))
                        brightest = std::max(brightest, frame(i, j));
            hit.at_x = x;
            hit.at_y = y;
            for (Index i = x; i < x + 2; ++i)
                for (Index j = y; j < y + 2; ++j)
                    if (frame(i, j) > frame(hit.at_x, hit.at_y)) {
                        hit.at_x = i;
                        hit.at_y = j;
                    }
            const double brightest_tolerance =
                answer.mean_tolerance + 1e-15 * (std::abs(brightest) + std::abs(answer.frame_mean));
            if (found.is_cosmic(brightest - answer.frame_mean, brightest_tolerance, hit))
                continue;
            hit.is_double = settings.dbl_threshold &&
                            found.above(hit.charge, *settings.dbl_threshold, hit.charge_tolerance);
            found.add(hit);
        }
    found.finish();
    return answer;
}

inline Answer classify_in(const PlainFrame& frame, double photon,
                          const ClassifySettings& settings) {
    Answer answer;
    const Sums sums = begin(frame, answer);
    answer.threshold = settings.candidate_low * photon;
    if ((answer.faults & none) == 0)
        return answer;
    Collector found(answer, settings.cosmics, settings.max_photons);
    const auto image = [&](Index x, Index y) { return frame(x, y); };
    for (Index x = 1; x + 1 < frame.nx; ++x)
        for (Index y = 1; y + 1 < frame.ny; ++y) {
            if (!frame.valid(x, y))
                continue;
            const double pixel = frame(x, y) - answer.frame_mean;
            const double tolerance = answer.mean_tolerance +
                                     4e-16 * (std::abs(frame(x, y)) + std::abs(answer.frame_mean));
            // Rivals so near that they may be equal when the mean is subtracted.
            for (Index i = -1; i <= 1; ++i)
                for (Index j = -1; j <= 1; ++j)
                    if (frame(x + i, y + j) != frame(x, y) &&
                        std::abs(frame(x + i, y + j) - frame(x, y)) <= tolerance)
                        answer.comparable = false;
            const bool is_low = !found.above(pixel, answer.threshold, tolerance);
            if (is_low)
                continue;
            if (!is_maximum(x, y, image)) {
                // How many pixels of one bright spot count as cosmics is not said.
                if (settings.cosmics.max_pixel &&
                    pixel >= settings.candidate_high * photon - tolerance &&
                    pixel > *settings.cosmics.max_pixel - tolerance)
                    answer.comparable = false;
                continue;
            }
            Hit hit = weigh(frame, sums, answer, x - 1, y - 1, 3);
            hit.at_x = x;
            hit.at_y = y;
            if (found.above(pixel, settings.candidate_high * photon, tolerance)) {
                // Too bright for a candidate, but not for a cosmic.
                hit.charge = 0.0;
                hit.charge_tolerance = 0.0;
                found.is_cosmic(pixel, tolerance, hit);
                continue;
            }
            if (!found.above(hit.charge, settings.single_low * photon, hit.charge_tolerance)) {
                ++answer.n_dropped;
                continue;
            }
            if (found.is_cosmic(pixel, tolerance, hit))
                continue;
            hit.is_double =
                found.above(hit.charge, settings.double_low * photon, hit.charge_tolerance);
            found.add(hit);
        }
    found.finish();
    return answer;
}

} // namespace hrixs::fuzz
