// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/find.hpp"

#include "images.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

using namespace hrixs;
using namespace hrixs::test;
using doctest::Approx;

namespace {

template <class Pixel>
FoundPhotons find(const Stack<Pixel>& stack, double threshold, const CameraCorrection& camera = {},
                  std::optional<double> dbl_threshold = {}) {
    return find_photons(stack.frames(), camera, {threshold, 0.0, dbl_threshold, 1000}, {});
}

FoundPhotons find_by_std(const Image<double>& image, double std_threshold,
                         const CameraCorrection& camera = {}) {
    return find_photons(image.frames(), camera, {{}, std_threshold, {}, 1000}, {});
}

// Base 36 / 36 = 1, square 36 at (2, 2), spot 36 - 16 = 20 at its middle.
template <class Pixel = double> Image<Pixel> block_of_nines() {
    Image<Pixel> image(6, 6);
    put_block(image, 0, 2, 2, Pixel{9});
    return image;
}

void check_one(const FoundPhotons& found, double x, double y, double charge) {
    REQUIRE(found.table.size() == 1);
    CHECK(found.table.x[0] == Approx(x).epsilon(1e-14));
    CHECK(found.table.y[0] == Approx(y).epsilon(1e-14));
    CHECK(found.table.charge[0] == Approx(charge).epsilon(1e-14));
}

} // namespace

TEST_CASE("find: a block of four pixels") {
    const FoundPhotons found = find(block_of_nines(), 30.0);
    check_one(found, 2.5, 2.5, 20.0);
    CHECK(found.table.frame[0] == 0);
    CHECK(found.table.is_double[0] == 0);
    CHECK(found.frame_mean == std::vector<double>{1.0});
    CHECK(found.threshold == std::vector<double>{30.0});
    CHECK(found.n_dropped == std::vector<Index>{0});
}

TEST_CASE("find: of a plateau the last square in row-major order") {
    // 36 at (2, 3), mean 1: the squares at (1..2, 2..3) are equal, the 4x4 of the last is
    // (1..4, 2..5). x = (2 * 36 - 16 * 2.5) / 20, y = (3 * 36 - 16 * 3.5) / 20.
    Image<double> image(6, 6);
    image(2, 3) = 36.0;
    check_one(find(image, 30.0), 1.6, 2.6, 20.0);
}

TEST_CASE("find: the threshold has to be exceeded") {
    CHECK(find(block_of_nines(), 36.0).table.size() == 0);
    CHECK(find(block_of_nines(), 35.999).table.size() == 1);
}

TEST_CASE("find: a threshold from the statistics of the squares") {
    // 9 at (2, 2) and 4 x 4 frame: 4 of 9 squares are 9, mean 4, std sqrt(36 - 16).
    Image<double> image(4, 4);
    image(2, 2) = 9.0;
    image(0, 0) = -9.0; // its only square makes the mean 3, the std sqrt(45 - 9) = 6
    CHECK(find_by_std(image, 0.5).threshold[0] == Approx(6.0).epsilon(1e-14));
    CHECK(find_by_std(image, 1.0).threshold[0] == Approx(9.0).epsilon(1e-14));

    // 16 at (1, 1), (3, 3) masked: of 8 squares 4 are 16, mean 8, std 8, and 16 is not above 16.
    Image<double> cornered(4, 4);
    cornered(1, 1) = 16.0;
    Image<std::uint8_t> mask(4, 4);
    mask(3, 3) = 1;
    const auto hits = [&](double std_threshold) {
        const FoundPhotons found = find_by_std(cornered, std_threshold, {{}, mask.view()});
        return found.table.size() + found.n_dropped[0];
    };
    CHECK(hits(0.99) == 1);
    CHECK(hits(1.0) == 0);
}

TEST_CASE("find: the 4x4 around a square lies inside the frame") {
    for (const auto& [nx, ny] : {std::pair<Index, Index>{5, 7}, {7, 5}, {6, 6}})
        for (Index x = 0; x + 1 < nx; ++x)
            for (Index y = 0; y + 1 < ny; ++y) {
                CAPTURE(x);
                CAPTURE(y);
                Image<double> image(nx, ny);
                put_block(image, 0, x, y, 35.0);
                const bool inside = x >= 1 && x + 3 <= nx && y >= 1 && y + 3 <= ny;
                CHECK(find(image, 100.0).table.size() == (inside ? 1 : 0));
            }
}

TEST_CASE("find: a spot not above the frame's mean is dropped and counted") {
    // In a 4x4 frame the one spot is the frame itself, its sum 0.
    Image<double> smallest(4, 4);
    put_block(smallest, 0, 1, 1, 9.0);
    CHECK(find(smallest, 30.0).table.size() == 0);
    CHECK(find(smallest, 30.0).n_dropped[0] == 1);

    Image<double> beside_a_glare = block_of_nines();
    beside_a_glare(5, 5) = 360.0; // mean 11, spot 36 - 176
    CHECK(find(beside_a_glare, 30.0).table.size() == 0);
    CHECK(find(beside_a_glare, 30.0).n_dropped[0] == 1);
}

