// SPDX-License-Identifier: BSD-3-Clause
#include "crowd/search.hpp"

#include "crowd/candidate.hpp"

#include <algorithm>

namespace hrixs::crowd {

namespace {

// Amplitudes, in photons. A new photon needs at least the first, and when there are no more such
// ones, in a place where light is left over, the second.
constexpr float faint = 0.4F;
constexpr float faintest = 0.1F;
constexpr float least_amplitude = 0.55F; // of a photon, when its neighbours have moved for it
constexpr float square_part = 0.7F;      // of the first, for the 2x2 square of a candidate
constexpr int wide_square = 4;
constexpr float left_over = 0.5F; // photons in such a square of what is left, or taken too much
constexpr double overfull_reach = 2.5; // of the photon too many, from there; pixels
constexpr std::size_t seeds_ahead = 6; // whose pixels are fetched
constexpr int most_rounds = 10;
constexpr int most_wide_rounds = 6;
// While photons are still added, places need not be right.
constexpr Patience coarse{0.3, 3};
constexpr Patience fine{0.025, 12};

// In bands of the frame one after the other, which keeps what is worked on together.
void sort_brightest_first(std::vector<Square>& squares) {
    constexpr Index band = 32;
    std::sort(squares.begin(), squares.end(), [](const Square& a, const Square& b) {
        if (a.row / band != b.row / band)
            return a.row / band < b.row / band;
        return a.sum != b.sum   ? a.sum > b.sum
               : a.row != b.row ? a.row < b.row
                                : a.column < b.column;
    });
}

} // namespace

// Where photons may be missing, or one be too many, in what has changed.
void Search::collect(float limit, bool wide) {
    candidates_.clear();
    overfull_.clear();
    scene_.take_changed(changed_);
    FoundSquares left;
    FoundSquares taken;
    for (const std::int32_t slot : changed_) {
        const Canvas& canvas = scene_.canvas();
        const Tile* tiles[3][3];
        canvas.around(slot, tiles);
        if (wide) {
            scene_.kernels().large_squares(tiles, limit, left, taken);
            overfull_.insert(overfull_.end(), taken.square, taken.square + taken.n);
        } else {
            scene_.kernels().small_squares(tiles, limit, left);
        }
        candidates_.insert(candidates_.end(), left.square, left.square + left.n);
    }
    sort_brightest_first(candidates_);
    sort_brightest_first(overfull_);
}

// Of a wide square, as it is now; ADU.
float Search::left_in(const Square& square) {
    const Canvas& canvas = scene_.canvas();
    float sum = 0.0F;
    for (Index x = square.row; x < square.row + wide_square; ++x)
        for (Index y = square.column; y < square.column + wide_square; ++y) {
            const std::int32_t i = Canvas::tile_of(x);
            const std::int32_t j = Canvas::tile_of(y);
            const Tile& tile = canvas.tile(canvas.slot(i, j));
            const int row = static_cast<int>(x - Canvas::first_pixel(i));
            const Index k = y - Canvas::first_pixel(j);
            sum += variance_of(tile, row)[k] < never ? rest_of(tile, row)[k] : 0.0F;
        }
    return sum;
}

// Takes out the photon with the least amplitude in places where more light was taken than there is.
Index Search::empty_overfull() {
    Index removed = 0;
    for (const Square& square : overfull_) {
        if (!(-left_in(square) > left_over * scene_.light().charge))
            continue;
        std::int32_t weakest = none;
        float least = never;
        scene_.photons().for_each_in_square(
            scene_.canvas(), square.x, square.y, overfull_reach, [&](std::int32_t k) {
                const float value = scene_.amplitude_without(k).value;
                if (value < least || (value == least && k < weakest)) {
                    least = value;
                    weakest = k;
                }
            });
        if (weakest == none)
            continue;
        scene_.remove(weakest);
        ++removed;
    }
    return removed;
}

Index Search::add_candidates(float limit, bool wide, Index max_photons) {
    Index added = 0;
    for (const Square& candidate : candidates_) {
        if (is_full(max_photons))
            break;
        if (wide && !(left_in(candidate) > left_over * scene_.light().charge))
            continue;
        added += try_candidate(scene_, candidate.x, candidate.y, limit, wide) ? 1 : 0;
    }
    return added;
}

Index Search::prune() {
    Index removed = 0;
    scene_.take_unchecked(unchecked_);
    for (const std::int32_t k : unchecked_) {
        if (!scene_.photons()[k].is_there || scene_.amplitude_without(k).value >= least_amplitude)
            continue;
        scene_.remove(k);
        ++removed;
    }
    return removed;
}

// Gives how many photons came and went before all were fitted again.
Index Search::round(bool wide, Index max_photons) {
    const float part =
        wide ? left_over
             : faint * square_part * static_cast<float>(scene_.profile().square_share());
    collect(part * scene_.light().charge, wide);
    const Index removed = empty_overfull();
    if (removed > 0)
        scene_.settle(coarse);
    const Index added = add_candidates(wide ? faintest : faint, wide, max_photons);
    scene_.settle(coarse);
    if (prune() > 0)
        scene_.settle(coarse);
    return removed + added;
}

// Band by band, in what the seeds' light is.
void Search::find_photons(const std::vector<Seed>& seeds, Index max_photons) {
    const Index nx = scene_.canvas().nx();
    by_band_.sort(static_cast<std::int32_t>(seeds.size()), n_bands(nx), [&](std::int32_t k) {
        return band_at(seeds[static_cast<std::size_t>(k)].x, nx);
    });
    for (Index band = 0; band < n_bands(nx); ++band) {
        const std::span<const std::int32_t> here = by_band_[band];
        for (std::size_t n = 0; n < here.size(); ++n) {
            if (n + seeds_ahead < here.size()) {
                const Seed& next = seeds[static_cast<std::size_t>(here[n + seeds_ahead])];
                scene_.fetch(next.x, next.y);
            }
            const Seed& seed = seeds[static_cast<std::size_t>(here[n])];
            scene_.search_around(static_cast<double>(seed.x) + 0.5,
                                 static_cast<double>(seed.y) + 0.5);
        }
        for (int k = 0; k < most_rounds && !is_full(max_photons); ++k)
            if (round(false, max_photons) == 0)
                break;
        scene_.forget_changes_before(band * band_rows);
    }
}

// Where there is more or less light left than noise.
void Search::balance_light(Index max_photons) {
    const Canvas& canvas = scene_.canvas();
    by_band_.sort(canvas.size(), n_bands(canvas.nx()), [&](std::int32_t slot) {
        return band_at(Canvas::first_pixel(canvas.state(slot).i), canvas.nx());
    });
    for (Index band = 0; band < n_bands(canvas.nx()); ++band) {
        for (const std::int32_t slot : by_band_[band])
            scene_.change(slot);
        for (int k = 0; k < most_wide_rounds && !is_full(max_photons); ++k)
            if (round(true, max_photons) == 0)
                break;
        scene_.forget_changes_before(band * band_rows);
    }
}

void Search::settle_all() {
    const Index nx = scene_.canvas().nx();
    by_band_.sort(scene_.photons().size(), n_bands(nx),
                  [&](std::int32_t k) { return band_at(scene_.photons()[k].centre_x, nx); });
    for (Index band = 0; band < n_bands(nx); ++band) {
        for (const std::int32_t k : by_band_[band])
            scene_.wait_if_crowded(k);
        scene_.settle(fine);
    }
}

void Search::run(const TileSource& source, const std::vector<Seed>& seeds, Light light,
                 Index max_photons) {
    scene_.begin(source, light, seeds.size());
    find_photons(seeds, max_photons);
    balance_light(max_photons);
    if (!is_full(max_photons))
        settle_all();
}

} // namespace hrixs::crowd
