// SPDX-License-Identifier: BSD-3-Clause
#include "photons/local_maximum.hpp"

#include "images.hpp"

#include <doctest/doctest.h>

#include <utility>
#include <vector>

using namespace hrixs;
using namespace hrixs::test;

namespace {

constexpr std::pair<Index, Index> before[] = {{-1, -1}, {-1, 0}, {-1, 1}, {0, -1}};
constexpr std::pair<Index, Index> after[] = {{0, 1}, {1, -1}, {1, 0}, {1, 1}};

// A centre of 5 among zeros, one neighbour set.
bool is_maximum_beside(std::pair<Index, Index> where, double value) {
    return is_local_maximum(5.0, [&](Index i, Index j) {
        return i == 0 && j == 0 ? 5.0 : std::pair{i, j} == where ? value : 0.0;
    });
}

// Where the maxima of an image are, without its border.
std::vector<std::pair<Index, Index>> maxima(const std::vector<std::vector<double>>& image) {
    std::vector<std::pair<Index, Index>> found;
    for (std::size_t x = 1; x + 1 < image.size(); ++x)
        for (std::size_t y = 1; y + 1 < image[x].size(); ++y)
            if (image[x][y] > 0 && is_local_maximum(image[x][y], [&](Index i, Index j) {
                    return image[x + static_cast<std::size_t>(i)][y + static_cast<std::size_t>(j)];
                }))
                found.emplace_back(x, y);
    return found;
}

} // namespace

TEST_CASE("local maximum: at least those before it in row-major order, above those after") {
    for (const auto& where : before) {
        CHECK(is_maximum_beside(where, 4.0));
        CHECK(is_maximum_beside(where, 5.0));
        CHECK_FALSE(is_maximum_beside(where, 6.0));
    }
    for (const auto& where : after) {
        CHECK(is_maximum_beside(where, 4.0));
        CHECK_FALSE(is_maximum_beside(where, 5.0));
        CHECK_FALSE(is_maximum_beside(where, 6.0));
    }
}

TEST_CASE("local maximum: NaN is no rival") {
    for (const auto& where : before)
        CHECK(is_maximum_beside(where, not_a_number));
    for (const auto& where : after)
        CHECK(is_maximum_beside(where, not_a_number));
    CHECK(is_local_maximum(5.0, [](Index, Index) { return not_a_number; }));
}

TEST_CASE("local maximum: negative values") {
    CHECK(is_local_maximum(-1.0, [](Index, Index) { return -2.0; }));
    CHECK_FALSE(is_local_maximum(-2.0, [](Index, Index) { return -1.0; }));
}

TEST_CASE("local maximum: a plateau has one, its last pixel in row-major order") {
    using Found = std::vector<std::pair<Index, Index>>;
    CHECK(maxima({{0, 0, 0, 0}, {0, 7, 7, 0}, {0, 0, 0, 0}}) == Found{{1, 2}});
    CHECK(maxima({{0, 0, 0}, {0, 7, 0}, {0, 7, 0}, {0, 0, 0}}) == Found{{2, 1}});
    CHECK(maxima({{0, 0, 0, 0}, {0, 7, 0, 0}, {0, 0, 7, 0}, {0, 0, 0, 0}}) == Found{{2, 2}});
    CHECK(maxima({{0, 0, 0, 0}, {0, 0, 7, 0}, {0, 7, 0, 0}, {0, 0, 0, 0}}) == Found{{2, 1}});
    CHECK(maxima({{0, 0, 0, 0}, {0, 7, 7, 0}, {0, 7, 7, 0}, {0, 0, 0, 0}}) == Found{{2, 2}});
}
