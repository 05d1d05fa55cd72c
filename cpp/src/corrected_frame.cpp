// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/corrected_frame.hpp"

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

ValidCounts count_valid(const ChipCorrection& chip, Index nx, Index ny) {
    if (!chip.mask)
        return {nx * ny, (nx - 1) * (ny - 1)};
    const auto valid = [&](Index x, Index y) { return (*chip.mask)(x, y) == 0 ? 1 : 0; };
    ValidCounts counts;
    for (Index x = 0; x < nx; ++x)
        for (Index y = 0; y < ny; ++y) {
            counts.pixels += valid(x, y);
            if (x + 1 < nx && y + 1 < ny)
                counts.squares +=
                    valid(x, y) & valid(x, y + 1) & valid(x + 1, y) & valid(x + 1, y + 1);
        }
    return counts;
}

} // namespace

ValidCounts check_chip(const ChipCorrection& chip, Index nx, Index ny) {
    if (chip.mask)
        check_shape("mask", chip.mask->nx, chip.mask->ny, nx, ny);
    if (chip.dark) {
        check_shape("dark", chip.dark->nx, chip.dark->ny, nx, ny);
        const CorrectedFrame<double> dark{*chip.dark, &chip};
        if (const Index count = dark.count_non_finite(); count > 0)
            throw ParameterError("dark has " + std::to_string(count) +
                                 " pixels that are NaN or infinite, expected none. Mark them with "
                                 "mask=, an (x, y) array that is True where a pixel is bad.");
    }
    return count_valid(chip, nx, ny);
}

} // namespace hrixs
