// SPDX-License-Identifier: BSD-3-Clause
#include "crowd/canvas.hpp"
#include "crowd/kernels.hpp"
#include "crowd/profile.hpp"
#include "levels.hpp"
#include "placement/cloud_edges.hpp"
#include "same_bytes.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

using namespace hrixs;
using namespace hrixs::crowd;
using doctest::Approx;

namespace {

constexpr double sigmas[] = {0.3, 0.55, 0.9};
constexpr Light light{100.0F, 0.5F};

double share(double pixel, double place, double sigma) {
    return CloudEdge(pixel + 0.5 - place, sigma).share -
           CloudEdge(pixel - 0.5 - place, sigma).share;
}

// 40x40 pixels with nothing but noise of variance 4, and masked ones around them.
Canvas empty_canvas() {
    Canvas canvas(40, 40);
    for (std::int32_t i = 0; i < 7; ++i)
        for (std::int32_t j = 0; j < 7; ++j) {
            Tile& tile = canvas.tile(canvas.add(i, j));
            tile = Tile{};
            tile.i = i;
            tile.j = j;
            tile.has_masked = false;
            for (int row = 0; row < tile_size; ++row)
                std::fill(variance_of(tile, row), variance_of(tile, row) + tile_size, 4.0F);
        }
    return canvas;
}

const Tile& tile_with(const Canvas& canvas, Index x, Index y) {
    return canvas.tile(canvas.slot(Canvas::tile_of(x), Canvas::tile_of(y)));
}
int row_in_tile(Index x) {
    return static_cast<int>(x - Canvas::first_pixel(Canvas::tile_of(x)));
}
float rest_at(const Canvas& canvas, Index x, Index y) {
    return rest_of(tile_with(canvas, x, y), row_in_tile(x))[row_in_tile(y)];
}
float variance_at(const Canvas& canvas, Index x, Index y) {
    return variance_of(tile_with(canvas, x, y), row_in_tile(x))[row_in_tile(y)];
}

// What all kernels give for photons in places of their own.
std::vector<float> results(const Kernels& kernels, const Profile& profile) {
    std::mt19937 random(5);
    std::uniform_real_distribution<float> any(-0.5F, 0.5F);
    Canvas canvas = empty_canvas();
    for (std::int32_t slot = 0; slot < canvas.size(); ++slot)
        for (int p = 0; p < tile_pixels; ++p) {
            Tile& tile = canvas.tile(slot);
            tile.has_masked = slot % 5 == 0;
            rest_of(tile, p / tile_size)[p % tile_size] = 10.0F * any(random);
            if (tile.has_masked && p % 7 == 0)
                variance_of(tile, p / tile_size)[p % tile_size] = never;
        }
    const int reach = profile.reach();
    std::vector<float> all;
    std::vector<FitPhoton> photons;
    std::vector<Coupling> couplings;
    for (Index x = 6; x < 30; x += 2)
        for (Index y = 6; y < 30; y += 3) {
            const Window window = canvas.window(x, y, reach);
            const Place place{any(random), any(random)};
            const Place other{any(random), any(random)};
            kernels.exchange(window, profile.nodes(), light, x % 4 == 0 ? &other : nullptr, &place);
            const FittedPlace fitted = kernels.fit_place(window, profile.nodes(), light, place);
            const Amplitude own = kernels.amplitude_without(window, profile.nodes(), light, place);
            all.insert(all.end(), {fitted.place.x, fitted.place.y, fitted.amplitude.value,
                                   fitted.amplitude.variance, fitted.amplitude.seen, own.value,
                                   own.variance, own.seen});
            const auto a = static_cast<std::int32_t>(photons.size());
            photons.push_back({window, place});
            if (a > 0 && y > 6)
                couplings.push_back({a, a - 1, 0, 3, 0.0F, 0.0F, 0.0F, 0.0F});
        }
    std::vector<Cloud> clouds(photons.size(), Cloud{});
    std::vector<Equation> equations(photons.size());
    kernels.equations(photons.data(), static_cast<Index>(photons.size()), profile.nodes(), light,
                      clouds.data(), equations.data(), couplings.data(),
                      static_cast<Index>(couplings.size()));
    for (const Equation& one : equations)
        all.insert(all.end(), {one.g_x, one.g_y, one.h_xx, one.h_xy, one.h_yy});
    for (const Coupling& one : couplings)
        all.insert(all.end(), {one.xx, one.xy, one.yx, one.yy,
                               kernels.overlap(clouds[static_cast<std::size_t>(one.a)],
                                               clouds[static_cast<std::size_t>(one.b)], one.rows,
                                               one.columns)});
    for (std::size_t a = 0; a < photons.size(); ++a) {
        const Remainder left = kernels.remainder(photons[a].window, clouds[a], light);
        all.insert(all.end(), {left.chi2, left.excess, left.seen, left.pixels});
    }
    for (std::int32_t slot = 0; slot < canvas.size(); ++slot) {
        const TileSums sums = kernels.tile_sums(canvas.tile(slot), 0x0f0f00ffff00f0f0U);
        all.insert(all.end(), {sums.rest, sums.variance, sums.dark, static_cast<float>(sums.pixels),
                               static_cast<float>(sums.dark_pixels)});
    }
    for (std::int32_t i = 1; i < 6; ++i)
        for (std::int32_t j = 1; j < 6; ++j) {
            const Tile* tiles[3][3];
            for (std::int32_t p = 0; p < 3; ++p)
                for (std::int32_t q = 0; q < 3; ++q)
                    tiles[p][q] = &canvas.tile(canvas.slot(i + p - 1, j + q - 1));
            FoundSquares found[3];
            kernels.small_squares(tiles, 8.0F, found[0]);
            kernels.large_squares(tiles, 8.0F, found[1], found[2]);
            for (const FoundSquares& of_kind : found)
                for (int n = 0; n < of_kind.n; ++n)
                    all.insert(all.end(),
                               {of_kind.square[n].sum, static_cast<float>(of_kind.square[n].x),
                                static_cast<float>(of_kind.square[n].y)});
        }
    return all;
}

} // namespace

