// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/cell_medians.hpp"

#include "hrixs/errors.hpp"
#include "images.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

using namespace hrixs;
using namespace hrixs::test;

namespace {

double plain_median(std::vector<double> values) {
    values.erase(std::remove_if(values.begin(), values.end(), [](double v) { return v != v; }),
                 values.end());
    if (values.empty())
        return not_a_number;
    std::sort(values.begin(), values.end());
    return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

} // namespace

TEST_CASE("cell medians: those of sorted values, in every way through the image") {
    Image<double> image(150, 610);
    for (Index x = 0; x < 150; ++x)
        for (Index y = 0; y < 610; ++y) {
            const auto number = static_cast<double>((x * 7919 + y * y * 104'729) % 1009);
            image(x, y) = number < 20 ? not_a_number : 0.05 * number + (y > 300 ? 500.0 : 0.0);
        }
    std::vector<double> of_y(610);
    std::vector<double> of_x(150);
    for (std::size_t y = 0; y < of_y.size(); ++y)
        of_y[y] = 0.3 * static_cast<double>(y % 5);
    for (std::size_t x = 0; x < of_x.size(); ++x)
        of_x[x] = static_cast<double>(x);
    const std::vector<std::array<Index, 2>> sizes{{1, 610}, {150, 1}, {64, 64}, {3, 7}, {1, 1}};
    for (const auto& [size_x, size_y] : sizes)
        for (const bool is_less : {false, true}) {
            Cells cells{size_x, size_y, {}, {}};
            if (is_less)
                cells = {size_x, size_y, of_y, of_x};
            const CellMedians found = cell_medians(image.view(), cells, {.threads = 2});
            std::size_t at = 0;
            for (Index x = 0; x < 150; x += size_x)
                for (Index y = 0; y < 610; y += size_y, ++at) {
                    std::vector<double> own;
                    Index n = 0;
                    for (Index i = x; i < std::min<Index>(x + size_x, 150); ++i)
                        for (Index j = y; j < std::min<Index>(y + size_y, 610); ++j) {
                            own.push_back(image(i, j));
                            n += own.back() == own.back() ? 1 : 0;
                            if (is_less)
                                own.back() = own.back() - of_y[static_cast<std::size_t>(j)] -
                                             of_x[static_cast<std::size_t>(i)];
                        }
                    const double expected = plain_median(own);
                    const bool same = found.median[at] == expected ||
                                      (std::isnan(found.median[at]) && std::isnan(expected));
                    CHECK(same);
                    CHECK(found.n[at] == n);
                }
            CHECK(at == found.median.size());
        }
}

TEST_CASE("cell medians: what does not fit is refused") {
    const Image<double> image(3, 4);
    const std::vector<double> five(5);
    CHECK_THROWS_AS(cell_medians(image.view(), {0, 1, {}, {}}, {}), ParameterError);
    CHECK_THROWS_AS(cell_medians(image.view(), {1, 1, five, {}}, {}), ShapeError);
    CHECK_THROWS_AS(cell_medians(image.view(), {1, 1, {}, five}, {}), ShapeError);
    const Image<double> nothing(0, 4);
    CHECK(cell_medians(nothing.view(), {1, 1, {}, {}}, {}).median.empty());
}
