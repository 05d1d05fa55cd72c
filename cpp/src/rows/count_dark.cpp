// SPDX-License-Identifier: BSD-3-Clause
#include "rows/count_dark.hpp"

#include "frame/corrected_frame.hpp"
#include "rows/frame_sums.hpp"
#include "rows/row_scratch.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace hrixs {

namespace {

bool round_pixels(const float* row, Index n, std::uint16_t* pixels) {
    return row_kernels().round_pixels_f32(row, n, pixels);
}
bool round_pixels(const double* row, Index n, std::uint16_t* pixels) {
    return row_kernels().round_pixels_f64(row, n, pixels);
}
DarkScan round_dark(const float* row, Index n, float* pairs, float* rest_pairs,
                    std::uint16_t* squares, std::int16_t* rest, std::int16_t* fine_rest) {
    return row_kernels().round_dark_f32(row, n, pairs, rest_pairs, squares, rest, fine_rest);
}
DarkScan round_dark(const double* row, Index n, double* pairs, double* rest_pairs,
                    std::uint16_t* squares, std::int16_t* rest, std::int16_t* fine_rest) {
    return row_kernels().round_dark_f64(row, n, pairs, rest_pairs, squares, rest, fine_rest);
}

double sum_row(const float* row, Index n) {
    return row_kernels().sum_floats(row, n);
}
double sum_row(const double* row, Index n) {
    return row_kernels().sum_row(row, n);
}

// A row in place, or copied to where it lies in a piece.
template <class Pixel>
const Pixel* row_of(const ImageView<Pixel>& image, Index x, std::vector<Pixel>& copy) {
    if (image.stride_y == 1)
        return image.row(x);
    for (Index y = 0; y < image.ny; ++y)
        copy[static_cast<std::size_t>(y)] = image(x, y);
    return copy.data();
}

void read_row(const Dark& dark, Index x, std::vector<double>& row) {
    dark.visit([&](const auto& image) {
        const CameraCorrection none;
        using Pixel = std::remove_cvref_t<decltype(image(0, 0))>;
        CorrectedFrame<Pixel>{image, &none}.read(x, 0, image.ny, row.data());
    });
}

double sample_mean(const Dark& dark) {
    std::vector<double> row(static_cast<std::size_t>(dark.ny()));
    double sum = 0.0;
    for_sample_rows(dark.nx(), [&](Index x) {
        read_row(dark, x, row);
        sum += row_kernels().sum_row(row.data(), dark.ny());
    });
    return sum / static_cast<double>(n_sample_rows * dark.ny());
}

} // namespace

CountDark::CountDark(const Dark& dark, DarkUse use)
    : dark_(dark), ny_(dark.ny()), n_far_(ny_ / 64 + 2),
      sums_(static_cast<std::size_t>(count_bands(dark.nx()))) {
    // Two rows more are fetched ahead at the end.
    const Index size = (dark.nx() + 2) * ny_;
    if (use == DarkUse::pixels) {
        pixels_.resize(static_cast<std::size_t>(size));
        return;
    }
    squares_.resize(static_cast<std::size_t>(size));
    far_.resize(static_cast<std::size_t>(dark.nx() * n_far_));
    if (use == DarkUse::squares_and_rests) {
        rests_.resize(static_cast<std::size_t>(size));
        fine_rests_.resize(static_cast<std::size_t>(size));
    }
}

template <class Pixel>
void CountDark::add_band(const ImageView<Pixel>& image, DarkUse use, const Band& band) {
    BandSums& sums = sums_[static_cast<std::size_t>(band_number(band.begin))];
    std::vector<Pixel> copy(static_cast<std::size_t>(ny_));
    std::vector<Pixel> pairs(copy.size());
    std::vector<Pixel> rest_pairs(copy.size());
    std::vector<std::uint16_t> nowhere(copy.size());
    const bool of_pixels = use == DarkUse::pixels;
    const bool with_rests = use == DarkUse::squares_and_rests;
    const Index end = of_pixels ? band.end - 1 : std::min(band.end, image.nx - 1);
    for (Index x = band.begin; x <= end; ++x) {
        const Pixel* row = row_of(image, x, copy);
        if (x < band.end)
            sums.pixels += sum_row(row, ny_);
        if (of_pixels) {
            sums.fits = round_pixels(row, ny_, pixels_.data() + x * ny_) && sums.fits;
            continue;
        }
        // The band's first row has none below.
        const bool has_below = x > band.begin;
        const Index at = (x - 1) * ny_;
        for_each_block(ny_ - 1, [&](Index y, Index n) {
            const DarkScan scan =
                round_dark(row + y, n + 1, pairs.data() + y, rest_pairs.data() + y,
                           has_below ? squares_.data() + at + y : nowhere.data() + y,
                           has_below && with_rests ? rests_.data() + at + y : nullptr,
                           has_below && with_rests ? fine_rests_.data() + at + y : nullptr);
            sums.rest += scan.rest;
            sums.rest_squares += scan.rest_squares;
            if (has_below) {
                sums.rest_units += scan.rest_units;
                sums.fine_rest_units += scan.fine_rest_units;
            }
            sums.fits = scan.fits && sums.fits;
        });
        if (!has_below)
            continue;
        sums.squares +=
            static_cast<std::int64_t>(row_kernels().sum_counts(squares_.data() + at, ny_ - 1));
        row_kernels().mark_far_squares(squares_.data() + at, ny_, far_.data() + (x - 1) * n_far_);
    }
}

std::optional<CountDark> CountDark::make(const Dark& dark, DarkUse use,
                                         const Execution& execution) {
    const Index nx = dark.nx();
    const double mean = sample_mean(dark);
    if (!(0.0 <= mean && mean <= largest_dark_pixel))
        return std::nullopt;
    std::optional<CountDark> made{CountDark(dark, use)};
    made->mean_ = mean;
    constexpr double largest_lowest = 65536.0 / 4.0 - count_offset;
    made->lowest_pixel_ = static_cast<std::uint16_t>(
        std::clamp(std::rint(mean) - count_offset / 4.0, 0.0, largest_lowest));
    for_each_frame(
        count_bands(nx), execution, [] { return 0; },
        [&](Index number, int) {
            dark.visit([&](const auto& image) { made->add_band(image, use, band_of(number, nx)); });
        });
    const bool fits = std::all_of(made->sums_.begin(), made->sums_.end(),
                                  [](const BandSums& sums) { return sums.fits; });
    return fits ? std::move(made) : std::nullopt;
}

} // namespace hrixs
