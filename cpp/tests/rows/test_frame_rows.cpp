// SPDX-License-Identifier: BSD-3-Clause
#include "rows/frame_rows.hpp"

#include "hrixs/errors.hpp"
#include "images.hpp"
#include "photons/local_maximum.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <random>
#include <tuple>
#include <vector>

using namespace hrixs;
using namespace hrixs::test;

namespace {

const CameraCorrection none;

Image<std::uint16_t> random_counts(Index nx, Index ny, int least, int largest, unsigned seed) {
    Image<std::uint16_t> image(nx, ny);
    std::mt19937 random(seed);
    std::uniform_int_distribution<int> counts(least, largest);
    for (auto& pixel : image.pixels)
        pixel = static_cast<std::uint16_t>(counts(random));
    return image;
}

template <class Pixel> Image<Pixel> converted(const Image<std::uint16_t>& image) {
    Image<Pixel> other(image.nx, image.ny);
    std::copy(image.pixels.begin(), image.pixels.end(), other.pixels.begin());
    return other;
}

using Pixels = std::vector<std::tuple<Index, Index>>;

struct Went {
    FrameSums sums;
    std::vector<double> pixels; // by bands
    Pixels kept;
};

template <class Search> Went go(Index nx, Index ny, double shift, Search search_band) {
    Went went;
    went.sums.squares.n = (nx - 1) * (ny - 1);
    went.sums.squares.shift = shift;
    for (Index number = 0; number < count_bands(nx); ++number) {
        const FrameSums sums = search_band(band_of(number, nx),
                                           [&](Index x, Index y) { went.kept.emplace_back(x, y); });
        went.sums.add(sums);
        went.pixels.push_back(sums.pixels);
    }
    return went;
}

template <class Rows> Went scan(const Rows& rows, Index nx, Index ny, double shift, double limit) {
    return go(nx, ny, shift,
              [&](const Band& band, auto keep) { return rows.scan(band, shift, limit, keep); });
}

template <class Rows> Went find(const Rows& rows, Index nx, Index ny, double shift, double limit) {
    return go(nx, ny, shift, [&](const Band& band, auto keep) {
        return FrameSums{rows.find(band, shift, limit, keep), {}};
    });
}

template <class Rows> Went find_pixels(const Rows& rows, Index nx, Index ny, double limit) {
    return go(nx, ny, 0.0, [&](const Band& band, auto keep) {
        return FrameSums{rows.find_pixels(band, limit, keep), {}};
    });
}

template <class Pixel> double square(const CorrectedFrame<Pixel>& frame, Index x, Index y) {
    return (frame(x, y) + frame(x, y + 1)) + (frame(x + 1, y) + frame(x + 1, y + 1));
}

template <class Pixel> Pixels square_hits(const CorrectedFrame<Pixel>& frame, double limit) {
    Pixels hits;
    for (Index x = 1; x + 2 < frame.nx(); ++x)
        for (Index y = 1; y + 2 < frame.ny(); ++y) {
            const double centre = square(frame, x, y);
            if (centre > limit && is_local_maximum(centre, [&](Index i, Index j) {
                    return square(frame, x + i, y + j);
                }))
                hits.emplace_back(x, y);
        }
    return hits;
}

template <class Pixel> Pixels pixel_hits(const CorrectedFrame<Pixel>& frame, double limit) {
    Pixels hits;
    for (Index x = 1; x + 1 < frame.nx(); ++x)
        for (Index y = 1; y + 1 < frame.ny(); ++y)
            if (frame(x, y) > limit && is_local_maximum(frame(x, y), [&](Index i, Index j) {
                    return frame(x + i, y + j);
                }))
                hits.emplace_back(x, y);
    return hits;
}

// In row-major order, so that nothing is kept twice, off the border, and no hit is missing.
bool is_rightly_kept(const Pixels& kept, const Pixels& hits, Index nx, Index ny) {
    const bool inside = std::all_of(kept.begin(), kept.end(), [&](const auto& position) {
        const auto [x, y] = position;
        return x > 0 && y > 0 && x < nx - 1 && y < ny - 1;
    });
    return inside &&
           std::adjacent_find(kept.begin(), kept.end(), std::greater_equal<>()) == kept.end() &&
           std::includes(kept.begin(), kept.end(), hits.begin(), hits.end());
}

void check_same_sums(const Went& one, const Went& other) {
    CHECK(one.pixels == other.pixels);
    CHECK(one.sums.squares.mean() == other.sums.squares.mean());
    CHECK(one.sums.squares.variance() == other.sums.squares.variance());
}

struct Mean {
    double mean;
    double variance;
};

template <class Pixel> Mean mean_of_squares(const CorrectedFrame<Pixel>& frame, double shift) {
    const auto n = static_cast<long double>((frame.nx() - 1) * (frame.ny() - 1));
    long double sum = 0.0L;
    long double squares = 0.0L;
    for (Index x = 0; x + 1 < frame.nx(); ++x)
        for (Index y = 0; y + 1 < frame.ny(); ++y) {
            const long double deviation = square(frame, x, y) - shift;
            sum += deviation;
            squares += deviation * deviation;
        }
    const long double mean = sum / n;
    return {static_cast<double>(mean + shift), static_cast<double>(squares / n - mean * mean)};
}

} // namespace

