// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/pixel_statistics.hpp"

#include "hrixs/errors.hpp"
#include "images.hpp"
#include "same_bytes.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace hrixs;
using namespace hrixs::test;
using doctest::Approx;

namespace {

// A pixel's values over five frames, in a chip of 9 x 300 pixels.
template <class Pixel> Stack<Pixel> stack_of(const std::vector<double>& values) {
    Stack<Pixel> stack(static_cast<Index>(values.size()), 9, 300, Pixel{100});
    for (std::size_t frame = 0; frame < values.size(); ++frame)
        stack(static_cast<Index>(frame), 8, 299) = static_cast<Pixel>(values[frame]);
    return stack;
}

constexpr std::size_t last = 9 * 300 - 1;

} // namespace

TEST_CASE("pixel statistics: a track in one frame is left out") {
    const auto stack = stack_of<std::uint16_t>({98, 102, 4000, 100, 99});
    const std::vector<double> offsets(5, 0.0);
    const auto found = pixel_statistics(stack.frames(), offsets, {5.0, 1.5, {}, {}}, {});
    CHECK(found.median[last] == 100.0);
    CHECK(found.n_kept[last] == 4);
    CHECK(found.total[last] == 399.0);
    CHECK(found.noise[last] == Approx(std::sqrt(8.75 / 3)));
    CHECK(found.n_kept[0] == 5);
    CHECK(found.total[0] == 500.0);
    CHECK(found.noise[0] == 0.0);
    CHECK(found.n_left_out == std::vector<Index>{0, 0, 1, 0, 0});
}

TEST_CASE("pixel statistics: of two frames the lower one is right") {
    const auto stack = stack_of<std::int32_t>({5000, 101});
    const auto found =
        pixel_statistics(stack.frames(), std::vector<double>(2, 0.0), {5.0, 1.5, {}, {}}, {});
    CHECK(found.n_kept[last] == 1);
    CHECK(found.total[last] == 101.0);
    CHECK(found.noise[last] == 0.0);
}

TEST_CASE("pixel statistics: a frame's offset is subtracted") {
    auto stack = stack_of<std::uint16_t>({100, 100, 100, 100});
    for (Index x = 0; x < 9; ++x)
        for (Index y = 0; y < 300; ++y)
            stack(2, x, y) = static_cast<std::uint16_t>(stack(2, x, y) + 30);
    const auto found =
        pixel_statistics(stack.frames(), std::vector<double>{0, 0, 30, 0}, {5.0, 1.0, {}, {}}, {});
    CHECK(found.n_kept[last] == 4);
    CHECK(found.total[last] == 400.0);
}

TEST_CASE("pixel statistics: about a reference") {
    const auto stack = stack_of<std::uint8_t>({98, 102, 130, 100, 60});
    Image<double> reference(9, 300, 100.0);
    Image<double> limit(9, 300, 7.5);
    const PixelLimits limits{0.0, 0.0, reference.view(), limit.view()};
    const auto found = pixel_statistics(stack.frames(), std::vector<double>(5, 0.0), limits, {});
    CHECK(found.n_kept[last] == 3);
    CHECK(found.total[last] == 300.0);
    CHECK(found.median.empty());
    CHECK(found.n_left_out == std::vector<Index>{0, 0, 1, 0, 1});
}

TEST_CASE("pixel statistics: NaN in a frame is told, not left out") {
    auto stack = stack_of<double>({98, 102, not_a_number, 100, 99});
    const auto found =
        pixel_statistics(stack.frames(), std::vector<double>(5, 0.0), {5.0, 1.0, {}, {}}, {});
    CHECK(std::isnan(found.total[last]));
    CHECK(found.n_kept[last] == 0);
    CHECK(found.total[last - 1] == 500.0);
}

TEST_CASE("pixel statistics: pixel types and threads give the same bytes") {
    const auto counts = random_stack(7, 40, 300, 5);
    const Stack<double> doubles(counts);
    const std::vector<double> offsets{0, 0.5, 1, -2, 0, 3, 1};
    const PixelLimits limits{2.0, 1.0, {}, {}};
    const auto one = pixel_statistics(counts.frames(), offsets, limits, {1});
    const auto four = pixel_statistics(counts.frames(), offsets, limits, {4});
    const auto real = pixel_statistics(doubles.frames(), offsets, limits, {2});
    for (const auto& other : {four, real}) {
        CHECK(same_bytes(one.median, other.median));
        CHECK(same_bytes(one.total, other.total));
        CHECK(same_bytes(one.noise, other.noise));
        CHECK(same_bytes(one.n_kept, other.n_kept));
        CHECK(one.n_left_out == other.n_left_out);
    }
}

