// SPDX-License-Identifier: BSD-3-Clause
#include "integrate_oracle.hpp"
#include "settings.hpp"
#include "ways.hpp"

#include "hrixs/integrate.hpp"

#include <algorithm>
#include <vector>

using namespace hrixs;
using namespace hrixs::fuzz;

namespace {

Curvature any_curvature(Input& input, Index nx) {
    const auto span = static_cast<double>(nx);
    // In rows over the frame's width, mostly on the frame.
    const double size = input.one_of({1.0, 1.0, 1.0, 100.0, 1e6});
    Curvature curvature{input.number(-20.0, 20.0) * size / span,
                        input.number(-20.0, 20.0) * size / (span * span)};
    curvature.first_column = input.one_of({0.0, 0.0, 1.0, 300.0, -0.5}) * span / 100.0;
    return curvature;
}

// For one input in four, near the parabola.
std::vector<double> any_displacements(Input& input, const Curvature& curvature, Index nx) {
    std::vector<double> displacements;
    if (input.one_of({0.0, 0.0, 0.0, 1.0}) != 0.0)
        for (Index x = 0; x < nx; ++x)
            displacements.push_back(curvature.at_row(x) + input.number(-2.0, 2.0));
    return displacements;
}

unsigned faults_of_curvature(const Curvature& curvature, Index nx) {
    if (!curvature.displacements.empty())
        return std::all_of(curvature.displacements.begin(), curvature.displacements.end(),
                           [](double one) { return std::abs(one) < 1e9; })
                   ? 0
                   : parameter;
    const double span = std::max(std::abs(curvature.first_column),
                                 std::abs(curvature.first_column + static_cast<double>(nx)));
    const bool near =
        std::abs(curvature.a * span) < 1e9 && std::abs(curvature.b * span * span) < 1e9;
    return near ? 0 : parameter;
}

template <class Pixel> double largest_dark(const Frames<Pixel>& frames) {
    double largest = 0.0;
    const auto look_at = [&](const auto& dark) {
        for (Index k = 0; k < dark.layout.count(); ++k)
            if (!(frames.mask && frames.mask->at(k) != 0))
                largest = std::max(largest, std::abs(static_cast<double>(dark.at(k))));
    };
    if (frames.dark32)
        look_at(*frames.dark32);
    if (frames.dark64)
        look_at(*frames.dark64);
    return largest;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    with_pixel_type(input, [&](auto pixel) {
        const Index way = input.whole(0, n_ways - 1);
        const Frames<decltype(pixel)> frames(input);
        Curvature curvature = any_curvature(input, frames.nx());
        const std::vector<double> displacements = any_displacements(input, curvature, frames.nx());
        curvature.displacements = displacements;
        const CameraCorrection camera = frames.camera();
        const auto integrated = call_in_two_ways(frames, way, [&](const auto& stack, int threads) {
            return integrate_frames(stack, camera, curvature, {threads});
        });
        const unsigned faults =
            faults_of_curvature(curvature, frames.nx()) | faults_of_camera(frames);
        std::vector<RowAnswer> answers;
        std::vector<unsigned> faults_of_frames;
        if (faults == 0)
            for (const PlainFrame& frame : plain_frames(frames)) {
                answers.push_back(integrate_in(frame, curvature, largest_dark(frames)));
                faults_of_frames.push_back(answers.back().faults);
            }
        if (threw_rightly(integrated, faults, faults_of_frames))
            return;
        const auto ny = static_cast<std::size_t>(frames.ny());
        require(integrated.result->sums.size() == answers.size() * ny &&
                    integrated.result->weights.size() == ny,
                "a value for each row");
        for (std::size_t f = 0; f < answers.size(); ++f) {
            const RowAnswer& answer = answers[f];
            ++counts().compared;
            for (std::size_t y = 0; y < ny; ++y) {
                require_near(integrated.result->weights[y], static_cast<double>(answer.weights[y]),
                             answer.weight_tolerance, "weight");
                require_near(integrated.result->sums[f * ny + y],
                             static_cast<double>(answer.sums[y]), answer.sum_tolerance, "sum");
            }
        }
    });
    return 0;
}
