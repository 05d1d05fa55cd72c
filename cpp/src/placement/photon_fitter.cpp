// SPDX-License-Identifier: BSD-3-Clause
#include "placement/photon_fitter.hpp"

#include "hrixs/errors.hpp"
#include "placement/neighbours.hpp"
#include "placement/two_clouds.hpp"
#include "simd/row_kernels.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

namespace hrixs {

namespace {

// A neighbour that moved less than this leaves a position as it is, in pixels: it moves the
// position by much less, the less the farther it is.
constexpr Index near = 3;
constexpr double least_near_move = 3e-3;
constexpr double least_far_move = 2e-2;
constexpr double suspect_chi2 = 2.5;
constexpr int most_rounds = 10;
// Farther than this from the middle of its brightest pixel, a photon has left it.
constexpr double most_distance = 1.5;
// A frame without any noise is taken to be rounded to counts.
const double rounding_noise = std::sqrt(1.0 / 12.0);

struct Spot {
    double x = 0.0; // from the middle of the brightest pixel
    double y = 0.0;
    double charge = 0.0;
    double background = 0.0;
    double variance_x = std::numeric_limits<double>::quiet_NaN();
    double variance_y = variance_x;
    double chi2 = variance_x; // for each degree of freedom
    double cloud = variance_x;
    double cloud_variance = variance_x;
    std::uint8_t flag = 0;

    FitResult result() const {
        return {std::sqrt(variance_x),
                std::sqrt(variance_y),
                chi2,
                cloud,
                std::sqrt(cloud_variance),
                flag};
    }
    bool is_fitted() const { return (flag & (not_converged | left_pixel)) == 0; }
};

// Fits the photons of one frame.
class FrameFit {
  public:
    FrameFit(const CloudFit& fit, const CloudTable& table, const Pedestal& pedestal,
             const HitScratch& hits)
        : fit_(fit), table_(table),
          options_{table.nodes(), fit.cloud_sigma,
                   fit.electrons_per_adu ? 1.0 / *fit.electrons_per_adu : 0.0,
                   fit.local_background},
          pedestal_(pedestal.mean), noise_(fit.read_noise.value_or(pedestal.noise)), hits_(hits),
          neighbours_(hits.centres, hits.table.x, hits.table.y, table.reach()),
          spots_(hits.centres.size()) {
        if (!(noise_ > 0.0))
            noise_ = rounding_noise;
    }

    const std::vector<Spot>& run() {
        std::vector<std::size_t> all(spots_.size());
        std::iota(all.begin(), all.end(), 0);
        std::vector<std::size_t> joined;
        std::copy_if(all.begin(), all.end(), std::back_inserter(joined),
                     [&](std::size_t k) { return neighbours_.has_any(k); });
        fit_those(all, [&](std::size_t k, SpotGroup& group, Index lane) {
            Index n_pixels = fill(k, group, lane);
            n_pixels -= leave_to_neighbours(k, group, lane);
            begin_at_centre_of_mass(group, lane);
            return n_pixels;
        });
        for (int round = 0; round < most_rounds && !joined.empty(); ++round) {
            before_ = spots_;
            fit_those(joined, [&](std::size_t k, SpotGroup& group, Index lane) {
                const Index n_pixels = fill(k, group, lane);
                subtract_neighbours(k, group, lane);
                begin_where_it_was(k, group, lane);
                return n_pixels;
            });
            joined.erase(std::remove_if(joined.begin(), joined.end(),
                                        [&](std::size_t k) { return is_settled(k); }),
                         joined.end());
        }
        return spots_;
    }

    // Whether photon k is so unlike one cloud that there may be a second, partly outside of the
    // spot.
    bool is_suspect(std::size_t k) const {
        return !spots_[k].is_fitted() || spots_[k].chi2 > suspect_chi2;
    }

    // Two photons in place of photon k, where they are far more likely than one.
    std::optional<std::array<Spot, 2>> split(std::size_t k, const PairPixels& pixels) const {
        const Spot& spot = spots_[k];
        const auto pair = split_pair(pair_window(k, pixels), fit_.cloud_sigma,
                                     options_.adu_per_electron, spot.x, spot.y, spot.charge);
        if (!pair)
            return std::nullopt;
        std::array<Spot, 2> photons;
        for (std::size_t one = 0; one < photons.size(); ++one) {
            const Position& position = pair->photons[one];
            Spot& photon = photons[one];
            photon.x = position.x;
            photon.y = position.y;
            photon.charge = pair->charge;
            photon.variance_x = position.variance_x;
            photon.variance_y = position.variance_y;
            photon.chi2 = pair->chi2;
            photon.flag = static_cast<std::uint8_t>(hrixs::split | (spot.flag & (neighbour | cut)));
        }
        return photons;
    }

