// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/frames.hpp"
#include "hrixs/pixel_statistics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

namespace hrixs {

template <class Pixel>
constexpr bool is_whole_count = std::is_unsigned_v<Pixel> && sizeof(Pixel) <= 2;

// Sums of the counts near a reference, in 16 bits: exact, as those in doubles are, where offsets
// are whole or half ADU and references go by quarters, as medians do. Rows that don't fit are left.
template <class Pixel> class WholeCounts {
  public:
    WholeCounts(const FrameStack<Pixel>& frames, std::span<const double> offsets) {
        fits_ = frames.first.stride_y == 1 && frames.size() <= most_frames &&
                frames.first.ny <= std::numeric_limits<std::uint16_t>::max();
        for (std::size_t frame = 0; fits_ && frame < offsets.size(); ++frame) {
            const double offset = offsets[frame];
            fits_ = std::abs(offset) < most_offset && 2 * offset == std::floor(2 * offset);
            if (!fits_)
                return;
            const double whole = std::floor(offset);
            Group& group = groups_[offset == whole ? 0 : 1];
            group.frames.push_back(static_cast<Index>(frame));
            group.shifts.push_back(static_cast<std::int32_t>(whole));
        }
    }

    struct Scratch {
        explicit Scratch(Index ny)
            : lowest(static_cast<std::size_t>(ny)), around(lowest.size()),
              lowest_count(lowest.size()), span(lowest.size()), sum(lowest.size()),
              number(lowest.size()), quarters(lowest.size()), n_kept(lowest.size()) {}

        std::vector<std::int32_t> lowest; // that is kept of each pixel, before a frame's shift
        std::vector<std::int32_t> around;
        std::vector<std::uint16_t> lowest_count;
        std::vector<std::uint16_t> span; // up to the highest
        std::vector<std::uint16_t> sum;  // above the lowest, of a few frames
        std::vector<std::uint16_t> number;
        std::vector<std::int32_t> quarters; // of an ADU
        std::vector<std::int32_t> n_kept;
    };

    // Adds a row to total and n_kept of its pixels, and to n_left_out of each frame, and tells
    // whether it did: else nothing is added.
    bool add_row(const FrameStack<Pixel>& frames, const PixelLimits& limits, Index x,
                 Scratch& scratch, double* total, std::int32_t* n_kept, Index* n_left_out) const {
        if (!fits_)
            return false;
        // Both are looked at before anything is added.
        for (int half = 1; half >= 0; --half)
            if (!groups_[half].frames.empty() && !set_window(limits, x, half, scratch))
                return false;
        std::fill(scratch.quarters.begin(), scratch.quarters.end(), 0);
        std::fill(scratch.n_kept.begin(), scratch.n_kept.end(), 0);
        const std::size_t ny = scratch.sum.size();
        for (int half = 0; half < 2; ++half) {
            const Group& group = groups_[half];
            if (group.frames.empty())
                continue;
            if (half == 1 && !groups_[0].frames.empty())
                set_window(limits, x, half, scratch);
            std::fill(scratch.number.begin(), scratch.number.end(), std::uint16_t{0});
            for (std::size_t first = 0; first < group.frames.size(); first += frames_together) {
                const std::size_t end = std::min(group.frames.size(), first + frames_together);
                std::fill(scratch.sum.begin(), scratch.sum.end(), std::uint16_t{0});
                for (std::size_t k = first; k < end; ++k) {
                    const Index frame = group.frames[k];
                    const Index kept =
                        add_counts(frames.frame(frame).row(x), ny,
                                   static_cast<std::uint16_t>(group.shifts[k]), scratch);
                    n_left_out[frame] += static_cast<Index>(ny) - kept;
                }
                for (std::size_t y = 0; y < ny; ++y)
                    scratch.quarters[y] += 4 * std::int32_t{scratch.sum[y]};
            }
            for (std::size_t y = 0; y < ny; ++y) {
                scratch.quarters[y] += scratch.number[y] * (4 * scratch.lowest[y] - 2 * half);
                scratch.n_kept[y] += scratch.number[y];
            }
        }
        for (std::size_t y = 0; y < ny; ++y) {
            total[y] += 0.25 * static_cast<double>(scratch.quarters[y]);
            n_kept[y] += scratch.n_kept[y];
        }
        return true;
    }

  private:
    static constexpr Index most_frames = 4096; // so many add up in 32 bits
    static constexpr double most_offset = 16384.0;
    static constexpr std::int32_t widest = 8191;
    static constexpr std::size_t frames_together = 8; // of this width add up in 16 bits

    struct Group { // of frames whose offsets are whole, or whole and a half
        std::vector<Index> frames;
        std::vector<std::int32_t> shifts;
    };

    // The counts that are kept of each pixel; false where they don't fit.
    bool set_window(const PixelLimits& limits, Index x, int half, Scratch& scratch) const {
        constexpr double most = 1e6;
        const std::vector<std::int32_t>& shifts = groups_[half].shifts;
        const auto [least_shift, most_shift] = std::minmax_element(shifts.begin(), shifts.end());
        const std::int32_t least = *least_shift;
        const std::int32_t largest = *most_shift;
        const ImageView<double>& reference = *limits.reference;
        const ImageView<double>& limit = *limits.limit;
        const double* middles = reference.row(x);
        const double* reaches = limit.row(x);
        if (reference.stride_y != 1 || limit.stride_y != 1)
            return false;
        // Loops of one type of number each, which become loops of vectors.
        const std::size_t ny = scratch.lowest.size();
        std::int32_t* __restrict lowest = scratch.lowest.data();
        std::int32_t* __restrict around = scratch.around.data();
        double n_wrong = 0.0;
        for (std::size_t y = 0; y < ny; ++y) {
            const double middle = 4 * middles[y];
            const double reach = 4 * reaches[y];
            const double inside = std::abs(middle) <= most ? middle : 0.0;
            const double outwards = reach >= 0.0 && reach <= most ? reach : -1.0;
            lowest[y] = static_cast<std::int32_t>(inside);
            around[y] = static_cast<std::int32_t>(outwards);
            n_wrong += static_cast<double>(lowest[y]) == middle ? 0.0 : 1.0;
            n_wrong += outwards < 0.0 ? 1.0 : 0.0;
        }
        if (n_wrong > 0.0)
            return false;
        std::int32_t signs = 0; // negative if any is
        for (std::size_t y = 0; y < ny; ++y) {
            const std::int32_t low = (lowest[y] - around[y] + 2 * half + 3) >> 2;
            const std::int32_t high = (lowest[y] + around[y] + 2 * half) >> 2;
            const std::int32_t wide = high - low;
            signs |= (low + least) | (65535 - largest - high) | wide | (widest - wide);
            lowest[y] = low;
            around[y] = wide;
        }
        std::uint16_t* __restrict lowest_count = scratch.lowest_count.data();
        std::uint16_t* __restrict span = scratch.span.data();
        for (std::size_t y = 0; y < ny; ++y) {
            lowest_count[y] = static_cast<std::uint16_t>(lowest[y]);
            span[y] = static_cast<std::uint16_t>(around[y]);
        }
        return signs >= 0;
    }

    // Adds a frame's row, and counts what is kept of it.
    static Index add_counts(const Pixel* row, std::size_t ny, std::uint16_t shift,
                            Scratch& scratch) {
        const std::uint16_t* lowest = scratch.lowest_count.data();
        const std::uint16_t* span = scratch.span.data();
        std::uint16_t* __restrict sum = scratch.sum.data();
        std::uint16_t* __restrict number = scratch.number.data();
        std::uint16_t kept = 0;
        for (std::size_t y = 0; y < ny; ++y) {
            const auto above = static_cast<std::uint16_t>(row[y] - lowest[y] - shift);
            const std::uint16_t is_near = above <= span[y] ? 0xffff : 0;
            sum[y] = static_cast<std::uint16_t>(sum[y] + (above & is_near));
            number[y] = static_cast<std::uint16_t>(number[y] - is_near);
            kept = static_cast<std::uint16_t>(kept - is_near);
        }
        return kept;
    }

    bool fits_ = false;
    std::array<Group, 2> groups_;
};

} // namespace hrixs
