// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/find.hpp"

#include "bands.hpp"
#include "candidates.hpp"
#include "check_frames.hpp"
#include "found_by_frame.hpp"
#include "frame_rows.hpp"
#include "hrixs/local_maximum.hpp"
#include "hrixs/locate.hpp"
#include "hrixs/pixel_types.hpp"
#include "search_scratch.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace hrixs {

namespace {

constexpr Index spot_size = 4;

using Spot = Patch<spot_size>;

struct BandHits {
    FrameSums sums;
    Candidates<spot_size> hits;
};

using Scratch = SearchScratch<BandHits>;
struct Searched {
    double base;
    double threshold;
};

// One frame's search: its squares above a limit that are local maxima, band by band.
template <class Pixel> class Search {
  public:
    Search(const CorrectedFrame<Pixel>& frame, const ChipTotals& totals,
           const std::optional<CountDark>& dark, Scratch& scratch)
        : frame_(frame), totals_(totals), dark_(dark), rows_(scratch.rows), bands_(scratch.bands) {
        with_rows(frame_, dark_, scratch.rows, [&](const auto& rows) {
            // A whole number: deviations of whole counts are then exact.
            shift_ = std::rint(4.0 * rows.sample_mean());
            fits_ = rows.fits(shift_);
        });
    }

    double shift() const { return shift_; }

    SquareSums sample_squares(Scratch& scratch) const {
        return through_rows(scratch.rows,
                            [&](const auto& rows) { return rows.sample_squares(shift_); });
    }

    template <class ForEachBand> FrameSums find(ForEachBand for_each_band, double limit) {
        return go(for_each_band, limit, [&](const auto& rows, const Band& band, auto keep) {
            return FrameSums{rows.find(band, shift_, limit, keep), {}};
        });
    }

    template <class ForEachBand>
    FrameSums scan(ForEachBand for_each_band, double shift, double limit) {
        fits_ = fits_ &&
                with_rows(frame_, dark_, rows_, [&](const auto& rows) { return rows.fits(shift); });
        return go(for_each_band, limit, [&](const auto& rows, const Band& band, auto keep) {
            return rows.scan(band, shift, limit, keep);
        });
    }

  private:
    template <class Work> auto through_rows(RowScratch& scratch, Work work) const {
        return fits_ ? with_rows(frame_, dark_, scratch, work)
                     : with_rows_of_any(frame_, scratch, work);
    }

    template <class ForEachBand, class Search>
    FrameSums go(ForEachBand for_each_band, double limit, Search search_band) {
        for_each_band([&](Index number, const Band& band, Scratch& scratch) {
            BandHits& result = bands_[static_cast<std::size_t>(number)];
            result.hits.clear();
            const auto keep = [&](Index x, Index y) {
                const Spot spot(frame_, x - 1, y - 1);
                const double square = spot.square(1, 1);
                if (square > limit && is_local_maximum(square, [&](Index i, Index j) {
                        return spot.square(1 + i, 1 + j);
                    }))
                    result.hits.add(x - 1, y - 1, spot);
            };
            result.sums = through_rows(
                scratch.rows, [&](const auto& rows) { return search_band(rows, band, keep); });
        });
        FrameSums sums;
        sums.squares.n = totals_.squares;
        sums.squares.shift = bands_.front().sums.squares.shift;
        for (const BandHits& band : bands_)
            sums.add(band.sums);
        return sums;
    }

    const CorrectedFrame<Pixel>& frame_;
    const ChipTotals& totals_;
    const std::optional<CountDark>& dark_;
    RowScratch& rows_;
    std::vector<BandHits>& bands_;
    double shift_ = 0.0;
    bool fits_ = true;
};

// One pass over the frame for its sums and its hits; a second one where the threshold, which the
// statistics give, turns out below what a few rows made expect.
template <class Pixel, class ForEachBand>
Searched search(const CorrectedFrame<Pixel>& frame, const ChipTotals& totals,
                const std::optional<CountDark>& dark, const FindSettings& settings, Index number,
                Scratch& scratch, ForEachBand for_each_band) {
    const auto base_of = [&](const FrameSums& sums) {
        check_finite(frame, sums.pixels, number);
        return sums.pixels / static_cast<double>(std::max<Index>(totals.pixels, 1));
    };
    Search<Pixel> search(frame, totals, dark, scratch);
    if (settings.threshold)
        return {base_of(search.find(for_each_band, *settings.threshold)), *settings.threshold};

    const double expected =
        search.shift() +
        0.85 * settings.std_threshold * std::sqrt(search.sample_squares(scratch).variance());
    FrameSums sums = search.scan(for_each_band, search.shift(), expected);
    const double base = base_of(sums);
    // Far from the mean the shift costs digits.
    const double offset = sums.squares.mean() - search.shift();
    if (sums.squares.variance() < 1e-4 * offset * offset)
        sums = search.scan(for_each_band, std::rint(sums.squares.mean()), expected);
    const double threshold =
        sums.squares.mean() + settings.std_threshold * std::sqrt(sums.squares.variance());
    if (threshold < expected || !std::isfinite(expected))
        search.find(for_each_band, threshold);
    return {base, threshold};
}

// What needs the frame's mean: charge and position.
template <class Pixel>
void measure(const CorrectedFrame<Pixel>& frame, const Searched& searched,
             const FindSettings& settings, const std::vector<BandHits>& bands, FrameHits& hits) {
    for (const BandHits& band : bands)
        band.hits.for_each(frame, [&](Index x, Index y, const Spot& pixels) {
            if (!(pixels.square(1, 1) > searched.threshold))
                return;
            const SpotMoments spot = centre_of_mass<spot_size>(
                x, y, [&](Index i, Index j) { return pixels(i, j) - searched.base; });
            if (spot.is_positive())
                hits.add(spot.x, spot.y, spot.charge,
                         settings.double_threshold && spot.charge > *settings.double_threshold);
            else
                hits.drop();
        });
}

void check_settings(const FindSettings& settings) {
    if (settings.threshold && std::isnan(*settings.threshold))
        throw ParameterError("threshold is NaN, expected a number in ADU.");
    if (!settings.threshold && std::isnan(settings.std_threshold))
        throw ParameterError("std_threshold is NaN, expected a number of standard deviations.");
    if (settings.double_threshold && std::isnan(*settings.double_threshold))
        throw ParameterError("double_threshold is NaN, expected a number in ADU.");
    if (settings.max_photons < 1)
        throw ParameterError("max_photons = " + std::to_string(settings.max_photons) +
                             ", expected 1 or more.");
}

} // namespace