  private:
    // Without the light of neighbours.
    PairWindow pair_window(std::size_t k, const PairPixels& pixels) const {
        const PixelIndex& centre = hits_.centres[k];
        PairWindow window;
        for (std::size_t p = 0; p < pixels.size(); ++p) {
            const Index i = static_cast<Index>(p) / pair_size - pair_reach;
            const Index j = static_cast<Index>(p) % pair_size - pair_reach;
            double pixel = pixels[p] - pedestal_ - spots_[k].background;
            double noise = noise_;
            if (fit_.noise_map && pixel == pixel)
                noise = (*fit_.noise_map)(centre.x + i, centre.y + j);
            neighbours_.for_each(k, [&](std::size_t other) {
                const Spot& spot = spots_[other];
                if (spot.is_fitted())
                    pixel -=
                        spot.charge *
                        table_.share(static_cast<double>(centre.x + i - hits_.centres[other].x) -
                                     spot.x) *
                        table_.share(static_cast<double>(centre.y + j - hits_.centres[other].y) -
                                     spot.y);
            });
            const bool usable = pixel == pixel && noise == noise;
            window.pixel[p] = usable ? pixel : 0.0;
            window.weight[p] = usable ? 1.0 / (noise * noise) : 0.0;
        }
        return window;
    }

    template <class FillLane> void fit_those(const std::vector<std::size_t>& those, FillLane fill) {
        SpotGroup group;
        std::array<Index, spots_together> n_pixels{};
        for (std::size_t first = 0; first < those.size(); first += spots_together) {
            const std::size_t n = std::min<std::size_t>(spots_together, those.size() - first);
            for (std::size_t lane = 0; lane < spots_together; ++lane)
                n_pixels[lane] =
                    fill(those[first + std::min(lane, n - 1)], group, static_cast<Index>(lane));
            row_kernels().fit_spots(&group, 1, options_);
            for (std::size_t lane = 0; lane < n; ++lane)
                keep(those[first + lane], group, static_cast<Index>(lane), n_pixels[lane]);
        }
    }

    // Gives the number of pixels to be used.
    Index fill(std::size_t k, SpotGroup& group, Index lane) {
        const Window& window = hits_.windows[k];
        const double weight = 1.0 / (noise_ * noise_);
        double sum = 0.0;
        for (std::size_t p = 0; p < window.size(); ++p) {
            sum += window[p];
            group.pixel[p][lane] = window[p] - pedestal_;
            group.weight[p][lane] = weight;
        }
        Index n_pixels = window_pixels;
        if (sum != sum) // a NaN shows in the sum
            for (std::size_t p = 0; p < window.size(); ++p)
                if (window[p] != window[p]) {
                    group.pixel[p][lane] = 0.0;
                    group.weight[p][lane] = 0.0;
                    --n_pixels;
                }
        return fit_.noise_map ? take_noise_of_pixels(k, group, lane) : n_pixels;
    }

    // In place of the frame's; NaN: a pixel is not to be used.
    Index take_noise_of_pixels(std::size_t k, SpotGroup& group, Index lane) const {
        const PixelIndex& centre = hits_.centres[k];
        Index n_pixels = 0;
        for (Index p = 0; p < window_pixels; ++p) {
            if (group.weight[p][lane] == 0.0)
                continue;
            const double noise = (*fit_.noise_map)(centre.x + p / window_size - window_reach,
                                                   centre.y + p % window_size - window_reach);
            const bool usable = noise == noise;
            group.pixel[p][lane] = usable ? group.pixel[p][lane] : 0.0;
            group.weight[p][lane] = usable ? 1.0 / (noise * noise) : 0.0;
            n_pixels += usable ? 1 : 0;
        }
        return n_pixels;
    }

    // For a first fit: pixels that are not nearer to this photon than to a neighbour. Gives their
    // number.
    Index leave_to_neighbours(std::size_t k, SpotGroup& group, Index lane) const {
        Index n_left = 0;
        const PixelIndex& centre = hits_.centres[k];
        neighbours_.for_each(k, [&](std::size_t other) {
            const Index dx = hits_.centres[other].x - centre.x;
            const Index dy = hits_.centres[other].y - centre.y;
            for (Index p = 0; p < window_pixels; ++p) {
                const Index i = p / window_size - window_reach;
                const Index j = p % window_size - window_reach;
                const Index to_other = (i - dx) * (i - dx) + (j - dy) * (j - dy);
                if (to_other > i * i + j * j || group.weight[p][lane] == 0.0)
                    continue;
                group.pixel[p][lane] = 0.0;
                group.weight[p][lane] = 0.0;
                ++n_left;
            }
        });
        return n_left;
    }

