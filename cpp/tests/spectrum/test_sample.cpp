// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/sample.hpp"

#include "images.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

using namespace hrixs;
using namespace hrixs::test;

namespace {

using Rows = RowValues;

const std::vector<Index> moved{0, 1, 1, -2};
const std::vector<Index> phases{0, 1, 1, 0};
const RowPhases where{moved, phases, 2};

} // namespace

TEST_CASE("sample: rows of pixels are moved, and added up by their phases") {
    Stack<std::uint16_t> stack(2, 4, 4);
    stack(0, 0, 1) = 65535;
    stack(0, 1, 0) = 7;
    stack(0, 2, 0) = 5;
    stack(0, 2, 3) = 99; // moved off the frame
    stack(1, 3, 2) = 2;
    const Rows sums = sample_frames(stack.frames(), {}, where, {});
    CHECK(sums == Rows{0, 65535, 0, 0, 0, 12, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("sample: masked pixels take no part, and all others must be finite") {
    Stack<double> stack(1, 4, 4);
    stack(0, 1, 1) = std::numeric_limits<double>::quiet_NaN();
    stack(0, 2, 1) = 4;
    CHECK_THROWS_AS(sample_frames(stack.frames(), {}, where, {}), NonFinitePixels);
    Image<std::uint8_t> mask(4, 4);
    mask(1, 1) = 1;
    const CameraCorrection camera{std::nullopt, mask.view()};
    CHECK(sample_frames(stack.frames(), camera, where, {}) == Rows{0, 0, 0, 0, 0, 0, 4, 0});
}

TEST_CASE("sample: phases must be those of the frame's rows") {
    Stack<std::uint16_t> stack(1, 4, 4);
    const std::vector<Index> few{0, 1};
    const std::vector<Index> beyond{0, 1, 2, 0};
    const std::vector<Index> far{0, 1, 1, -9};
    CHECK_THROWS_AS(sample_frames(stack.frames(), {}, RowPhases{few, phases, 2}, {}),
                    ParameterError);
    CHECK_THROWS_AS(sample_frames(stack.frames(), {}, RowPhases{moved, beyond, 2}, {}),
                    ParameterError);
    CHECK_THROWS_AS(sample_frames(stack.frames(), {}, RowPhases{far, phases, 2}, {}),
                    ParameterError);
    CHECK_THROWS_AS(sample_frames(stack.frames(), {}, RowPhases{moved, phases, 0}, {}),
                    ParameterError);
}
