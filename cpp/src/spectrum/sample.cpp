// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/sample.hpp"

#include "frame/check_frames.hpp"
#include "frame/corrected_frame.hpp"
#include "hrixs/pixel_types.hpp"
#include "rows/bands.hpp"
#include "simd/row_kernels.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

namespace hrixs {

namespace {

// Sums of a band's pixels are exact in it: at most 256 counts of 16 bits.
template <class Pixel>
using SumOf =
    std::conditional_t<std::is_same_v<Pixel, std::uint8_t> || std::is_same_v<Pixel, std::uint16_t>,
                       std::uint32_t, double>;

struct BandSums {
    std::vector<double> sums;
    bool finite = true;
};

struct Scratch {
    Scratch(Index nx, Index ny)
        : row(static_cast<std::size_t>(ny)), counts(3 * row.size()), reals(row.size()),
          bands(static_cast<std::size_t>(count_bands(nx))) {}
    template <class Sum> std::vector<Sum>& sums() {
        if constexpr (std::is_same_v<Sum, double>)
            return reals;
        else
            return counts;
    }
    std::vector<double> row;
    std::vector<std::uint32_t> counts;
    std::vector<double> reals;
    std::vector<BandSums> bands;
};

template <class Sum, class Value> void add(const Value* values, Index n, Sum* sums) {
    for (Index y = 0; y < n; ++y)
        sums[y] += static_cast<Sum>(values[y]);
}

template <class Sum>
void add_moved(Index rows, const std::vector<Sum>& values, Index ny, double* sums) {
    const Index end = std::min(ny, ny - rows);
    for (Index y = std::max<Index>(0, -rows); y < end; ++y)
        sums[y + rows] += static_cast<double>(values[static_cast<std::size_t>(y)]);
}

template <class Sum> bool all_finite(const std::vector<Sum>& sums) {
    if constexpr (std::is_floating_point_v<Sum>)
        return std::all_of(sums.begin(), sums.end(), [](Sum one) { return std::isfinite(one); });
    else
        return true;
}

// Adds rows [begin, end), which lie alike, to the sums of their phase; masked pixels as zeros.
// Gives whether all are finite, also those that are moved off the frame.
template <class Pixel>
bool add_rows(const CorrectedFrame<Pixel>& frame, const Range& rows, Index moved, Scratch& scratch,
              double* phase_sums) {
    const Index ny = frame.ny();
    const auto move = [&](const auto& sums) {
        add_moved(moved, sums, ny, phase_sums);
        return all_finite(sums);
    };
    if (frame.is_plain()) {
        auto& sums = scratch.sums<SumOf<Pixel>>();
        std::fill(sums.begin(), sums.end(), SumOf<Pixel>{});
        if constexpr (std::is_integral_v<SumOf<Pixel>>)
            // The first moment of three is their sum; the others come with it, as fast as memory.
            add_moments(frame.image.row(rows.begin), frame.image.stride_x, rows.end - rows.begin,
                        ny, sums.data());
        else
            for (Index x = rows.begin; x < rows.end; ++x)
                add(frame.image.row(x), ny, sums.data());
        return move(sums);
    }
    std::fill(scratch.reals.begin(), scratch.reals.end(), 0.0);
    for (Index x = rows.begin; x < rows.end; ++x) {
        frame.read(x, 0, ny, scratch.row.data());
        if (frame.has_mask())
            for (double& value : scratch.row)
                value = value == value ? value : 0.0;
        add(scratch.row.data(), ny, scratch.reals.data());
    }
    return move(scratch.reals);
}

// Gives whether all pixels are finite.
template <class Pixel, class ForEachBand>
bool sample_frame(const CorrectedFrame<Pixel>& frame, const RowPhases& where, Scratch& scratch,
                  ForEachBand for_each_band, double* sums) {
    const Index ny = frame.ny();
    const auto n_sums = static_cast<std::size_t>(where.n_phases * ny);
    std::vector<BandSums>& bands = scratch.bands;
    for_each_band([&](Index number, const Band& band, Scratch& own) {
        BandSums& result = bands[static_cast<std::size_t>(number)];
        result.sums.assign(n_sums, 0.0);
        result.finite = true;
        for (Index x = band.begin; x < band.end;) {
            const Index rows = where.whole_rows[static_cast<std::size_t>(x)];
            const Index phase = where.phases[static_cast<std::size_t>(x)];
            Index end = x + 1;
            while (end < band.end && end - x < most_moment_rows &&
                   where.whole_rows[static_cast<std::size_t>(end)] == rows &&
                   where.phases[static_cast<std::size_t>(end)] == phase)
                ++end;
            result.finite = add_rows(frame, {x, end}, rows, own, result.sums.data() + phase * ny) &&
                            result.finite;
            x = end;
        }
    });
    std::fill_n(sums, n_sums, 0.0);
    bool finite = true;
    for (const BandSums& band : bands) {
        finite = finite && band.finite;
        add(band.sums.data(), static_cast<Index>(n_sums), sums);
    }
    return finite;
}

void check_phases(const RowPhases& where, Index nx, Index ny) {
    const auto fits = [&](const std::span<const Index>& given, Index least, Index end) {
        return static_cast<Index>(given.size()) == nx &&
               std::all_of(given.begin(), given.end(),
                           [&](Index one) { return least <= one && one < end; });
    };
    if (where.n_phases < 1 || !fits(where.phases, 0, where.n_phases) ||
        !fits(where.whole_rows, -ny, ny + 1))
        throw ParameterError("phases and whole rows are not those of each of the frame's " +
                             std::to_string(nx) + " rows.");
}

} // namespace

template <class Pixel>
RowValues sample_frames(const FrameStack<Pixel>& frames, const CameraCorrection& camera,
                        const RowPhases& where, const Execution& execution) {
    const Index nx = frames.first.nx;
    const Index ny = frames.first.ny;
    check_frames(frames, 4);
    check_camera(camera, nx, ny);
    check_phases(where, nx, ny);
    // Sums are linear: the dark is summed once and not subtracted from every pixel.
    const CameraCorrection mask_only{std::nullopt, camera.mask};
    const Index n_sums = where.n_phases * ny;
    std::vector<double> dark;
    if (camera.dark)
        camera.dark->visit([&](const auto& image) {
            dark.resize(static_cast<std::size_t>(n_sums));
            using Value = std::remove_cvref_t<decltype(image(0, 0))>;
            for_each_banded_frame(
                1, nx, execution, [&] { return Scratch(nx, ny); },
                [&](Index, Scratch& scratch, auto for_each_band) {
                    sample_frame(CorrectedFrame<Value>{image, &mask_only}, where, scratch,
                                 for_each_band, dark.data());
                });
        });
    RowValues result(static_cast<std::size_t>(frames.size() * n_sums));
    for_each_banded_frame(
        frames.size(), nx, execution, [&] { return Scratch(nx, ny); },
        [&](Index number, Scratch& scratch, auto for_each_band) {
            const CorrectedFrame<Pixel> frame{frames.frame(number), &mask_only};
            double* sums = result.data() + number * n_sums;
            const bool finite = sample_frame(frame, where, scratch, for_each_band, sums);
            for (std::size_t at = 0; at < dark.size(); ++at)
                sums[at] -= dark[at];
            const Index bad = finite && !frame.has_mask() ? 0 : frame.count_non_finite();
            if (bad > 0 || !finite)
                throw NonFinitePixels(frames.first_number + number, bad);
        });
    return result;
}

#define HRIXS_INSTANTIATE(Pixel)                                                                   \
    template RowValues sample_frames<Pixel>(const FrameStack<Pixel>&, const CameraCorrection&,     \
                                            const RowPhases&, const Execution&);
HRIXS_FOR_EACH_PIXEL_TYPE(HRIXS_INSTANTIATE)

} // namespace hrixs
