// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "input.hpp"
#include "oracle.hpp"

#include "hrixs/classify.hpp"
#include "hrixs/find.hpp"

#include <cmath>
#include <vector>

namespace hrixs::fuzz {

// A limit in ADU, with the scale of the pixels that the palettes make.
inline double any_adu(Input& input) {
    return input.number(-100.0, 900.0) * input.one_of({1.0, 1.0, 1.0, 0.1, 100.0, 1e4});
}
inline std::optional<double> maybe_adu(Input& input) {
    return input.yes() ? std::optional(any_adu(input)) : std::nullopt;
}

inline CosmicLimits any_cosmics(Input& input) {
    CosmicLimits limits;
    if (input.one_in(3))
        limits.max_pixel = std::abs(any_adu(input));
    if (input.one_in(4))
        limits.max_charge = std::abs(any_adu(input));
    // The layers above see to that.
    if (limits.max_pixel && !(*limits.max_pixel > 0.0))
        limits.max_pixel.reset();
    if (limits.max_charge && !(*limits.max_charge > 0.0))
        limits.max_charge.reset();
    return limits;
}

inline Index any_most_photons(Input& input) {
    return input.one_in(8) ? input.whole(-1, 5) : 100000;
}

inline FindSettings any_find_settings(Input& input) {
    FindSettings settings;
    settings.threshold = maybe_adu(input);
    settings.std_threshold = input.number(-1.0, 5.0);
    settings.dbl_threshold = maybe_adu(input);
    settings.max_photons = any_most_photons(input);
    settings.cosmics = any_cosmics(input);
    return settings;
}

inline unsigned faults_of(const FindSettings& settings) {
    const bool right = !(settings.threshold ? std::isnan(*settings.threshold)
                                            : std::isnan(settings.std_threshold)) &&
                       !(settings.dbl_threshold && std::isnan(*settings.dbl_threshold)) &&
                       settings.max_photons >= 1;
    return right ? 0 : parameter;
}

inline ClassifySettings any_classify_settings(Input& input) {
    ClassifySettings settings{0.2, 1.0, 0.2, 1.5, any_most_photons(input), {}, any_cosmics(input)};
    if (input.one_in(3)) {
        settings.candidate_low = input.number(-0.5, 1.0);
        settings.candidate_high = input.number(0.0, 4.0);
        settings.single_low = input.number(0.0, 1.0);
        settings.double_low = input.number(0.0, 3.0);
    }
    return settings;
}

inline std::vector<double> any_photon_adu(Input& input, Index n_frames) {
    std::vector<double> all;
    const double usual = input.number(1.0, 400.0);
    for (Index f = 0; f < n_frames; ++f)
        all.push_back(input.one_in(16) ? input.number(0.0, 1000.0) : usual);
    return all;
}

inline unsigned faults_of(const ClassifySettings& settings, const std::vector<double>& adu) {
    for (const double photon : adu)
        if (!(photon > 0.0) || std::isinf(photon))
            return parameter;
    const bool right = settings.candidate_low < settings.candidate_high &&
                       settings.single_low >= 0.0 && settings.double_low >= settings.single_low &&
                       settings.max_photons >= 1;
    return right ? 0 : parameter;
}

// fuzz(Pixel{}): with the pixel type that the input names.
template <class Fuzz> void with_pixel_type(Input& input, Fuzz fuzz) {
    switch (input.whole(0, 6)) {
    case 0:
        return fuzz(std::uint16_t{});
    case 1:
        return fuzz(double{});
    case 2:
        return fuzz(float{});
    case 3:
        return fuzz(std::uint8_t{});
    case 4:
        return fuzz(std::int16_t{});
    case 5:
        return fuzz(std::uint32_t{});
    default:
        return fuzz(std::int32_t{});
    }
}

} // namespace hrixs::fuzz

// Threads that wait shall sleep: the fuzzers share the processor.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
    setenv("KMP_BLOCKTIME", "0", 0);
    return 0;
}
