// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/integrate.hpp"

#include "frame/check_frames.hpp"
#include "frame/corrected_frame.hpp"
#include "hrixs/pixel_types.hpp"
#include "rows/bands.hpp"
#include "rows/narrowed_row.hpp"
#include "simd/row_kernels.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <type_traits>
#include <utility>
#include <vector>

namespace hrixs {

namespace {

// Where the pixels of row x go: along y by this many pixels.
double shift_of(const Curvature& curvature, Index x) {
    return -curvature.at_row(x);
}

Index whole_rows(double shift) {
    return static_cast<Index>(std::floor(shift));
}

// Adds a value to the rows from begin to end, moved by whole rows. What falls off is lost.
void add_constant(Index rows, double value, Index begin, Index end, Index ny, double* sums) {
    end = std::min(ny, end + rows);
    for (Index y = std::max<Index>(0, begin + rows); y < end; ++y)
        sums[y] += value;
}

// Adds lower, moved by whole rows, and upper by a row more: in this order, but in one pass.
void add_shares(Index rows, const double* lower, const double* upper, Index ny, double* sums) {
    const Index end = std::min(ny, ny + rows);
    for (Index y = std::max<Index>(0, rows + 1); y < end; ++y)
        sums[y] = (sums[y] + lower[y - rows]) + upper[y - rows - 1];
    if (rows >= 0 && rows < ny)
        sums[rows] += lower[0];
    if (rows < 0 && rows + ny >= 0)
        sums[rows + ny] += upper[ny - 1];
}

// Neighbouring rows that move by the same whole rows. Within them the share that falls into the row
// above is a parabola of the row, so that moments of the columns are all that is needed. Of a curve
// that is no parabola every row is a group.
struct Group {
    Group(const Curvature& curvature, Index begin_, Index most_end) : begin(begin_), end(begin_) {
        const double shift = shift_of(curvature, begin);
        rows = whole_rows(shift);
        if (!curvature.is_parabola()) {
            ++end;
            weights = {shift - static_cast<double>(rows), 0.0, 0.0};
            return;
        }
        while (end < most_end && end - begin < most_moment_rows &&
               whole_rows(shift_of(curvature, end)) == rows)
            ++end;
        const double last = static_cast<double>(end) + curvature.first_column;
        weights = {shift_of(curvature, end) - static_cast<double>(rows),
                   2.0 * curvature.b * last + curvature.a + curvature.b, -2.0 * curvature.b};
    }
    Index begin;
    Index end;
    Index rows;
    std::array<double, 3> weights; // of the moments, for the upper share
};

void share(const std::uint32_t* moments, Index n, const double* weights, double* lower,
           double* upper) {
    row_kernels().share_counts(moments, n, weights, lower, upper);
}

void share(const double* moments, Index n, const double* weights, double* lower, double* upper) {
    row_kernels().share_reals(moments, n, weights, lower, upper);
}

struct BandSums {
    std::vector<double> sums;
    bool finite = true;
};

constexpr Index copied_rows = 8; // which stay in the cache

struct Scratch {
    Scratch(Index nx, Index ny)
        : rows(static_cast<std::size_t>(most_moment_rows * ny)),
          counts(static_cast<std::size_t>(3 * ny)), reals(counts.size()),
          lower(static_cast<std::size_t>(ny)), upper(lower.size()),
          bands(static_cast<std::size_t>(count_bands(nx))) {}
    template <class Sum> std::vector<Sum>& moments() {
        if constexpr (std::is_same_v<Sum, double>)
            return reals;
        else
            return counts;
    }
    std::vector<double> rows;
    std::vector<std::uint16_t> copied; // rows as counts
    std::vector<std::uint32_t> counts;
    std::vector<double> reals;
    std::vector<double> lower;
    std::vector<double> upper;
    std::vector<BandSums> bands;
};

template <class Pixel>
using MomentOf =
    std::conditional_t<std::is_same_v<Pixel, std::uint8_t> || std::is_same_v<Pixel, std::uint16_t>,
                       std::uint32_t, double>;

// The moments of a group whose pixels are counts where they are valid, with masked ones as zeros, a
// few rows at a time; false where a valid one is no count.
template <class Pixel>
bool add_counts(const CorrectedFrame<Pixel>& frame, const Group& group, Scratch& scratch) {
    const Index ny = frame.ny();
    // A line of the cache more than a row: rows of a power of two would share their places.
    const Index distance = ny + 64;
    scratch.copied.resize(static_cast<std::size_t>(copied_rows * distance));
    std::fill(scratch.counts.begin(), scratch.counts.end(), 0U);
    for (Index x = group.begin; x < group.end; x += copied_rows) {
        const Index n_rows = std::min(copied_rows, group.end - x);
        for (Index k = 0; k < n_rows; ++k)
            if (!narrow_row(frame, x + k, 0, scratch.copied.data() + k * distance))
                return false;
        add_moments(scratch.copied.data(), distance, n_rows, ny, scratch.counts.data());
    }
    return true;
}

// Adds the group's pixels to the sums: as they lie in memory, or else copied, with masked pixels as
// zeros. Gives whether all are finite, also those that the curvature moves off the frame.
template <class Pixel>
bool add_group(const CorrectedFrame<Pixel>& frame, const Group& group, Scratch& scratch,
               double* sums) {
    const Index ny = frame.ny();
    const Index n_rows = group.end - group.begin;
    const auto share_out = [&](auto& moments) {
        share(moments.data(), ny, group.weights.data(), scratch.lower.data(), scratch.upper.data());
        add_shares(group.rows, scratch.lower.data(), scratch.upper.data(), ny, sums);
        if constexpr (std::is_floating_point_v<Pixel>)
            return std::all_of(moments.begin(), moments.begin() + ny,
                               [](double sum) { return std::isfinite(sum); });
        else
            return true;
    };
    if (frame.has_mask() && may_be_narrowed(frame) && add_counts(frame, group, scratch))
        return share_out(scratch.counts);
    if (frame.is_plain()) {
        auto& moments = scratch.moments<MomentOf<Pixel>>();
        std::fill(moments.begin(), moments.end(), MomentOf<Pixel>{});
        add_moments(frame.image.row(group.begin), frame.image.stride_x, n_rows, ny, moments.data());
        return share_out(moments);
    }
    for (Index x = group.begin; x < group.end; ++x) {
        double* row = scratch.rows.data() + (x - group.begin) * ny;
        frame.read(x, 0, ny, row);
        if (frame.has_mask())
            for (Index y = 0; y < ny; ++y)
                row[y] = row[y] == row[y] ? row[y] : 0.0;
    }
    std::fill(scratch.reals.begin(), scratch.reals.end(), 0.0);
    add_moments(scratch.rows.data(), ny, n_rows, ny, scratch.reals.data());
    return share_out(scratch.reals);
}

// Gives whether all pixels are finite.
template <class Pixel, class ForEachBand>
bool integrate_frame(const CorrectedFrame<Pixel>& frame, const Curvature& curvature,
                     Scratch& scratch, ForEachBand for_each_band, double* sums) {
    const Index ny = frame.ny();
    std::vector<BandSums>& bands = scratch.bands;
    for_each_band([&](Index number, const Band& band, Scratch& own) {
        BandSums& result = bands[static_cast<std::size_t>(number)];
        std::vector<double>& band_sums = result.sums;
        bool band_finite = true;
        band_sums.assign(static_cast<std::size_t>(ny), 0.0);
        for (Index x = band.begin; x < band.end;) {
            const Group group(curvature, x, band.end);
            band_finite = add_group(frame, group, own, band_sums.data()) && band_finite;
            x = group.end;
        }
        result.finite = band_finite;
    });
    std::fill_n(sums, ny, 0.0);
    bool finite = true;
    for (const BandSums& band : bands) {
        finite = finite && band.finite;
        for (Index y = 0; y < ny; ++y)
            sums[y] += band.sums[static_cast<std::size_t>(y)];
    }
    return finite;
}

// Sums of one image along the lines.
template <class Pixel>
RowValues integrate_image(const ImageView<Pixel>& image, const CameraCorrection& camera,
                          const Curvature& curvature, const Execution& execution) {
    RowValues sums(static_cast<std::size_t>(image.ny));
    for_each_banded_frame(
        1, image.nx, execution, [&] { return Scratch(image.nx, image.ny); },
        [&](Index, Scratch& scratch, auto for_each_band) {
            integrate_frame(CorrectedFrame<Pixel>{image, &camera}, curvature, scratch,
                            for_each_band, sums.data());
        });
    return sums;
}

// Where the pixels of row x go: by how many whole rows, and the share that falls into the one
// above.
struct RowShift {
    RowShift(const Curvature& curvature, Index x) {
        const double shift = shift_of(curvature, x);
        rows = whole_rows(shift);
        upper_share = shift - static_cast<double>(rows);
    }
    Index rows;
    double upper_share;
};

// How much of a pixel each row gets, summed over the valid pixels. Row by row, not by moments:
// where no pixel reaches a row, that must be 0 and not what rounding leaves.
RowValues masked_shares(const ImageView<std::uint8_t>& mask, const MaskedSquares* masked,
                        const Curvature& curvature) {
    const Index ny = mask.ny;
    RowValues weights(static_cast<std::size_t>(ny), 0.0);
    for (Index x = 0; x < mask.nx; ++x) {
        const RowShift shift(curvature, x);
        // Of the valid pixels from begin to end.
        const auto add = [&](Index begin, Index end) {
            add_constant(shift.rows, 1.0 - shift.upper_share, begin, end, ny, weights.data());
            add_constant(shift.rows + 1, shift.upper_share, begin, end, ny, weights.data());
        };
        Index begin = 0;
        if (masked != nullptr)
            for (const MaskedSquares::Run& run : masked->runs(x)) {
                add(begin, run.begin);
                begin = run.end;
            }
        else
            for (Index y = 0; y < ny; ++y)
                if (mask(x, y) != 0) {
                    add(begin, y);
                    begin = y + 1;
                }
        add(begin, ny);
    }
    return weights;
}

// The same without a mask: all rows are alike that pixels of every x reach.
RowValues shares(Index nx, Index ny, const Curvature& curvature) {
    std::vector<RowShift> shifts;
    Index lowest = 0;
    Index highest = 0;
    for (Index x = 0; x < nx; ++x) {
        shifts.emplace_back(curvature, x);
        lowest = std::min(lowest, shifts.back().rows);
        highest = std::max(highest, shifts.back().rows);
    }
    const auto share_of = [&](Index y) {
        const auto is_pixel = [ny](Index from) { return from >= 0 && from < ny; };
        double share = 0.0;
        for (const RowShift& shift : shifts) {
            share += is_pixel(y - shift.rows) ? 1.0 - shift.upper_share : 0.0;
            share += is_pixel(y - shift.rows - 1) ? shift.upper_share : 0.0;
        }
        return share;
    };
    const Index first_alike = highest + 1;
    const Index end_alike = ny + lowest;
    RowValues weights(static_cast<std::size_t>(ny), 0.0);
    for (Index y = 0; y < ny; ++y)
        weights[static_cast<std::size_t>(y)] = first_alike < y && y < end_alike
                                                   ? weights[static_cast<std::size_t>(y - 1)]
                                                   : share_of(y);
    return weights;
}

void check_curvature(const Curvature& curvature, Index nx) {
    // Past this a shift would not fit an index, and no pixel would be left on the frame anyway.
    constexpr double largest = 1e9;
    if (!curvature.is_parabola()) {
        const auto& given = curvature.displacements;
        if (static_cast<Index>(given.size()) != nx ||
            !std::all_of(given.begin(), given.end(),
                         [](double one) { return std::abs(one) < largest; }))
            throw ParameterError(
                "displacements has " + std::to_string(given.size()) +
                " values, expected a finite number that keeps the line near the frame for each of "
                "its " +
                std::to_string(nx) + " rows.");
        return;
    }
    const double span = std::max(std::abs(curvature.first_column),
                                 std::abs(curvature.first_column + static_cast<double>(nx)));
    if (!(std::abs(curvature.a) * span < largest) ||
        !(std::abs(curvature.b) * span * span < largest))
        throw ParameterError(
            "curvature = (" + text(curvature.a) + ", " + text(curvature.b) +
            "), expected a pair of finite numbers that keep the line near the frame.");
}

} // namespace

template <class Pixel>
Integrated integrate_frames(const FrameStack<Pixel>& frames, const CameraCorrection& camera,
                            const Curvature& curvature, const Execution& execution) {
    const Index nx = frames.first.nx;
    const Index ny = frames.first.ny;
    check_frames(frames, 4);
    const CameraTotals totals = check_camera(camera, nx, ny);
    check_curvature(curvature, nx);
    // Integration is linear: the dark is integrated once and not subtracted from every pixel.
    const CameraCorrection mask_only{std::nullopt, camera.mask};
    RowValues dark;
    if (camera.dark)
        dark = camera.dark->visit([&](const auto& image) {
            return integrate_image(image, mask_only, curvature, execution);
        });
    Integrated result;
    result.weights = camera.mask ? masked_shares(*camera.mask, totals.masked_squares(), curvature)
                                 : shares(nx, ny, curvature);
    result.sums.resize(static_cast<std::size_t>(frames.size() * ny));
    for_each_banded_frame(
        frames.size(), nx, execution, [&] { return Scratch(nx, ny); },
        [&](Index number, Scratch& scratch, auto for_each_band) {
            const CorrectedFrame<Pixel> frame{frames.frame(number), &mask_only,
                                              totals.masked_squares()};
            double* sums = result.sums.data() + number * ny;
            bool finite = integrate_frame(frame, curvature, scratch, for_each_band, sums);
            for (std::size_t y = 0; y < dark.size(); ++y)
                sums[y] -= dark[y];
            finite = finite &&
                     std::all_of(sums, sums + ny, [](double sum) { return std::isfinite(sum); });
            const Index bad = finite && !frame.has_mask() ? 0 : frame.count_non_finite();
            if (bad > 0 || !finite)
                throw NonFinitePixels(frames.first_number + number, bad);
        });
    return result;
}

#define HRIXS_INSTANTIATE(Pixel)                                                                   \
    template Integrated integrate_frames<Pixel>(const FrameStack<Pixel>&, const CameraCorrection&, \
                                                const Curvature&, const Execution&);
HRIXS_FOR_EACH_PIXEL_TYPE(HRIXS_INSTANTIATE)

} // namespace hrixs
