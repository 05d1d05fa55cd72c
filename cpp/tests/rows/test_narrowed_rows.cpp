// SPDX-License-Identifier: BSD-3-Clause
#include "rows/narrowed_rows.hpp"

#include "images.hpp"
#include "photons/local_maximum.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <random>
#include <tuple>
#include <vector>

using namespace hrixs;
using namespace hrixs::test;

namespace {

using Hits = std::vector<std::tuple<Index, Index>>;

template <class Pixel> double square(const CorrectedFrame<Pixel>& frame, Index x, Index y) {
    return (frame(x, y) + frame(x, y + 1)) + (frame(x + 1, y) + frame(x + 1, y + 1));
}

// What is found, when all that is kept is looked at as a search does, in the order of keeping.
template <class Pixel, class Rows>
Hits hits_of(const CorrectedFrame<Pixel>& frame, double limit, Rows find_rows) {
    Hits hits;
    find_rows([&](Index x, Index y) {
        const double centre = square(frame, x, y);
        if (centre > limit &&
            is_local_maximum(centre, [&](Index i, Index j) { return square(frame, x + i, y + j); }))
            hits.emplace_back(x, y);
    });
    return hits;
}

template <class Pixel, class Rows>
Hits pixel_hits_of(const CorrectedFrame<Pixel>& frame, double limit, Rows find_rows) {
    Hits hits;
    find_rows([&](Index x, Index y) {
        const double centre = frame(x, y);
        if (centre > limit &&
            is_local_maximum(centre, [&](Index i, Index j) { return frame(x + i, y + j); }))
            hits.emplace_back(x, y);
    });
    return hits;
}

bool is_same(double one, double other) {
    return one == other || (std::isnan(one) && std::isnan(other));
}

void check_same(const FrameSums& one, const FrameSums& other) {
    REQUIRE(is_same(one.pixels, other.pixels));
    REQUIRE(is_same(one.squares.sum, other.squares.sum));
    REQUIRE(is_same(one.squares.squares.high, other.squares.squares.high));
    REQUIRE(is_same(one.squares.squares.low, other.squares.squares.low));
}

// Sums and hits are those of doubles, band by band and bit for bit.
template <class Pixel>
void check_as_doubles(const Image<Pixel>& image, const CameraCorrection& camera,
                      std::initializer_list<double> limits) {
    const auto masked = camera.mask ? MaskedSquares::make(*camera.mask) : std::nullopt;
    const CorrectedFrame<Pixel> frame{image.view(), &camera, masked ? &*masked : nullptr};
    REQUIRE(may_be_narrowed(frame));
    RowScratch scratch(image.ny);
    const NarrowedRows<Pixel> narrowed(frame, scratch);
    const CorrectedRows<Pixel> doubles(frame, scratch);
    const double shift = std::rint(4.0 * doubles.sample_mean());
    REQUIRE(narrowed.sample_mean() == doubles.sample_mean());
    REQUIRE(narrowed.sample_squares(shift).variance() == doubles.sample_squares(shift).variance());
    for (Index number = 0; number < count_bands(image.nx); ++number) {
        const Band band = band_of(number, image.nx);
        for (const double limit : limits) {
            CAPTURE(limit);
            CAPTURE(number);
            FrameSums sums, expected;
            double found = 0.0, found_pixels = 0.0, expected_pixels = 0.0;
            const Hits hits = hits_of(frame, limit, [&](auto keep) {
                expected = doubles.scan(band, shift, limit, keep);
            });
            REQUIRE(hits_of(frame, limit, [&](auto keep) {
                        sums = narrowed.scan(band, shift, limit, keep);
                    }) == hits);
            check_same(sums, expected);
            REQUIRE(hits_of(frame, limit, [&](auto keep) {
                        found = narrowed.find(band, shift, limit, keep);
                    }) == hits);
            REQUIRE(found == expected.pixels);
            const Hits pixels = pixel_hits_of(frame, limit / 4.0, [&](auto keep) {
                expected_pixels = doubles.find_pixels(band, limit / 4.0, keep);
            });
            REQUIRE(pixel_hits_of(frame, limit / 4.0, [&](auto keep) {
                        found_pixels = narrowed.find_pixels(band, limit / 4.0, keep);
                    }) == pixels);
            REQUIRE(found_pixels == expected_pixels);
            REQUIRE(scratch.waiting.empty());
        }
    }
}

template <class Pixel> Image<Pixel> random_image(Index nx, Index ny, int least, int largest) {
    Image<Pixel> image(nx, ny);
    std::mt19937 random(static_cast<unsigned>(nx + ny));
    std::uniform_int_distribution<int> values(least, largest);
    for (Pixel& pixel : image.pixels)
        pixel = static_cast<Pixel>(values(random));
    return image;
}

const std::initializer_list<double> limits{-5.0, 0.0, 4040.0, 4060.0, 4075.0, no_limit};

} // namespace

TEST_CASE_TEMPLATE("narrowed rows: whole numbers of other types", Pixel, std::uint32_t,
                   std::int32_t, float, double) {
    for (const Index nx : {4, 5, 256, 257, 258, 300})
        for (const Index ny : {4, 65, 130})
            check_as_doubles(random_image<Pixel>(nx, ny, 1000, 1020), {}, limits);
    check_as_doubles(random_image<Pixel>(9, 600, 0, 65535), {}, {0.0, 131000.0, 200000.0});
    check_as_doubles(random_image<Pixel>(9, 600, 0, 2), {}, {-1.0, 0.0, 4.0, 7.0});
}