TEST_CASE("pixel statistics: counts near a reference are summed in 16 bits as in doubles") {
    auto counts = random_stack(21, 9, 300, 7);
    Image<double> reference(9, 300);
    Image<double> limit(9, 300);
    const auto compare = [&](std::vector<double> offsets) {
        offsets.resize(21, offsets.back());
        const Stack<double> doubles(counts);
        const PixelLimits limits{0.0, 0.0, reference.view(), limit.view()};
        const auto whole = pixel_statistics(counts.frames(), offsets, limits, {2});
        const auto real = pixel_statistics(doubles.frames(), offsets, limits, {1});
        CHECK(same_bytes(whole.total, real.total));
        CHECK(same_bytes(whole.n_kept, real.n_kept));
        CHECK(whole.n_left_out == real.n_left_out);
        auto total = real.total;
        auto n_kept = real.n_kept;
        const auto added =
            pixel_statistics(counts.frames(), offsets, limits, {2}, {total.data(), n_kept.data()});
        CHECK(added.total.empty());
        for (std::size_t at = 0; at < total.size(); ++at) {
            const double twice = 2 * real.total[at];
            CHECK((total[at] == twice || (std::isnan(total[at]) && std::isnan(twice))));
            CHECK(n_kept[at] == 2 * real.n_kept[at]);
        }
    };
    const auto set = [&](double least, double step, double reach) {
        for (Index x = 0; x < 9; ++x)
            for (Index y = 0; y < 300; ++y) {
                reference(x, y) = least + step * static_cast<double>((7 * x + y) % 50);
                limit(x, y) = reach + 0.37 * static_cast<double>((3 * x + y) % 11);
            }
    };
    set(90.0, 0.25, 20.0);
    compare({0.0});
    compare({0.0, 1.0, -2.0, 0.5, -0.5, 3.0});
    compare({0.5});
    compare({40'000.0});
    set(90.0, 0.25, 0.0); // of single counts, or none
    compare({0.0, 0.5, 1.0});
    set(90.0, 0.1, 20.0); // no median
    compare({0.0});
    set(2.0, 0.5, 10.0); // the window begins below 0
    compare({0.0, -1.0});
    set(60.0, 0.5, 9000.0); // too wide
    compare({0.0});
    for (std::uint16_t& pixel : counts.pixels)
        pixel = static_cast<std::uint16_t>(65535 - pixel);
    set(65500.0, 0.5, 100.0); // the window ends beyond the highest count
    compare({0.0, 7.0});
    set(65350.0, 0.5, 60.0);
    compare({0.0, 7.5});
    set(90.0, 0.25, 20.0);
    limit(3, 3) = not_a_number;
    limit(4, 4) = -1.0;
    limit(5, 5) = std::numeric_limits<double>::infinity();
    compare({0.0});
}

TEST_CASE("pixel statistics: own limits of counts in 16 bits give what doubles do") {
    const auto compare = [](const auto& counts, std::vector<double> offsets, double n_sigma) {
        offsets.resize(static_cast<std::size_t>(counts.n), offsets.back());
        const Stack<double> doubles(counts);
        PixelLimits limits{n_sigma, 1.5, {}, {}};
        const auto whole = pixel_statistics(counts.frames(), offsets, limits, {2});
        const auto real = pixel_statistics(doubles.frames(), offsets, limits, {1});
        CHECK(same_bytes(whole.median, real.median));
        CHECK(same_bytes(whole.noise, real.noise));
        CHECK(same_bytes(whole.lower_noise, real.lower_noise));
        CHECK(same_bytes(whole.total, real.total));
        CHECK(same_bytes(whole.n_kept, real.n_kept));
        CHECK(whole.n_left_out == real.n_left_out);
        limits.with_medians = false;
        const auto fewer = pixel_statistics(counts.frames(), offsets, limits, {2});
        CHECK(fewer.median.empty());
        CHECK(fewer.lower_noise.empty());
        CHECK(same_bytes(fewer.noise, real.noise));
        CHECK(same_bytes(fewer.total, real.total));
    };
    for (const Index n : {1, 2, 3, 4, 5, 20, 21, 64}) {
        auto counts = random_stack(n, 9, 300, 7);
        compare(counts, {0.0}, 2.0);
        compare(counts, {0.0, 1.0, -2.0, 0.5, -0.5, 3.0}, 1.0);
        compare(counts, {0.25, 0.0}, 2.0); // neither whole nor half
        compare(counts, {2000.0, 0.0}, 2.0);
        compare(counts, {0.0, 20'000.0}, 2.0); // too far apart
        compare(counts, {0.0}, 1e9);
        compare(Stack<std::uint8_t>(counts), {0.0, 0.5}, 1.5);
        for (Index frame = 0; frame < n; ++frame) { // of other levels, up to the highest
            counts(frame, 2, 5) = static_cast<std::uint16_t>(65535 - frame % 3);
            counts(frame, 4, 70) = static_cast<std::uint16_t>(30'000 + frame * 7);
        }
        compare(counts, {0.0}, 2.0);
        counts(n - 1, 3, 66) = 65535; // far from the others: its block goes the other way
        counts(0, 5, 299) = 0;
        counts(n - 1, 5, 299) = 3000;
        counts(0, 6, 0) = 65535;
        compare(counts, {0.0, -0.5}, 2.0);
    }
}

TEST_CASE("pixel statistics: what does not fit is refused") {
    const auto stack = stack_of<double>({1, 2, 3});
    Image<double> small(3, 3);
    Image<double> right(9, 300);
    const std::vector<double> offsets(3, 0.0);
    const auto find = [&](const std::vector<double>& given, const PixelLimits& limits) {
        return pixel_statistics(stack.frames(), given, limits, {});
    };
    CHECK_THROWS_AS(find({0.0}, {5.0, 1.0, {}, {}}), ShapeError);
    CHECK_THROWS_AS(find(offsets, {0.0, 1.0, {}, {}}), ParameterError);
    CHECK_THROWS_AS(find(offsets, {5.0, 1.0, right.view(), {}}), ParameterError);
    CHECK_THROWS_AS(find(offsets, {5.0, 1.0, right.view(), small.view()}), ShapeError);
    double total = 0.0;
    std::int32_t n_kept = 0;
    CHECK_THROWS_AS(
        pixel_statistics(stack.frames(), offsets, {5.0, 1.0, {}, {}}, {}, {&total, &n_kept}),
        ParameterError);
    const Stack<double> nothing(0, 9, 300);
    CHECK_THROWS_AS(pixel_statistics(nothing.frames(), {}, {5.0, 1.0, {}, {}}, {}), ShapeError);
}
