// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "counts/whole_counts.hpp"
#include "hrixs/frames.hpp"
#include "hrixs/pixel_statistics.hpp"
#include "simd/prefetch.hpp"
#include "simd/row_kernels.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace hrixs {

// Statistics of pixels by their own limits in 16 bits, where counts of a pixel lie near each other
// and offsets are whole or half ADU: what doubles give, bit for bit.
template <class Pixel> class OwnCounts {
  public:
    OwnCounts(const FrameStack<Pixel>& frames, std::span<const double> offsets) {
        fits_ = is_whole_count<Pixel> && frames.first.stride_y == 1 && frames.size() <= most_frames;
        for (const double offset : offsets) {
            fits_ = fits_ && std::abs(offset) < most_offset && 2 * offset == std::floor(2 * offset);
            if (fits_)
                twice_offsets_.push_back(static_cast<std::int16_t>(2 * offset));
        }
        for (Index frame = 0; fits_ && frame < frames.size(); ++frame)
            images_.push_back(frames.frame(frame));
    }

    struct Scratch {
        explicit Scratch(Index n_frames)
            : rows(static_cast<std::size_t>(n_frames)),
              values(static_cast<std::size_t>(2 * n_frames * column_block)) {}

        std::vector<const Pixel*> rows;
        std::vector<std::int16_t> values;
        std::vector<Pixel> padded;
        OwnColumns result;
    };

    // Of n pixels of a row, a block or what is left of one. False where they don't fit.
    bool find(const FrameStack<Pixel>& frames, const PixelLimits& limits, Index x, Index y, Index n,
              Scratch& scratch, Index* n_left_out) const {
        if (!fits_)
            return false;
        const bool has_next = x + 1 < frames.first.nx;
        for (std::size_t frame = 0; frame < images_.size(); ++frame) {
            scratch.rows[frame] = images_[frame].row(x) + y;
            if (has_next)
                prefetch(images_[frame].row(x + 1) + y, n);
        }
        if (n < column_block)
            pad(n, scratch);
        return own_columns(scratch.rows.data(), twice_offsets_.data(), frames.size(),
                           {limits.n_sigma, limits.least_noise}, n, scratch.values.data(),
                           scratch.result, n_left_out);
    }

  private:
    static constexpr Index most_frames = 4096;
    static constexpr double most_offset = 16384.0;

    static void pad(Index n, Scratch& scratch) {
        scratch.padded.resize(scratch.rows.size() * static_cast<std::size_t>(column_block));
        Pixel* row = scratch.padded.data();
        for (const Pixel*& from : scratch.rows) {
            std::fill(std::copy_n(from, n, row), row + column_block, from[0]);
            from = row;
            row += column_block;
        }
    }

    bool fits_ = false;
    std::vector<std::int16_t> twice_offsets_;
    std::vector<ImageView<Pixel>> images_;
};

} // namespace hrixs
