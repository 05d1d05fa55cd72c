// SPDX-License-Identifier: BSD-3-Clause
#include "counts/value_counts.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hrixs {

namespace {

constexpr double below = 0.1587; // of a Gaussian, lower than its middle by a standard deviation
constexpr double n_sigma = 3.0;
constexpr double clipped_part = 0.98657; // standard deviation of a Gaussian that is cut at three
constexpr int rounds = 3;

ValueCounts of_nothing() {
    constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
    ValueCounts nothing;
    nothing.lowest = nothing.highest = nothing.median = nothing.lower = unknown;
    nothing.level = nothing.noise = unknown;
    return nothing;
}

Index rank_of_lower(Index n) {
    return static_cast<Index>(below * static_cast<double>(n - 1));
}

struct Moments {
    double n = 0.0;
    double sum = 0.0; // of deviations
    double squares = 0.0;
};

// moments(centre, limit): of the values within a limit of a centre.
template <class OfWithin>
void clip(ValueCounts& result, double middle, double step, OfWithin moments) {
    result.level = result.median;
    result.noise = middle - result.lower + step / 2;
    for (int round = 0; round < rounds; ++round) {
        const Moments within = moments(result.level, n_sigma * result.noise);
        if (within.n == 0.0)
            return;
        const double mean = within.sum / within.n;
        const double variance = within.squares / within.n - mean * mean;
        result.level += mean;
        result.noise = variance > 0.0 ? std::sqrt(variance) / clipped_part : 0.0;
    }
}

void set_bins(ValueCounts& result, double middle, double step) {
    const double spread = middle - result.lower;
    result.bin_width =
        step > 0.0 ? step * std::fmax(1.0, std::floor(spread / 8 / step)) : spread / 16;
    result.first_edge = middle - (step > 0.0 ? step : result.bin_width) / 2 -
                        result.bin_width * static_cast<double>(count_bins / 2);
}

// The values of some ranks, without sorting all: a sample tells between which values they lie.
class Ranked {
  public:
    explicit Ranked(ValueScratch& scratch) : scratch_(scratch) {
        constexpr std::size_t enough = 4096;
        const std::vector<double>& values = scratch.values;
        const std::size_t stride = values.size() / enough + 1;
        scratch.sample.clear();
        for (std::size_t k = 0; k < values.size(); k += stride)
            scratch.sample.push_back(values[k]);
        std::sort(scratch.sample.begin(), scratch.sample.end());
    }

    // Of two ranks, which may be the same or follow each other.
    std::array<double, 2> values(Index first, Index second) {
        const auto n = static_cast<double>(scratch_.values.size());
        const auto n_sample = static_cast<double>(scratch_.sample.size());
        const double at = static_cast<double>(first) / n * n_sample;
        const double margin = 3.0 * std::sqrt(n_sample) + 2.0;
        const double low = at < margin ? -std::numeric_limits<double>::infinity()
                                       : scratch_.sample[static_cast<std::size_t>(at - margin)];
        const double high = at + margin + 1.0 >= n_sample
                                ? std::numeric_limits<double>::infinity()
                                : scratch_.sample[static_cast<std::size_t>(at + margin)];
        std::vector<double>& near = scratch_.near;
        near.resize(scratch_.values.size());
        Index n_below = 0;
        std::size_t n_near = 0;
        for (const double value : scratch_.values) {
            n_below += value < low ? 1 : 0;
            near[n_near] = value;
            n_near += value >= low && value <= high ? 1 : 0;
        }
        near.resize(n_near);
        if (first < n_below || second >= n_below + static_cast<Index>(n_near)) {
            near = scratch_.values; // the sample was not like the rest
            n_below = 0;
        }
        return {of_rank(first - n_below), of_rank(second - n_below)};
    }

  private:
    double of_rank(Index rank) {
        const auto place = scratch_.near.begin() + rank;
        std::nth_element(scratch_.near.begin(), place, scratch_.near.end());
        return *place;
    }

