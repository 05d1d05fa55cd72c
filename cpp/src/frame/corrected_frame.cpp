// SPDX-License-Identifier: BSD-3-Clause
#include "frame/corrected_frame.hpp"

#include "hrixs/errors.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace hrixs {

namespace {

std::string shape_text(Index nx, Index ny) {
    return "(" + std::to_string(nx) + ", " + std::to_string(ny) + ")";
}

void check_shape(const char* name, Index given_x, Index given_y, Index nx, Index ny) {
    if (given_x != nx || given_y != ny)
        throw ShapeError(std::string(name) + " has shape " + shape_text(given_x, given_y) +
                         ", expected that of a frame, " + shape_text(nx, ny) +
                         ". Crop both in the same way.");
}

void count_valid(const ImageView<std::uint8_t>& mask, CameraTotals& totals) {
    const auto ny = static_cast<std::size_t>(mask.ny);
    std::vector<std::uint8_t> lower(ny);
    std::vector<std::uint8_t> upper(ny);
    for (Index x = 0; x < mask.nx; ++x) {
        std::swap(lower, upper);
        for (std::size_t y = 0; y < ny; ++y)
            upper[y] = mask(x, static_cast<Index>(y)) == 0 ? 1 : 0;
        totals.pixels += std::count(upper.begin(), upper.end(), std::uint8_t{1});
        if (x == 0)
            continue;
        std::int32_t squares = 0;
        for (std::size_t y = 0; y + 1 < ny; ++y)
            squares += lower[y] & lower[y + 1] & upper[y] & upper[y + 1];
        totals.squares += squares;
    }
}

void count_valid(const MaskedSquares& masked, Index nx, Index ny, CameraTotals& totals) {
    totals.pixels = nx * ny;
    totals.squares = (nx - 1) * (ny - 1);
    for (Index x = 0; x < nx; ++x) {
        totals.pixels -= masked.n_pixels(x);
        totals.squares -= x + 1 < nx ? masked.n_squares(x) : 0;
    }
}

template <class Pixel>
void check_dark(const ImageView<Pixel>& dark, const CameraCorrection& camera) {
    const CameraCorrection mask_only{std::nullopt, camera.mask};
    const CorrectedFrame<Pixel> frame{dark, &mask_only};
    std::vector<double> row(static_cast<std::size_t>(dark.ny));
    double sum = 0.0;
    for (Index x = 0; x < dark.nx; ++x) {
        frame.read(x, 0, dark.ny, row.data());
        sum += row_kernels().sum_row(row.data(), dark.ny);
    }
    // Without a mask a NaN shows in the sum.
    if (std::isfinite(sum))
        return;
    if (const Index count = frame.count_non_finite(); count > 0)
        throw ParameterError("dark has " + std::to_string(count) +
                             " pixels that are NaN or infinite, expected none. Mark them with "
                             "mask=, an (x, y) array that is True where a pixel is bad.");
}

} // namespace

CameraTotals check_camera(const CameraCorrection& camera, Index nx, Index ny) {
    CameraTotals totals;
    if (camera.mask) {
        check_shape("mask", camera.mask->nx, camera.mask->ny, nx, ny);
        totals.masked = MaskedSquares::make(*camera.mask);
        if (totals.masked)
            count_valid(*totals.masked, nx, ny, totals);
        else
            count_valid(*camera.mask, totals);
    } else {
        totals.pixels = nx * ny;
        totals.squares = (nx - 1) * (ny - 1);
    }
    if (camera.dark) {
        check_shape("dark", camera.dark->nx(), camera.dark->ny(), nx, ny);
        camera.dark->visit([&](const auto& image) { check_dark(image, camera); });
    }
    return totals;
}

} // namespace hrixs
