// SPDX-License-Identifier: BSD-3-Clause
#include "crowd/candidate.hpp"

#include <algorithm>
#include <cmath>

namespace hrixs::crowd {

namespace {

constexpr int most_steps = 3;
constexpr float enough = 0.02F; // pixels; a shorter step is the last
constexpr float most_step = 0.5F;
constexpr float seen_part = 0.4F; // of a photon's cloud, on pixels that are not masked
// Widths of the noise that an amplitude must have, without and with photons near.
constexpr float widths_alone = 6.0F;
constexpr float widths_near = 4.0F;

float next_place(float place, float step) {
    return std::clamp(place + std::clamp(step, -most_step, most_step), -Profile::range,
                      Profile::range);
}

struct Fitted {
    float x; // from the patch's middle
    float y;
    Shares along_x;
    Shares along_y;
};

template <int Reach>
Fitted fit(const Patch<Reach>& patch, const Profile& profile, Light light, float x, float y) {
    Fitted at{x, y, {}, {}};
    profile.shares(x, at.along_x);
    profile.shares(y, at.along_y);
    for (int step = 0; step < most_steps; ++step) {
        const PlaceStep s = place_step(patch, at.along_x, at.along_y, light);
        const float d_x = std::clamp(s.along_x(), -most_step, most_step);
        const float d_y = std::clamp(s.along_y(), -most_step, most_step);
        if (!std::isfinite(d_x + d_y))
            break;
        at.x = next_place(at.x, d_x);
        at.y = next_place(at.y, d_y);
        profile.shares(at.x, at.along_x);
        profile.shares(at.y, at.along_y);
        if (std::abs(d_x) + std::abs(d_y) < enough)
            break;
    }
    return at;
}

} // namespace

template <int Reach>
bool try_candidate(Scene& scene, double x, double y, float least_amplitude, bool wide) {
    x = scene.in_frame_x(x);
    y = scene.in_frame_y(y);
    if (!std::isfinite(x + y))
        return false;
    for (int tries = 0;; ++tries) {
        const Index centre_x = nearest(x);
        const Index centre_y = nearest(y);
        scene.search_around(x, y);
        const Patch<Reach> patch(scene.canvas(), centre_x, centre_y);
        const Fitted at = fit(patch, scene.profile(), scene.light(),
                              static_cast<float>(x - static_cast<double>(centre_x)),
                              static_cast<float>(y - static_cast<double>(centre_y)));
        x = scene.in_frame_x(static_cast<double>(centre_x) + static_cast<double>(at.x));
        y = scene.in_frame_y(static_cast<double>(centre_y) + static_cast<double>(at.y));
        // Once more in the window of the pixel that it went to.
        if (tries == 0 && (nearest(x) != centre_x || nearest(y) != centre_y))
            continue;
        const Amplitude amplitude = amplitude_of(patch, at.along_x, at.along_y, scene.light());
        const float widths = !scene.has_near(x, y) ? widths_alone : wide ? 0.0F : widths_near;
        if (!(amplitude.value > least_amplitude) || !(amplitude.seen > seen_part) ||
            !(amplitude.value * amplitude.value > widths * widths * amplitude.variance))
            return false;
        scene.add<Reach>(x, y);
        return true;
    }
}

template bool try_candidate<2>(Scene&, double, double, float, bool);
template bool try_candidate<3>(Scene&, double, double, float, bool);

} // namespace hrixs::crowd
