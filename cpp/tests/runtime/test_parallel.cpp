// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/parallel.hpp"

#include "hrixs/classify.hpp"
#include "hrixs/find.hpp"
#include "hrixs/integrate.hpp"
#include "images.hpp"
#include "same_bytes.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/wait.h>
#include <unistd.h>
#endif

using namespace hrixs;
using namespace hrixs::test;
using namespace std::chrono_literals;

namespace {

struct NoScratch {};
constexpr auto no_scratch = [] { return NoScratch{}; };

} // namespace

TEST_CASE("usable threads: never more than frames, at least one") {
    CHECK(usable_threads(1, 100) == 1);
    CHECK(usable_threads(4, 100) == 4);
    CHECK(usable_threads(4, 3) == 3);
    CHECK(usable_threads(4, 0) == 1);
    CHECK(usable_threads(2, Index{1} << 40) == 2);
    CHECK_THROWS_AS(usable_threads(0, 100), ParameterError);
    CHECK_THROWS_WITH_AS(usable_threads(-3, 100), doctest::Contains("threads = -3"),
                         ParameterError);
}

#if defined(__unix__) || defined(__APPLE__)
TEST_CASE("usable threads: one in a forked child") {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0)
        _exit(usable_threads(4, 100));
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 1);
    CHECK(usable_threads(4, 100) == 4);
}
#endif

TEST_CASE("loop over frames: every frame once, one scratch a thread") {
    for (int threads = 1; threads <= 4; ++threads)
        for (const Index n_frames : {0, 1, 2, 3, 50}) {
            std::vector<std::atomic<int>> visits(static_cast<std::size_t>(n_frames));
            std::atomic<int> n_scratch{0};
            for_each_frame(
                n_frames, {threads}, [&] { return ++n_scratch; },
                [&](Index frame, int&) { ++visits[static_cast<std::size_t>(frame)]; });
            for (const std::atomic<int>& count : visits)
                CHECK(count == 1);
            CHECK(n_scratch <= threads);
            CHECK((n_scratch > 0) == (n_frames > 0));
        }
}

TEST_CASE("loop over frames: the exception of the lowest frame is carried back") {
    for (int threads = 1; threads <= 4; ++threads) {
        std::vector<std::atomic<int>> visits(20);
        const auto work = [&](Index frame, NoScratch) {
            ++visits[static_cast<std::size_t>(frame)];
            if (frame == 3)
                std::this_thread::sleep_for(30ms); // the higher frames fail first
            if (frame == 3 || frame == 4 || frame > 6)
                throw std::out_of_range("frame " + std::to_string(frame));
        };
        CHECK_THROWS_WITH_AS(for_each_frame(20, {threads}, no_scratch, work), "frame 3",
                             std::out_of_range);
        for (std::size_t frame = 0; frame <= 3; ++frame)
            CHECK(visits[frame] == 1);
    }
}

TEST_CASE("loop over frames: a scratch that cannot be made is an error") {
    const auto no_memory = []() -> NoScratch { throw std::bad_alloc(); };
    for (int threads = 1; threads <= 4; ++threads)
        CHECK_THROWS_AS(for_each_frame(5, {threads}, no_memory, [](Index, NoScratch) {}),
                        std::bad_alloc);
}

TEST_CASE("loop over frames: an interrupt ends the work") {
    for (int threads = 1; threads <= 4; ++threads) {
        std::atomic<int> worked{0};
        std::atomic<bool> on_another_thread{false};
        const auto caller = std::this_thread::get_id();
        Execution execution{threads, [&] {
                                if (std::this_thread::get_id() != caller)
                                    on_another_thread = true;
                                return true;
                            }};
        CHECK_THROWS_AS(for_each_frame(100, execution, no_scratch,
                                       [&](Index, NoScratch) {
                                           ++worked;
                                           std::this_thread::sleep_for(15ms);
                                       }),
                        Interrupted);
        CHECK(worked < 100);
        CHECK_FALSE(on_another_thread);
    }
}

TEST_CASE("loop over frames: asked and not interrupted, it goes on") {
    int asked = 0;
    int worked = 0;
    for_each_frame(10, {1, [&] { return ++asked < 0; }}, no_scratch, [&](Index, NoScratch) {
        ++worked;
        std::this_thread::sleep_for(15ms);
    });
    CHECK(asked > 0);
    CHECK(worked == 10);
}

TEST_CASE("kernels: any number of threads gives the same bytes") {
    const Stack<std::uint16_t> stack = random_stack(23, 20, 41, 3);
    const FrameStack<std::uint16_t> frames = stack.frames();
    const std::vector<double> photon_adu(23, 130.0);
    const auto find = [&](int threads) {
        return find_photons(frames, {}, {{}, 1.0, 900.0, 1000}, {threads});
    };
    const auto classify = [&](int threads) {
        return classify_photons(frames, photon_adu.data(), {}, {0.2, 1.0, 0.2, 1.5, 1000},
                                {threads});
    };
    const auto integrate = [&](int threads) {
        return integrate_frames(frames, {}, {0.3, -0.01}, {threads});
    };
    REQUIRE(find(1).table.size() > 23);
    REQUIRE(classify(1).table.size() > 23);
    for (int threads = 1; threads <= 4; ++threads) {
        CHECK(same_bytes(find(threads), find(1)));
        CHECK(same_bytes(classify(threads), classify(1)));
        CHECK(same_bytes(integrate(threads), integrate(1)));
    }
}
