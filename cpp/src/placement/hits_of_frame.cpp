// SPDX-License-Identifier: BSD-3-Clause
#include "placement/hits_of_frame.hpp"

#include <algorithm>

namespace hrixs {

void FrameHits::drop_near_cosmics() {
    std::vector<PixelIndex>& cosmics = scratch_.cosmics;
    if (cosmics.empty())
        return;
    std::sort(cosmics.begin(), cosmics.end(),
              [](const PixelIndex& a, const PixelIndex& b) { return a.x < b.x; });
    const auto is_far = [&](const PixelIndex& hit) {
        auto cosmic = std::lower_bound(cosmics.begin(), cosmics.end(), hit.x - cosmic_reach,
                                       [](const PixelIndex& one, Index x) { return one.x < x; });
        for (; cosmic != cosmics.end() && cosmic->x <= hit.x + cosmic_reach; ++cosmic)
            if (std::abs(cosmic->y - hit.y) <= cosmic_reach)
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
    n_cosmics_ += static_cast<Index>(before.size() - centres.size());
}

} // namespace hrixs