TEST_CASE("frame rows: all ways give the same sums of whole numbers, and lose no hit") {
    for (const int largest : {1, 9, 200, 3000, 65535})
        for (const Index ny : {4, 5, 17, 65, 66, 130, 512, 513, 514, 1030}) {
            const Index nx = 6;
            const auto image = random_counts(nx, ny, 0, largest, static_cast<unsigned>(ny));
            const auto floats = converted<float>(image);
            const auto doubles = converted<double>(image);
            const CorrectedFrame<double> frame{doubles.view(), &none};
            RowScratch scratch(ny);
            const CountRows of_counts(image.view(), nullptr, scratch);
            const FloatRows of_floats({floats.view(), &none}, scratch);
            const CorrectedRows<double> of_doubles(frame, scratch);
            const double shift = std::rint(4.0 * of_counts.sample_mean());
            CHECK(of_counts.sample_mean() == of_doubles.sample_mean());
            CHECK(of_floats.sample_mean() == of_doubles.sample_mean());
            CHECK(of_counts.sample_squares(shift).variance() ==
                  of_doubles.sample_squares(shift).variance());
            CHECK(of_floats.sample_squares(shift).variance() ==
                  of_doubles.sample_squares(shift).variance());
            const Mean expected = mean_of_squares(frame, shift);
            for (const double limit :
                 {-5.0, 0.0, 2.0 * largest, 3.1 * largest, 4.0 * largest, no_limit}) {
                const Pixels hits = square_hits(frame, limit);
                const auto check = [&](const auto& rows) {
                    const Went scanned = scan(rows, nx, ny, shift, limit);
                    const Went found = find(rows, nx, ny, shift, limit);
                    check_same_sums(scanned, scan(of_doubles, nx, ny, shift, limit));
                    CHECK(scanned.sums.squares.mean() ==
                          doctest::Approx(expected.mean).epsilon(1e-15));
                    CHECK(scanned.sums.squares.variance() ==
                          doctest::Approx(expected.variance).epsilon(1e-14));
                    CHECK(found.pixels == scanned.pixels);
                    REQUIRE(is_rightly_kept(scanned.kept, hits, nx, ny));
                    REQUIRE(is_rightly_kept(found.kept, hits, nx, ny));
                    const Went pixels = find_pixels(rows, nx, ny, limit / 4);
                    CHECK(pixels.pixels == scanned.pixels);
                    REQUIRE(is_rightly_kept(pixels.kept, pixel_hits(frame, limit / 4), nx, ny));
                };
                check(of_counts);
                check(of_floats);
                check(of_doubles);
            }
        }
}

