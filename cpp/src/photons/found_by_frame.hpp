// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/photons.hpp"

#include <utility>
#include <vector>

namespace hrixs {

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
            if (!table.fitted.flag.empty())
                reserve_rows(found.table.fitted, total);
            found.table.append(table);
            table = PhotonTable{};
        }
        for (const FrameFacts& facts : facts_)
            append_row(found, facts);
        return found;
    }

  private:
    std::vector<PhotonTable> tables_;
    std::vector<FrameFacts> facts_;
};

} // namespace hrixs
