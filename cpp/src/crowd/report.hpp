// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/by_band.hpp"
#include "crowd/lit_pixels.hpp"
#include "crowd/neighbourhood.hpp"
#include "crowd/scene.hpp"
#include "hrixs/resolve.hpp"
#include "photons/found_by_frame.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace hrixs::crowd {

// The values reported for one frame's photons.
class Report {
  public:
    void make(Index number, Scene& scene);

    PhotonTable table;
    std::vector<double> crowding;
    LightSums light_sums;

  private:
    void gather(Scene& scene, Index band);
    void append(Index number, Scene& scene, std::int32_t a);
    double crowding_of(Scene& scene, const Group& group) const;
    void add_up_tiles(Scene& scene, Index band);

    ByBand photons_;
    ByBand tiles_;
    std::vector<std::int32_t> together_; // photons of a band and beside it
    std::vector<std::int32_t> order_;    // of those, as they are told
    Neighbourhood neighbourhood_;
    LitPixels lit_;
    double rest_ = 0.0; // what is left in tiles, ADU
    double dark_ = 0.0; // and in their dark pixels
};

// Frames are searched in any order; their reports are joined in the frames' order.
class ReportByFrame {
  public:
    explicit ReportByFrame(Index n_frames)
        : found_(n_frames), crowding_(static_cast<std::size_t>(n_frames)),
          light_(crowding_.size()) {}
    void store(Index number, const Report& report, const FrameFacts& facts) {
        found_.store(number, report.table, facts);
        crowding_[static_cast<std::size_t>(number)] = report.crowding;
        light_[static_cast<std::size_t>(number)] = report.light_sums;
    }
    ResolvedPhotons join() && {
        ResolvedPhotons resolved{std::move(found_).join(), {}, std::move(light_)};
        for (const std::vector<double>& one : crowding_)
            resolved.crowding.insert(resolved.crowding.end(), one.begin(), one.end());
        return resolved;
    }

  private:
    FoundByFrame found_;
    std::vector<std::vector<double>> crowding_;
    std::vector<LightSums> light_;
};

} // namespace hrixs::crowd
