// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/square_maxima.hpp"

#include "frame/check_frames.hpp"
#include "frame/corrected_frame.hpp"
#include "hrixs/errors.hpp"
#include "hrixs/pixel_types.hpp"
#include "photons/candidates.hpp"
#include "photons/local_maximum.hpp"
#include "rows/bands.hpp"
#include "rows/frame_rows.hpp"

#include <cmath>
#include <string>

namespace hrixs {

namespace {

constexpr Index spot_size = 4;

using Spot = Patch<spot_size>;

void add(SquareMaxima& all, const SquareMaxima& more) {
    const auto append = [&](auto column) {
        (all.*column).insert((all.*column).end(), (more.*column).begin(), (more.*column).end());
    };
    append(&SquareMaxima::frame);
    append(&SquareMaxima::x);
    append(&SquareMaxima::y);
    append(&SquareMaxima::height);
    append(&SquareMaxima::brightest_x);
    append(&SquareMaxima::brightest_y);
}

// The spot's square is at (x, y).
void add_hit(SquareMaxima& hits, Index frame, Index x, Index y, const Spot& spot) {
    PixelIndex brightest{1, 1};
    for (Index i = 1; i <= 2; ++i)
        for (Index j = 1; j <= 2; ++j)
            if (spot(i, j) > spot(brightest.x, brightest.y))
                brightest = {i, j};
    hits.frame.push_back(frame);
    hits.x.push_back(x);
    hits.y.push_back(y);
    hits.height.push_back(spot.square(1, 1));
    hits.brightest_x.push_back(x - 1 + brightest.x);
    hits.brightest_y.push_back(y - 1 + brightest.y);
}

} // namespace

template <class Pixel>
SquareMaxima square_maxima(const FrameStack<Pixel>& frames, const CameraCorrection& camera,
                           std::span<const double> thresholds, const Execution& execution) {
    check_frames(frames, spot_size);
    const Index nx = frames.first.nx;
    const Index ny = frames.first.ny;
    check_camera(camera, nx, ny);
    if (static_cast<Index>(thresholds.size()) != frames.size())
        throw ShapeError(std::to_string(thresholds.size()) +
                         " thresholds given, expected one for each of " +
                         std::to_string(frames.size()) + " frames.");
    const std::optional<CountDark> dark = prepare_dark<Pixel>(camera, DarkUse::squares, execution);
    std::vector<SquareMaxima> by_frame(static_cast<std::size_t>(frames.size()));
    for_each_frame(
        frames.size(), execution, [&] { return RowScratch(ny); },
        [&](Index number, RowScratch& scratch) {
            const CorrectedFrame<Pixel> frame{frames.frame(number), &camera};
            const double threshold = thresholds[static_cast<std::size_t>(number)];
            SquareMaxima& hits = by_frame[static_cast<std::size_t>(number)];
            const auto keep = [&](Index x, Index y) {
                const Spot spot(frame, x - 1, y - 1);
                const double square = spot.square(1, 1);
                if (square > threshold && is_local_maximum(square, [&](Index i, Index j) {
                        return spot.square(1 + i, 1 + j);
                    }))
                    add_hit(hits, number, x, y, spot);
            };
            double shift = 0.0;
            const bool fits = with_rows(frame, dark, scratch, [&](const auto& rows) {
                shift = std::rint(4.0 * rows.sample_mean());
                return rows.fits(shift);
            });
            double sum = 0.0;
            const auto find = [&](const auto& rows) {
                for (Index band = 0; band < count_bands(nx); ++band)
                    sum += rows.find(band_of(band, nx), shift, threshold, keep);
            };
            if (fits)
                with_rows(frame, dark, scratch, find);
            else
                with_rows_of_any(frame, scratch, find);
            check_finite(frame, sum, frames.first_number + number);
        });
    SquareMaxima all;
    for (const SquareMaxima& hits : by_frame)
        add(all, hits);
    return all;
}

#define HRIXS_INSTANTIATE(Pixel)                                                                   \
    template SquareMaxima square_maxima<Pixel>(const FrameStack<Pixel>&, const CameraCorrection&,  \
                                               std::span<const double>, const Execution&);
HRIXS_FOR_EACH_PIXEL_TYPE(HRIXS_INSTANTIATE)

} // namespace hrixs
