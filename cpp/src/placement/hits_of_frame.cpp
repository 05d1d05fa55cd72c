// SPDX-License-Identifier: BSD-3-Clause
#include "placement/hits_of_frame.hpp"

#include <algorithm>

namespace hrixs {

void FrameHits::drop_near_spikes() {
    std::vector<PixelIndex>& spikes = scratch_.spikes;
    if (spikes.empty())
        return;
    std::sort(spikes.begin(), spikes.end(),
              [](const PixelIndex& a, const PixelIndex& b) { return a.x < b.x; });
    const auto is_far = [&](const PixelIndex& hit) {
        auto spike = std::lower_bound(spikes.begin(), spikes.end(), hit.x - spike_reach,
                                      [](const PixelIndex& one, Index x) { return one.x < x; });
        for (; spike != spikes.end() && spike->x <= hit.x + spike_reach; ++spike)
            if (std::abs(spike->y - hit.y) <= spike_reach)
                return false;
        return true;
    };
    std::vector<PixelIndex>& centres = scratch_.centres;
    const std::vector<PixelIndex> before = centres;
    centres.clear();
    std::vector<Window>& windows = scratch_.windows;
    scratch_.table.keep_if([&](std::size_t k) {
        const bool far = is_far(before[k]);
        if (far && !windows.empty())
            windows[centres.size()] = windows[k];
        if (far)
            centres.push_back(before[k]);
        return far;
    });
    windows.resize(std::min(windows.size(), centres.size()));
    n_spikes_ += static_cast<Index>(before.size() - centres.size());
}

} // namespace hrixs
