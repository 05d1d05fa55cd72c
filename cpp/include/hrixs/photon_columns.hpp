// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/index.hpp"

#include <cstdint>
#include <vector>

// The list of all columns of photons and of frames: X(type, name, name in Python). All code that
// handles every column is generated from it.

// Positions are as measured, in pixels of the frame given; an integer is the centre of a pixel.
#define HRIXS_FOR_EACH_HIT_COLUMN(X)                                                               \
    X(Index, frame, "frame") /* its number in the stack */                                         \
    X(double, x, "x")                                                                              \
    X(double, y, "y")                                                                              \
    X(double, charge, "charge")          /* of the spot above the frame's mean, or fitted; ADU */  \
    X(std::uint8_t, is_double, "double") /* 1: two photons in one spot */

// Columns of photons whose position was fitted; NaN if the fit failed.
#define HRIXS_FOR_EACH_FIT_COLUMN(X)                                                               \
    X(double, sigma_x, "sigma_x") /* uncertainty of the position, pixels */                        \
    X(double, sigma_y, "sigma_y")                                                                  \
    X(double, chi2, "chi2")                       /* for each degree of freedom */                 \
    X(double, own_cloud_sigma, "own_cloud_sigma") /* width by this photon alone, pixels ... */     \
    X(double, own_cloud_sigma_err, "own_cloud_sigma_err") /* ... and its uncertainty */            \
    X(std::uint8_t, flag, "flag")                         /* of PhotonFlag */

// Columns of frames.
#define HRIXS_FOR_EACH_FRAME_COLUMN(X)                                                             \
    X(Index, n_cosmics, "n_cosmics")  /* hits dropped: too bright, or near such a one */           \
    X(double, frame_mean, "base")     /* mean of the frame, ADU */                                 \
    X(double, threshold, "threshold") /* that it was searched with, ADU */                         \
    X(Index, n_dropped, "n_dropped")  /* spots dropped: charge below what counts */                \
    X(double, noise, "noise")         /* of its pixels, ADU; NaN where nobody asked for it */

namespace hrixs {

#define HRIXS_VALUE(Type, name, in_python) Type name{};
#define HRIXS_VECTOR(Type, name, in_python) std::vector<Type> name;
#define HRIXS_WORK(Type, name, in_python) work(&Columns::name, &Row::name, in_python);

// One photon, one fit, one frame.
struct FoundHit {
    HRIXS_FOR_EACH_HIT_COLUMN(HRIXS_VALUE)
};
struct FitResult {
    HRIXS_FOR_EACH_FIT_COLUMN(HRIXS_VALUE)
};
struct FrameFacts {
    HRIXS_FOR_EACH_FRAME_COLUMN(HRIXS_VALUE)
};

// Many of them, structure of arrays. for_each_column calls work(pointer to the column, pointer to
// the value in a row, name in Python).
struct HitColumns {
    HRIXS_FOR_EACH_HIT_COLUMN(HRIXS_VECTOR)
    using Row = FoundHit;
    using Columns = HitColumns;
    template <class Work> static void for_each_column(Work work) {
        HRIXS_FOR_EACH_HIT_COLUMN(HRIXS_WORK)
    }
};
struct FitColumns {
    HRIXS_FOR_EACH_FIT_COLUMN(HRIXS_VECTOR)
    using Row = FitResult;
    using Columns = FitColumns;
    template <class Work> static void for_each_column(Work work) {
        HRIXS_FOR_EACH_FIT_COLUMN(HRIXS_WORK)
    }
};
struct FrameColumns {
    HRIXS_FOR_EACH_FRAME_COLUMN(HRIXS_VECTOR)
    using Row = FrameFacts;
    using Columns = FrameColumns;
    template <class Work> static void for_each_column(Work work) {
        HRIXS_FOR_EACH_FRAME_COLUMN(HRIXS_WORK)
    }
};

#undef HRIXS_VALUE
#undef HRIXS_VECTOR
#undef HRIXS_WORK

} // namespace hrixs
