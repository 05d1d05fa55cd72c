// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/canvas.hpp"
#include "crowd/one_cloud.hpp"
#include "crowd/photon_list.hpp"
#include "crowd/profile.hpp"

#include <array>
#include <vector>

namespace hrixs::crowd {

// Photons that are fitted together: their steps solve the normal equations of all their places.
class JointFit {
  public:
    explicit JointFit(const Profile& profile) : profile_(profile) {}

    // One Gauss-Newton step of the photons' places; step(k, x, y) takes it for each of them.
    template <int Reach, class Step>
    void run(const Canvas& canvas, PhotonList& photons, Light light,
             const std::vector<std::int32_t>& together, Step step) {
        prepare(photons, together);
        for (std::size_t a = 0; a < together.size(); ++a)
            add_equations<Reach>(canvas, photons, light, together[a], static_cast<int>(a));
        solve();
        for (std::size_t a = 0; a < together.size(); ++a) {
            photons[together[a]].place_in_fit = none;
            step(together[a], step_[a][0], step_[a][1]);
        }
    }

  private:
    using Pair = std::array<double, 2>;
    static constexpr int margin = lanes; // of a window's columns, on either side

    // A photon's shares and slopes by its place; those of the columns with zeros around them.
    struct Cloud {
        Shares along_x;
        float share_y[lanes + 2 * margin];
        float slope_y[lanes + 2 * margin];
    };
    struct Block { // symmetric
        double xx;
        double xy;
        double yy;
        Pair times(const Pair& v) const { return {xx * v[0] + xy * v[1], xy * v[0] + yy * v[1]}; }
        Block inverse() const {
            const double determinant = xx * yy - xy * xy;
            return {yy / determinant, -xy / determinant, xx / determinant};
        }
    };
    struct Coupling { // of two photons
        int a;
        int b;
        double xx; // slope of a by x with that of b by x, and so on
        double xy;
        double yx;
        double yy;
    };

    void prepare(PhotonList& photons, const std::vector<std::int32_t>& together);
    template <int Reach>
    void add_equations(const Canvas& canvas, const PhotonList& photons, Light light, std::int32_t k,
                       int a);
    void solve();
    void multiply(const std::vector<Pair>& v, std::vector<Pair>& product) const;

    const Profile& profile_;
    std::vector<Cloud> clouds_;
    std::vector<Block> blocks_;
    std::vector<Block> inverse_;
    std::vector<Coupling> couplings_;
    std::vector<Pair> slope_;
    std::vector<Pair> step_;
    std::vector<Pair> rest_;
    std::vector<Pair> direction_;
    std::vector<Pair> product_;
};

} // namespace hrixs::crowd
