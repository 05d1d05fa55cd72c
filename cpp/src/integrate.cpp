// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/integrate.hpp"

#include "check_frames.hpp"
#include "hrixs/pixel_types.hpp"
#include "hrixs/row_kernels.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace hrixs {

namespace {

// Where the pixels of one line x go: the whole rows they move by, and the share that falls into the
// row above that. The same for every y.
struct Shift {
    Shift(const Curvature& curvature, Index x) {
        const double shift = -curvature(static_cast<double>(x));
        const double whole = std::floor(shift);
        rows = static_cast<Index>(whole);
        upper_share = shift - whole;
    }
    Index rows;
    double upper_share;
};

// Adds a row, shifted, to the rows it falls into. What falls off is lost.
void add_shifted(const Shift& shift, Index ny, double* sums, const double* row) {
    const double lower_share = 1.0 - shift.upper_share;
    // Where both rows that a pixel falls into are there; beside it, one of them may be.
    const Index begin = std::clamp<Index>(-shift.rows, 0, ny);
    const Index end = std::clamp<Index>(ny - 1 - shift.rows, begin, ny);
    if (begin < end)
        row_kernels().add_shares(sums + begin + shift.rows, row + begin, lower_share,
                                 shift.upper_share, end - begin);
    if (const Index y = -1 - shift.rows; y >= 0 && y < ny)
        sums[0] += shift.upper_share * row[y];
    if (const Index y = ny - 1 - shift.rows; y >= 0 && y < ny)
        sums[ny - 1] += lower_share * row[y];
}

void replace_masked(std::vector<double>& row) {
    for (double& value : row)
        value = value == value ? value : 0.0;
}

RowValues shares(Index nx, Index ny, const ChipCorrection& chip, const Curvature& curvature) {
    RowValues weights(static_cast<std::size_t>(ny), 0.0);
    std::vector<double> row(static_cast<std::size_t>(ny), 1.0);
    for (Index x = 0; x < nx; ++x) {
        if (chip.mask)
            for (Index y = 0; y < ny; ++y)
                row[static_cast<std::size_t>(y)] = (*chip.mask)(x, y) ? 0.0 : 1.0;
        add_shifted(Shift(curvature, x), ny, weights.data(), row.data());
    }
    return weights;
}

void check_curvature(const Curvature& curvature, Index nx) {
    // Past this a shift would not fit an index, and no pixel would be left on the frame anyway.
    constexpr double largest = 1e9;
    const auto span = static_cast<double>(nx);
    if (!(std::abs(curvature.a) * span < largest) ||
        !(std::abs(curvature.b) * span * span < largest))
        throw ParameterError(
            "curvature = (" + text(curvature.a) + ", " + text(curvature.b) +
            "), expected a pair of finite numbers that keep the line near the frame.");
}

} // namespace

template <class Pixel>
Integrated integrate_frames(const FrameStack<Pixel>& frames, const ChipCorrection& chip,
                            const Curvature& curvature, const Execution& execution) {
    const Index nx = frames.first.nx;
    const Index ny = frames.first.ny;
    check_frames(frames, 4);
    check_chip(chip, nx, ny);
    check_curvature(curvature, nx);
    Integrated result;
    result.weights = shares(nx, ny, chip, curvature);
    result.sums.resize(static_cast<std::size_t>(frames.size() * ny));
    for_each_frame(
        frames.size(), execution, [&] { return std::vector<double>(static_cast<std::size_t>(ny)); },
        [&](Index number, std::vector<double>& row) {
            const CorrectedFrame<Pixel> frame{frames.frame(number), &chip};
            double* sums = result.sums.data() + number * ny;
            std::fill_n(sums, ny, 0.0);
            for (Index x = 0; x < nx; ++x) {
                frame.read_row(x, row.data());
                if (frame.has_mask())
                    replace_masked(row);
                add_shifted(Shift(curvature, x), ny, sums, row.data());
            }
            const bool finite =
                std::all_of(sums, sums + ny, [](double sum) { return std::isfinite(sum); });
            // Also pixels that the curvature moves off the frame.
            const Index bad = frame.count_non_finite();
            if (bad > 0 || !finite)
                throw NonFinitePixels(frames.first_number + number, bad);
        });
    return result;
}

#define HRIXS_INSTANTIATE(Pixel)                                                                   \
    template Integrated integrate_frames<Pixel>(const FrameStack<Pixel>&, const ChipCorrection&,   \
                                                const Curvature&, const Execution&);
HRIXS_FOR_EACH_PIXEL_TYPE(HRIXS_INSTANTIATE)

} // namespace hrixs
