// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdio>
#include <cstdlib>

namespace hrixs::fuzz {

// What must hold for every input; else the fuzzer keeps the input.
inline void require(bool holds, const char* what) {
    if (holds)
        return;
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
}

inline void require_near(double given, double wanted, double tolerance, const char* what) {
    const double off = given > wanted ? given - wanted : wanted - given;
    if (off <= tolerance || given == wanted) // equal infinities are not near
        return;
    std::fprintf(stderr, "%s: %.17g, expected %.17g within %.3g\n", what, given, wanted, tolerance);
    std::abort();
}

// How many frames were compared with the oracle, told at the end where HRIXS_FUZZ_COUNTS is set.
struct Counts {
    long compared = 0;
    long left_out = 0; // a decision depends on rounding
    long photons = 0;
    long errors = 0;

    ~Counts() {
        if (std::getenv("HRIXS_FUZZ_COUNTS") != nullptr)
            std::fprintf(stderr, "frames compared %ld, left out %ld; photons %ld; errors %ld\n",
                         compared, left_out, photons, errors);
    }
};

inline Counts& counts() {
    static Counts all;
    return all;
}

} // namespace hrixs::fuzz
