// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/tile.hpp"

namespace hrixs {
struct RowKernels;
}

namespace hrixs::crowd {

// From the middle of a window.
struct Place {
    float x;
    float y;
};

// Of a photon that is not subtracted: its charge by weighted least squares, in photons, and more.
struct Amplitude {
    float value;    // photons
    float variance; // of it
    float seen;     // part of the cloud on pixels that are not masked
};

struct FittedPlace {
    Place place;
    Amplitude amplitude;
};

// A photon that was subtracted and is fitted beside others.
struct FitPhoton {
    Window window;
    Place place;
};
// Of half of chi square: its slopes, and their slopes.
struct Equation {
    float g_x;
    float g_y;
    float h_xx;
    float h_xy;
    float h_yy;
};
// Of two photons: slope of a by x with that of b by x, and so on.
struct Coupling {
    std::int32_t a;
    std::int32_t b;    // less than a
    std::int32_t rows; // where the window of a begins in that of b
    std::int32_t columns;
    float xx;
    float xy;
    float yx;
    float yy;
};

// What a subtracted photon leaves in its window.
struct Remainder {
    float chi2;
    float excess; // charge that is missing, photons
    float seen;   // part of the cloud on pixels that are not masked
    float pixels; // not masked
};

// A square of pixels with light left over, or with too much taken out.
struct Square {
    float sum; // its magnitude, ADU
    Index row; // lowest pixel
    Index column;
    double x; // centre of mass
    double y;
};
constexpr int most_squares = tile_pixels / 4; // of a tile: no two touch each other
struct FoundSquares {
    Square square[most_squares];
    int n = 0;
};

// Of the pixels of a tile.
struct TileSums {
    float rest;
    float variance;
    float dark; // of pixels without light that lie near the level
    std::int32_t pixels;
    std::int32_t dark_pixels;
};

// The inner loops for photons in a crowd, for windows of one size; compiled once for each level of
// the processor from crowd/level.cpp. All levels give the same bytes.
struct Kernels {
    void (*shares)(const ShareNode* nodes, float place, Shares& shares);
    // Fits the place of a photon of known charge.
    FittedPlace (*fit_place)(const Window& window, const ShareNode* nodes, Light light,
                             Place place);
    // Of a photon that was subtracted.
    Amplitude (*amplitude_without)(const Window& window, const ShareNode* nodes, Light light,
                                   Place place);
    // Puts a cloud back into what is left, and takes another one out; either may be null.
    void (*exchange)(const Window& window, const ShareNode* nodes, Light light,
                     const Place* put_back, const Place* taken);
    // The normal equations of photons that are fitted together. Couplings are sorted by a.
    void (*equations)(const FitPhoton* photons, Index n, const ShareNode* nodes, Light light,
                      Cloud* clouds, Equation* equations, Coupling* couplings, Index n_couplings);
    // Sum of the products of two clouds' shares.
    float (*overlap)(const Cloud& a, const Cloud& b, std::int32_t rows, std::int32_t columns);
    Remainder (*remainder)(const Window& window, const Cloud& cloud, Light light);
    // Squares of 2x2 pixels whose lowest pixel lies in the middle one of 3x3 tiles, with sums above
    // a limit and above those of their neighbours; of 4x4 pixels, also of what was taken too much.
    void (*small_squares)(const Tile* const (&tiles)[3][3], float limit, FoundSquares& left);
    void (*large_squares)(const Tile* const (&tiles)[3][3], float limit, FoundSquares& left,
                          FoundSquares& taken);
    // Pixels of a frame of counts, above a level; rows lie so many numbers apart.
    void (*fill_counts)(const std::uint16_t* pixels, Index row_step, double level, float variance,
                        Tile& tile);
    // lit: a bit for each pixel with light.
    TileSums (*tile_sums)(const Tile& tile, std::uint64_t lit);
};

// Those of a level, and of the one in use; for windows of 2 * reach + 1 pixels, reach 2 or 3.
const Kernels& kernels_of(const RowKernels& level, int reach);
const Kernels& kernels_in_use(int reach);

} // namespace hrixs::crowd
