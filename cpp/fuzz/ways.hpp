// SPDX-License-Identifier: BSD-3-Clause
// The ways in which one call must give the same bytes.
#pragma once

#include "input.hpp"
#include "level.hpp"
#include "oracle.hpp"
#include "require.hpp"

#include "hrixs/errors.hpp"
#include "hrixs/integrate.hpp"
#include "hrixs/photons.hpp"
#include "hrixs/resolve.hpp"

#include <cstring>
#include <optional>
#include <string>
#include <vector>

namespace hrixs::fuzz {

template <class Result> struct Outcome {
    unsigned fault = none;
    std::string text;
    std::optional<Result> result;
};

// Anything else that is thrown ends the fuzzer.
template <class Call> auto outcome_of(Call call) {
    Outcome<decltype(call())> outcome;
    try {
        outcome.result = call();
        return outcome;
    } catch (const ShapeError& error) {
        outcome.fault = shape;
        outcome.text = error.what();
    } catch (const ParameterError& error) {
        outcome.fault = parameter;
        outcome.text = error.what();
    } catch (const NonFinitePixels& error) {
        outcome.fault = non_finite;
        outcome.text = error.what();
    } catch (const TooManyPhotons& error) {
        outcome.fault = too_many;
        outcome.text = error.what();
    }
    ++counts().errors;
    return outcome;
}

template <class T, class A>
bool same_bytes(const std::vector<T, A>& a, const std::vector<T, A>& b) {
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

template <class Columns> bool same_columns(const Columns& a, const Columns& b) {
    bool same = true;
    Columns::for_each_column(
        [&](auto column, auto, auto) { same = same && same_bytes(a.*column, b.*column); });
    return same;
}

inline bool same_bytes(const FoundPhotons& a, const FoundPhotons& b) {
    return same_columns(a.table, b.table) && same_columns(a.table.fitted, b.table.fitted) &&
           same_columns<FrameColumns>(a, b);
}

inline bool same_bytes(const ResolvedPhotons& a, const ResolvedPhotons& b) {
    return same_bytes(a.found, b.found) && same_bytes(a.crowding, b.crowding);
}

inline bool same_bytes(const Integrated& a, const Integrated& b) {
    return same_bytes(a.sums, b.sums) && same_bytes(a.weights, b.weights);
}

template <class Result>
void require_same(const Outcome<Result>& a, const Outcome<Result>& b, const char* what) {
    require(a.fault == b.fault, what);
    require(a.text == b.text, what);
    if (a.result)
        require(same_bytes(*a.result, *b.result), what);
}

// call(FrameStack, threads): once plainly, and once in another way that the input chooses.
template <class Pixel, class Call>
auto call_in_two_ways(const Frames<Pixel>& frames, Index way, Call call) {
    const FrameStack<Pixel> stack = frames.pixels->stack();
    const auto first = outcome_of([&] { return call(stack, 1); });
    const auto again = [&](const char* what, const auto& other, int threads) {
        require_same(first, outcome_of([&] { return call(other, threads); }), what);
    };
    switch (way) {
    case 1:
        for (const RowKernels* level : usable_levels()) {
            use_level(level);
            again("same bytes at each level", stack, 1);
        }
        break;
    case 2:
        use_level(&plain::kernels);
        again("same bytes without vector types", stack, 1);
        break;
    case 3: {
        const Copied<Pixel, Pixel> copied(frames);
        again("same bytes of a copy without strides", copied.stack, 1);
        break;
    }
    case 4:
        if (std::is_integral_v<Pixel> && !frames.has_dark()) {
            const Copied<double, Pixel> copied(frames);
            again("same bytes of counts in doubles", copied.stack, 1);
            break;
        }
        [[fallthrough]];
    default:
        again("same bytes with two threads", stack, 2);
    }
    use_best_level();
    return first;
}
constexpr Index n_ways = 5;

// Whether the call threw what it should; if so there is nothing more to compare.
template <class Result>
bool threw_rightly(const Outcome<Result>& outcome, unsigned faults_before,
                   const std::vector<unsigned>& faults_of_frames) {
    unsigned allowed = faults_before;
    if (allowed == 0) {
        allowed = none;
        for (const unsigned faults : faults_of_frames) {
            allowed |= faults;
            if ((faults & none) == 0) {
                allowed &= ~static_cast<unsigned>(none);
                break;
            }
        }
    }
    if ((outcome.fault & allowed) == 0)
        std::fprintf(stderr, "fault %u, expected of %u: %s\n", outcome.fault, allowed,
                     outcome.text.c_str());
    require((outcome.fault & allowed) != 0, "the right error is thrown, or none");
    return !outcome.result;
}

inline void compare_photons(const FoundPhotons& found, const std::vector<Answer>& answers) {
    const auto n = answers.size();
    FrameColumns::for_each_column([&](auto column, auto, auto) {
        require((found.*column).size() == n, "facts of each frame");
    });
    std::size_t k = 0;
    for (std::size_t f = 0; f < n; ++f) {
        const Answer& answer = answers[f];
        std::size_t end = k;
        while (end < found.table.x.size() && found.table.frame[end] == static_cast<Index>(f))
            ++end;
        if (!answer.comparable) {
            ++counts().left_out;
            k = end;
            continue;
        }
        ++counts().compared;
        counts().photons += static_cast<long>(answer.hits.size());
        require_near(found.frame_mean[f], answer.frame_mean, answer.mean_tolerance,
                     "mean of the frame");
        require_near(found.threshold[f], answer.threshold, answer.threshold_tolerance, "threshold");
        require_near(static_cast<double>(end - k), static_cast<double>(answer.hits.size()), 0.0,
                     "number of photons");
        require_near(static_cast<double>(found.n_dropped[f]), static_cast<double>(answer.n_dropped),
                     0.0, "n_dropped");
        require_near(static_cast<double>(found.n_cosmics[f]), static_cast<double>(answer.n_cosmics),
                     0.0, "n_cosmics");
        for (const Hit& hit : answer.hits) {
            require_near(found.table.charge[k], hit.charge, hit.charge_tolerance, "charge");
            require_near(found.table.x[k], hit.x, hit.position_tolerance, "x");
            require_near(found.table.y[k], hit.y, hit.position_tolerance, "y");
            require((found.table.is_double[k] != 0) == hit.is_double, "double");
            ++k;
        }
    }
    require(k == found.table.x.size(), "frames in order");
}

inline std::vector<unsigned> faults_of(const std::vector<Answer>& answers) {
    std::vector<unsigned> faults;
    for (const Answer& answer : answers)
        faults.push_back(answer.faults);
    return faults;
}

} // namespace hrixs::fuzz
