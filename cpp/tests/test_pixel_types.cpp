// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/pixel_types.hpp"

#include "hrixs/classify.hpp"
#include "hrixs/find.hpp"
#include "hrixs/integrate.hpp"
#include "images.hpp"
#include "same_bytes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <typeinfo>
#include <vector>

using namespace hrixs;
using namespace hrixs::test;

namespace {

struct Results {
    FoundPhotons by_std;
    FoundPhotons by_threshold;
    FoundPhotons classified;
    Integrated integrated;
};

template <class Pixel>
Results reduce(const FrameStack<Pixel>& frames, const CameraCorrection& camera = {}) {
    const std::vector<double> photon_adu(static_cast<std::size_t>(frames.size()), 130.0);
    return {find_photons(frames, camera, {{}, 1.0, 900.0, 1000}, {}),
            find_photons(frames, camera, {500.0, 0.0, {}, 1000}, {}),
            classify_photons(frames, photon_adu.data(), camera, {0.2, 1.0, 0.2, 1.5, 1000}, {}),
            integrate_frames(frames, camera, {0.3, -0.01}, {})};
}

void check_same(const Results& given, const Results& expected) {
    CHECK(same_bytes(given.by_std, expected.by_std));
    CHECK(same_bytes(given.by_threshold, expected.by_threshold));
    CHECK(same_bytes(given.classified, expected.classified));
    CHECK(same_bytes(given.integrated, expected.integrated));
}

} // namespace

TEST_CASE("kernels: every pixel type gives the same bytes on the same values") {
    const Stack<std::uint16_t> counts = random_stack(4, 9, 43, 1);
    const Image<double> dark(9, 43, 7.25);
    Image<std::uint8_t> mask(9, 43);
    mask(4, 20) = mask(0, 0) = mask(8, 33) = 1;
    for (const CameraCorrection& camera :
         {CameraCorrection{}, {dark.view(), {}}, {{}, mask.view()}, {dark.view(), mask.view()}}) {
        const Results expected = reduce(counts.frames(), camera);
        REQUIRE(expected.by_std.table.size() > 20);
        REQUIRE(expected.by_threshold.table.size() > 20);
        REQUIRE(expected.classified.table.size() > 20);
#define CHECK_PIXEL_TYPE(Pixel)                                                                    \
    {                                                                                              \
        CAPTURE(typeid(Pixel).name());                                                             \
        check_same(reduce(Stack<Pixel>(counts).frames(), camera), expected);                       \
    }
        HRIXS_FOR_EACH_PIXEL_TYPE(CHECK_PIXEL_TYPE)
    }
}

TEST_CASE("kernels: strides do not matter") {
    const Index n = 3, nx = 9, ny = 37;
    Stack<std::uint16_t> counts = random_stack(n, nx, ny, 2);
    const Results expected = reduce(counts.frames());

    SUBCASE("all axes backwards") {
        std::vector<std::uint16_t> pixels(counts.pixels.rbegin(), counts.pixels.rend());
        const std::uint16_t* last = pixels.data() + pixels.size() - 1;
        check_same(reduce(FrameStack<std::uint16_t>{{last, nx, ny, -ny, -1}, {n}, {-nx * ny}}),
                   expected);
    }
    SUBCASE("y slowest, x next, frames fastest") {
        std::vector<std::uint16_t> pixels(counts.pixels.size());
        for (Index frame = 0; frame < n; ++frame)
            for (Index x = 0; x < nx; ++x)
                for (Index y = 0; y < ny; ++y)
                    pixels[static_cast<std::size_t>((y * nx + x) * n + frame)] =
                        counts(frame, x, y);
        check_same(reduce(FrameStack<std::uint16_t>{{pixels.data(), nx, ny, n, nx * n}, {n}, {1}}),
                   expected);
    }
    SUBCASE("a crop of a larger frame") {
        Stack<std::uint16_t> larger(n, nx + 3, ny + 5, 65535);
        for (Index frame = 0; frame < n; ++frame)
            for (Index x = 0; x < nx; ++x)
                for (Index y = 0; y < ny; ++y)
                    larger(frame, x + 2, y + 1) = counts(frame, x, y);
        check_same(reduce(FrameStack<std::uint16_t>{{&larger(0, 2, 1), nx, ny, ny + 5, 1},
                                                    {1, n, 1},
                                                    {0, (nx + 3) * (ny + 5), 0}}),
                   expected);
    }
}

TEST_CASE("kernels: zero strides, a frame without change along the line") {
    const std::vector<float> row{0, 0, 5, 9, 5, 0, 0, 1};
    const FrameStack<float> repeated{{row.data(), 6, 8, 0, 1}, {2}, {0}};
    Stack<float> copied(2, 6, 8);
    for (std::size_t k = 0; k < copied.pixels.size(); ++k)
        copied.pixels[k] = row[k % 8];
    check_same(reduce(repeated), reduce(copied.frames()));
    const Integrated result = integrate_frames(repeated, {}, {}, {});
    CHECK(std::equal(row.begin(), row.end(), result.sums.begin() + 8,
                     [](float pixel, double sum) { return sum == 6.0 * double{pixel}; }));
}
