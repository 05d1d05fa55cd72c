// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/errors.hpp"
#include "hrixs/photons.hpp"

#include <string>
#include <vector>

namespace hrixs {

// Collects one frame's hits and goes on counting when there are too many to keep.
class FrameHits {
  public:
    FrameHits(Index frame, Index max_photons, PhotonTable& table)
        : frame_(frame), max_photons_(max_photons), table_(table) {
        table_.clear();
    }

    void add(double x, double y, double charge, bool is_double) {
        if (++count_ <= max_photons_)
            table_.append(frame_, x, y, charge, is_double);
    }
    void drop() { ++n_dropped_; }
    Index n_dropped() const { return n_dropped_; }

    template <class Criterion> void check_count(Index first_number, Criterion criterion) const {
        if (count_ > max_photons_)
            throw TooManyPhotons(first_number + frame_, count_, max_photons_, criterion());
    }

  private:
    Index frame_;
    Index max_photons_;
    PhotonTable& table_;
    Index count_ = 0;
    Index n_dropped_ = 0;
};

// Frames are searched in any order; the tables are joined in the frames' order.
class FoundByFrame {
  public:
    explicit FoundByFrame(Index n_frames)
        : tables_(static_cast<std::size_t>(n_frames)), base_(tables_.size()),
          threshold_(tables_.size()), n_dropped_(tables_.size()) {}

    void store(Index frame, const PhotonTable& table, double base, double threshold,
               Index n_dropped) {
        const auto k = static_cast<std::size_t>(frame);
        tables_[k] = table;
        base_[k] = base;
        threshold_[k] = threshold;
        n_dropped_[k] = n_dropped;
    }

    FoundPhotons join() && {
        Index total = 0;
        for (const PhotonTable& table : tables_)
            total += table.size();
        FoundPhotons found{{}, std::move(base_), std::move(threshold_), std::move(n_dropped_)};
        found.table.reserve(total);
        for (PhotonTable& table : tables_) {
            found.table.append(table);
            table = PhotonTable{};
        }
        return found;
    }

  private:
    std::vector<PhotonTable> tables_;
    std::vector<double> base_;
    std::vector<double> threshold_;
    std::vector<Index> n_dropped_;
};

} // namespace hrixs
