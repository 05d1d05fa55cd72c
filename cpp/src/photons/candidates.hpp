// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "frame/corrected_frame.hpp"
#include "frame/pixel_index.hpp"
#include "placement/windows.hpp"

#include <array>
#include <vector>

namespace hrixs {

// The pixels of a spot, the lowest of which is (x, y).
template <Index Size> class Patch {
  public:
    template <class Pixel> Patch(const CorrectedFrame<Pixel>& frame, Index x, Index y) {
        const CameraCorrection& camera = *frame.camera;
        if (camera.mask) {
            for (Index i = 0; i < Size; ++i)
                frame.read_few(x + i, y, Size, pixel_.data() + i * Size);
            return;
        }
        for_each_place(frame.image, x, y,
                       [](double& value, auto pixel) { value = static_cast<double>(pixel); });
        if (camera.dark) // its type is asked for once
            camera.dark->visit([&](const auto& dark) {
                for_each_place(dark, x, y, [](double& value, auto level) {
                    value -= static_cast<double>(level);
                });
            });
    }
    double operator()(Index i, Index j) const {
        return pixel_[static_cast<std::size_t>(i * Size + j)];
    }
    // Sum of a 2x2 square.
    double square(Index i, Index j) const {
        // In this order, as the row kernels add: ties between squares depend on it.
        const double* row = pixel_.data() + i * Size + j;
        return (row[0] + row[1]) + (row[Size] + row[Size + 1]);
    }

  private:
    template <class Image, class Work>
    void for_each_place(const Image& image, Index x, Index y, Work work) {
        for (Index i = 0; i < Size; ++i) {
            const auto* row = image.row(x + i) + y * image.stride_y;
            for (Index j = 0; j < Size; ++j)
                work(pixel_[static_cast<std::size_t>(i * Size + j)], row[j * image.stride_y]);
        }
    }

    std::array<double, static_cast<std::size_t>(Size* Size)> pixel_;
};

// Hits as they are found, each with its pixels while these are at hand; what the frame's sums are
// needed for is left to be done.
template <Index Size> class Candidates {
  public:
    void clear() {
        lowest_pixels_.clear();
        patches_.clear();
        windows_.clear();
    }
    // (x, y): the patch's lowest pixel.
    void add(Index x, Index y, const Patch<Size>& patch) {
        lowest_pixels_.push_back({x, y});
        if (patches_.size() < most_patches)
            patches_.push_back(patch);
    }
    // The same with the window around a centre, for a photon that is to be placed by a fit.
    template <class Pixel>
    void add(Index x, Index y, const Patch<Size>& patch, const CorrectedFrame<Pixel>& frame,
             const PixelIndex& centre) {
        add(x, y, patch);
        if (windows_.size() < patches_.size())
            read_window<window_size>(frame, centre, windows_.emplace_back().data());
    }
    // work(x, y, patch, window), in the order of adding; window is null where none was kept.
    template <class Pixel, class Work>
    void for_each(const CorrectedFrame<Pixel>& frame, Work work) const {
        for (std::size_t k = 0; k < lowest_pixels_.size(); ++k) {
            const auto [x, y] = lowest_pixels_[k];
            const Window* window = k < windows_.size() ? &windows_[k] : nullptr;
            if (k < patches_.size())
                work(x, y, patches_[k], window);
            else
                work(x, y, Patch<Size>(frame, x, y), window);
        }
    }

  private:
    // Of a band: a wrong threshold must not cost more memory than a frame does.
    static constexpr std::size_t most_patches = 1024;
    std::vector<PixelIndex> lowest_pixels_;
    std::vector<Patch<Size>> patches_;
    std::vector<Window> windows_;
};

} // namespace hrixs
