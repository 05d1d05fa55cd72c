// SPDX-License-Identifier: BSD-3-Clause
#include "crowd/neighbourhood.hpp"

#include <algorithm>

namespace hrixs::crowd {

void Neighbourhood::find(const Equations& equations, const std::vector<std::int32_t>& together,
                         const PhotonList& photons) {
    const std::vector<Coupling>& couplings = equations.couplings();
    begin_.assign(equations.size() + 2, 0);
    for (const Coupling& one : couplings) {
        ++begin_[static_cast<std::size_t>(one.a) + 2];
        ++begin_[static_cast<std::size_t>(one.b) + 2];
    }
    for (std::size_t a = 2; a < begin_.size(); ++a)
        begin_[a] += begin_[a - 1];
    neighbours_.resize(2 * couplings.size());
    // Where the next one of photon a goes is kept in the place of a + 1, and is its end at last.
    for (std::size_t c = 0; c < couplings.size(); ++c) {
        const auto a = static_cast<std::size_t>(couplings[c].a);
        const auto b = static_cast<std::size_t>(couplings[c].b);
        const double d_x = photons[together[a]].x - photons[together[b]].x;
        const double d_y = photons[together[a]].y - photons[together[b]].y;
        const double distance = d_x * d_x + d_y * d_y;
        const auto number = static_cast<std::int32_t>(c);
        neighbours_[begin_[a + 1]++] = {couplings[c].b, number, distance};
        neighbours_[begin_[b + 1]++] = {couplings[c].a, number, distance};
    }
}

Group Neighbourhood::group_of(std::int32_t a, double reach) const {
    Group group;
    group.member[0] = {a, none, 0.0};
    const auto is_before = [](const Neighbour& p, const Neighbour& q) {
        return p.distance != q.distance ? p.distance < q.distance : p.photon < q.photon;
    };
    const auto at = static_cast<std::size_t>(a);
    for (std::size_t n = begin_[at]; n < begin_[at + 1]; ++n) {
        const Neighbour& one = neighbours_[n];
        if (one.distance >= reach * reach)
            continue;
        int place = group.size;
        while (place > 1 && is_before(one, group.member[static_cast<std::size_t>(place - 1)]))
            --place;
        if (place > most_neighbours)
            continue;
        group.size = std::min(group.size + 1, most_neighbours + 1);
        const auto begin = group.member.begin();
        std::copy_backward(begin + place, begin + group.size - 1, begin + group.size);
        group.member[static_cast<std::size_t>(place)] = one;
    }
    return group;
}

std::int32_t Neighbourhood::coupling_of(std::int32_t a, std::int32_t b) const {
    const auto at = static_cast<std::size_t>(a);
    for (std::size_t n = begin_[at]; n < begin_[at + 1]; ++n)
        if (neighbours_[n].photon == b)
            return neighbours_[n].coupling;
    return none;
}

} // namespace hrixs::crowd