    void subtract_neighbours(std::size_t k, SpotGroup& group, Index lane) const {
        const PixelIndex& centre = hits_.centres[k];
        neighbours_.for_each(k, [&](std::size_t other) {
            const Spot& spot = before_[other];
            // What was not fitted may be the rim of this photon, and not a photon at all.
            if (!spot.is_fitted())
                return;
            const double x = static_cast<double>(hits_.centres[other].x - centre.x) + spot.x;
            const double y = static_cast<double>(hits_.centres[other].y - centre.y) + spot.y;
            std::array<double, window_size> along_x;
            std::array<double, window_size> along_y;
            for (Index i = 0; i < window_size; ++i) {
                const auto position = static_cast<double>(i - window_reach);
                along_x[static_cast<std::size_t>(i)] = table_.share(position - x);
                along_y[static_cast<std::size_t>(i)] = table_.share(position - y);
            }
            for (Index p = 0; p < window_pixels; ++p) {
                if (group.weight[p][lane] == 0.0)
                    continue;
                const double part = spot.charge *
                                    along_x[static_cast<std::size_t>(p / window_size)] *
                                    along_y[static_cast<std::size_t>(p % window_size)];
                group.pixel[p][lane] -= part;
                if (options_.adu_per_electron > 0.0)
                    group.weight[p][lane] /=
                        1.0 + group.weight[p][lane] * part * options_.adu_per_electron;
            }
        });
    }

    void begin_at_centre_of_mass(SpotGroup& group, Index lane) const {
        double sum = 0.0;
        double moment_x = 0.0;
        double moment_y = 0.0;
        for (Index i = -1; i <= 1; ++i)
            for (Index j = -1; j <= 1; ++j) {
                const double pixel =
                    group.pixel[(i + window_reach) * window_size + j + window_reach][lane];
                sum += pixel;
                moment_x += static_cast<double>(i) * pixel;
                moment_y += static_cast<double>(j) * pixel;
            }
        const double brightest = group.pixel[window_pixels / 2][lane];
        const bool plain = sum > brightest && brightest > 0.0;
        group.x[lane] = plain ? std::clamp(start_.position * moment_x / sum, -0.7, 0.7) : 0.0;
        group.y[lane] = plain ? std::clamp(start_.position * moment_y / sum, -0.7, 0.7) : 0.0;
        group.charge[lane] =
            plain ? start_.charge * sum : std::max(brightest, std::numeric_limits<double>::min());
        group.background[lane] = 0.0;
    }

    void begin_where_it_was(std::size_t k, SpotGroup& group, Index lane) const {
        const Spot& spot = spots_[k];
        if (!spot.is_fitted()) {
            begin_at_centre_of_mass(group, lane);
            return;
        }
        group.x[lane] = spot.x;
        group.y[lane] = spot.y;
        group.charge[lane] = spot.charge;
        group.background[lane] = spot.background;
    }

    void keep(std::size_t k, const SpotGroup& group, Index lane, Index n_pixels) {
        Spot spot;
        const Index n_unknowns = options_.free_background ? 4 : 3;
        if (n_pixels < window_pixels)
            spot.flag |= is_cut(k) ? cut : 0;
        if (neighbours_.has_any(k))
            spot.flag |= neighbour;
        const bool converged = group.converged[lane] && n_pixels > n_unknowns &&
                               is_certain(group.variance_x[lane]) &&
                               is_certain(group.variance_y[lane]) && group.charge[lane] > 0.0 &&
                               std::isfinite(group.x[lane]) && std::isfinite(group.y[lane]);
        const bool left = converged && (std::abs(group.x[lane]) > most_distance ||
                                        std::abs(group.y[lane]) > most_distance);
        spot.flag |= !converged ? not_converged : left ? left_pixel : 0;
        if (spot.is_fitted()) {
            spot.x = group.x[lane];
            spot.y = group.y[lane];
            spot.charge = group.charge[lane];
            spot.background = group.background[lane];
            spot.variance_x = group.variance_x[lane];
            spot.variance_y = group.variance_y[lane];
            spot.chi2 = group.chi2[lane] / static_cast<double>(n_pixels - n_unknowns);
            spot.cloud = fit_.cloud_sigma + group.cloud_step[lane];
            spot.cloud_variance = group.cloud_variance[lane];
        } else {
            spot.x = hits_.table.x[k] - static_cast<double>(hits_.centres[k].x);
            spot.y = hits_.table.y[k] - static_cast<double>(hits_.centres[k].y);
            spot.charge = hits_.table.charge[k];
        }
        spots_[k] = spot;
    }

