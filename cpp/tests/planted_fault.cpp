// SPDX-License-Identifier: BSD-3-Clause
// A fault that the sanitizer of this build must find: what finds nothing may look at nothing.
#include "hrixs/parallel.hpp"

#include <cstddef>
#include <iostream>
#include <limits>
#include <string_view>
#include <vector>

using namespace hrixs;

namespace {

void read_behind_the_end(Index n) {
    const std::vector<int> pixels(static_cast<std::size_t>(n));
    const int* first = pixels.data();
    std::cout << first[n] << '\n';
}

void overflow(Index n) {
    std::cout << std::numeric_limits<Index>::max() - 2 + n << '\n';
}

// All threads count in one place, which the loop over frames does not guard.
void race(Index n) {
    Index count = 0;
    Execution execution;
    execution.threads = 2;
    for_each_frame(1000 * n, execution, [] { return 0; }, [&](Index, int&) { ++count; });
    std::cout << count << '\n';
}

// 12345 bytes a time, in threads: what is lost there must be reported, too.
void lose(Index n) {
    Execution execution;
    execution.threads = 2;
    for_each_frame(
        n, execution, [] { return 0; },
        [](Index, int&) {
            volatile char* lost = new char[12345];
            lost[0] = 'x';
            lost = nullptr;
        });
}

} // namespace

int main(int argc, char** argv) {
    const std::string_view fault = argc > 1 ? argv[1] : "";
    const Index n = argc + 2; // the compiler does not know it
    if (fault == "address")
        read_behind_the_end(n);
    else if (fault == "undefined")
        overflow(n);
    else if (fault == "thread")
        race(n);
    else if (fault == "leak")
        lose(n);
    else
        return 1;
}
