// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/frame_counts.hpp"

#include "hrixs/errors.hpp"
#include "images.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <random>
#include <tuple>

using namespace hrixs;
using namespace hrixs::test;
using doctest::Approx;

namespace {

// Noise of 1.5 ADU about 100, with a bright pixel in a hundred.
Stack<std::uint16_t> noisy_stack(Index n, Index nx, Index ny) {
    std::mt19937 generator(3);
    std::normal_distribution<double> noise(100.0, 1.5);
    Stack<std::uint16_t> stack(n, nx, ny);
    for (std::uint16_t& pixel : stack.pixels)
        pixel = static_cast<std::uint16_t>(std::lround(noise(generator)) +
                                           (generator() % 100 == 0 ? 80 : 0));
    return stack;
}

bool same(const ValueCounts& a, const ValueCounts& b) {
    const auto numbers = [](const ValueCounts& one) {
        return std::make_tuple(one.n, one.lowest, one.highest, one.median, one.lower,
                               one.first_edge, one.bin_width);
    };
    return numbers(a) == numbers(b) && a.counts == b.counts && std::abs(a.level - b.level) < 1e-9 &&
           std::abs(a.noise - b.noise) < 1e-9;
}

} // namespace

TEST_CASE("counts: a small frame by hand") {
    Image<std::uint16_t> image(2, 3);
    const std::uint16_t pixels[] = {1, 2, 3, 4, 6, 60000};
    std::copy(std::begin(pixels), std::end(pixels), image.pixels.begin());
    const auto [of_pixels, of_squares] = count_frames(image.frames(), {}, 1.0, {})[0];
    CHECK(of_pixels.n == 6);
    CHECK(of_pixels.lowest == 1.0);
    CHECK(of_pixels.highest == 60000.0);
    CHECK(of_pixels.median == 3.5);
    CHECK(of_pixels.lower == 1.0);
    CHECK(of_squares.n == 2);
    CHECK(of_squares.lowest == 13.0);
    CHECK(of_squares.highest == 60011.0);
    CHECK(of_pixels.bin_width == 1.0);
    CHECK(of_pixels.first_edge == 3.0 - 0.5 - 128.0);
    CHECK(of_pixels.counts[128] == 1); // the middle one of six, which is 3
    CHECK(of_pixels.counts[131] == 1);
    CHECK(of_pixels.counts[130] == 0);
}

TEST_CASE("counts: noise is that of most pixels, and of squares twice that") {
    const auto stack = noisy_stack(1, 128, 200);
    const auto [of_pixels, of_squares] = count_frames(stack.frames(), {}, 1.0, {})[0];
    CHECK(of_pixels.level == Approx(100.0).epsilon(1e-3));
    CHECK(of_pixels.noise == Approx(1.53).epsilon(0.03));
    CHECK(of_squares.noise == Approx(3.06).epsilon(0.05));
}

TEST_CASE("counts: one for one, and as doubles, they are the same") {
    const auto counts = noisy_stack(3, 40, 61);
    const Stack<double> doubles(counts);
    const Stack<std::int32_t> whole(counts);
    Image<std::uint8_t> mask(40, 61);
    mask(3, 4) = mask(0, 60) = mask(39, 0) = 1;
    for (const CameraCorrection& camera :
         {CameraCorrection{}, CameraCorrection{std::nullopt, mask.view()}}) {
        const auto one = count_frames(counts.frames(), camera, 1.0, {});
        const auto other = count_frames(doubles.frames(), camera, 1.0, {});
        const auto third = count_frames(whole.frames(), camera, 1.0, {});
        CHECK(one[0].pixels.n == 40 * 61 - (camera.mask ? 3 : 0));
        CHECK(one[0].squares.n == 39 * 60 - (camera.mask ? 4 + 1 + 1 : 0));
        for (std::size_t frame = 0; frame < 3; ++frame) {
            CHECK(same(one[frame].pixels, other[frame].pixels));
            CHECK(same(one[frame].squares, other[frame].squares));
            CHECK(same(one[frame].pixels, third[frame].pixels));
        }
    }
}

