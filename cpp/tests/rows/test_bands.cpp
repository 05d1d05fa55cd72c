// SPDX-License-Identifier: BSD-3-Clause
#include "rows/bands.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

using namespace hrixs;

namespace {

struct NoScratch {};

NoScratch no_scratch() {
    return {};
}

} // namespace

TEST_CASE("bands: one follows the other, and each row has its own") {
    for (const Index n_rows : {1, 4, 255, 256, 257, 512, 513, 2048}) {
        Index row = 0;
        for (Index number = 0; number < count_bands(n_rows); ++number) {
            const Band band = band_of(number, n_rows);
            CHECK(band.begin == row);
            CHECK(band.end > band.begin);
            CHECK(band_number(band.begin) == number);
            CHECK(band_number(band.end - 1) == number);
            row = band.end;
        }
        CHECK(row == n_rows);
    }
}

TEST_CASE("bands: any number of threads and frames goes through each band once") {
    for (const int threads : {1, 2, 3, 8})
        for (Index n_frames = 1; n_frames <= 5; ++n_frames)
            for (const Index n_rows : {1, 256, 257, 1100}) {
                const auto n_bands = static_cast<std::size_t>(count_bands(n_rows));
                std::vector<std::vector<int>> rows(static_cast<std::size_t>(n_frames),
                                                   std::vector<int>(n_bands));
                std::vector<int> begun(static_cast<std::size_t>(n_frames));
                for_each_banded_frame(n_frames, n_rows, {threads}, no_scratch,
                                      [&](Index frame, NoScratch&, auto for_each_band) {
                                          const auto at = static_cast<std::size_t>(frame);
                                          ++begun[at];
                                          for_each_band(
                                              [&](Index number, const Band& band, NoScratch&) {
                                                  rows[at][static_cast<std::size_t>(number)] +=
                                                      static_cast<int>(band.end - band.begin);
                                              });
                                      });
                CHECK(begun == std::vector<int>(begun.size(), 1));
                for (const std::vector<int>& of_frame : rows) {
                    Index sum = 0;
                    for (const int n : of_frame) {
                        CHECK(n > 0);
                        sum += n;
                    }
                    CHECK(sum == n_rows);
                }
            }
}

TEST_CASE("bands: no two threads have the same scratch") {
    struct Own {
        std::atomic<int> users{0};
        Own() = default;
        Own(Own&&) noexcept {}
    };
    std::atomic<bool> shared{false};
    for (const Index n_frames : {1, 2, 7})
        for_each_banded_frame(
            n_frames, 2000, {4}, [] { return Own(); },
            [&](Index, Own&, auto for_each_band) {
                for_each_band([&](Index, const Band&, Own& own) {
                    if (own.users.fetch_add(1) != 0)
                        shared = true;
                    own.users.fetch_sub(1);
                });
            });
    CHECK_FALSE(shared);
}

TEST_CASE("bands: an exception in a band is carried out, that of the lowest frame") {
    for (const int threads : {1, 2, 3, 8})
        for (Index n_frames = 2; n_frames <= 5; ++n_frames) {
            std::string told;
            try {
                for_each_banded_frame(n_frames, 700, {threads}, no_scratch,
                                      [&](Index frame, NoScratch&, auto for_each_band) {
                                          for_each_band([&](Index number, const Band&, NoScratch&) {
                                              if (frame >= 1 && number >= 1)
                                                  throw std::runtime_error(std::to_string(frame) +
                                                                           " " +
                                                                           std::to_string(number));
                                          });
                                      });
            } catch (const std::runtime_error& error) {
                told = error.what();
            }
            CHECK(told == "1 1");
        }
}

TEST_CASE("bands: frames go together, as long as each thread has some, and each goes once") {
    for (const int threads : {1, 2, 3})
        for (Index n_frames = 1; n_frames <= 20; ++n_frames) {
            std::vector<int> bands(static_cast<std::size_t>(n_frames));
            std::atomic<Index> n_groups{0};
            std::atomic<Index> most{0};
            for_each_banded_group(n_frames, 600, 8, {threads}, no_scratch,
                                  [&](const Range& frames, NoScratch&, auto for_each_band) {
                                      ++n_groups;
                                      if (frames.end - frames.begin > most)
                                          most = frames.end - frames.begin;
                                      for_each_band([&](Index number, const Band&, NoScratch&) {
                                          if (number == 2) // every band once, whoever has it
                                              for (Index k = frames.begin; k < frames.end; ++k)
                                                  ++bands[static_cast<std::size_t>(k)];
                                      });
                                  });
            CHECK(bands == std::vector<int>(bands.size(), 1));
            CHECK(most <= 8);
            // No thread has more than its part, and not in more groups than needed.
            const Index of_thread = (n_frames + threads - 1) / threads;
            CHECK(most <= of_thread);
            CHECK(n_groups <= threads * ((of_thread + 7) / 8));
        }
}
