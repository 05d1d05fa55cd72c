// SPDX-License-Identifier: BSD-3-Clause
#include "frame/masked_squares.hpp"

#include "frame/corrected_frame.hpp"
#include "images.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <vector>

using namespace hrixs;
using namespace hrixs::test;

namespace {

// Against each square asked by itself.
void check_lists(const ImageView<std::uint8_t>& mask) {
    const auto made = MaskedSquares::make(mask);
    REQUIRE(made);
    for (Index x = 0; x < mask.nx; ++x) {
        std::vector<std::uint8_t> row(static_cast<std::size_t>(mask.ny));
        Index n = 0;
        Index last_end = -1;
        for (const auto& [begin, end] : made->runs(x)) {
            CHECK((last_end < begin && begin < end)); // runs in order, none beside another
            last_end = end;
            for (Index y = begin; y < end; ++y, ++n)
                row[static_cast<std::size_t>(y)] = 1;
        }
        CHECK(made->n_pixels(x) == n);
        for (Index y = 0; y < mask.ny; ++y)
            REQUIRE((mask(x, y) != 0) == (row[static_cast<std::size_t>(y)] != 0));
        if (x + 1 == mask.nx)
            break;
        std::vector<std::int32_t> partial;
        Index n_whole = 0;
        for (Index y = 0; y + 1 < mask.ny; ++y) {
            const int n_masked = (mask(x, y) != 0) + (mask(x, y + 1) != 0) + (mask(x + 1, y) != 0) +
                                 (mask(x + 1, y + 1) != 0);
            n_whole += n_masked == 4;
            const bool is_partial = n_masked > 0 && n_masked < 4;
            if (is_partial)
                partial.push_back(static_cast<std::int32_t>(y));
            CHECK(made->is_partial(x, y) == is_partial);
        }
        const auto given = made->partial(x);
        CHECK(std::vector<std::int32_t>(given.begin(), given.end()) == partial);
        CHECK(made->n_whole(x) == n_whole);
        CHECK(made->n_squares(x) == n_whole + static_cast<Index>(partial.size()));
    }
}

} // namespace

TEST_CASE("masked squares: pixels, rows, columns, halves and all") {
    for (const Index ny : {4, 7, 8, 9, 130}) {
        const Index nx = 70;
        std::mt19937 random(static_cast<unsigned>(ny));
        Image<std::uint8_t> mask(nx, ny);
        check_lists(mask.view());
        mask(0, 0) = mask(nx - 1, ny - 1) = 255;
        check_lists(mask.view());
        for (int k = 0; k < 3; ++k)
            mask(static_cast<Index>(random() % 70), static_cast<Index>(random()) % ny) = 1;
        check_lists(mask.view());
        check_lists({mask.view().data + nx * ny - 1, nx, ny, -ny, -1});
        for (Index y = 0; y < ny; ++y)
            mask(9, y) = mask(10, y) = 1;
        check_lists(mask.view());
    }
    Image<std::uint8_t> half(200, 80);
    for (Index x = 0; x < 200; ++x)
        for (Index y = 40; y < 80; ++y)
            half(x, y) = 1;
    check_lists(half.view());
    check_lists(Image<std::uint8_t>(9, 80, 1).view());
}

TEST_CASE("masked squares: none of a mask that is too scattered, and the totals are the same") {
    Image<std::uint8_t> mask(40, 64);
    for (Index x = 0; x < 40; ++x)
        for (Index y = x % 2; y < 64; y += 2)
            mask(x, y) = 1;
    CHECK_FALSE(MaskedSquares::make(mask.view()));
    const CameraTotals scattered = check_camera({{}, mask.view()}, 40, 64);
    CHECK(scattered.masked_squares() == nullptr);
    CHECK(scattered.pixels == 20 * 64);
    CHECK(scattered.squares == 0);

    Image<std::uint8_t> few(40, 64);
    few(0, 0) = few(20, 30) = few(20, 31) = 1;
    const CameraTotals totals = check_camera({{}, few.view()}, 40, 64);
    REQUIRE(totals.masked_squares() != nullptr);
    CHECK(totals.pixels == 40 * 64 - 3);
    CHECK(totals.squares == 39 * 63 - 1 - 6);
}
