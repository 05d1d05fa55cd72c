// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/cell_medians.hpp"

#include "hrixs/errors.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

namespace hrixs {

namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
constexpr double infinite = std::numeric_limits<double>::infinity();

// Narrow cells are gone through side by side, by whole lines of memory.
constexpr Index least_width = 32;
// Of a cell, from which it is told where about its median lies.
constexpr std::size_t sample_size = 128, margin = 18;
// Parts of a cell's values near the median: with more of them the next window is narrower, with
// less it is wider.
constexpr double most_near = 0.12, least_near = 0.05, narrower = 0.7, wider = 1.4;

// About a middle as far as `reach`, that too.
struct Window {
    double middle = 0.0;
    double reach = infinite;
};

// Of a cell's values: how many lie below a window, in it, and are there at all.
struct Around {
    std::size_t below = 0;
    std::size_t near = 0;
    std::size_t n = 0;

    bool has_median() const { return n > 0 && (n - 1) / 2 >= below && n / 2 < below + near; }
};

// Medians of cells one after the other. Where these are like each other, the next one lies near the
// last one, and few values are put in order.
class Medians {
  public:
    Medians(const ImageView<double>& image, const Cells& cells)
        : image_(image), cells_(cells), together_(std::max<Index>(1, least_width / cells.size_y)),
          size_(static_cast<std::size_t>(std::min(cells.size_x, image.nx) *
                                         std::min(cells.size_y, image.ny))),
          apart_(size_ + 8), values_(static_cast<std::size_t>(together_) * apart_),
          near_(size_ + 1) {}

    // Of a row of cells those from `first` on.
    void find(Index i, Index first, Index end, double* median, Index* n) {
        for (; first < end; first += together_) {
            const Index here = std::min(together_, end - first);
            take(i, first, here);
            for (Index k = 0; k < here; ++k) {
                const auto at = static_cast<std::size_t>(first + k);
                const Index y = (first + k) * cells_.size_y;
                const Index width = std::min(cells_.size_y, image_.ny - y);
                const Index height = std::min(cells_.size_x, image_.nx - i * cells_.size_x);
                n[at] = static_cast<Index>(
                    find_median(values_.data() + static_cast<std::size_t>(k) * apart_,
                                static_cast<std::size_t>(width * height), median[at]));
            }
        }
    }

  private:
    // The values of cells beside each other.
    void take(Index i, Index first, Index n_cells) {
        const Index begin_x = i * cells_.size_x;
        const Index end_x = std::min(begin_x + cells_.size_x, image_.nx);
        const Index begin_y = first * cells_.size_y;
        const Index n_y = std::min(n_cells * cells_.size_y, image_.ny - begin_y);
        const double* less_of_y =
            cells_.less_of_y.empty() ? nullptr : cells_.less_of_y.data() + begin_y;
        line_.resize(static_cast<std::size_t>(n_y));
        double* line = line_.data();
        for (Index x = begin_x; x < end_x; ++x) {
            const double* row = image_.row(x) + begin_y * image_.stride_y;
            if (image_.stride_y == 1)
                std::copy_n(row, n_y, line);
            else
                for (Index y = 0; y < n_y; ++y)
                    line[y] = row[y * image_.stride_y];
            if (less_of_y != nullptr)
                for (Index y = 0; y < n_y; ++y)
                    line[y] -= less_of_y[y];
            if (!cells_.less_of_x.empty()) {
                const double less = cells_.less_of_x[static_cast<std::size_t>(x)];
                for (Index y = 0; y < n_y; ++y)
                    line[y] -= less;
            }
            double* to = values_.data() + (x - begin_x); // of columns
            if (cells_.size_y == 1)
                for (Index y = 0; y < n_y; ++y)
                    to[static_cast<std::size_t>(y) * apart_] = line[y];
            else
                for (Index c = 0; c * cells_.size_y < n_y; ++c) {
                    const Index y = c * cells_.size_y;
                    const Index width = std::min(cells_.size_y, n_y - y);
                    std::copy_n(line + y, width,
                                values_.data() + static_cast<std::size_t>(c) * apart_ +
                                    static_cast<std::size_t>((x - begin_x) * width));
                }
        }
    }

    // Gives how many are numbers.
    std::size_t find_median(const double* values, std::size_t size, double& median) {
        Around around;
        if (has_window_ && (around = look(values, size, window_)).has_median()) {
            median = middle_of(around);
            const double part = static_cast<double>(around.near) / static_cast<double>(around.n);
            window_.reach *= part > most_near ? narrower : part < least_near ? wider : 1.0;
            window_.middle = median;
            return around.n;
        }
        Window wanted = sampled(values, size);
        around = look(values, size, wanted);
        if (!around.has_median())
            around = look(values, size, wanted = {});
        median = around.n > 0 ? middle_of(around) : unknown;
        // Only where cells are like each other the next one is looked for in this one's window.
        has_window_ =
            std::isfinite(wanted.reach) && std::abs(median - window_.middle) <= window_.reach;
        window_ = {median, wanted.reach};
        return around.n;
    }

