// SPDX-License-Identifier: BSD-3-Clause
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HRIXS_SEEKS_LEAKS
#include <sanitizer/lsan_interface.h>
#endif
#endif

namespace {

// LLVM's OpenMP never frees what it needs of its threads. Leaks of this first use are not reported;
// suppressing those of the library would hide ours, which it calls.
void start_threads() {
#ifdef HRIXS_SEEKS_LEAKS
    const __lsan::ScopedDisabler unreported;
    for (int threads = 2; threads <= 64; threads *= 2) {
#pragma omp parallel num_threads(threads)
        {
        }
    }
#endif
}

} // namespace

int main(int argc, char** argv) {
    start_threads();
    return doctest::Context(argc, argv).run();
}