TEST_CASE("find: a double hit exceeds the double threshold with its spot") {
    CHECK(find(block_of_nines(), 30.0, {}, 20.0).table.is_double[0] == 0);
    CHECK(find(block_of_nines(), 30.0, {}, 19.999).table.is_double[0] == 1);
}

TEST_CASE("find: a masked pixel takes part in nothing") {
    // Base 36 / 35, charge 36 - 15 * 36 / 35 = 144 / 7, x = (2.5 * 35 - 39) / 20.
    Image<std::uint8_t> mask(6, 6);
    mask(1, 1) = 1;
    for (const double value : {0.0, 1e300, -1e300, not_a_number}) {
        Image<double> image = block_of_nines();
        image(1, 1) = value;
        const FoundPhotons found = find(image, 30.0, {{}, mask.view()});
        check_one(found, 2.425, 2.425, 144.0 / 7.0);
        CHECK(found.frame_mean[0] == Approx(36.0 / 35.0).epsilon(1e-15));
    }
    // A square with a masked pixel is no hit.
    CHECK(find(block_of_nines(), 1.0, {{}, Image<std::uint8_t>(6, 6, 1).view()}).table.size() == 0);
}

TEST_CASE("find: dark above the pixels, and saturated pixels") {
    Image<std::uint16_t> image = block_of_nines<std::uint16_t>();
    const Image<double> dark(6, 6, 100.0);
    const FoundPhotons found = find(image, -370.0, {dark.view(), {}});
    check_one(found, 2.5, 2.5, 20.0);
    CHECK(found.frame_mean[0] == -99.0);

    // A square of 4 * 65535 on a mean of 65535 / 9: the spot is 4 * 65535 * (1 - 4 / 9).
    put_block(image, 0, 2, 2, std::uint16_t{65535});
    check_one(find(image, 262139.0), 2.5, 2.5, 262140.0 * 5.0 / 9.0);
    CHECK(find(image, 262140.0).table.size() == 0);
    const FoundPhotons flat = find(Image<std::uint16_t>(8, 8, 65535), 262139.0);
    CHECK(flat.frame_mean[0] == 65535.0);
    CHECK(flat.table.size() == 0);
}

TEST_CASE("find: frames in order, hits of a frame in row-major order") {
    Stack<double> stack(3, 6, 8);
    put_block(stack, 2, 3, 1, 9.0);
    put_block(stack, 2, 1, 5, 9.0);
    put_block(stack, 0, 2, 3, 9.0);
    const PhotonTable table = find(stack, 30.0).table;
    CHECK(table.frame == std::vector<Index>{0, 2, 2});
    CHECK(table.x == std::vector<double>{2.5, 1.5, 3.5});
    CHECK(table.y == std::vector<double>{3.5, 5.5, 1.5});
}

TEST_CASE("find: counts above a dark give the photons that doubles give") {
    const Stack<std::uint16_t> counts = random_stack(2, 520, 70, 1);
    const Stack<double> doubles(counts);
    Image<double> dark(520, 70);
    for (std::size_t k = 0; k < dark.pixels.size(); ++k)
        dark.pixels[k] = 20.0 + 0.37 * static_cast<double>(k * 7919 % 64);
    Image<float> float_dark(520, 70, 12.25F);
    for (const CameraCorrection& camera : {CameraCorrection{}, CameraCorrection{dark.view(), {}},
                                           CameraCorrection{float_dark.view(), {}}})
        for (const std::optional<double> threshold :
             {std::optional<double>{}, std::optional<double>{480.0}}) {
            const FindSettings settings{threshold, 1.5, {}, 100000};
            const FoundPhotons one = find_photons(counts.frames(), camera, settings, {});
            const FoundPhotons other = find_photons(doubles.frames(), camera, settings, {});
            REQUIRE(one.table.size() > 100);
            REQUIRE(one.table.size() == other.table.size());
            CHECK(one.table.frame == other.table.frame);
            for (std::size_t k = 0; k < one.table.x.size(); ++k) {
                CHECK(one.table.x[k] == Approx(other.table.x[k]).epsilon(1e-9));
                CHECK(one.table.y[k] == Approx(other.table.y[k]).epsilon(1e-9));
                CHECK(one.table.charge[k] == Approx(other.table.charge[k]).epsilon(1e-9));
            }
            for (std::size_t frame = 0; frame < 2; ++frame) {
                CHECK(one.frame_mean[frame] == Approx(other.frame_mean[frame]).epsilon(1e-12));
                CHECK(one.threshold[frame] == Approx(other.threshold[frame]).epsilon(1e-9));
            }
        }
}