    // A window around the median, as a sample tells.
    Window sampled(const double* values, std::size_t size) {
        const std::size_t stride = size / sample_size;
        if (stride < 2)
            return {};
        std::size_t n = 0;
        for (std::size_t k = 0; k < sample_size; ++k) {
            sample_[n] = values[k * stride];
            n += sample_[n] == sample_[n] ? 1 : 0;
        }
        if (n / 2 < margin)
            return {};
        const auto end = sample_.begin() + static_cast<std::ptrdiff_t>(n);
        const auto low = sample_.begin() + static_cast<std::ptrdiff_t>(n / 2 - margin);
        const auto high = sample_.begin() + static_cast<std::ptrdiff_t>(n / 2 + margin - 1);
        std::nth_element(sample_.begin(), low, end);
        std::nth_element(low, high, end);
        const double reach = 0.5 * (*high - *low);
        return std::isfinite(reach) ? Window{*low + reach, reach} : Window{};
    }

    // Keeps the values in a window. All are judged by their distance from its middle, which does
    // not change their order.
    Around look(const double* values, std::size_t size, Window window) {
        const double lowest = -window.reach;
        std::int64_t below = 0;
        std::int64_t n = 0;
        for (std::size_t k = 0; k < size; ++k) {
            below += values[k] - window.middle < lowest ? 1 : 0;
            n += values[k] == values[k] ? 1 : 0;
        }
        double* near = near_.data();
        std::size_t n_near = 0;
        for (std::size_t k = 0; k < size; ++k) {
            near[n_near] = values[k];
            n_near += std::abs(values[k] - window.middle) <= window.reach ? 1 : 0;
        }
        return {static_cast<std::size_t>(below), n_near, static_cast<std::size_t>(n)};
    }

    double middle_of(const Around& around) {
        const auto end = near_.begin() + static_cast<std::ptrdiff_t>(around.near);
        const auto low =
            near_.begin() + static_cast<std::ptrdiff_t>((around.n - 1) / 2 - around.below);
        std::nth_element(near_.begin(), low, end);
        return around.n % 2 == 1 ? *low : (*low + *std::min_element(low + 1, end)) / 2;
    }

    const ImageView<double>& image_;
    const Cells& cells_;
    Index together_;    // cells
    std::size_t size_;  // of one
    std::size_t apart_; // somewhat more, so that cells don't crowd in the same lines of the cache
    std::vector<double> values_;
    std::vector<double> near_;
    std::vector<double> line_;
    std::array<double, sample_size> sample_{};
    Window window_; // in which the next median is looked for first
    bool has_window_ = false;
};

void check(const ImageView<double>& image, const Cells& cells) {
    if (cells.size_x < 1 || cells.size_y < 1)
        throw ParameterError("cells of " + std::to_string(cells.size_x) + " x " +
                             std::to_string(cells.size_y) + " pixels, expected 1 or more.");
    const auto require = [](std::span<const double> less, Index n, const char* name) {
        if (!less.empty() && static_cast<Index>(less.size()) != n)
            throw ShapeError(std::string(name) + " has " + std::to_string(less.size()) +
                             " values, expected " + std::to_string(n) + ".");
    };
    require(cells.less_of_y, image.ny, "less_of_y");
    require(cells.less_of_x, image.nx, "less_of_x");
}

} // namespace

CellMedians cell_medians(const ImageView<double>& image, const Cells& cells,
                         const Execution& execution) {
    check(image, cells);
    CellMedians result;
    if (image.nx < 1 || image.ny < 1)
        return result;
    const Index n_across = (image.ny + cells.size_y - 1) / cells.size_y;
    const Index n_along = (image.nx + cells.size_x - 1) / cells.size_x;
    result.median.resize(static_cast<std::size_t>(n_along * n_across));
    result.n.resize(result.median.size());
    // Columns are shared out to threads, too.
    const Index part = n_along < 16 ? std::max<Index>(least_width, n_across / 16) : n_across;
    const Index n_parts = (n_across + part - 1) / part;
    for_each_frame(
        n_along * n_parts, execution, [&] { return Medians(image, cells); },
        [&](Index number, Medians& medians) {
            const Index i = number / n_parts;
            const Index first = number % n_parts * part;
            const auto row = static_cast<std::size_t>(i * n_across);
            medians.find(i, first, std::min(first + part, n_across), result.median.data() + row,
                         result.n.data() + row);
        });
    return result;
}

} // namespace hrixs
