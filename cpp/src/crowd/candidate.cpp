// SPDX-License-Identifier: BSD-3-Clause
#include "crowd/candidate.hpp"

#include <cmath>

namespace hrixs::crowd {

namespace {

constexpr float seen_part = 0.4F; // of a photon's cloud, on pixels that are not masked
// Widths of the noise that an amplitude must have, without and with photons near.
constexpr float widths_alone = 6.0F;
constexpr float widths_near = 4.0F;

} // namespace

bool try_candidate(Scene& scene, double x, double y, float least_amplitude, bool wide) {
    x = scene.in_frame_x(x);
    y = scene.in_frame_y(y);
    if (!std::isfinite(x + y))
        return false;
    for (int tries = 0;; ++tries) {
        const Index centre_x = nearest(x);
        const Index centre_y = nearest(y);
        scene.search_around(x, y);
        const auto [place, amplitude] = scene.fit_place(x, y);
        x = scene.in_frame_x(static_cast<double>(centre_x) + static_cast<double>(place.x));
        y = scene.in_frame_y(static_cast<double>(centre_y) + static_cast<double>(place.y));
        // Once more in the window of the pixel that it went to.
        if (tries == 0 && (nearest(x) != centre_x || nearest(y) != centre_y))
            continue;
        const bool is_alone = scene.near(x, y).empty();
        const float widths = is_alone ? widths_alone : wide ? 0.0F : widths_near;
        if (!(amplitude.value > least_amplitude) || !(amplitude.seen > seen_part) ||
            !(amplitude.value * amplitude.value > widths * widths * amplitude.variance))
            return false;
        scene.add(x, y);
        return true;
    }
}

} // namespace hrixs::crowd