TEST_CASE("frame rows: where bands meet, no sum is off and no hit lost or kept twice") {
    const Index ny = 70;
    for (const Index nx : {4, 255, 256, 257, 258, 259, 513}) {
        const auto image = random_counts(nx, ny, 500, 530, static_cast<unsigned>(nx));
        const auto floats = converted<float>(image);
        const CorrectedFrame<std::uint16_t> frame{image.view(), &none};
        RowScratch scratch(ny);
        const CountRows of_counts(image.view(), nullptr, scratch);
        const FloatRows of_floats({floats.view(), &none}, scratch);
        const CorrectedRows<std::uint16_t> of_any(frame, scratch);
        const Mean expected = mean_of_squares(frame, 2060.0);
        const auto check = [&](const auto& rows) {
            for (const double limit : {2000.0, 2080.0}) {
                const Went scanned = scan(rows, nx, ny, 2060.0, limit);
                const Went found = find(rows, nx, ny, 2060.0, limit);
                check_same_sums(scanned, scan(of_any, nx, ny, 2060.0, limit));
                CHECK(found.pixels == scanned.pixels);
                CHECK(scanned.sums.squares.mean() == doctest::Approx(expected.mean).epsilon(1e-15));
                const Pixels hits = square_hits(frame, limit);
                CHECK(is_rightly_kept(scanned.kept, hits, nx, ny));
                CHECK(is_rightly_kept(found.kept, hits, nx, ny));
                CHECK(is_rightly_kept(find_pixels(rows, nx, ny, limit / 4).kept,
                                      pixel_hits(frame, limit / 4), nx, ny));
            }
        };
        check(of_counts);
        check(of_floats);
        check(of_any);
    }
}

TEST_CASE("frame rows: one hit in every row around a band's edge") {
    const Index nx = 260;
    const Index ny = 8;
    for (Index x = 252; x + 2 < nx; ++x) {
        Image<std::uint16_t> image(nx, ny);
        put_block(image, 0, x, 3, std::uint16_t{50});
        const auto floats = converted<float>(image);
        RowScratch scratch(ny);
        const auto check = [&](const auto& rows) {
            CHECK(scan(rows, nx, ny, 0.0, 150.0).kept == Pixels{{x, 3}});
            CHECK(find(rows, nx, ny, 0.0, 150.0).kept == Pixels{{x, 3}});
        };
        check(CountRows(image.view(), nullptr, scratch));
        check(FloatRows({floats.view(), &none}, scratch));
        check(CorrectedRows<std::uint16_t>({image.view(), &none}, scratch));
    }
}

TEST_CASE("frame rows: candidates keep off the border, so that a spot fits around them") {
    // One bright pixel at (x, y): the last of its equal squares is the maximum.
    for (Index x = 0; x < 6; ++x)
        for (Index y = 0; y < 6; ++y) {
            Image<std::uint16_t> image(6, 6);
            image(x, y) = 50;
            RowScratch scratch(6);
            const CountRows rows(image.view(), nullptr, scratch);
            const Pixels kept = scan(rows, 6, 6, 0.0, 49.0).kept;
            CHECK(std::count(kept.begin(), kept.end(), std::tuple(x, y)) ==
                  (x >= 1 && x <= 3 && y >= 1 && y <= 3 ? 1 : 0));
            for (const auto& [at_x, at_y] : kept)
                CHECK(at_y == y);
            CHECK(find_pixels(rows, 6, 6, 49.0).kept.size() ==
                  (x > 0 && x < 5 && y > 0 && y < 5 ? 1 : 0));
            CHECK(find_pixels(rows, 6, 6, 50.0).kept.empty());
        }
}

TEST_CASE("frame rows: a masked pixel is left out of every sum") {
    Image<double> image(4, 5);
    image.pixels.assign(image.pixels.size(), 2.0);
    image(1, 1) = 1e6;
    Image<std::uint8_t> mask(4, 5);
    mask(1, 1) = 1;
    const CameraCorrection camera{{}, mask.view()};
    const CameraTotals totals = check_camera(camera, 4, 5);
    CHECK(totals.pixels == 19);
    CHECK(totals.squares == 12 - 4);
    RowScratch scratch(5);
    const CorrectedFrame<double> frame{image.view(), &camera};
    const CorrectedRows<double> rows(frame, scratch);
    FrameSums sums = scan(rows, 4, 5, 0.0, 1.0).sums;
    sums.squares.n = totals.squares;
    CHECK(sums.pixels == 38.0);
    CHECK(sums.squares.mean() == 8.0);
    CHECK(sums.squares.variance() == 0.0);
    CHECK_NOTHROW(check_finite(frame, sums.pixels, 0));
}

