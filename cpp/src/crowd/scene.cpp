// SPDX-License-Identifier: BSD-3-Clause
#include "crowd/scene.hpp"

namespace hrixs::crowd {

void Scene::begin(const TileSource& source, Light light, std::size_t n_seeds) {
    source_ = &source;
    light_ = light;
    canvas_.clear();
    canvas_.reserve(n_seeds);
    photons_.clear();
    changed_.clear();
    waiting_.clear();
    unchecked_.clear();
}

std::int32_t Scene::fill(std::int32_t i, std::int32_t j) {
    const std::int32_t slot = canvas_.add(i, j);
    source_->fill(canvas_.tile(slot));
    return slot;
}

// Of a tile in the frame: those around it have places.
void Scene::search_in(std::int32_t i, std::int32_t j) {
    const std::int32_t known = canvas_.slot(i, j);
    if (known != none && canvas_.state(known).is_searched)
        return;
    for (std::int32_t k = i - 1; k <= i + 1; ++k) {
        const std::size_t first = canvas_.place(k, j - 1);
        for (std::int32_t l = 0; l < 3; ++l) {
            const std::int32_t known_near =
                canvas_.slot_of_place(first + static_cast<std::size_t>(l));
            const std::int32_t near = known_near == none ? fill(k, j - 1 + l) : known_near;
            ++canvas_.state(near).n_searched;
        }
    }
    const std::int32_t slot = canvas_.slot(i, j);
    canvas_.state(slot).is_searched = true;
    canvas_.state(slot).is_waiting = true;
    changed_.push_back(slot);
}

void Scene::search_around(double x, double y) {
    const double around = profile_.reach() + 0.5;
    const std::int32_t own = canvas_.slot(Canvas::tile_of(nearest(x)), Canvas::tile_of(nearest(y)));
    if (own != none && canvas_.state(own).n_searched == 9)
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
    TileState& tile = canvas_.state(slot);
    if (tile.is_searched && !tile.is_waiting) {
        tile.is_waiting = true;
        changed_.push_back(slot);
    }
}

void Scene::take_changed(std::vector<std::int32_t>& slots) {
    slots.swap(changed_);
    changed_.clear();
    for (const std::int32_t slot : slots)
        canvas_.state(slot).is_waiting = false;
}

void Scene::forget_changes_before(Index x) {
    std::erase_if(changed_, [&](std::int32_t slot) {
        TileState& tile = canvas_.state(slot);
        const bool is_before = Canvas::first_pixel(tile.i) < x;
        tile.is_waiting = tile.is_waiting && !is_before;
        return is_before;
    });
}

void Scene::wait(std::int32_t k) {
    if (photons_[k].is_waiting)
        return;
    photons_[k].is_waiting = true;
    waiting_.push_back(k);
}

void Scene::uncheck(std::int32_t k) {
    if (!photons_[k].is_checked)
        return;
    photons_[k].is_checked = false;
    unchecked_.push_back(k);
}

void Scene::take_unchecked(std::vector<std::int32_t>& photons) {
    photons.swap(unchecked_);
    unchecked_.clear();
    std::sort(photons.begin(), photons.end());
    for (const std::int32_t k : photons)
        photons_[k].is_checked = true;
}

const std::vector<std::int32_t>& Scene::near(double x, double y) {
    near_photons_.clear();
    photons_.for_each_in_square(canvas_, x, y, near_,
                                [&](std::int32_t k) { near_photons_.push_back(k); });
    return near_photons_;
}

// Photons near to those that have moved, if they feel it.
void Scene::wait_for_moves(double least_change) {
    for (const Moved& one : moved_) {
        if (!(one.by > least_change))
            continue;
        const Photon& moved = photons_[together_[one.place_in_fit]];
        for (const std::int32_t k : equations_.near(one.place_in_fit)) {
            const Photon& photon = photons_[k];
            const double d_x = photon.x - moved.x;
            const double d_y = photon.y - moved.y;
            const double apart = std::max(1.0 - (d_x * d_x + d_y * d_y) / (near_ * near_), 0.0);
            if (one.by * apart * apart * apart < least_change)
                continue;
            uncheck(k);
            wait(k);
        }
    }
}

void Scene::wait_if_crowded(std::int32_t k) {
    if (photons_[k].is_there && photons_[k].is_crowded)
        wait(k);
}

} // namespace hrixs::crowd
