// SPDX-License-Identifier: BSD-3-Clause
#include "crowd/scene.hpp"

#include <cmath>

namespace hrixs::crowd {

namespace {

// Of one step, pixels; and what is none.
constexpr double most_step = 0.5;
constexpr double no_move = 1e-3;

} // namespace

template <int Reach> void Scene::subtract(std::int32_t k, bool back) {
    const Photon& photon = photons_[k];
    Shares along_x;
    Shares along_y;
    profile_.shares(static_cast<float>(photon.x - static_cast<double>(photon.centre_x)), along_x);
    profile_.shares(static_cast<float>(photon.y - static_cast<double>(photon.centre_y)), along_y);
    const Spread spread(along_x, along_y);
    exchange_light<Reach>(canvas_, photon.centre_x, photon.centre_y, light_,
                          back ? nullptr : &spread, back ? &spread : nullptr,
                          [&](std::int32_t slot) { look_at(slot); });
}

// Moves a photon, and its light.
template <int Reach> void Scene::move(std::int32_t k, double x, double y) {
    Photon& photon = photons_[k];
    if (nearest(x) != photon.centre_x || nearest(y) != photon.centre_y) {
        subtract<Reach>(k, true);
        search_around(x, y);
        photons_.move(canvas_, k, x, y);
        subtract<Reach>(k, false);
        return;
    }
    Shares old_x;
    Shares old_y;
    Shares new_x;
    Shares new_y;
    profile_.shares(static_cast<float>(photon.x - static_cast<double>(photon.centre_x)), old_x);
    profile_.shares(static_cast<float>(photon.y - static_cast<double>(photon.centre_y)), old_y);
    profile_.shares(static_cast<float>(x - static_cast<double>(photon.centre_x)), new_x);
    profile_.shares(static_cast<float>(y - static_cast<double>(photon.centre_y)), new_y);
    const Spread before(old_x, old_y);
    const Spread now(new_x, new_y);
    photon.x = x;
    photon.y = y;
    exchange_light<Reach>(canvas_, photon.centre_x, photon.centre_y, light_, &now, &before,
                          [&](std::int32_t slot) { look_at(slot); });
}

template <int Reach> void Scene::settle(const Patience& patience) {
    for (int step = 0; step < patience.most_steps && !waiting_.empty(); ++step) {
        together_.clear();
        for (const std::int32_t k : waiting_) {
            photons_[k].is_waiting = false;
            if (photons_[k].is_there)
                together_.push_back(k);
        }
        waiting_.clear();
        moved_.clear();
        fit_.run<Reach>(
            canvas_, photons_, light_, together_, [&](std::int32_t k, double d_x, double d_y) {
                const Photon& photon = photons_[k];
                const double x = in_frame_x(photon.x + std::clamp(d_x, -most_step, most_step));
                const double y = in_frame_y(photon.y + std::clamp(d_y, -most_step, most_step));
                const double moved = std::max(std::abs(x - photon.x), std::abs(y - photon.y));
                // Neither is a number where pixels or their noise are none of a camera.
                if (moved < no_move || !std::isfinite(x + y))
                    return;
                moved_.push_back({k, moved});
                move<Reach>(k, x, y);
            });
        for (const Moved& one : moved_)
            if (one.by > patience.least_change)
                wait_near(photons_[one.photon].x, photons_[one.photon].y, one.by,
                          patience.least_change);
    }
    for (const std::int32_t k : waiting_)
        photons_[k].is_waiting = false;
    waiting_.clear();
}

template <int Reach> void Scene::add(double x, double y) {
    search_around(x, y);
    const std::int32_t k = photons_.add(canvas_, x, y);
    subtract<Reach>(k, false);
    if (has_other(k))
        wait_near(x, y, great_change, 0.0);
}

template <int Reach> void Scene::remove(std::int32_t k) {
    subtract<Reach>(k, true);
    photons_.remove(canvas_, k);
    wait_near(photons_[k].x, photons_[k].y, great_change, 0.0);
}

template <int Reach> Amplitude Scene::amplitude_without(std::int32_t k) const {
    const Photon& photon = photons_[k];
    Patch<Reach> patch(canvas_, photon.centre_x, photon.centre_y);
    Shares along_x;
    Shares along_y;
    profile_.shares(static_cast<float>(photon.x - static_cast<double>(photon.centre_x)), along_x);
    profile_.shares(static_cast<float>(photon.y - static_cast<double>(photon.centre_y)), along_y);
    add_light(patch, along_x, along_y, light_, 1.0F);
    return amplitude_of(patch, along_x, along_y, light_);
}

#define HRIXS_SCENE(Reach)                                                                         \
    template void Scene::add<Reach>(double, double);                                               \
    template void Scene::remove<Reach>(std::int32_t);                                              \
    template Amplitude Scene::amplitude_without<Reach>(std::int32_t) const;                        \
    template void Scene::settle<Reach>(const Patience&);
HRIXS_SCENE(2)
HRIXS_SCENE(3)
#undef HRIXS_SCENE

} // namespace hrixs::crowd