TEST_CASE("frame rows: a NaN is told, also behind a mask of other pixels") {
    Image<std::uint8_t> mask(4, 4);
    mask(0, 0) = 1;
    for (const bool masked : {false, true})
        for (Index y = 0; y < 4; ++y) {
            Image<double> image(4, 4);
            image(2, y) = not_a_number;
            const CameraCorrection camera{{}, masked ? std::optional(mask.view()) : std::nullopt};
            RowScratch scratch(4);
            const CorrectedFrame<double> frame{image.view(), &camera};
            const CorrectedRows<double> rows(frame, scratch);
            CHECK_THROWS_AS(check_finite(frame, scan(rows, 4, 4, 0.0, 1.0).sums.pixels, 0),
                            NonFinitePixels);
        }
}

TEST_CASE("frame rows: a NaN or an infinity among floats is told") {
    const Index ny = 20;
    for (const double value : {not_a_number, infinity})
        for (Index x = 0; x < 5; ++x)
            for (Index y = 0; y < ny; ++y) {
                Image<float> image(5, ny);
                image(x, y) = static_cast<float>(value);
                RowScratch scratch(ny);
                const CorrectedFrame<float> frame{image.view(), &none};
                const FloatRows rows(frame, scratch);
                for (const double sum : {find(rows, 5, ny, 0.0, 1.0).sums.pixels,
                                         scan(rows, 5, ny, 0.0, 1.0).sums.pixels,
                                         find_pixels(rows, 5, ny, 1.0).sums.pixels})
                    CHECK_THROWS_AS(check_finite(frame, sum, 0), NonFinitePixels);
            }
}

namespace {

void check_floats(const Image<float>& image, std::initializer_list<double> limits) {
    const CorrectedFrame<float> frame{image.view(), &none};
    RowScratch scratch(image.ny);
    const FloatRows rows(frame, scratch);
    for (const double limit : limits) {
        CAPTURE(limit);
        CHECK(is_rightly_kept(find(rows, image.nx, image.ny, 0.0, limit).kept,
                              square_hits(frame, limit), image.nx, image.ny));
        CHECK(is_rightly_kept(scan(rows, image.nx, image.ny, 0.0, limit).kept,
                              square_hits(frame, limit), image.nx, image.ny));
        CHECK(is_rightly_kept(find_pixels(rows, image.nx, image.ny, limit).kept,
                              pixel_hits(frame, limit), image.nx, image.ny));
    }
}

Image<float> random_floats(Index nx, Index ny, double mean, double spread, unsigned seed) {
    Image<float> image(nx, ny);
    std::mt19937 random(seed);
    std::normal_distribution<double> values(mean, spread);
    for (float& pixel : image.pixels)
        pixel = static_cast<float>(values(random));
    return image;
}

} // namespace

TEST_CASE("frame rows: floats of every magnitude, where single precision falls short") {
    for (const double scale : {1e-40, 1e-20, 1.0, 1e6, 1e9, 5e36, 1e37, 5e37})
        for (const Index ny : {9, 70, 520})
            for (const double spread : {1e-8, 1e-7, 0.1, 3.0})
                check_floats(random_floats(9, ny, scale, spread * scale, 3),
                             {-infinity, 0.0, 4.0 * scale, 4.0 * scale * (1.0 + 1e-8),
                              4.0 * scale * (1.0 + 1e-7), infinity});
}

TEST_CASE("frame rows: floats that get too large in the middle of a band") {
    std::mt19937 random(4);
    for (const Index nx : {4, 12, 257, 260})
        for (int time = 0; time < 12; ++time) {
            const Index ny = 70;
            Image<float> image = random_floats(nx, ny, 100.0, 5.0, random());
            const auto x = static_cast<Index>(random()) % nx;
            image(x, static_cast<Index>(random()) % ny) = time % 2 == 0 ? 3e37F : -3e37F;
            check_floats(image, {400.0, 410.0, 1e37});
        }
}

