// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/index.hpp"

#include <cstdlib>
#include <memory>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace hrixs {

// Numbers of the size of a frame, not initialised; in huge pages where the system has them, as
// touching new memory page by page takes longer than filling it.
template <class Number> class BigArray {
  public:
    BigArray() = default;
    explicit BigArray(Index size) {
        constexpr std::size_t page = std::size_t{1} << 21;
        const std::size_t bytes =
            (static_cast<std::size_t>(size) * sizeof(Number) + page - 1) / page * page;
#if defined(__linux__)
        data_.reset(static_cast<Number*>(std::aligned_alloc(page, bytes)));
        if (data_)
            madvise(data_.get(), bytes, MADV_HUGEPAGE);
#else
        data_.reset(static_cast<Number*>(std::malloc(bytes)));
#endif
        if (!data_)
            throw std::bad_alloc();
    }
    Number* data() { return data_.get(); }
    const Number* data() const { return data_.get(); }

  private:
    struct Free {
        void operator()(Number* data) const { std::free(data); }
    };
    std::unique_ptr<Number[], Free> data_;
};

} // namespace hrixs
