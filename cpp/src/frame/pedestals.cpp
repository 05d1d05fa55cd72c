// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/pedestals.hpp"

#include "frame/check_frames.hpp"
#include "frame/pedestal.hpp"
#include "hrixs/pixel_types.hpp"

#include <vector>

namespace hrixs {

template <class Pixel>
Pedestals frame_pedestals(const FrameStack<Pixel>& frames, const CameraCorrection& camera,
                          const Execution& execution) {
    check_frames(frames, 1);
    check_camera(camera, frames.first.nx, frames.first.ny);
    const auto n = static_cast<std::size_t>(frames.size());
    Pedestals result{std::vector<double>(n), std::vector<double>(n)};
    for_each_frame(
        frames.size(), execution, [] { return std::vector<double>(); },
        [&](Index number, std::vector<double>& sample) {
            const Pedestal one =
                pedestal_of(CorrectedFrame<Pixel>{frames.frame(number), &camera}, sample);
            result.mean[static_cast<std::size_t>(number)] = one.mean;
            result.noise[static_cast<std::size_t>(number)] = one.noise;
        });
    return result;
}

#define HRIXS_INSTANTIATE(Pixel)                                                                   \
    template Pedestals frame_pedestals<Pixel>(const FrameStack<Pixel>&, const CameraCorrection&,   \
                                              const Execution&);
HRIXS_FOR_EACH_PIXEL_TYPE(HRIXS_INSTANTIATE)

} // namespace hrixs