TEST_CASE("frame rows: floats that get much larger from a row to the next") {
    Image<float> image = random_floats(40, 600, 0.0, 1.0, 5);
    for (Index x = 0; x < image.nx; ++x)
        for (Index y = 0; y < image.ny; ++y)
            image(x, y) *= std::exp2(static_cast<float>(x));
    check_floats(image, {0.0, 1.0, 1e3, 1e6, 1e9});
}

TEST_CASE("frame rows: a large float just behind a block of the row") {
    // What rounding can do to the block's last square depends on the next block's first pixel.
    Image<float> image(6, 520);
    const float large = 33554432.0F; // 2^25, whose last digit is 4
    image(2, row_block - 1) = 1.0F;
    image(2, row_block) = 0.99F;
    image(3, row_block - 1) = 1.99F;
    image(3, row_block) = large;
    const CorrectedFrame<float> frame{image.view(), &none};
    REQUIRE(square_hits(frame, 33554432.0 + 3.9) == Pixels{{2, row_block - 1}});
    check_floats(image, {33554432.0 + 3.9});
}

namespace {

enum class DarkKind { whole, fourths, reals };

template <class Number>
Image<Number> random_dark(Index nx, Index ny, double mean, double spread, DarkKind kind,
                          unsigned seed) {
    Image<Number> dark(nx, ny);
    std::mt19937 random(seed);
    std::normal_distribution<double> values(mean, spread);
    for (Number& pixel : dark.pixels) {
        const double value = std::clamp(values(random), 0.0, largest_dark_pixel);
        pixel = static_cast<Number>(kind == DarkKind::whole     ? std::rint(value)
                                    : kind == DarkKind::fourths ? std::rint(4.0 * value) / 4.0
                                                                : value);
    }
    return dark;
}

// Frames of the dark, and of photons' and other counts above it.
template <class Number>
Image<std::uint16_t> frame_above(const Image<Number>& dark, double above, double noise,
                                 unsigned seed) {
    Image<std::uint16_t> image(dark.nx, dark.ny);
    std::mt19937 random(seed);
    std::normal_distribution<double> values(above, noise);
    for (std::size_t k = 0; k < image.pixels.size(); ++k)
        image.pixels[k] = static_cast<std::uint16_t>(std::clamp(
            std::rint(static_cast<double>(dark.pixels[k]) + values(random)), 0.0, 65535.0));
    return image;
}

std::optional<CountDark> prepared(const Dark& dark, DarkUse use) {
    return CountDark::make(dark, use, {});
}

void check_with_dark(const Image<std::uint16_t>& image, const Dark& dark) {
    const Index nx = image.nx;
    const Index ny = image.ny;
    const CameraCorrection camera{dark, {}};
    const CorrectedFrame<std::uint16_t> frame{image.view(), &camera};
    const auto count_dark = prepared(dark, DarkUse::squares_and_rests);
    const auto squares_only = prepared(dark, DarkUse::squares);
    const auto pixels_only = prepared(dark, DarkUse::pixels);
    REQUIRE((count_dark && squares_only && pixels_only));
    RowScratch scratch(ny);
    const CountRows rows(image.view(), &*count_dark, scratch);
    const CountRows without_rests(image.view(), &*squares_only, scratch);
    const CountRows of_pixels(image.view(), &*pixels_only, scratch);
    const CorrectedRows<std::uint16_t> of_any(frame, scratch);
    CHECK(rows.sample_mean() ==
          doctest::Approx(of_any.sample_mean()).epsilon(1e-12).scale(dark(0, 0)));
    const double shift = std::rint(4.0 * of_any.sample_mean());
    const Mean expected = mean_of_squares(frame, shift);
    const double deviation = std::sqrt(expected.variance);
    const auto n_squares = static_cast<double>((nx - 1) * (ny - 1));
    bool in_fourths = true;
    double sum_of_dark = 0.0;
    for (Index x = 0; x < nx; ++x)
        for (Index y = 0; y < ny; ++y) {
            in_fourths = in_fourths && 4.0 * dark(x, y) == std::rint(4.0 * dark(x, y));
            sum_of_dark += dark(x, y);
        }
    for (const double limit : {expected.mean - 2.0 * deviation, expected.mean + 0.3 * deviation,
                               expected.mean + 2.0 * deviation, no_limit}) {
        const Pixels hits = square_hits(frame, limit);
        const Went any = scan(of_any, nx, ny, shift, limit);
        CHECK(is_rightly_kept(any.kept, hits, nx, ny));
        if (rows.fits(shift)) {
            const Went counts = scan(rows, nx, ny, shift, limit);
            CHECK(is_rightly_kept(counts.kept, hits, nx, ny));
            for (std::size_t band = 0; band < any.pixels.size(); ++band)
                CHECK(std::abs(counts.pixels[band] - any.pixels[band]) <=
                      1e-12 * (std::abs(any.pixels[band]) + sum_of_dark));
            // Unless it is a sum of fourths, the rest of a square is kept to about 2^-24.
            const double rounding = in_fourths ? 0.0 : std::ldexp(1.0, -24);
            // The rests of an even dark err all alike, and are multiplied by deviations of about
            // the shift's distance from the mean and the rest itself.
            const double of_random = 2.0 / std::sqrt(n_squares);
            CHECK(std::abs(counts.sums.squares.mean() - expected.mean) <=
                  1e-12 * (std::abs(expected.mean) + deviation) + of_random * rounding);
            CHECK(std::abs(counts.sums.squares.variance() - expected.variance) <=
                  1e-12 * expected.variance +
                      2.0 * rounding *
                          (of_random * deviation + std::abs(expected.mean - shift) + 2.0));
            const Went found = find(without_rests, nx, ny, shift, limit);
            CHECK(found.pixels == counts.pixels);
            CHECK(is_rightly_kept(found.kept, hits, nx, ny));
        }
        const double pixel_limit = std::max(limit / 4.0, 0.5);
        REQUIRE(of_pixels.finds_pixels_above(pixel_limit));
        const Went pixels = find_pixels(of_pixels, nx, ny, pixel_limit);
        CHECK(is_rightly_kept(pixels.kept, pixel_hits(frame, pixel_limit), nx, ny));
        CHECK(std::abs(pixels.sums.pixels - any.sums.pixels) <=
              1e-12 * (std::abs(any.sums.pixels) + sum_of_dark));
    }
}

} // namespace

