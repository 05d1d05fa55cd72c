// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/photons.hpp"

#include <limits>
#include <utility>
#include <vector>

namespace hrixs {

struct FrameFacts {
    double base = 0.0;
    double threshold = 0.0;
    Index n_dropped = 0;
    Index n_spikes = 0;
    double noise = std::numeric_limits<double>::quiet_NaN();
};

// Frames are searched in any order; the tables are joined in the frames' order.
class FoundByFrame {
  public:
    explicit FoundByFrame(Index n_frames)
        : tables_(static_cast<std::size_t>(n_frames)), facts_(tables_.size()) {}

    void store(Index frame, const PhotonTable& table, const FrameFacts& facts) {
        const auto k = static_cast<std::size_t>(frame);
        tables_[k] = table;
        facts_[k] = facts;
    }

    FoundPhotons join() && {
        FoundPhotons found;
        Index total = 0;
        for (const PhotonTable& table : tables_)
            total += table.size();
        found.table.reserve(total);
        for (PhotonTable& table : tables_) {
            if (!table.placed.flag.empty())
                found.table.placed.reserve(total);
            found.table.append(table);
            table = PhotonTable{};
        }
        for (const FrameFacts& facts : facts_) {
            found.base.push_back(facts.base);
            found.threshold.push_back(facts.threshold);
            found.n_dropped.push_back(facts.n_dropped);
            found.n_spikes.push_back(facts.n_spikes);
            found.noise.push_back(facts.noise);
        }
        return found;
    }

  private:
    std::vector<PhotonTable> tables_;
    std::vector<FrameFacts> facts_;
};

} // namespace hrixs
