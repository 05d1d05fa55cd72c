// SPDX-License-Identifier: BSD-3-Clause
#include "crowd/scene.hpp"

#include <cmath>

namespace hrixs::crowd {

namespace {

// Of one step, pixels; and what is none.
constexpr double most_step = 0.5;
constexpr double no_move = 1e-3;

} // namespace

Window Scene::window_of(const Photon& photon) {
    return canvas_.window(photon.centre_x, photon.centre_y, profile_.reach());
}

// In a photon's window, clouds at places from its middle.
void Scene::exchange(const Photon& photon, const Place* put_back, const Place* taken) {
    const Window window = window_of(photon);
    kernels_.exchange(window, profile_.nodes(), light_, put_back, taken);
    for (std::int32_t k = 0; k < window.n_slots; ++k)
        look_at(window.slots[k]);
}

// Moves a photon, and its light.
void Scene::move(std::int32_t k, double x, double y) {
    const Photon& photon = photons_[k];
    const Place before = photon.in_window();
    if (nearest(x) == photon.centre_x && nearest(y) == photon.centre_y) {
        photons_.shift(k, x, y);
        const Place now = photon.in_window();
        exchange(photon, &before, &now);
        return;
    }
    exchange(photon, &before, nullptr);
    search_around(x, y);
    photons_.move(canvas_, k, x, y);
    const Place now = photon.in_window();
    exchange(photon, nullptr, &now);
}

void Scene::settle(const Patience& patience) {
    for (int step = 0; step < patience.most_steps && !waiting_.empty(); ++step) {
        together_.clear();
        for (const std::int32_t k : waiting_) {
            photons_[k].is_waiting = false;
            if (photons_[k].is_there)
                together_.push_back(k);
        }
        waiting_.clear();
        moved_.clear();
        equations_.make(canvas_, photons_, light_, together_);
        const std::vector<JointFit::Pair>& steps = fit_.steps(equations_);
        for (std::size_t a = 0; a < together_.size(); ++a) {
            const std::int32_t k = together_[a];
            const Photon& photon = photons_[k];
            const double x = in_frame_x(photon.x + std::clamp(steps[a][0], -most_step, most_step));
            const double y = in_frame_y(photon.y + std::clamp(steps[a][1], -most_step, most_step));
            const double moved = std::max(std::abs(x - photon.x), std::abs(y - photon.y));
            // Neither is a number where pixels or their noise are none of a camera.
            if (moved < no_move || !std::isfinite(x + y))
                continue;
            moved_.push_back({a, moved});
            move(k, x, y);
        }
        wait_for_moves(patience.least_change);
    }
    for (const std::int32_t k : waiting_)
        photons_[k].is_waiting = false;
    waiting_.clear();
}

FittedPlace Scene::fit_place(double x, double y) {
    const Index centre_x = nearest(x);
    const Index centre_y = nearest(y);
    return kernels_.fit_place(canvas_.window(centre_x, centre_y, profile_.reach()),
                              profile_.nodes(), light_,
                              {static_cast<float>(x - static_cast<double>(centre_x)),
                               static_cast<float>(y - static_cast<double>(centre_y))});
}

void Scene::add(double x, double y) {
    search_around(x, y);
    const std::int32_t number = photons_.add(canvas_, x, y);
    const Photon& photon = photons_[number];
    const Place place = photon.in_window();
    exchange(photon, nullptr, &place);
    uncheck(number);
    if (near_photons_.empty())
        return;
    near_photons_.push_back(number);
    for (const std::int32_t k : near_photons_) {
        photons_[k].is_crowded = true;
        uncheck(k);
        wait(k);
    }
}

void Scene::remove(std::int32_t k) {
    const Place place = photons_[k].in_window();
    exchange(photons_[k], &place, nullptr);
    photons_.remove(k);
    for (const std::int32_t other : near(photons_[k].x, photons_[k].y)) {
        uncheck(other);
        wait(other);
    }
}

Amplitude Scene::amplitude_without(std::int32_t k) {
    return kernels_.amplitude_without(window_of(photons_[k]), profile_.nodes(), light_,
                                      photons_[k].in_window());
}

} // namespace hrixs::crowd
