// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/errors.hpp"
#include "hrixs/index.hpp"

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace hrixs {

struct Execution {
    int threads = 1;
    // Called now and then on the calling thread; true ends the work with Interrupted. Must not
    // throw.
    std::function<bool()> interrupted = [] { return false; };
};

// Number of threads of a loop: at most the number of frames, and 1 in a forked child, where a
// second OpenMP team would wait forever for threads that the fork did not copy.
int usable_threads(int asked, Index n_frames);

// Keeps the exception of the lowest frame, so that the report does not depend on threads.
class FirstError {
  public:
    bool concerns(Index frame) const { return frame <= lowest_.load(std::memory_order_relaxed); }
    void keep(Index frame, std::exception_ptr error) {
        const std::lock_guard lock(mutex_);
        if (frame < lowest_.load()) {
            lowest_.store(frame);
            error_ = error;
        }
    }
    void rethrow() const {
        if (error_)
            std::rethrow_exception(error_);
    }

  private:
    std::atomic<Index> lowest_{std::numeric_limits<Index>::max()};
    std::mutex mutex_;
    std::exception_ptr error_;
};

// The loop over frames of all kernels: work(frame, scratch) for each frame, with one scratch object
// for each thread, made by make_scratch(). The first exception is rethrown.
template <class MakeScratch, class Work>
void for_each_frame(Index n_frames, const Execution& execution, MakeScratch make_scratch,
                    Work work) {
    using Clock = std::chrono::steady_clock;
    constexpr auto between_checks = std::chrono::milliseconds(50);
    FirstError first_error;
    std::atomic<bool> stop{false};
    const auto caller = std::this_thread::get_id();
    [[maybe_unused]] const int threads = usable_threads(execution.threads, n_frames);

#pragma omp parallel num_threads(threads)
    {
        // The calling thread is part of the team; only it may check for signals.
        const bool calling_thread = std::this_thread::get_id() == caller;
        auto last_check = Clock::now();
        std::optional<decltype(make_scratch())> scratch;
#pragma omp for schedule(dynamic)
        for (Index frame = 0; frame < n_frames; ++frame) {
            if (stop.load(std::memory_order_relaxed) || !first_error.concerns(frame))
                continue;
            try {
                if (!scratch)
                    scratch.emplace(make_scratch());
                work(frame, *scratch);
            } catch (...) {
                first_error.keep(frame, std::current_exception());
            }
            if (calling_thread && Clock::now() - last_check > between_checks) {
                if (execution.interrupted())
                    stop.store(true);
                last_check = Clock::now();
            }
        }
    }
    if (stop)
        throw Interrupted();
    first_error.rethrow();
}

} // namespace hrixs
