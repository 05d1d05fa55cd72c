// SPDX-License-Identifier: BSD-3-Clause
#include "crowd/equations.hpp"

namespace hrixs::crowd {

void Equations::make(Canvas& canvas, PhotonList& photons, Light light,
                     const std::vector<std::int32_t>& together) {
    photons_.resize(together.size());
    own_.resize(together.size());
    if (clouds_.size() < together.size())
        clouds_.resize(together.size(), Cloud{});
    couplings_.clear();
    near_begin_.assign(1, 0);
    near_.clear();
    const double near = profile_.near();
    for (std::size_t at = 0; at < together.size(); ++at) {
        const auto a = static_cast<std::int32_t>(at);
        Photon& photon = photons[together[at]];
        canvas.window(photon.centre_x, photon.centre_y, profile_.reach(), photons_[at].window);
        photons_[at].place = photon.in_window();
        photons.for_each_in_circle(canvas, photon.x, photon.y, near, [&](std::int32_t k) {
            near_.push_back(k);
            const Photon& other = photons[k];
            if (other.place_in_fit == none) // that of those after a, too
                return;
            couplings_.push_back({a, other.place_in_fit,
                                  static_cast<std::int32_t>(photon.centre_x - other.centre_x),
                                  static_cast<std::int32_t>(photon.centre_y - other.centre_y), 0.0F,
                                  0.0F, 0.0F, 0.0F});
        });
        near_begin_.push_back(near_.size());
        photon.place_in_fit = a;
    }
    for (const std::int32_t k : together)
        photons[k].place_in_fit = none;
    kernels_.equations(photons_.data(), static_cast<Index>(photons_.size()), profile_.nodes(),
                       light, clouds_.data(), own_.data(), couplings_.data(),
                       static_cast<Index>(couplings_.size()));
}

} // namespace hrixs::crowd