TEST_CASE("crowd: the same bytes at each level") {
    for (const double sigma : sigmas) {
        const Profile profile(sigma);
        const std::vector<float> known =
            results(kernels_of(baseline::kernels, profile.reach()), profile);
        CHECK(known.size() > 2000);
        for (const RowKernels* level : test::levels()) {
            const Kernels& kernels = kernels_of(*level, profile.reach());
            CHECK(test::same_bytes(results(kernels, profile), known));
        }
    }
    CHECK(&kernels_of(plain::kernels, 2) != &kernels_of(baseline::kernels, 2));
}

TEST_CASE("crowd: a profile is that of a cloud") {
    for (const double sigma : sigmas) {
        const Profile profile(sigma);
        CHECK(profile.reach() == (sigma > 0.65 ? 3 : 2));
        for (const double place : {-1.0, -0.37, 0.0, 0.203, 1.0}) {
            Shares shares;
            kernels_in_use(profile.reach())
                .shares(profile.nodes(), static_cast<float>(place), shares);
            for (int k = 0; k < lanes; ++k) {
                const bool inside = k <= 2 * profile.reach();
                const double pixel = k - profile.reach();
                const double wanted = inside ? share(pixel, place, sigma) : 0.0;
                CHECK(std::abs(static_cast<double>(shares.share[k]) - wanted) < 1e-6);
                const double slope =
                    inside
                        ? (share(pixel, place + 1e-4, sigma) - share(pixel, place - 1e-4, sigma)) /
                              2e-4
                        : 0.0;
                CHECK(std::abs(static_cast<double>(shares.slope[k]) - slope) < 1e-4);
            }
        }
    }
}

TEST_CASE("crowd: light is exchanged across tiles, and squares are summed there") {
    Canvas canvas = empty_canvas();
    const Profile profile(0.55);
    const Kernels& kernels = kernels_in_use(2);
    Shares along_x;
    Shares along_y;
    kernels.shares(profile.nodes(), 0.3F, along_x);
    kernels.shares(profile.nodes(), -0.2F, along_y);
    const Place place{0.3F, -0.2F};
    const Window window = canvas.window(15, 16, 2);
    CHECK(window.n_slots == 4);
    CHECK(canvas.window(11, 12, 2).n_slots == 1);
    kernels.exchange(window, profile.nodes(), light, &place, nullptr);
    for (int a = 0; a < 5; ++a)
        for (int k = 0; k < 5; ++k) {
            const float part = 100.0F * along_x.share[a] * along_y.share[k];
            CHECK(rest_at(canvas, 13 + a, 14 + k) == Approx(part).epsilon(1e-5));
            CHECK(variance_at(canvas, 13 + a, 14 + k) == Approx(4.0F - 0.5F * part).epsilon(1e-5));
        }
    std::vector<Square> found;
    for (std::int32_t i = 1; i < 6; ++i)
        for (std::int32_t j = 1; j < 6; ++j) {
            const Tile* tiles[3][3];
            for (std::int32_t p = 0; p < 3; ++p)
                for (std::int32_t q = 0; q < 3; ++q)
                    tiles[p][q] = &canvas.tile(canvas.slot(i + p - 1, j + q - 1));
            FoundSquares left;
            kernels.small_squares(tiles, 10.0F, left);
            found.insert(found.end(), left.square, left.square + left.n);
        }
    REQUIRE(found.size() == 1);
    CHECK(found[0].row == 15);
    CHECK(found[0].column == 15);
    CHECK(found[0].sum == Approx(rest_at(canvas, 15, 15) + rest_at(canvas, 15, 16) +
                                 rest_at(canvas, 16, 15) + rest_at(canvas, 16, 16)));
    CHECK(found[0].x == Approx(15.3).epsilon(0.01));
    kernels.exchange(window, profile.nodes(), light, nullptr, &place);
    for (Index x = 0; x < 40; ++x)
        for (Index y = 0; y < 40; ++y) {
            CHECK(std::abs(rest_at(canvas, x, y)) < 1e-5F);
            CHECK(std::abs(variance_at(canvas, x, y) - 4.0F) < 1e-5F);
        }
}