    // A position that may lie anywhere in the window is none.
    static bool is_certain(double variance) {
        return variance > 0.0 && variance < most_distance * most_distance;
    }

    bool is_cut(std::size_t k) const {
        const Window& window = hits_.windows[k];
        return fit_.noise_map || std::any_of(window.begin(), window.end(),
                                             [](double pixel) { return pixel != pixel; });
    }

    // Nothing has changed for photon k: it would be fitted to the same pixels as before.
    bool is_settled(std::size_t k) const {
        bool settled = true;
        const PixelIndex& centre = hits_.centres[k];
        neighbours_.for_each(k, [&](std::size_t other) {
            const Index distance = std::max(std::abs(hits_.centres[other].x - centre.x),
                                            std::abs(hits_.centres[other].y - centre.y));
            const double least_move = distance <= near ? least_near_move : least_far_move;
            settled = settled && std::abs(spots_[other].x - before_[other].x) < least_move &&
                      std::abs(spots_[other].y - before_[other].y) < least_move;
        });
        return settled;
    }

    const CloudFit& fit_;
    const CloudTable& table_;
    CloudTable::Start start_ = table_.start();
    SpotFitOptions options_;
    double pedestal_;
    double noise_;
    const HitScratch& hits_;
    Neighbours neighbours_;
    std::vector<Spot> spots_;
    std::vector<Spot> before_;
};

} // namespace

void PhotonFitter::fit_windows(const Pedestal& pedestal, HitScratch& hits,
                               const ReadPair& read_pair) const {
    FrameFit frame(fit_, table_, pedestal, hits);
    const std::vector<Spot>& spots = frame.run();
    PhotonTable placed;
    placed.reserve(hits.table.size());
    reserve_rows(placed.fitted, hits.table.size());
    const auto add = [&](std::size_t k, const Spot& spot, bool is_double) {
        placed.append({hits.table.frame[k], static_cast<double>(hits.centres[k].x) + spot.x,
                       static_cast<double>(hits.centres[k].y) + spot.y, spot.charge, is_double});
        append_row(placed.fitted, spot.result());
    };
    PairPixels pixels;
    for (std::size_t k = 0; k < spots.size(); ++k) {
        bool is_double = hits.table.is_double[k] != 0;
        if (fit_.split_doubles && (is_double || frame.is_suspect(k))) {
            read_pair(hits.centres[k], pixels);
            const auto pair = frame.split(k, pixels);
            if (pair && (is_double || 2.0 * (*pair)[0].charge > hits.double_charge)) {
                add(k, (*pair)[0], false);
                add(k, (*pair)[1], false);
                continue;
            }
            // The light of a neighbour, which has a hit of its own, can look like a second photon.
            if (spots[k].is_fitted() && (spots[k].flag & neighbour) != 0)
                is_double = is_double && spots[k].charge > hits.double_charge;
        }
        add(k, spots[k], is_double);
    }
    hits.table = std::move(placed);
}

void check_fit(const CloudFit& fit, Index nx, Index ny) {
    if (!(fit.cloud_sigma >= least_cloud_sigma && fit.cloud_sigma <= most_cloud_sigma))
        throw ParameterError("cloud_sigma = " + text(fit.cloud_sigma) +
                             " pixels, expected a number from " + text(least_cloud_sigma) + " to " +
                             text(most_cloud_sigma) + ".");
    if (fit.read_noise && !(*fit.read_noise > 0.0 && std::isfinite(*fit.read_noise)))
        throw ParameterError("read_noise = " + text(*fit.read_noise) +
                             " ADU, expected a positive number.");
    if (fit.electrons_per_adu &&
        !(*fit.electrons_per_adu > 0.0 && std::isfinite(*fit.electrons_per_adu)))
        throw ParameterError("electrons_per_adu = " + text(*fit.electrons_per_adu) +
                             ", expected a positive number.");
    if (fit.noise_map && (fit.noise_map->nx != nx || fit.noise_map->ny != ny))
        throw ShapeError("read_noise has (x, y) shape (" + std::to_string(fit.noise_map->nx) +
                         ", " + std::to_string(fit.noise_map->ny) +
                         "), expected that of the frames, (" + std::to_string(nx) + ", " +
                         std::to_string(ny) + ").");
}

} // namespace hrixs
