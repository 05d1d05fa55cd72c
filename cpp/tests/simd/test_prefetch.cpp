// SPDX-License-Identifier: BSD-3-Clause
#include "simd/prefetch.hpp"

#include "hrixs/frames.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

using namespace hrixs;

TEST_CASE("prefetch: what is read soon lies in the image, with as much as is read now") {
    for (const Index nx : {1, 2, 5, 40})
        for (const Index ny : {1, 64, 511, 1024, 2048, 3000})
            for (const Index stride : {ny, ny + 1}) {
                const std::vector<std::uint16_t> pixels(static_cast<std::size_t>(nx * stride));
                const ImageView<std::uint16_t> image{pixels.data(), nx, ny, stride, 1};
                const Index end = (nx - 1) * stride + ny;
                for (Index x = 0; x < nx; ++x) {
                    const Index soon = read_soon(image, x, 0) - pixels.data();
                    CHECK(x * stride <= soon);
                    CHECK(soon + ny <= end);
                }
                // The rest of a row, as blocks are read.
                CHECK(read_soon(image, nx - 1, ny / 2) - pixels.data() + ny - ny / 2 <= end);
            }
}

TEST_CASE("prefetch: 8192 bytes ahead where rows follow each other, else the next row") {
    const std::vector<std::uint16_t> pixels(8 * 2048);
    const ImageView<std::uint16_t> whole{pixels.data(), 8, 2048, 2048, 1};
    CHECK(read_soon(whole, 2, 512) == pixels.data() + 2 * 2048 + 512 + 4096);
    const ImageView<std::uint16_t> cropped{pixels.data(), 8, 200, 2048, 1};
    CHECK(read_soon(cropped, 2, 64) == pixels.data() + 3 * 2048 + 64);
    CHECK(read_soon(cropped, 7, 0) == pixels.data() + 7 * 2048);
}