TEST_CASE_TEMPLATE("frame rows: with a dark, counts give what doubles do", Number, float, double) {
    unsigned seed = 0;
    for (const DarkKind kind : {DarkKind::whole, DarkKind::fourths, DarkKind::reals})
        for (const Index ny : {4, 66, 514})
            for (const double mean : {0.3, 100.0, 5000.0, 16300.0})
                for (const double spread : {0.0, 2.0, 3000.0})
                    for (const double above : {0.0, 40.0, 30000.0}) {
                        CAPTURE(ny);
                        CAPTURE(mean);
                        CAPTURE(spread);
                        CAPTURE(above);
                        CAPTURE(static_cast<int>(kind));
                        const auto dark = random_dark<Number>(18, ny, mean, spread, kind, ++seed);
                        const auto image = frame_above(dark, above, 3.0, seed);
                        check_with_dark(image, dark.view());
                    }
}

TEST_CASE("frame rows: with a dark, counts and darks of every size") {
    for (const Index ny : {66, 200})
        for (unsigned seed = 0; seed < 4; ++seed) {
            const auto image = random_counts(20, ny, 0, 65535, seed);
            const auto dark = random_counts(20, ny, 0, 16383, seed + 10);
            check_with_dark(image, converted<double>(dark).view());
        }
}

TEST_CASE("frame rows: with a dark, where bands meet") {
    for (const Index nx : {255, 256, 257, 258, 513}) {
        const auto dark = random_dark<float>(nx, 66, 100.0, 5.0, DarkKind::reals, 1);
        check_with_dark(frame_above(dark, 20.0, 4.0, 2), dark.view());
    }
}

TEST_CASE("frame rows: with a dark in memory by columns or backwards") {
    const auto dark = random_dark<float>(66, 70, 100.0, 5.0, DarkKind::reals, 1);
    Image<std::uint16_t> image(66, 66, 120);
    put_block(image, 0, 20, 31, std::uint16_t{300});
    check_with_dark(image, ImageView<float>{dark.view().data, 66, 66, 1, 70});
    check_with_dark(image, ImageView<float>{dark.view().data + 65 * 70 + 65, 66, 66, -70, -1});
}

