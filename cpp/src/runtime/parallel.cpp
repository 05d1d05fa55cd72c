// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/parallel.hpp"

#include <algorithm>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#define HRIXS_CAN_FORK
#endif

namespace hrixs {

namespace {

std::atomic<bool> in_forked_child{false};

// More than any machine has; the OpenMP runtime ends the process where it can't start them.
constexpr int most_threads = 1024;

#ifdef HRIXS_CAN_FORK
// At load time: the parent's first team may be another library's.
[[maybe_unused]] const int fork_guard =
    pthread_atfork(nullptr, nullptr, [] { in_forked_child.store(true); });
#endif

} // namespace

int usable_threads(int asked, Index n_frames) {
    if (asked < 1)
        throw ParameterError("threads = " + std::to_string(asked) + ", expected 1 or more.");
    if (in_forked_child)
        return 1;
    return static_cast<int>(std::clamp<Index>(n_frames, 1, std::min(asked, most_threads)));
}

} // namespace hrixs
