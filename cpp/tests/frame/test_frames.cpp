// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/frames.hpp"

#include <doctest/doctest.h>

#include <numeric>
#include <vector>

using namespace hrixs;

namespace {

std::vector<int> counting(int n) {
    std::vector<int> values(static_cast<std::size_t>(n));
    std::iota(values.begin(), values.end(), 0);
    return values;
}

} // namespace

TEST_CASE("image view: strides count elements") {
    const std::vector<int> pixels = counting(12);

    SUBCASE("contiguous 3 x 4") {
        const ImageView<int> view{pixels.data(), 3, 4, 4, 1};
        CHECK(view(0, 0) == 0);
        CHECK(view(1, 2) == 6);
        CHECK(view(2, 3) == 11);
        CHECK(view.row(2)[1] == 9);
    }
    SUBCASE("transposed") {
        const ImageView<int> view{pixels.data(), 4, 3, 1, 4};
        CHECK(view(2, 1) == 6);
        CHECK(view(3, 2) == 11);
    }
    SUBCASE("every second pixel of y") {
        const ImageView<int> view{pixels.data(), 3, 2, 4, 2};
        CHECK(view(1, 1) == 6);
        CHECK(view(2, 0) == 8);
    }
    SUBCASE("both axes backwards") {
        const ImageView<int> view{pixels.data() + 11, 3, 4, -4, -1};
        CHECK(view(0, 0) == 11);
        CHECK(view(1, 2) == 5);
        CHECK(view(2, 3) == 0);
        CHECK(view.row(1)[0] == 7);
    }
    SUBCASE("zero strides repeat") {
        const ImageView<int> one_row{pixels.data(), 3, 4, 0, 1};
        CHECK(one_row(2, 3) == 3);
        const ImageView<int> one_pixel{pixels.data() + 5, 3, 4, 0, 0};
        CHECK(one_pixel(2, 3) == 5);
    }
}

TEST_CASE("frame stack: leading dimensions count in row-major order") {
    const std::vector<int> pixels = counting(24);

    SUBCASE("2 trains of 3 cells of 2 x 2, contiguous") {
        const FrameStack<int> stack{{pixels.data(), 2, 2, 2, 1}, {2, 3}, {12, 4}};
        REQUIRE(stack.size() == 6);
        for (Index number = 0; number < 6; ++number) {
            CHECK(stack.frame(number)(0, 0) == 4 * number);
            CHECK(stack.frame(number)(1, 1) == 4 * number + 3);
        }
    }
    SUBCASE("leading dimensions swapped in memory") {
        const FrameStack<int> stack{{pixels.data(), 2, 2, 2, 1}, {3, 2}, {4, 12}};
        const std::vector<int> corner{0, 12, 4, 16, 8, 20};
        for (Index number = 0; number < 6; ++number)
            CHECK(stack.frame(number)(0, 0) == corner[static_cast<std::size_t>(number)]);
    }
    SUBCASE("frames interleaved, the last first") {
        const FrameStack<int> stack{{pixels.data() + 5, 2, 2, 12, 6}, {6}, {-1}};
        CHECK(stack.frame(0)(0, 0) == 5);
        CHECK(stack.frame(5)(0, 0) == 0);
        CHECK(stack.frame(1)(1, 1) == 22);
    }
    SUBCASE("one frame seen many times") {
        const FrameStack<int> stack{{pixels.data(), 2, 2, 2, 1}, {2, 1000}, {8, 0}};
        CHECK(stack.size() == 2000);
        CHECK(stack.frame(999)(1, 1) == 3);
        CHECK(stack.frame(1000)(1, 1) == 11);
    }
}

TEST_CASE("frame stack: number of frames") {
    const std::vector<int> pixels = counting(4);
    const ImageView<int> first{pixels.data(), 2, 2, 2, 1};
    const FrameStack<int> no_leading{first, {}, {}};
    CHECK(no_leading.size() == 1);
    CHECK(no_leading.frame(0)(1, 0) == 2);
    CHECK(FrameStack<int>{first, {3, 0, 2}, {0, 0, 0}}.size() == 0);
    CHECK(FrameStack<int>{first, {65536, 65536}, {0, 0}}.size() == Index{1} << 32);
}
