// SPDX-License-Identifier: BSD-3-Clause
#include "settings.hpp"
#include "ways.hpp"

#include "hrixs/find.hpp"

using namespace hrixs;
using namespace hrixs::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    with_pixel_type(input, [&](auto pixel) {
        const Index way = input.whole(0, n_ways - 1);
        const FindSettings settings = any_find_settings(input);
        const Frames<decltype(pixel)> frames(input);
        const CameraCorrection camera = frames.camera();
        const auto found = call_in_two_ways(frames, way, [&](const auto& stack, int threads) {
            return find_photons(stack, camera, settings, {threads});
        });
        const unsigned faults = faults_of(settings) | faults_of_camera(frames);
        std::vector<Answer> answers;
        if (faults == 0)
            for (const PlainFrame& frame : plain_frames(frames))
                answers.push_back(find_in(frame, settings));
        if (!threw_rightly(found, faults, faults_of(answers)))
            compare_photons(*found.result, answers);
    });
    return 0;
}
