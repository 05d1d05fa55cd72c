// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/find.hpp"

#include "frame/check_frames.hpp"
#include "frame/corrected_frame.hpp"
#include "frame/pedestal.hpp"
#include "hrixs/pixel_types.hpp"
#include "photons/candidates.hpp"
#include "photons/check_photons.hpp"
#include "photons/local_maximum.hpp"
#include "photons/locate.hpp"
#include "photons/search_scratch.hpp"
#include "photons/store_hits.hpp"
#include "rows/bands.hpp"
#include "rows/frame_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace hrixs {

namespace {

constexpr Index spot_size = 4;

// That many frames share so many rows of the dark while these are near the processor.
constexpr Index frames_for_a_dark = 8;
constexpr Index rows_for_a_dark = 32;

using Spot = Patch<spot_size>;

struct BandHits {
    FrameSums sums;
    CountRows::BandScan parts; // what has been added of a band that is gone through in parts
    Candidates<spot_size> hits;
};

using Scratch = SearchScratch<BandHits>;
struct Searched {
    double frame_mean;
    double threshold;
};

// The first of equal ones, in row-major order.
PixelIndex brightest_of_square(Index x, Index y, const Spot& pixels) {
    PixelIndex pixel{1, 1};
    for (Index i = 1; i <= 2; ++i)
        for (Index j = 1; j <= 2; ++j)
            if (pixels(i, j) > pixels(pixel.x, pixel.y))
                pixel = {i, j};
    return {x + pixel.x, y + pixel.y};
}

// One frame's search: its squares above a limit that are local maxima, band by band. One pass gives
// its sums and its hits; a second one is needed where the threshold, which the statistics give,
// turns out below what a few rows made expect.
template <class Pixel> class Search {
  public:
    Search(const CorrectedFrame<Pixel>& frame, const CameraTotals& totals,
           const std::optional<CountDark>& dark, const FindSettings& settings, RowScratch& scratch,
           std::vector<BandHits>& bands)
        : frame_(frame), totals_(totals), dark_(dark), settings_(settings), bands_(bands) {
        with_rows(frame_, dark_, scratch, [&](const auto& rows) {
            // A whole number: deviations of whole counts are then exact.
            shift_ = std::rint(4.0 * rows.sample_mean());
            fits_ = rows.fits(shift_);
        });
        threshold_ = settings.threshold;
        if (settings.noise_threshold)
            threshold_ = noise_threshold();
        limit_ = threshold_ ? *threshold_ : expected_threshold(scratch);
    }

    const CorrectedFrame<Pixel>& frame() const { return frame_; }
    const std::vector<BandHits>& bands() const { return bands_; }

    // The first pass, to be called for every band.
    void first_pass(Index number, const Band& band, RowScratch& scratch) {
        if (threshold_)
            find(number, band, scratch);
        else
            scan(number, band, scratch);
    }

    // The same in parts that follow each other, for frames that share a dark.
    void first_pass_of_part(Index number, const Band& band, const Range& part,
                            RowScratch& scratch) {
        const bool is_first = part.begin == band.begin;
        if constexpr (std::is_same_v<Pixel, std::uint16_t>)
            if (dark_ && fits_ && frame_.image.stride_y == 1) {
                BandHits& result = bands_[static_cast<std::size_t>(number)];
                if (is_first) {
                    result.hits.clear();
                    result.parts = {};
                }
                const CountRows rows(frame_.image, &*dark_, scratch);
                const auto keep = keep_hits(result);
                if (threshold_)
                    rows.find_part(part, shift_, limit_, result.parts, keep);
                else
                    rows.scan_part(part, shift_, limit_, result.parts, keep);
                if (part.end < band.end)
                    return;
                result.sums = threshold_
                                  ? FrameSums{rows.sum_of_found(band, shift_, result.parts), {}}
                                  : rows.sums_of_scan(band, shift_, result.parts);
                return;
            }
        if (is_first)
            first_pass(number, band, scratch);
    }

    // What is left to be done then; number is the frame's.
    template <class ForEachBand>
    Searched finish(Index number, RowScratch& scratch, ForEachBand for_each_band) {
        FrameSums sums = sum_of_bands();
        check_finite(frame_, sums.pixels, number);
        const double frame_mean =
            sums.pixels / static_cast<double>(std::max<Index>(totals_.pixels, 1));
        if (threshold_)
            return {frame_mean, *threshold_};

        // Far from the mean the shift costs digits.
        const double offset = sums.squares.mean() - shift_;
        if (sums.squares.variance() < 1e-4 * offset * offset) {
            shift_ = std::rint(sums.squares.mean());
            fits_ = fits_ && with_rows(frame_, dark_, scratch,
                                       [&](const auto& rows) { return rows.fits(shift_); });
            for_each_band([&](Index band_number, const Band& band, Scratch& of_thread) {
                scan(band_number, band, of_thread.rows);
            });
            sums = sum_of_bands();
        }
        const double threshold =
            sums.squares.mean() + settings_.std_threshold * std::sqrt(sums.squares.variance());
        if (threshold < limit_ || !std::isfinite(limit_)) {
            limit_ = threshold;
            for_each_band([&](Index band_number, const Band& band, Scratch& of_thread) {
                find(band_number, band, of_thread.rows);
            });
        }
        return {frame_mean, threshold};
    }

  private:
    double noise_threshold() const {
        std::vector<double> sample;
        const Pedestal pedestal = pedestal_of(frame_, sample);
        // Where all is masked there are no squares.
        const double threshold =
            4.0 * pedestal.mean + 2.0 * *settings_.noise_threshold * pedestal.noise;
        return std::isfinite(threshold) ? threshold : 0.0;
    }

    double expected_threshold(RowScratch& scratch) const {
        const SquareSums sample =
            through_rows(scratch, [&](const auto& rows) { return rows.sample_squares(shift_); });
        return shift_ + 0.85 * settings_.std_threshold * std::sqrt(sample.variance());
    }

    template <class Work> auto through_rows(RowScratch& scratch, Work work) const {
        return fits_ ? with_rows(frame_, dark_, scratch, work)
                     : with_rows_of_any(frame_, scratch, work);
    }

    void find(Index number, const Band& band, RowScratch& scratch) {
        search(number, scratch, [&](const auto& rows, auto keep) {
            return FrameSums{rows.find(band, shift_, limit_, keep), {}};
        });
    }

    void scan(Index number, const Band& band, RowScratch& scratch) {
        search(number, scratch,
               [&](const auto& rows, auto keep) { return rows.scan(band, shift_, limit_, keep); });
    }

    // What is kept of the squares that rows have found.
    auto keep_hits(BandHits& result) const {
        return [this, &result](Index x, Index y) {
            const Spot spot(frame_, x - 1, y - 1);
            const double square = spot.square(1, 1);
            if (square > limit_ && is_local_maximum(square, [&](Index i, Index j) {
                    return spot.square(1 + i, 1 + j);
                })) {
                if (settings_.fit)
                    result.hits.add(x - 1, y - 1, spot, frame_,
                                    brightest_of_square(x - 1, y - 1, spot));
                else
                    result.hits.add(x - 1, y - 1, spot);
            }
        };
    }

    template <class SearchBand>
    void search(Index number, RowScratch& scratch, SearchBand search_band) {
        BandHits& result = bands_[static_cast<std::size_t>(number)];
        result.hits.clear();
        const auto keep = keep_hits(result);
        result.sums =
            through_rows(scratch, [&](const auto& rows) { return search_band(rows, keep); });
    }

    FrameSums sum_of_bands() const {
        FrameSums sums;
        sums.squares.n = totals_.squares;
        sums.squares.shift = bands_.front().sums.squares.shift;
        for (const BandHits& band : bands_)
            sums.add(band.sums);
        return sums;
    }

    CorrectedFrame<Pixel> frame_;
    const CameraTotals& totals_;
    const std::optional<CountDark>& dark_;
    const FindSettings& settings_;
    std::vector<BandHits>& bands_;
    double shift_ = 0.0;
    double limit_ = 0.0;
    std::optional<double> threshold_; // without it, known when the frame has been gone through
    bool fits_ = true;
};

double brightest(const Spot& pixels) {
    double value = pixels(1, 1);
    for (Index i = 0; i < spot_size; ++i)
        for (Index j = 0; j < spot_size; ++j)
            if (pixels(i, j) > value)
                value = pixels(i, j);
    return value;
}

// What needs the frame's mean: charge and position.
template <class Pixel>
void measure(const CorrectedFrame<Pixel>& frame, const Searched& searched,
             const FindSettings& settings, const std::vector<BandHits>& bands, FrameHits& hits) {
    OwnWindow own_window;
    const bool is_limited = settings.cosmics.max_pixel || settings.cosmics.max_charge;
    const bool with_centres = is_limited || settings.fit;
    for (const BandHits& band : bands)
        band.hits.for_each(frame, [&](Index x, Index y, const Spot& pixels, const Window* window) {
            if (!(pixels.square(1, 1) > searched.threshold))
                return;
            const SpotMoments spot = centre_of_mass<spot_size>(
                x, y, [&](Index i, Index j) { return pixels(i, j) - searched.frame_mean; });
            const PixelIndex centre =
                with_centres ? brightest_of_square(x, y, pixels) : PixelIndex{x + 1, y + 1};
            if (!spot.is_positive())
                hits.drop();
            else if (!is_limited ||
                     !hits.is_cosmic(brightest(pixels) - searched.frame_mean, spot.charge, centre))
                hits.add(spot.x, spot.y, spot.charge,
                         settings.dbl_threshold && spot.charge > *settings.dbl_threshold, centre,
                         settings.fit ? own_window.of(frame, centre, window) : nullptr);
        });
}

void check_settings(const FindSettings& settings) {
    if (settings.threshold && std::isnan(*settings.threshold))
        throw ParameterError("threshold is NaN, expected a number in ADU.");
    if (settings.noise_threshold && !(*settings.noise_threshold > 0.0))
        throw ParameterError("noise_threshold = " + std::to_string(*settings.noise_threshold) +
                             ", expected a positive number of standard deviations.");
    if (!settings.threshold && std::isnan(settings.std_threshold))
        throw ParameterError("std_threshold is NaN, expected a number of standard deviations.");
    if (settings.dbl_threshold && std::isnan(*settings.dbl_threshold))
        throw ParameterError("dbl_threshold is NaN, expected a number in ADU.");
    check_max_photons(settings.max_photons);
}

} // namespace