TEST_CASE("counts: pixels alone are counted as those beside squares") {
    const auto compare = [](const Stack<std::uint16_t>& stack) {
        const auto alone = count_frames(stack.frames(), {}, 1.0, {2}, false);
        const auto beside = count_frames(stack.frames(), {}, 1.0, {1}, true);
        REQUIRE(alone.size() == beside.size());
        for (std::size_t frame = 0; frame < alone.size(); ++frame) {
            CHECK(same(alone[frame].pixels, beside[frame].pixels));
            CHECK(alone[frame].squares.n == 0);
        }
    };
    for (const Index ny : {2, 3, 5, 64, 301}) {
        auto stack = noisy_stack(3, 20, ny);
        compare(stack);
        for (std::uint16_t& pixel : stack.pixels)
            pixel = static_cast<std::uint16_t>(pixel + 65300); // over the highest, to the lowest
        compare(stack);
        for (const std::uint16_t at_middle : {0, 127, 128, 300, 40'000, 65'279, 65'535}) {
            for (Index frame = 0; frame < 3; ++frame)
                stack(frame, 10, ny / 2) = at_middle;
            compare(stack);
        }
        for (std::size_t k = 0; k < stack.pixels.size(); ++k)
            stack.pixels[k] = static_cast<std::uint16_t>(k * 7919);
        compare(stack);
    }
}

TEST_CASE("counts: any number of threads gives the same bytes") {
    const auto counts = noisy_stack(5, 64, 64);
    const auto one = count_frames(counts.frames(), {}, 1.0, {1});
    const auto four = count_frames(counts.frames(), {}, 1.0, {4});
    for (std::size_t frame = 0; frame < one.size(); ++frame)
        CHECK(std::memcmp(&one[frame].pixels, &four[frame].pixels, offsetof(ValueCounts, counts)) ==
              0);
    for (std::size_t frame = 0; frame < one.size(); ++frame)
        CHECK(one[frame].squares.counts == four[frame].squares.counts);
}

TEST_CASE("counts: a sample that is not like the rest is not trusted") {
    // Every pixel that the sample takes is 0.
    Image<double> image(200, 200);
    for (std::size_t k = 0; k < image.pixels.size(); ++k)
        image.pixels[k] = k % 10 == 0 ? 0.0 : 5.0 + static_cast<double>(k % 7);
    const ValueCounts found = count_frames(image.frames(), {}, 0.0, {})[0].pixels;
    std::vector<double> sorted = image.pixels;
    std::sort(sorted.begin(), sorted.end());
    CHECK(found.median == 0.5 * (sorted[19999] + sorted[20000]));
    CHECK(found.lower == sorted[static_cast<std::size_t>(0.1587 * 39999)]);
}

TEST_CASE("counts: nothing to count is NaN, and equal pixels have no noise") {
    Image<std::uint16_t> image(4, 4, 7);
    Image<std::uint8_t> all(4, 4, 1);
    const CameraCorrection masked{std::nullopt, all.view()};
    const ValueCounts nothing = count_frames(image.frames(), masked, 1.0, {})[0].pixels;
    CHECK(nothing.n == 0);
    CHECK(std::isnan(nothing.median));
    const ValueCounts flat = count_frames(image.frames(), {}, 1.0, {})[0].pixels;
    CHECK(flat.noise == 0.0);
    CHECK(flat.counts[128] == 16);
    Image<double> real(4, 4, 0.1);
    const ValueCounts same_all = count_frames(real.frames(), {}, 0.0, {})[0].pixels;
    CHECK(same_all.noise == 0.0);
    CHECK(same_all.bin_width == 0.0);
    CHECK(same_all.median == 0.1);
}

TEST_CASE("counts: NaN that is not masked is refused, and so is a step that is none") {
    Image<double> image(4, 4, 1.0);
    image(1, 2) = not_a_number;
    CHECK_THROWS_AS(count_frames(image.frames(), {}, 0.0, {}), NonFinitePixels);
    image(1, 2) = infinity;
    CHECK_THROWS_AS(count_frames(image.frames(), {}, 0.0, {}), NonFinitePixels);
    CHECK_THROWS_AS(count_frames(image.frames(), {}, -1.0, {}), ParameterError);
}