TEST_CASE_TEMPLATE("narrowed rows: in each row in turn, a value that is no count", Pixel,
                   std::int32_t, double) {
    for (const Index nx : {6, 259})
        for (Index x = 0; x < nx; x = x < 3 || x >= 250 ? x + 1 : 250) {
            CAPTURE(x);
            Image<Pixel> image = random_image<Pixel>(nx, 70, 1000, 1020);
            image(x, 30) = static_cast<Pixel>(x % 2 == 0 ? -3.25 : 70000.5);
            check_as_doubles(image, {}, limits);
        }
}

TEST_CASE("narrowed rows: reals in one band, whole numbers in others") {
    Image<double> image = random_image<double>(700, 66, 1000, 1020);
    for (Index x = 260; x < 300; ++x)
        for (Index y = 0; y < 66; ++y)
            image(x, y) += 0.37;
    check_as_doubles(image, {}, limits);
    for (double& pixel : image.pixels)
        pixel *= 1.0 / 3.0;
    check_as_doubles(image, {}, limits);
}

TEST_CASE("narrowed rows: no counts at all") {
    check_as_doubles(random_image<std::int32_t>(20, 70, -1000, 1000), {}, {-100.0, 0.0, 3000.0});
    check_as_doubles(random_image<std::int32_t>(20, 70, -1000, -900), {}, {-3800.0, 0.0});
    check_as_doubles(random_image<std::int32_t>(20, 70, 0, 2000000000), {}, {0.0, 7e9});
    Image<double> image = random_image<double>(300, 70, 1000, 1020);
    image(0, 0) = 1e300; // in the rows that the shift is from
    check_as_doubles(image, {}, {0.0, 4060.0});
    for (double& pixel : image.pixels)
        pixel = -0.0;
    check_as_doubles(image, {}, {-1.0, 0.0});
}

TEST_CASE_TEMPLATE("narrowed rows: masked pixels, whatever they are", Pixel, std::uint16_t,
                   std::int32_t, float, double) {
    for (const Index nx : {6, 257, 300})
        for (const Index ny : {66, 130}) {
            Image<Pixel> image = random_image<Pixel>(nx, ny, 1000, 1020);
            Image<std::uint8_t> mask(nx, ny);
            std::mt19937 random(static_cast<unsigned>(nx));
            const auto check = [&] { check_as_doubles(image, {{}, mask.view()}, limits); };
            check(); // of nothing
            for (Index k = 0; k < std::max<Index>(nx * ny / 800, 1); ++k) {
                const Index x = static_cast<Index>(random()) % nx;
                const Index y = static_cast<Index>(random()) % ny;
                mask(x, y) = 1;
                image(x, y) = static_cast<Pixel>(k % 2 == 0 ? 60000 : 0);
                if constexpr (std::is_floating_point_v<Pixel>)
                    if (k % 3 == 0)
                        image(x, y) = static_cast<Pixel>(k % 2 == 0 ? not_a_number : -infinity);
            }
            check();
            for (Index x = nx / 2; x < nx / 2 + 3; ++x)
                std::fill_n(&mask(x, 0), ny, std::uint8_t{1});
            check();
            std::fill_n(&mask(0, 0), ny, std::uint8_t{1});
            check();
            if (nx > 6)
                for (Index x = 0; x < nx; ++x)
                    std::fill_n(&mask(x, ny / 2), ny - ny / 2, std::uint8_t{1});
            check();
            std::fill(mask.pixels.begin(), mask.pixels.end(), std::uint8_t{1});
            check();
        }
}

TEST_CASE("narrowed rows: a masked pixel's squares are no rivals of those beside them") {
    // Blocks of light of which one pixel is masked, and a weaker one in each place around.
    for (Index i = -3; i <= 3; ++i)
        for (Index j = -3; j <= 3; ++j) {
            CAPTURE(i);
            CAPTURE(j);
            Image<std::uint16_t> image(16, 130, 100);
            put_block(image, 0, 7, 64, std::uint16_t{500});
            put_block(image, 0, 7 + i, 64 + j, std::uint16_t{300});
            Image<std::uint8_t> mask(16, 130);
            mask(7, 64) = 1;
            check_as_doubles(image, {{}, mask.view()}, {400.0, 600.0, 1100.0, 1300.0});
        }
}

TEST_CASE("narrowed rows: masked, with a value that is no count") {
    for (Index x = 0; x < 259; x = x < 3 || x >= 250 ? x + 1 : 250) {
        Image<double> image = random_image<double>(259, 70, 1000, 1020);
        Image<std::uint8_t> mask(259, 70);
        for (Index k = 0; k < 259; k += 20)
            mask(k, k % 70) = mask(k, 20) = 1;
        image(x, 30) += 0.5;
        check_as_doubles(image, {{}, mask.view()}, limits);
    }
}

TEST_CASE("narrowed rows: which frames may be") {
    const Image<double> image(20, 20);
    Image<std::uint8_t> mask(20, 20);
    const Image<float> dark(20, 20);
    const auto may_be = [&](const ImageView<double>& view, const CameraCorrection& camera,
                            bool with_lists) {
        const auto masked = MaskedSquares::make(mask.view());
        return may_be_narrowed(
            CorrectedFrame<double>{view, &camera, with_lists ? &*masked : nullptr});
    };
    CHECK(may_be(image.view(), {}, false));
    CHECK(may_be(image.view(), {{}, mask.view()}, true));
    CHECK_FALSE(may_be(image.view(), {{}, mask.view()}, false));
    CHECK_FALSE(may_be(image.view(), {dark.view(), {}}, false));
    CHECK_FALSE(may_be({image.view().data, 20, 20, 1, 20}, {}, false));
}
