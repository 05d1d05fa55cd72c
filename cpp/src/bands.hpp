// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/parallel.hpp"

#include <algorithm>

namespace hrixs {

// Rows of a frame, [begin, end). Frames are always gone through in the same bands, so that sums are
// the same to the last bit, whether one thread works on a frame or several do.
struct Band {
    Index begin;
    Index end;
};

constexpr Index band_rows = 256;

inline Index count_bands(Index n_rows) {
    return (n_rows + band_rows - 1) / band_rows;
}

inline Index band_number(Index row) {
    return row / band_rows;
}

inline Band band_of(Index number, Index n_rows) {
    return {number * band_rows, std::min(n_rows, (number + 1) * band_rows)};
}

// work(number, scratch, for_each_band) for each frame, where for_each_band(each) calls
// each(band's number, Band, scratch). Where there are fewer frames than threads, the threads share
// the bands of one frame, else each thread has frames of its own.
template <class MakeScratch, class Work>
void for_each_banded_frame(Index n_frames, Index n_rows, const Execution& execution,
                           MakeScratch make_scratch, Work work) {
    const Index n_bands = count_bands(n_rows);
    const Index threads = usable_threads(execution.threads, n_frames * n_bands);
    if (n_frames >= threads) {
        for_each_frame(n_frames, execution, make_scratch, [&](Index number, auto& scratch) {
            work(number, scratch, [&](auto each) {
                for (Index band = 0; band < n_bands; ++band)
                    each(band, band_of(band, n_rows), scratch);
            });
        });
        return;
    }
    auto own = make_scratch();
    for (Index number = 0; number < n_frames; ++number)
        work(number, own, [&](auto each) {
            for_each_frame(n_bands, execution, make_scratch, [&](Index band, auto& scratch) {
                each(band, band_of(band, n_rows), scratch);
            });
        });
}

} // namespace hrixs
