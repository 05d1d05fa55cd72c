// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/canvas.hpp"
#include "crowd/joint_fit.hpp"
#include "crowd/one_cloud.hpp"
#include "crowd/photon_list.hpp"
#include "crowd/profile.hpp"

#include <algorithm>
#include <vector>

namespace hrixs::crowd {

// Where tiles have their pixels from: above the frame's level, with their variance.
class TileSource {
  public:
    virtual ~TileSource() = default;
    virtual void fill(Tile& tile) const = 0;
};

// Of places that are fitted again.
struct Patience {
    double least_change; // of a place, pixels, that its neighbours are fitted again for
    int most_steps;
};

// A frame's photons and what they leave of it. Remembers which tiles have changed, and which
// photons have to be fitted for that.
class Scene {
  public:
    Scene(const Profile& profile, Index nx, Index ny)
        : profile_(profile), near_(profile.near()), canvas_(nx, ny), fit_(profile) {}

    void begin(const TileSource& source, Light light);
    const Canvas& canvas() const { return canvas_; }
    const PhotonList& photons() const { return photons_; }
    PhotonList& photons() { return photons_; }
    const Profile& profile() const { return profile_; }
    Light light() const { return light_; }
    // The place, not beyond the frame.
    double in_frame_x(double x) const { return in_frame(x, canvas_.nx()); }
    double in_frame_y(double y) const { return in_frame(y, canvas_.ny()); }

    // Makes the tiles around a place ones that are searched.
    void search_around(double x, double y);
    // Hands on the tiles that have changed since the last time; all that are searched.
    void take_changed(std::vector<std::int32_t>& slots);
    void change_all();

    bool has_near(double x, double y) const;
    template <int Reach> void add(double x, double y);
    template <int Reach> void remove(std::int32_t photon);
    // Of a photon, with all others subtracted.
    template <int Reach> Amplitude amplitude_without(std::int32_t photon) const;
    // Fits the waiting photons together, and those that their moves concern, until all stand still.
    template <int Reach> void settle(const Patience& patience);
    void wait_all_with_neighbours();

  private:
    static double in_frame(double place, Index n) {
        return std::clamp(place, -0.49, static_cast<double>(n) - 0.51);
    }
    std::int32_t filled(std::int32_t i, std::int32_t j);
    void search_in(std::int32_t i, std::int32_t j);
    void look_at(std::int32_t slot);
    bool has_other(std::int32_t photon) const;
    void wait(std::int32_t photon);
    void wait_near(double x, double y, double change, double least_change);
    template <int Reach> void subtract(std::int32_t photon, bool back);
    template <int Reach> void move(std::int32_t photon, double x, double y);

    struct Moved {
        std::int32_t photon;
        double by;
    };
    // Of a place where a photon comes or goes.
    static constexpr double great_change = 1.0;

    const Profile& profile_;
    double near_;
    Canvas canvas_;
    PhotonList photons_;
    JointFit fit_;
    Light light_{};
    const TileSource* source_ = nullptr;
    std::vector<std::int32_t> changed_; // tiles
    std::vector<std::int32_t> waiting_; // photons
    std::vector<std::int32_t> together_;
    std::vector<Moved> moved_;
};

} // namespace hrixs::crowd
