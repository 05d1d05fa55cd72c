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
constexpr int most_rounds = 10;
constexpr int most_wide_rounds = 6;
// While photons are still added, places need not be right.
constexpr Patience coarse{0.2, 3};
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
    for (const std::int32_t slot : changed_) {
        const Tile& tile = scene_.canvas().tile(slot);
        if (wide) {
            const Squares<wide_square> squares(scene_.canvas(), tile);
            squares.find(1.0F, limit, candidates_);
            squares.find(-1.0F, limit, overfull_);
        } else {
            Squares<2>(scene_.canvas(), tile).find(1.0F, limit, candidates_);
        }
    }
    sort_brightest_first(candidates_);
    sort_brightest_first(overfull_);
}

// Takes out the photon with the least amplitude in places where more light was taken than there is.
template <int Reach> Index Search::empty_overfull() {
    Index removed = 0;
    for (const Square& square : overfull_) {
        if (!(-sum_now<wide_square>(scene_.canvas(), square) > left_over * scene_.light().charge))
            continue;
        std::int32_t weakest = none;
        float least = never;
        scene_.photons().for_each_near(
            scene_.canvas(), square.x, square.y, overfull_reach, [&](std::int32_t k) {
                const float value = scene_.amplitude_without<Reach>(k).value;
                if (value < least || (value == least && k < weakest)) {
                    least = value;
                    weakest = k;
                }
            });
        if (weakest == none)
            continue;
        scene_.remove<Reach>(weakest);
        ++removed;
    }
    return removed;
}

template <int Reach> Index Search::add_candidates(float limit, bool wide, Index max_photons) {
    Index added = 0;
    for (const Square& candidate : candidates_) {
        if (scene_.photons().n_there() > max_photons)
            break;
        if (wide &&
            !(sum_now<wide_square>(scene_.canvas(), candidate) > left_over * scene_.light().charge))
            continue;
        added += try_candidate<Reach>(scene_, candidate.x, candidate.y, limit, wide) ? 1 : 0;
    }
    return added;
}

template <int Reach> Index Search::prune() {
    PhotonList& photons = scene_.photons();
    Index removed = 0;
    for (std::int32_t k = 0; k < photons.size(); ++k) {
        if (!photons[k].is_there || photons[k].is_checked)
            continue;
        photons[k].is_checked = true;
        if (scene_.amplitude_without<Reach>(k).value >= least_amplitude)
            continue;
        scene_.remove<Reach>(k);
        ++removed;
    }
    return removed;
}

// Gives how many photons came and went before all were fitted again.
template <int Reach> Index Search::round(bool wide, Index max_photons) {
    const float part =
        wide ? left_over
             : faint * square_part * static_cast<float>(scene_.profile().square_share());
    collect(part * scene_.light().charge, wide);
    const Index removed = empty_overfull<Reach>();
    if (removed > 0)
        scene_.settle<Reach>(coarse);
    const Index added = add_candidates<Reach>(wide ? faintest : faint, wide, max_photons);
    scene_.settle<Reach>(coarse);
    if (prune<Reach>() > 0)
        scene_.settle<Reach>(coarse);
    return removed + added;
}

template <int Reach> void Search::run_with(Index max_photons) {
    const auto is_full = [&] { return scene_.photons().n_there() > max_photons; };
    for (int k = 0; k < most_rounds && !is_full(); ++k)
        if (round<Reach>(false, max_photons) == 0)
            break;
    scene_.change_all();
    for (int k = 0; k < most_wide_rounds && !is_full(); ++k)
        if (round<Reach>(true, max_photons) == 0)
            break;
    if (is_full())
        return;
    scene_.wait_all_with_neighbours();
    scene_.settle<Reach>(fine);
}

void Search::run(const TileSource& source, const std::vector<Seed>& seeds, Light light,
                 Index max_photons) {
    scene_.begin(source, light);
    for (const Seed& seed : seeds)
        scene_.search_around(static_cast<double>(seed.x) + 0.5, static_cast<double>(seed.y) + 0.5);
    if (scene_.profile().reach() == 2)
        run_with<2>(max_photons);
    else
        run_with<3>(max_photons);
}

} // namespace hrixs::crowd