template <class Pixel>
FoundPhotons find_photons(const FrameStack<Pixel>& frames, const ChipCorrection& chip,
                          const FindSettings& settings, const Execution& execution) {
    check_settings(settings);
    check_frames(frames, spot_size);
    const Index nx = frames.first.nx;
    const Index ny = frames.first.ny;
    const ChipTotals totals = check_chip(chip, nx, ny);
    const std::optional<CountDark> dark = prepare_dark<Pixel>(
        chip, settings.threshold ? DarkUse::squares : DarkUse::squares_and_rests, execution);
    FoundByFrame found(frames.size());
    for_each_banded_frame(
        frames.size(), nx, execution, [&] { return Scratch(nx, ny); },
        [&](Index number, Scratch& scratch, auto for_each_band) {
            const CorrectedFrame<Pixel> frame{frames.frame(number), &chip};
            const Searched searched = search(frame, totals, dark, settings,
                                             frames.first_number + number, scratch, for_each_band);
            FrameHits hits(number, settings.max_photons, scratch.table);
            measure(frame, searched, settings, scratch.bands, hits);
            hits.check_count(frames.first_number, [&] {
                return "2x2 squares above the threshold of " + text(searched.threshold) + " ADU";
            });
            found.store(number, scratch.table, searched.base, searched.threshold, hits.n_dropped());
        });
    return std::move(found).join();
}

#define HRIXS_INSTANTIATE(Pixel)                                                                   \
    template FoundPhotons find_photons<Pixel>(const FrameStack<Pixel>&, const ChipCorrection&,     \
                                              const FindSettings&, const Execution&);
HRIXS_FOR_EACH_PIXEL_TYPE(HRIXS_INSTANTIATE)

} // namespace hrixs
