// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "cloud_table.hpp"
#include "frame_level.hpp"
#include "hits_of_frame.hpp"
#include "hrixs/corrected_frame.hpp"
#include "hrixs/place.hpp"
#include "hrixs/spot_fit.hpp"

#include <functional>
#include <vector>

namespace hrixs {

// Size x Size pixels around the centre.
template <Index Size, class Pixel>
void read_window(const CorrectedFrame<Pixel>& frame, const Place& centre, double* window) {
    const Index x0 = centre.x - Size / 2;
    const Index y0 = centre.y - Size / 2;
    const bool inside = x0 >= 0 && y0 >= 0 && x0 + Size <= frame.nx() && y0 + Size <= frame.ny();
    for (Index i = 0; i < Size; ++i) {
        double* row = window + i * Size;
        if (inside) {
            frame.read_few(x0 + i, y0, Size, row);
            continue;
        }
        for (Index j = 0; j < Size; ++j) {
            const Index x = x0 + i;
            const Index y = y0 + j;
            const bool in_frame = x >= 0 && y >= 0 && x < frame.nx() && y < frame.ny();
            row[j] = in_frame ? frame(x, y) : CorrectedFrame<Pixel>::masked;
        }
    }
}

template <class Pixel> void fetch_window(const CorrectedFrame<Pixel>& frame, const Place& centre) {
    const Index last = std::min(centre.x + window_reach, frame.nx() - 1);
    for (Index x = std::max<Index>(centre.x - window_reach, 0); x <= last; ++x)
        prefetch(&frame.image(x, centre.y), 1);
}

// Places photons by fits of their clouds; what all frames of a call share.
class PhotonPlacer {
  public:
    explicit PhotonPlacer(const CloudFit& fit) : fit_(fit), table_(fit.cloud_sigma) {}

    // Places a frame's photons anew and tells how well. Gives the noise of its pixels, ADU.
    template <class Pixel>
    double place(const CorrectedFrame<Pixel>& frame, HitScratch& hits) const {
        const FrameLevel level = frame_level(frame, hits.sample);
        hits.windows.resize(hits.centres.size());
        for (std::size_t k = 0; k < hits.centres.size(); ++k) {
            if (k + ahead < hits.centres.size())
                fetch_window(frame, hits.centres[k + ahead]);
            read_window<window_size>(frame, hits.centres[k], hits.windows[k].data());
        }
        place_windows(level, hits, [&](const Place& centre, PairPixels& pixels) {
            read_window<pair_size>(frame, centre, pixels.data());
        });
        return level.noise;
    }

  private:
    static constexpr std::size_t ahead = 8; // windows are fetched before they are read

    using ReadPair = std::function<void(const Place& centre, PairPixels& pixels)>;
    void place_windows(const FrameLevel& level, HitScratch& hits, const ReadPair& read_pair) const;

    CloudFit fit_;
    CloudTable table_;
};

} // namespace hrixs