TEST_CASE("crowd: squares are found at any limit, as by one addition after the other") {
    std::mt19937 random(7);
    std::normal_distribution<float> noise(0.0F, 2.0F);
    Canvas canvas = empty_canvas();
    for (Index x = -8; x < 48; ++x)
        for (Index y = -8; y < 48; ++y) {
            Tile& tile = canvas.tile(canvas.slot(Canvas::tile_of(x), Canvas::tile_of(y)));
            rest_of(tile, row_in_tile(x))[row_in_tile(y)] = noise(random);
        }
    const auto sum_at = [&](int size, Index x, Index y) {
        float sum = 0.0F;
        for (int a = 0; a < size; ++a) {
            float line = 0.0F;
            for (int k = 0; k < size; ++k)
                line = k == 0 ? rest_at(canvas, x + a, y) : line + rest_at(canvas, x + a, y + k);
            sum = a == 0 ? line : sum + line;
        }
        return sum;
    };
    const auto is_found = [&](int size, float sign, float limit, Index x, Index y) {
        const float sum = sign * sum_at(size, x, y);
        bool found = sum > limit;
        for (Index i = -1; i <= 1; ++i)
            for (Index j = -1; j <= 1; ++j) {
                const bool is_before = i < 0 || (i == 0 && j < 0);
                const float other = sign * sum_at(size, x + i, y + j);
                found = found && ((i == 0 && j == 0) || (is_before ? sum >= other : sum > other));
            }
        return found;
    };
    for (const RowKernels* level : test::levels()) {
        const Kernels& kernels = kernels_of(*level, 2);
        for (const float limit : {0.5F, 4.0F, 8.0F, 11.0F, 20.0F, 40.0F}) {
            Index n_found = 0;
            Index n_wanted = 0;
            for (std::int32_t slot = 0; slot < canvas.size(); ++slot) {
                const TileState& state = canvas.state(slot);
                if (state.i < 1 || state.j < 1 || state.i > 5 || state.j > 5)
                    continue;
                const Tile* tiles[3][3];
                canvas.around(slot, tiles);
                FoundSquares found[3];
                kernels.small_squares(tiles, limit, found[0]);
                kernels.large_squares(tiles, limit, found[1], found[2]);
                for (const FoundSquares& of_kind : found)
                    n_found += of_kind.n;
                for (Index p = 0; p < tile_pixels; ++p) {
                    const Index x = Canvas::first_pixel(state.i) + p / tile_size;
                    const Index y = Canvas::first_pixel(state.j) + p % tile_size;
                    n_wanted += is_found(2, 1.0F, limit, x, y) ? 1 : 0;
                    n_wanted += is_found(4, 1.0F, limit, x, y) ? 1 : 0;
                    n_wanted += is_found(4, -1.0F, limit, x, y) ? 1 : 0;
                }
            }
            CHECK(n_found == n_wanted);
            CHECK((n_wanted > 0) == (limit < 40.0F));
        }
    }
}

TEST_CASE("crowd: tiles are filled with counts above a level, and added up") {
    std::mt19937 random(9);
    std::uniform_int_distribution<int> count(0, 65535);
    constexpr Index row_step = 11;
    std::vector<std::uint16_t> pixels(row_step * tile_size);
    for (std::uint16_t& pixel : pixels)
        pixel = static_cast<std::uint16_t>(count(random));
    constexpr double level = 201.37;
    for (const RowKernels* one : test::levels()) {
        const Kernels& kernels = kernels_of(*one, 2);
        Tile tile;
        kernels.fill_counts(pixels.data(), row_step, level, 2.5F, tile);
        for (int a = 0; a < tile_size; ++a)
            for (int k = 0; k < tile_size; ++k) {
                const double pixel = pixels[static_cast<std::size_t>(a * row_step + k)];
                CHECK(rest_of(tile, a)[k] == static_cast<float>(pixel - level));
                CHECK(variance_of(tile, a)[k] == 2.5F);
            }
        for (int k = 0; k < tile_size; ++k)
            rest_of(tile, 3)[k] = static_cast<float>(k);
        // In one way and the other.
        tile.has_masked = true;
        const TileSums chosen = kernels.tile_sums(tile, 0);
        tile.has_masked = false;
        const TileSums plain_sums = kernels.tile_sums(tile, 0);
        CHECK(plain_sums.rest == chosen.rest);
        CHECK(plain_sums.variance == chosen.variance);
        CHECK(plain_sums.dark == chosen.dark);
        CHECK(plain_sums.pixels == tile_pixels);
        CHECK(plain_sums.dark_pixels == chosen.dark_pixels);
        // Numbers 0 to 6 of that row are within four widths; 0 and 2 are lit.
        CHECK(plain_sums.dark == 21.0F);
        CHECK(kernels.tile_sums(tile, std::uint64_t{5} << (3 * tile_size)).dark == 19.0F);
        CHECK(kernels.tile_sums(tile, std::uint64_t{5} << (3 * tile_size)).dark_pixels ==
              chosen.dark_pixels - 2);
    }
}
