// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "frame/dark.hpp"
#include "hrixs/uninitialised.hpp"
#include "rows/bands.hpp"
#include "simd/row_kernels.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace hrixs {

// What of a CountDark a search needs.
enum class DarkUse { pixels, squares, squares_and_rests };

// A dark made ready for frames of 16-bit counts: rounded to counts, so that these are compared as
// whole numbers, with what rounding takes from the squares kept for exact sums.
class CountDark {
  public:
    // None where the dark has pixels below 0 or above largest_dark_pixel.
    static std::optional<CountDark> make(const Dark& dark, DarkUse use, const Execution& execution);

    struct BandSums {
        double pixels = 0.0;      // of the dark
        std::int64_t squares = 0; // of the rounded dark's squares
        double rest = 0.0;        // of what rounding took from them
        double rest_squares = 0.0;
        std::int64_t rest_units = 0; // the rest, in the units of CountDarkRow
        std::int64_t fine_rest_units = 0;
        bool fits = true; // every pixel can be used
    };
    const BandSums& sums(const Band& band) const {
        return sums_[static_cast<std::size_t>(band_number(band.begin))];
    }
    // Has the dark fetched where a spot of 4x4 pixels, the lowest of which is (x, y), will be
    // measured.
    void fetch_spot(Index x, Index y) const {
        constexpr Index spot_size = 4;
        for (Index i = x; i < std::min(x + spot_size, dark_.nx()); ++i)
            prefetch(dark_, i, y, 1);
    }
    double mean() const { return mean_; }
    std::uint16_t lowest_pixel() const { return lowest_pixel_; } // about

    const std::uint16_t* pixels(Index x) const { return pixels_.data() + x * ny_; }
    bool has_rests() const { return !rests_.empty(); }
    // Takes the dark's from 3x3 squares, the lowest of which is (x, y), and the rest too where that
    // is known: then they are in its units.
    void subtract(Index x, Index y, std::int32_t (&squares)[3][3]) const {
        for (Index i = 0; i < 3; ++i) {
            const Index at = (x + i) * ny_ + y;
            for (Index j = 0; j < 3; ++j)
                squares[i][j] -= squares_.data()[at + j];
            if (!has_rests())
                continue;
            for (Index j = 0; j < 3; ++j)
                squares[i][j] = squares[i][j] * static_cast<std::int32_t>(dark_rest_units) -
                                rests_.data()[at + j];
        }
    }
    // The row of squares between the rows x and x + 1.
    CountDarkRow row(Index x) const {
        const Index at = x * ny_;
        return {squares_.data() + at, has_rests() ? rests_.data() + at : nullptr,
                has_rests() ? fine_rests_.data() + at : nullptr, far_.data() + x * n_far_};
    }

  private:
    CountDark(const Dark& dark, DarkUse use);
    template <class Pixel>
    void add_band(const ImageView<Pixel>& image, DarkUse use, const Band& band);

    Dark dark_;
    Index ny_;
    Index n_far_;
    ImageValues<std::uint16_t> pixels_;
    ImageValues<std::uint16_t> squares_;
    ImageValues<std::int16_t> rests_;
    ImageValues<std::int16_t> fine_rests_;
    std::vector<std::uint8_t> far_;
    std::vector<BandSums> sums_;
    double mean_ = 0.0;
    std::uint16_t lowest_pixel_ = 0;
};

} // namespace hrixs
