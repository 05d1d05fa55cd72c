// SPDX-License-Identifier: BSD-3-Clause
#include "crowd/scene.hpp"

namespace hrixs::crowd {

void Scene::begin(const TileSource& source, Light light) {
    source_ = &source;
    light_ = light;
    canvas_.clear();
    photons_.clear();
    changed_.clear();
    waiting_.clear();
}

std::int32_t Scene::filled(std::int32_t i, std::int32_t j) {
    if (!canvas_.has_place(i, j))
        return none;
    std::int32_t slot = canvas_.slot(i, j);
    if (slot == none) {
        slot = canvas_.add(i, j);
        source_->fill(canvas_.tile(slot));
    }
    return slot;
}

void Scene::search_in(std::int32_t i, std::int32_t j) {
    std::int32_t slot = canvas_.slot(i, j);
    if (slot != none && canvas_.tile(slot).is_searched)
        return;
    slot = filled(i, j);
    for (std::int32_t k = i - 1; k <= i + 1; ++k)
        for (std::int32_t l = j - 1; l <= j + 1; ++l)
            filled(k, l);
    canvas_.tile(slot).is_searched = true;
    canvas_.tile(slot).is_waiting = true;
    changed_.push_back(slot);
    for (std::int32_t k = i - 1; k <= i + 1; ++k)
        for (std::int32_t l = j - 1; l <= j + 1; ++l)
            if (const std::int32_t near = canvas_.slot(k, l); near != none)
                ++canvas_.tile(near).n_searched;
}

void Scene::search_around(double x, double y) {
    const double around = profile_.reach() + 0.5;
    const std::int32_t own = canvas_.slot(Canvas::tile_of(nearest(x)), Canvas::tile_of(nearest(y)));
    if (own != none && canvas_.tile(own).n_searched == 9)
        return;
    const auto tile = [](double place, Index n) {
        return Canvas::tile_of(std::clamp<Index>(nearest(place), 0, n - 1));
    };
    const std::int32_t i0 = tile(x - around, canvas_.nx());
    const std::int32_t i1 = tile(x + around, canvas_.nx());
    const std::int32_t j0 = tile(y - around, canvas_.ny());
    const std::int32_t j1 = tile(y + around, canvas_.ny());
    for (std::int32_t i = i0; i <= i1; ++i)
        for (std::int32_t j = j0; j <= j1; ++j)
            search_in(i, j);
}

// The pixels of a tile have changed and are to be looked at.
void Scene::look_at(std::int32_t slot) {
    Tile& tile = canvas_.tile(slot);
    if (tile.is_searched && !tile.is_waiting) {
        tile.is_waiting = true;
        changed_.push_back(slot);
    }
}

void Scene::take_changed(std::vector<std::int32_t>& slots) {
    slots.swap(changed_);
    changed_.clear();
    for (const std::int32_t slot : slots)
        canvas_.tile(slot).is_waiting = false;
}

void Scene::change_all() {
    for (std::int32_t slot = 0; slot < canvas_.size(); ++slot)
        look_at(slot);
}

void Scene::wait(std::int32_t k) {
    if (photons_[k].is_waiting)
        return;
    photons_[k].is_waiting = true;
    waiting_.push_back(k);
}

// Photons near to a place that feel its change.
void Scene::wait_near(double x, double y, double change, double least_change) {
    photons_.for_each_near(canvas_, x, y, near_, [&](std::int32_t k) {
        const double d_x = photons_[k].x - x;
        const double d_y = photons_[k].y - y;
        const double apart = std::max(1.0 - (d_x * d_x + d_y * d_y) / (near_ * near_), 0.0);
        if (change < great_change && change * apart * apart * apart < least_change)
            return;
        photons_[k].is_checked = false;
        wait(k);
    });
}

bool Scene::has_near(double x, double y) const {
    bool has = false;
    photons_.for_each_near(canvas_, x, y, near_, [&](std::int32_t) { has = true; });
    return has;
}

bool Scene::has_other(std::int32_t k) const {
    bool has = false;
    photons_.for_each_near(canvas_, photons_[k].x, photons_[k].y, near_,
                           [&](std::int32_t other) { has = has || other != k; });
    return has;
}

void Scene::wait_all_with_neighbours() {
    for (std::int32_t k = 0; k < photons_.size(); ++k)
        if (photons_[k].is_there && has_other(k))
            wait(k);
}

} // namespace hrixs::crowd