template <class Pixel>
FoundPhotons find_photons(const FrameStack<Pixel>& frames, const CameraCorrection& camera,
                          const FindSettings& settings, const Execution& execution) {
    check_settings(settings);
    check_frames(frames, spot_size);
    const Index nx = frames.first.nx;
    const Index ny = frames.first.ny;
    const CameraTotals totals = check_camera(camera, nx, ny);
    const std::optional<CountDark> dark = prepare_dark<Pixel>(
        camera,
        settings.threshold || settings.noise_threshold ? DarkUse::squares
                                                       : DarkUse::squares_and_rests,
        execution);
    const std::optional<PhotonFitter> fitter = fitter_for(settings.fit, nx, ny);
    const Index frames_together = dark ? frames_for_a_dark : 1;
    FoundByFrame found(frames.size());
    for_each_banded_group(
        frames.size(), nx, frames_together, execution,
        [&] { return Scratch(nx, ny, frames_together); },
        [&](const Range& numbers, Scratch& scratch, auto for_each_band) {
            std::vector<Search<Pixel>> searches;
            searches.reserve(scratch.bands.size());
            for (Index number = numbers.begin; number < numbers.end; ++number)
                searches.emplace_back(
                    CorrectedFrame<Pixel>{frames.frame(number), &camera, totals.masked_squares()},
                    totals, dark, settings, scratch.rows, scratch.bands[searches.size()]);
            for_each_band([&](Index band_number, const Band& band, Scratch& of_thread) {
                const Index together = dark ? rows_for_a_dark : band_rows;
                for (Index begin = band.begin; begin < band.end; begin += together)
                    for (Search<Pixel>& search : searches)
                        search.first_pass_of_part(band_number, band,
                                                  {begin, std::min(band.end, begin + together)},
                                                  of_thread.rows);
            });
            Index number = numbers.begin;
            for (Search<Pixel>& search : searches) {
                const Searched searched =
                    search.finish(frames.first_number + number, scratch.rows, for_each_band);
                scratch.hits.double_charge =
                    settings.dbl_threshold.value_or(std::numeric_limits<double>::infinity());
                FrameHits hits(number, settings.max_photons, settings.cosmics, scratch.hits);
                measure(search.frame(), searched, settings, search.bands(), hits);
                hits.check_count(frames.first_number, [&] {
                    return "2x2 squares above the threshold of " + text(searched.threshold) +
                           " ADU";
                });
                store_hits(number, search.frame(), searched.frame_mean, searched.threshold, fitter,
                           hits, scratch.hits, found);
                ++number;
            }
        });
    return std::move(found).join();
}

#define HRIXS_INSTANTIATE(Pixel)                                                                   \
    template FoundPhotons find_photons<Pixel>(const FrameStack<Pixel>&, const CameraCorrection&,   \
                                              const FindSettings&, const Execution&);
HRIXS_FOR_EACH_PIXEL_TYPE(HRIXS_INSTANTIATE)

} // namespace hrixs
