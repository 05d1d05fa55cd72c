// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace hrixs {

// Does not initialise new elements: the threads of the frames write them, and so touch them first.
template <class T> struct Uninitialised : std::allocator<T> {
    template <class U> struct rebind {
        using other = Uninitialised<U>;
    };
    Uninitialised() = default;
    // Some standard libraries use it to allocate memory of their own.
    template <class U> Uninitialised(const Uninitialised<U>&) noexcept {}
    template <class U> void construct(U* place) { ::new (static_cast<void*>(place)) U; }
};

// The same in huge pages, if the system has them: touching new memory page by page takes longer
// than filling it.
template <class T> struct InHugePages : Uninitialised<T> {
    template <class U> struct rebind {
        using other = InHugePages<U>;
    };
    InHugePages() = default;
    template <class U> InHugePages(const InHugePages<U>&) noexcept {}

#if defined(__linux__)
    T* allocate(std::size_t n) {
        if (n * sizeof(T) < least_bytes)
            return Uninitialised<T>::allocate(n);
        const std::size_t bytes = (n * sizeof(T) + page - 1) / page * page;
        void* place = std::aligned_alloc(page, bytes);
        if (place == nullptr)
            throw std::bad_alloc();
        madvise(place, bytes, MADV_HUGEPAGE);
        return static_cast<T*>(place);
    }
    void deallocate(T* place, std::size_t n) {
        if (n * sizeof(T) < least_bytes)
            Uninitialised<T>::deallocate(place, n);
        else
            std::free(place);
    }

  private:
    static constexpr std::size_t page = std::size_t{1} << 21;
    static constexpr std::size_t least_bytes = 4 * page;
#endif
};

// Images, row by row, whose elements are all written.
template <class T> using ImageValues = std::vector<T, InHugePages<T>>;

} // namespace hrixs
