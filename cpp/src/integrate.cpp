// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/integrate.hpp"

#include "check_frames.hpp"
#include "hrixs/pixel_types.hpp"

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

// Adds value(y) for y in [0, ny), shifted, to the rows it falls into.
template <class Value> void add_shifted(const Shift& shift, Index ny, double* sums, Value value) {
    const double lower_share = 1.0 - shift.upper_share;
    const auto add = [&](Index offset, double share) {
        if (share == 0.0)
            return;
        const Index begin = std::clamp<Index>(-offset, 0, ny);
        const Index end = std::clamp<Index>(ny - offset, 0, ny);
        for (Index y = begin; y < end; ++y)
            sums[y + offset] += share * value(y);
    };
    add(shift.rows, lower_share);
    add(shift.rows + 1, shift.upper_share);
}

// As add_shifted, for rows with masked pixels (NaN), which add nothing.
void add_shifted_valid(const Shift& shift, Index ny, double* sums, const double* row) {
    add_shifted(shift, ny, sums, [row](Index y) { return row[y] == row[y] ? row[y] : 0.0; });
}

std::vector<double> shares(Index nx, Index ny, const ChipCorrection& chip,
                           const Curvature& curvature) {
    std::vector<double> weights(static_cast<std::size_t>(ny));
    for (Index x = 0; x < nx; ++x)
        add_shifted(Shift(curvature, x), ny, weights.data(),
                    [&](Index y) { return chip.mask && (*chip.mask)(x, y) ? 0.0 : 1.0; });
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
            for (Index x = 0; x < nx; ++x) {
                frame.read_row(x, row.data());
                const Shift shift(curvature, x);
                if (frame.has_mask())
                    add_shifted_valid(shift, ny, sums, row.data());
                else
                    add_shifted(shift, ny, sums, [&](Index y) { return row[y]; });
            }
            const bool finite =
                std::all_of(sums, sums + ny, [](double sum) { return std::isfinite(sum); });
            // Also pixels that the curvature moves off the frame.
            const Index bad = frame.count_non_finite();
            if (bad > 0 || !finite)
                throw NonFinitePixels(number, bad);
        });
    return result;
}

#define HRIXS_INSTANTIATE(Pixel)                                                                   \
    template Integrated integrate_frames<Pixel>(const FrameStack<Pixel>&, const ChipCorrection&,   \
                                                const Curvature&, const Execution&);
HRIXS_FOR_EACH_PIXEL_TYPE(HRIXS_INSTANTIATE)

} // namespace hrixs
