// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "crowd/canvas.hpp"
#include "crowd/joint_fit.hpp"
#include "crowd/kernels.hpp"
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
    // Says that the tiles around a pixel will be filled soon.
    virtual void fetch(Index x, Index y) const = 0;
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
    Scene(const Profile& profile, const Kernels& kernels, Index nx, Index ny)
        : profile_(profile), kernels_(kernels), near_(profile.near()), canvas_(nx, ny),
          photons_(canvas_), equations_(profile, kernels) {}

    void begin(const TileSource& source, Light light, std::size_t n_seeds);
    Canvas& canvas() { return canvas_; }
    PhotonList& photons() { return photons_; }
    // Of its photons; what was last fitted.
    Equations& equations() { return equations_; }
    const Kernels& kernels() const { return kernels_; }
    const Profile& profile() const { return profile_; }
    Light light() const { return light_; }
    // The place, not beyond the frame.
    double in_frame_x(double x) const { return in_frame(x, canvas_.nx()); }
    double in_frame_y(double y) const { return in_frame(y, canvas_.ny()); }

    void fetch(Index x, Index y) const { source_->fetch(x, y); }
    // Makes the tiles around a place ones that are searched.
    void search_around(double x, double y);
    // Hands on the tiles that are searched and have changed since the last time, or are said to.
    void take_changed(std::vector<std::int32_t>& slots);
    void change(std::int32_t slot) { look_at(slot); }
    // Forgets changes of tiles that lie before a row: what does not come to rest there ends here.
    void forget_changes_before(Index x);

    // Fits the place of a photon that is not there yet, from a place on, in the window around that.
    FittedPlace fit_place(double x, double y);
    // Numbers of the photons near to a place, until they are asked for again.
    const std::vector<std::int32_t>& near(double x, double y);
    // Adds a photon at a place that others, just asked for, are near to.
    void add(double x, double y);
    void remove(std::int32_t photon);
    // Of a photon, with all others subtracted.
    Amplitude amplitude_without(std::int32_t photon);
    // Fits the waiting photons together, and those that their moves concern, until all stand still.
    void settle(const Patience& patience);
    // Makes a photon a waiting one if others are near.
    void wait_if_crowded(std::int32_t photon);
    // Hands on the photons whose amplitude has to be looked at, in their order.
    void take_unchecked(std::vector<std::int32_t>& photons);

  private:
    static double in_frame(double place, Index n) {
        return std::clamp(place, -0.49, static_cast<double>(n) - 0.51);
    }
    std::int32_t fill(std::int32_t i, std::int32_t j);
    void search_in(std::int32_t i, std::int32_t j);
    void look_at(std::int32_t slot);
    Window window_of(const Photon& photon);
    void exchange(const Photon& photon, const Place* put_back, const Place* taken);
    void wait(std::int32_t photon);
    void uncheck(std::int32_t photon);
    void wait_for_moves(double least_change);
    void move(std::int32_t photon, double x, double y);

    struct Moved {
        std::size_t place_in_fit;
        double by;
    };

    const Profile& profile_;
    const Kernels& kernels_;
    double near_;
    Canvas canvas_;
    PhotonList photons_;
    Equations equations_;
    JointFit fit_;
    Light light_{};
    const TileSource* source_ = nullptr;
    std::vector<std::int32_t> changed_; // tiles
    std::vector<std::int32_t> waiting_; // photons
    std::vector<std::int32_t> unchecked_;
    std::vector<std::int32_t> near_photons_;
    std::vector<std::int32_t> together_;
    std::vector<Moved> moved_;
};

} // namespace hrixs::crowd
