// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/parallel.hpp"

#include <algorithm>

namespace hrixs {

// [begin, end)
struct Range {
    Index begin;
    Index end;
};

// Rows of a frame. Frames are always gone through in the same bands, so that sums are bit for bit
// the last bit, whether one thread works on a frame or several do.
using Band = Range;

constexpr Index band_rows = 256;

inline Index divided_up(Index a, Index b) {
    return (a + b - 1) / b;
}

inline Index count_bands(Index n_rows) {
    return divided_up(n_rows, band_rows);
}

inline Index band_number(Index row) {
    return row / band_rows;
}

inline Band band_of(Index number, Index n_rows) {
    return {number * band_rows, std::min(n_rows, (number + 1) * band_rows)};
}

// work(frames, scratch, for_each_band) for each few frames, a Range of at most frames_together,
// where for_each_band(each) calls each(band's number, Band, scratch): what belongs to the camera is
// then read once for them all. Where there are fewer frames than threads, the threads share the
// bands of one frame, else each thread has frames of its own.
template <class MakeScratch, class Work>
void for_each_banded_group(Index n_frames, Index n_rows, Index frames_together,
                           const Execution& execution, MakeScratch make_scratch, Work work) {
    const Index n_bands = count_bands(n_rows);
    const Index threads = usable_threads(execution.threads, n_frames * n_bands);
    if (n_frames >= threads) {
        // As even as can be: no thread shall wait for another's last frames.
        const Index of_thread = divided_up(n_frames, threads);
        const Index together = divided_up(of_thread, divided_up(of_thread, frames_together));
        const Index n_groups = divided_up(n_frames, together);
        for_each_frame(n_groups, execution, make_scratch, [&](Index group, auto& scratch) {
            const Index begin = group * together;
            work(Range{begin, std::min(n_frames, begin + together)}, scratch, [&](auto each) {
                for (Index band = 0; band < n_bands; ++band)
                    each(band, band_of(band, n_rows), scratch);
            });
        });
        return;
    }
    auto own = make_scratch();
    for (Index number = 0; number < n_frames; ++number)
        work(Range{number, number + 1}, own, [&](auto each) {
            for_each_frame(n_bands, execution, make_scratch, [&](Index band, auto& scratch) {
                each(band, band_of(band, n_rows), scratch);
            });
        });
}

// work(frame's number, scratch, for_each_band) for each frame by itself.
template <class MakeScratch, class Work>
void for_each_banded_frame(Index n_frames, Index n_rows, const Execution& execution,
                           MakeScratch make_scratch, Work work) {
    for_each_banded_group(n_frames, n_rows, 1, execution, make_scratch,
                          [&](const Range& one, auto& scratch, auto for_each_band) {
                              work(one.begin, scratch, for_each_band);
                          });
}

} // namespace hrixs
