// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/canvas.hpp"
#include "crowd/kernels.hpp"
#include "crowd/photon_list.hpp"
#include "crowd/profile.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace hrixs::crowd {

// The normal equations of the places of photons that are fitted together.
class Equations {
  public:
    Equations(const Profile& profile, const Kernels& kernels)
        : profile_(profile), kernels_(kernels) {}

    void make(Canvas& canvas, PhotonList& photons, Light light,
              const std::vector<std::int32_t>& together);

    std::size_t size() const { return photons_.size(); }
    const FitPhoton& photon(std::size_t a) const { return photons_[a]; }
    const Cloud& cloud(std::size_t a) const { return clouds_[a]; }
    const Equation& own(std::size_t a) const { return own_[a]; }
    // All photons near to one of them, that one too.
    std::span<const std::int32_t> near(std::size_t a) const {
        return {near_.data() + near_begin_[a], near_begin_[a + 1] - near_begin_[a]};
    }
    // Of photons that are near to each other, each pair once, sorted by a.
    const std::vector<Coupling>& couplings() const { return couplings_; }

  private:
    const Profile& profile_;
    const Kernels& kernels_;
    std::vector<FitPhoton> photons_;
    std::vector<Cloud> clouds_; // zeros around the columns stay
    std::vector<Equation> own_;
    std::vector<Coupling> couplings_;
    std::vector<std::size_t> near_begin_;
    std::vector<std::int32_t> near_;
};

} // namespace hrixs::crowd
