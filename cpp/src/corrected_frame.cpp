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

} // namespace

void check_chip(const ChipCorrection& chip, Index nx, Index ny) {
    if (chip.mask)
        check_shape("mask", chip.mask->nx, chip.mask->ny, nx, ny);
    if (!chip.dark)
        return;
    check_shape("dark", chip.dark->nx, chip.dark->ny, nx, ny);
    Index count = 0;
    for (Index x = 0; x < nx; ++x)
        for (Index y = 0; y < ny; ++y)
            if (!std::isfinite((*chip.dark)(x, y)) && !(chip.mask && (*chip.mask)(x, y)))
                ++count;
    if (count > 0)
        throw ParameterError("dark has " + std::to_string(count) +
                             " pixels that are NaN or infinite, expected none. Mark them with "
                             "mask=, an (x, y) array that is True where a pixel is bad.");
}

} // namespace hrixs