TEST_CASE("frame rows: with a dark, ties and halves that rounding could turn round") {
    std::mt19937 random(6);
    for (int time = 0; time < 20; ++time) {
        Image<double> dark(12, 70);
        Image<std::uint16_t> image(12, 70);
        for (std::size_t k = 0; k < image.pixels.size(); ++k) {
            dark.pixels[k] = 10.0 + static_cast<double>(random() % 5) / 2.0;
            image.pixels[k] = static_cast<std::uint16_t>(20 + random() % 3);
        }
        check_with_dark(image, dark.view());
    }
}

TEST_CASE("frame rows: rows without a dark, far below the others") {
    // Their squares are outside the dark's window, whose upper end may not go past 65535.
    for (const double mean : {3000.0, 15000.0, 15700.0, 16000.0, 16383.0}) {
        CAPTURE(mean);
        auto dark = random_dark<double>(80, 70, mean, 1.0, DarkKind::whole, 1);
        const auto image = frame_above(dark, 10.0, 3.0, 2);
        for (const Index x : {6, 7, 8, 9}) // between those that give the mean
            for (Index y = 0; y < 70; ++y)
                dark(x, y) = 0.0;
        check_with_dark(image, dark.view());
    }
}

TEST_CASE("frame rows: saturated pixels above a dark of nothing") {
    const Image<double> dark(20, 70);
    Image<std::uint16_t> image(20, 70, 100);
    image(9, 30) = 65535;
    put_block(image, 0, 4, 50, std::uint16_t{65535});
    check_with_dark(image, dark.view());
}

TEST_CASE("frame rows: which darks can be rounded to counts") {
    for (const DarkUse use : {DarkUse::pixels, DarkUse::squares, DarkUse::squares_and_rests}) {
        CHECK(prepared(Image<double>(5, 9).view(), use));
        CHECK(prepared(Image<double>(5, 9, 16383.0).view(), use));
        CHECK_FALSE(prepared(Image<double>(5, 9, 16384.0).view(), use));
        CHECK_FALSE(prepared(Image<double>(5, 9, -1.0).view(), use));
        for (const double bad : {-1.0, 16384.0, 1e30, not_a_number, infinity})
            for (const Index x : {0, 3, 255, 256, 299})
                for (const Index y : {0, 4, 8}) {
                    Image<float> dark(300, 9, 100.0F);
                    dark(x, y) = static_cast<float>(bad);
                    CHECK_FALSE(prepared(dark.view(), use));
                }
    }
}

TEST_CASE("frame rows: frames that the dark's window fits") {
    const Image<std::uint16_t> image(5, 9);
    RowScratch scratch(9);
    CHECK(CountRows(image.view(), nullptr, scratch).fits(-1e6));
    const auto fits = [&](double dark, double above) {
        const auto count_dark = prepared(Image<double>(5, 9, dark).view(), DarkUse::squares);
        REQUIRE(count_dark);
        return CountRows(image.view(), &*count_dark, scratch).fits(4.0 * above);
    };
    CHECK(fits(0.0, 0.0));
    CHECK(fits(100.0, 0.0));
    CHECK(fits(100.0, 1000.0));
    CHECK(fits(1000.0, -100.0));
    CHECK(fits(16383.0, 0.0));
    CHECK_FALSE(fits(100.0, -100.0));
    CHECK_FALSE(fits(16383.0, -16383.0));
    CHECK_FALSE(fits(0.0, 65535.0));
}

TEST_CASE("frame rows: a frame darker than its dark, as dark as the window allows") {
    for (const double mean : {0.0, 50.0, 300.0, 16383.0})
        for (const double above : {-300.0, -256.0, -9.0, -8.0, -7.0, 7.0})
            for (const DarkKind kind : {DarkKind::whole, DarkKind::reals}) {
                const auto dark = random_dark<double>(20, 130, mean, 2.0, kind, 1);
                check_with_dark(frame_above(dark, above, 2.0, 2), dark.view());
            }
}