    ValueScratch& scratch_;
};

Index value_of_rank(const Tally& tally, Index first, Index rank) {
    Index seen = 0;
    for (Index value = first;; ++value) {
        seen += tally[static_cast<std::size_t>(value)];
        if (seen > rank)
            return value;
    }
}

} // namespace

ValueCounts count_tally(const Tally& tally) {
    const auto is_seen = [](std::uint32_t count) { return count != 0; };
    const auto begin = std::find_if(tally.begin(), tally.end(), is_seen);
    if (begin == tally.end())
        return of_nothing();
    const Index lowest = begin - tally.begin();
    const Index highest = tally.rend() - std::find_if(tally.rbegin(), tally.rend(), is_seen) - 1;
    ValueCounts result = of_nothing();
    for (Index value = lowest; value <= highest; ++value)
        result.n += tally[static_cast<std::size_t>(value)];
    const Index middle = value_of_rank(tally, lowest, (result.n - 1) / 2);
    const Index upper_middle = value_of_rank(tally, lowest, result.n / 2);
    result.lowest = static_cast<double>(lowest);
    result.highest = static_cast<double>(highest);
    result.median = 0.5 * static_cast<double>(middle + upper_middle);
    result.lower = static_cast<double>(value_of_rank(tally, lowest, rank_of_lower(result.n)));
    clip(result, static_cast<double>(middle), 1.0, [&](double centre, double limit) {
        Moments moments;
        const auto first =
            static_cast<Index>(std::fmax(std::ceil(centre - limit), static_cast<double>(lowest)));
        const auto last =
            static_cast<Index>(std::fmin(std::floor(centre + limit), static_cast<double>(highest)));
        for (Index value = first; value <= last; ++value) {
            const auto count = static_cast<double>(tally[static_cast<std::size_t>(value)]);
            const double deviation = static_cast<double>(value) - centre;
            moments.n += count;
            moments.sum += count * deviation;
            moments.squares += count * deviation * deviation;
        }
        return moments;
    });
    set_bins(result, static_cast<double>(middle), 1.0);
    const auto width = static_cast<Index>(result.bin_width);
    const Index first = middle - width * (count_bins / 2);
    for (Index value = std::max(first, lowest);
         value <= std::min(highest, first + width * count_bins - 1); ++value)
        result.counts[static_cast<std::size_t>((value - first) / width)] +=
            tally[static_cast<std::size_t>(value)];
    return result;
}

ValueCounts count_values(ValueScratch& scratch, double step) {
    const std::vector<double>& values = scratch.values;
    ValueCounts result = of_nothing();
    if (values.empty())
        return result;
    result.n = static_cast<Index>(values.size());
    Ranked ranked(scratch);
    const auto [middle, upper_middle] = ranked.values((result.n - 1) / 2, result.n / 2);
    result.median = (middle + upper_middle) / 2;
    result.lower = ranked.values(rank_of_lower(result.n), rank_of_lower(result.n))[0];
    clip(result, middle, step, [&](double centre, double limit) {
        Moments moments;
        for (const double value : values) {
            const double deviation = value - centre;
            const bool within = std::abs(deviation) <= limit;
            const double kept = within ? deviation : 0.0;
            moments.n += within ? 1.0 : 0.0;
            moments.sum += kept;
            moments.squares += kept * kept;
        }
        return moments;
    });
    set_bins(result, middle, step);
    result.lowest = result.highest = values.front();
    const double width = result.bin_width > 0.0 ? result.bin_width : 1.0;
    std::array<std::uint32_t, count_bins + 1> bins{}; // the last for all beyond
    for (const double value : values) {
        result.lowest = value < result.lowest ? value : result.lowest;
        result.highest = value > result.highest ? value : result.highest;
        const double place = (value - result.first_edge) / width;
        const bool inside = place >= 0.0 && place < static_cast<double>(count_bins);
        ++bins[inside ? static_cast<std::size_t>(place) : std::size_t{count_bins}];
    }
    if (result.bin_width > 0.0)
        std::copy(bins.begin(), bins.end() - 1, result.counts.begin());
    return result;
}

} // namespace hrixs
