// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/search.hpp"
#include "frame/corrected_frame.hpp"
#include "frame/pedestal.hpp"
#include "frame/pixel_index.hpp"
#include "hrixs/cloud_fit.hpp"
#include "hrixs/cosmics.hpp"
#include "rows/row_scratch.hpp"

#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

namespace hrixs::crowd {

// Pixels whose own level is taken where it is not that of the frame, and how many tell it.
constexpr Index level_cell = 64;
constexpr Index least_level_pixels = 512;
constexpr double most_light = 1e9; // of a pixel, and of a photon; ADU

// A frame as the source of a canvas's tiles.
template <class Pixel> class FrameTiles final : public TileSource {
  public:
    FrameTiles(const CorrectedFrame<Pixel>& frame, const CloudFit& cloud, double level,
               double noise, const std::vector<PixelIndex>& bright, const Kernels& kernels)
        : frame_(frame), kernels_(kernels), cloud_(cloud), level_(level), variance_(noise * noise),
          bright_(bright), is_plain_(!frame.has_mask() && !cloud.noise_map && bright.empty()),
          n_cells_y_((frame.ny() + level_cell - 1) / level_cell) {
        if (cloud.local_background)
            cell_levels_.assign(
                static_cast<std::size_t>((frame.nx() + level_cell - 1) / level_cell * n_cells_y_),
                CorrectedFrame<Pixel>::masked);
    }

    void fill(Tile& tile) const override {
        const Index x0 = Canvas::first_pixel(tile.i);
        const Index y0 = Canvas::first_pixel(tile.j);
        const Index begin = std::max<Index>(y0, 0);
        const Index end = std::min<Index>(y0 + tile_size, frame_.ny());
        const double level = level_at(x0, y0);
        tile.has_masked = true;
        if (is_plain_ && x0 >= 0 && y0 >= 0 && x0 + tile_size <= frame_.nx() &&
            y0 + tile_size <= frame_.ny()) {
            tile.has_masked = !(static_cast<float>(variance_) < never);
            fill_plain(x0, y0, level, tile);
            return;
        }
        for (Index a = 0; a < tile_size; ++a) {
            float* rest = rest_of(tile, static_cast<int>(a));
            float* variance = variance_of(tile, static_cast<int>(a));
            double pixels[tile_size];
            std::fill(pixels, pixels + tile_size, CorrectedFrame<Pixel>::masked);
            const Index x = x0 + a;
            if (x >= 0 && x < frame_.nx() && begin < end)
                frame_.read_few(x, begin, end - begin, pixels + (begin - y0));
            for (Index k = 0; k < tile_size; ++k) {
                const double above = pixels[k] - level;
                const bool is_seen = above == above; // a masked one is NaN
                rest[k] = is_seen ? as_light(above) : 0.0F;
                variance[k] = is_seen ? static_cast<float>(variance_) : never;
            }
            if (cloud_.noise_map && x >= 0 && x < frame_.nx())
                take_noise(x, y0, begin, end, rest, variance);
        }
        for (const PixelIndex& one : bright_)
            mask_around(one, x0, y0, tile);
    }

    void fetch(Index x, Index y) const override {
        if (frame_.image.stride_y != 1)
            return;
        const Index first = std::clamp<Index>(y - tile_size, 0, frame_.ny() - 1);
        const Index n = std::min<Index>(3 * tile_size, frame_.ny() - first);
        const Index end = std::min<Index>(x + 2 * tile_size, frame_.nx());
        for (Index row = std::max<Index>(x - tile_size, 0); row < end; ++row)
            prefetch(frame_.image.row(row) + first, n);
    }

  private:
    // What no camera has would overflow in products of floats.
    static float as_light(double above) {
        return static_cast<float>(std::clamp(above, -most_light, most_light));
    }

    // Without anything masked.
    void fill_plain(Index x0, Index y0, double level, Tile& tile) const {
        if constexpr (std::is_same_v<Pixel, std::uint16_t>)
            if (frame_.is_plain()) {
                kernels_.fill_counts(frame_.image.row(x0) + y0, frame_.image.stride_x, level,
                                     static_cast<float>(variance_), tile);
                return;
            }
        for (int a = 0; a < tile_size; ++a) {
            float* rest = rest_of(tile, a);
            if (frame_.is_plain()) {
                const Pixel* row = frame_.image.row(x0 + a) + y0;
                for (int k = 0; k < tile_size; ++k) {
                    const double above = static_cast<double>(row[k]) - level;
                    // Few counts need no clamp, which would keep this from being vectorised.
                    rest[k] = sizeof(Pixel) <= 2 ? static_cast<float>(above) : as_light(above);
                }
            } else {
                double pixels[tile_size];
                frame_.read_few(x0 + a, y0, tile_size, pixels);
                for (int k = 0; k < tile_size; ++k)
                    rest[k] = as_light(pixels[k] - level);
            }
            std::fill(rest + tile_size, rest + row_floats, static_cast<float>(variance_));
        }
    }

    static void mask_around(const PixelIndex& bright, Index x0, Index y0, Tile& tile) {
        const Index end_x = std::min(bright.x + cosmic_reach + 1 - x0, Index{tile_size});
        const Index end_y = std::min(bright.y + cosmic_reach + 1 - y0, Index{tile_size});
        for (Index a = std::max<Index>(bright.x - cosmic_reach - x0, 0); a < end_x; ++a)
            for (Index k = std::max<Index>(bright.y - cosmic_reach - y0, 0); k < end_y; ++k) {
                rest_of(tile, static_cast<int>(a))[k] = 0.0F;
                variance_of(tile, static_cast<int>(a))[k] = never;
            }
    }

    // Of the pixels around a tile, if they shall have a level of their own.
    double level_at(Index x0, Index y0) const {
        if (cell_levels_.empty() || x0 < 0 || y0 < 0 || x0 >= frame_.nx() || y0 >= frame_.ny())
            return level_;
        const Index i = x0 / level_cell;
        const Index j = y0 / level_cell;
        double& level = cell_levels_[static_cast<std::size_t>(i * n_cells_y_ + j)];
        if (level == level)
            return level;
        const Index end_x = std::min((i + 1) * level_cell, frame_.nx());
        const Index n_y = std::min((j + 1) * level_cell, frame_.ny()) - j * level_cell;
        sample_.resize(static_cast<std::size_t>((end_x - i * level_cell) * n_y));
        double* row = sample_.data();
        for (Index x = i * level_cell; x < end_x; ++x, row += n_y)
            frame_.read_few(x, j * level_cell, n_y, row);
        const auto n_valid = std::count_if(sample_.begin(), sample_.end(),
                                           [](double pixel) { return pixel == pixel; });
        const Pedestal own = clipped_pedestal(sample_);
        level = n_valid >= least_level_pixels ? own.mean : level_;
        return level;
    }

    // Of each pixel by itself; NaN: it is not to be used.
    void take_noise(Index x, Index y0, Index begin, Index end, float* rest, float* variance) const {
        for (Index y = begin; y < end; ++y) {
            const double noise = (*cloud_.noise_map)(x, y);
            const Index k = y - y0;
            const bool is_seen = variance[k] != never && noise == noise;
            variance[k] = is_seen ? static_cast<float>(noise * noise) : never;
            rest[k] = is_seen ? rest[k] : 0.0F;
        }
    }
    const CorrectedFrame<Pixel>& frame_;
    const Kernels& kernels_;
    const CloudFit& cloud_;
    double level_;
    double variance_;
    const std::vector<PixelIndex>& bright_;
    bool is_plain_;
    Index n_cells_y_;
    mutable std::vector<double> cell_levels_;
    mutable std::vector<double> sample_;
};

} // namespace hrixs::crowd
