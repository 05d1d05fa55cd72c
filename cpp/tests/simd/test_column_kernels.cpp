// SPDX-License-Identifier: BSD-3-Clause
#include "levels.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

using namespace hrixs;
using namespace hrixs::test;

namespace {

constexpr std::size_t block = column_block;

template <class Number> struct Kernels {
    void (*sort)(Number*, Index);
    void (*square)(const Number*, Index, const double*, double*);
    void (*keep)(const Number*, Index, const double*, const double*, KeptColumns&, Index*);
};
template <class Number> Kernels<Number> kernels_of(const RowKernels& level);
template <> Kernels<float> kernels_of(const RowKernels& level) {
    return {level.sort_columns_f32, level.square_columns_f32, level.keep_columns_f32};
}
template <> Kernels<double> kernels_of(const RowKernels& level) {
    return {level.sort_columns_f64, level.square_columns_f64, level.keep_columns_f64};
}

template <class Number> std::vector<Number> some_values(Index n, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<double> normal(100.0, 3.0);
    std::vector<Number> values(size(n) * block);
    for (Number& value : values)
        value = static_cast<Number>(std::round(2 * normal(random)) / 2);
    return values;
}

template <class Number>
std::vector<Number> column(const std::vector<Number>& values, std::size_t k) {
    std::vector<Number> own;
    for (std::size_t at = k; at < values.size(); at += block)
        own.push_back(values[at]);
    return own;
}

} // namespace

TEST_CASE_TEMPLATE("column kernels: the values of each pixel are sorted", Number, float, double) {
    for (const RowKernels* level : levels())
        for (const Index n : {1, 2, 3, 7, 8, 31, 32, 33}) {
            const auto given = some_values<Number>(n, static_cast<unsigned>(n));
            auto sorted = given;
            kernels_of<Number>(*level).sort(sorted.data(), n);
            for (std::size_t k = 0; k < block; ++k) {
                auto wanted = column(given, k);
                std::sort(wanted.begin(), wanted.end());
                CHECK(column(sorted, k) == wanted);
            }
        }
}

TEST_CASE_TEMPLATE("column kernels: what lies within the limits is added up", Number, float,
                   double) {
    const Index n = 9;
    auto values = some_values<Number>(n, 5);
    values[3 * block + 7] = Number{4000};
    values[8 * block + 7] = Number{-4000};
    std::vector<double> middle(block, 100.0);
    std::vector<double> limit(block, 4.0);
    limit[11] = 0.0; // such a value is kept if it is the middle
    std::vector<double> squares(block);
    for (const RowKernels* level : levels()) {
        const auto kernels = kernels_of<Number>(*level);
        KeptColumns kept;
        std::vector<Index> n_out(size(n), 2); // is added to
        kernels.keep(values.data(), n, middle.data(), limit.data(), kept, n_out.data());
        kernels.square(values.data(), n, middle.data(), squares.data());
        std::vector<Index> wanted_out(size(n), 2);
        for (std::size_t k = 0; k < block; ++k) {
            double number = 0.0;
            double sum = 0.0;
            double square = 0.0;
            double all = 0.0;
            for (std::size_t frame = 0; frame < size(n); ++frame) {
                const double off = static_cast<double>(values[frame * block + k]) - 100.0;
                all += off * off;
                if (std::abs(off) > limit[k]) {
                    ++wanted_out[frame];
                    continue;
                }
                number += 1;
                sum += off;
                square += off * off;
            }
            // Halves and their squares are added up without rounding.
            CHECK(kept.n[k] == number);
            CHECK(kept.sum[k] == sum);
            CHECK(kept.squares[k] == square);
            CHECK(squares[k] == all);
        }
        CHECK(n_out == wanted_out);
    }
}
