// SPDX-License-Identifier: BSD-3-Clause
// Photons placed by a fit: what must hold for all of them and, of those that stand alone, the
// values.
#include "fit_oracle.hpp"
#include "settings.hpp"
#include "ways.hpp"

#include "hrixs/classify.hpp"
#include "hrixs/find.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <numbers>
#include <optional>
#include <type_traits>
#include <vector>

using namespace hrixs;
using namespace hrixs::fuzz;

namespace {

CloudFit any_fit(Input& input) {
    CloudFit fit;
    fit.cloud_sigma = input.one_in(4) ? input.number(0.1, 2.0) : input.number(0.3, 0.9);
    if (input.yes())
        fit.read_noise = input.number(0.001, 50.0);
    if (input.yes())
        fit.electrons_per_adu = input.number(0.01, 4.0);
    fit.local_background = input.yes();
    fit.split_doubles = input.yes();
    return fit;
}

unsigned faults_of(const CloudFit& fit, Index nx, Index ny) {
    const auto positive = [](const std::optional<double>& value) {
        return !value || (*value > 0.0 && std::isfinite(*value));
    };
    unsigned faults = 0;
    if (!(fit.cloud_sigma >= 0.1 && fit.cloud_sigma <= 2.0) || !positive(fit.read_noise) ||
        !positive(fit.electrons_per_adu))
        faults |= parameter;
    if (fit.noise_map && (fit.noise_map->nx != nx || fit.noise_map->ny != ny))
        faults |= shape;
    return faults;
}

// Clouds of photons to be added to each frame.
struct Clouds {
    Index n = 0;
    double charge = 0.0; // ADU
    double sigma = 0.0;
    std::uint32_t state = 0;

    Clouds(Input& input, double cloud_sigma) {
        if (!input.yes())
            return;
        n = input.whole(1, 6);
        charge = static_cast<double>(input.whole(20, 2000));
        sigma = cloud_sigma * input.one_of({1.0, 1.0, 1.0, 0.7, 1.5});
        state = static_cast<std::uint32_t>(input.whole(0, 0xffff));
    }

    double any(double low, double high) {
        state = state * 1664525U + 1013904223U;
        return low + (high - low) * static_cast<double>(state >> 8) / 0x1p24;
    }

    template <class Pixel> void add_to(Array<Pixel>& frames, Index nx, Index ny) {
        const Index size = nx * ny;
        for (Index first = 0; n > 0 && first < frames.layout.count(); first += size)
            for (Index cloud = 0; cloud < n; ++cloud) {
                const double x = any(0.0, static_cast<double>(nx - 1));
                const double y = any(0.0, static_cast<double>(ny - 1));
                const double adu = charge * any(0.5, 1.2);
                for (Index k = 0; k < size; ++k)
                    add(frames.memory[static_cast<std::size_t>(frames.layout.element(first + k))],
                        adu * share(static_cast<double>(k / ny) - x) *
                            share(static_cast<double>(k % ny) - y));
            }
    }

  private:
    double share(double pixel) const {
        if (std::abs(pixel) > 6.0)
            return 0.0;
        const double scale = std::numbers::sqrt2 * sigma;
        return 0.5 * (std::erf((pixel + 0.5) / scale) - std::erf((pixel - 0.5) / scale));
    }
    template <class Pixel> static void add(Pixel& pixel, double adu) {
        double sum = static_cast<double>(pixel) + adu;
        if (std::is_integral_v<Pixel>)
            sum = std::clamp(sum, static_cast<double>(std::numeric_limits<Pixel>::lowest()),
                             static_cast<double>(std::numeric_limits<Pixel>::max()));
        if (adu != 0.0 && std::isfinite(sum))
            pixel = static_cast<Pixel>(sum);
    }
};

bool same_value(double a, double b) {
    return std::memcmp(&a, &b, sizeof a) == 0;
}

void check_photon(const PhotonTable& table, std::size_t k) {
    const FitColumns& fits = table.fitted;
    const bool fitted = (fits.flag[k] & (not_converged | left_pixel)) == 0;
    require(fits.flag[k] < 32, "no unknown flag");
    if (!fitted) {
        require(std::isnan(fits.sigma_x[k]) && std::isnan(fits.sigma_y[k]) &&
                    std::isnan(fits.chi2[k]) && std::isnan(fits.own_cloud_sigma[k]) &&
                    std::isnan(fits.own_cloud_sigma_err[k]),
                "no uncertainty without a fit");
        return;
    }
    require(std::isfinite(table.x[k]) && std::isfinite(table.y[k]) &&
                std::isfinite(table.charge[k]),
            "a fitted photon has a position and a charge");
    require(fits.sigma_x[k] > 0.0 && fits.sigma_y[k] > 0.0 && std::isfinite(fits.sigma_x[k]) &&
                std::isfinite(fits.sigma_y[k]),
            "a fitted photon has an uncertainty");
    require(fits.chi2[k] >= 0.0, "chi square is not negative");
}

// Photons of the fit beside the hits that a centre of mass places.
void compare(const FoundPhotons& hits, const FoundPhotons& found, bool split_doubles,
             bool has_mask) {
    require(same_bytes(hits.frame_mean, found.frame_mean) &&
                same_bytes(hits.threshold, found.threshold) &&
                same_bytes(hits.n_dropped, found.n_dropped) &&
                same_bytes(hits.n_cosmics, found.n_cosmics),
            "the fit changes nothing about what is found");
    const auto n = found.table.x.size();
    const FitColumns& fits = found.table.fitted;
    FitColumns::for_each_column([&](auto column, auto, auto) {
        require((fits.*column).size() == n, "a value for each photon");
    });
    require(found.table.frame.size() == n, "a frame for each photon");
    // Where all of the rows that tell it are masked, it is not known.
    for (const double noise : found.noise)
        require(noise >= 0.0 || (has_mask && std::isnan(noise)), "noise is not negative");
    counts().photons += static_cast<long>(n);
    std::size_t k = 0;
    for (std::size_t hit = 0; hit < hits.table.x.size(); ++hit) {
        require(k < n && found.table.frame[k] == hits.table.frame[hit], "as many hits");
        check_photon(found.table, k);
        if ((fits.flag[k] & split) != 0) {
            require(split_doubles, "split only where that is asked for");
            require(k + 1 < n && (fits.flag[k + 1] & split) != 0, "split into two");
            check_photon(found.table, k + 1);
            require(same_value(found.table.charge[k], found.table.charge[k + 1]) &&
                        found.table.is_double[k] == 0 && found.table.is_double[k + 1] == 0,
                    "two photons alike");
            k += 2;
            continue;
        }
        if ((fits.flag[k] & (not_converged | left_pixel)) != 0)
            require_near(found.table.charge[k], hits.table.charge[hit], 0.0,
                         "charge without a fit");
        if (!split_doubles)
            require(found.table.is_double[k] == hits.table.is_double[hit], "as many doubles");
        ++k;
    }
    require(k == n, "no photon without a hit");
}

struct FitCounts {
    long compared = 0;
    long unfitted = 0; // of those: there is no fit
    long corrected = 0;
    long left_out = 0; // a decision depends on rounding
    long together = 0; // with a neighbour, or split

    ~FitCounts() {
        if (std::getenv("HRIXS_FUZZ_COUNTS") != nullptr)
            std::fprintf(stderr,
                         "photons alone compared %ld, of them not fitted %ld, corrected for their "
                         "width %ld; left out %ld; photons with others %ld\n",
                         compared, unfitted, corrected, left_out, together);
    }
};

FitCounts& fit_counts() {
    static FitCounts all;
    return all;
}

enum class Company { none, some, unsure };

// hits: positions by centres of mass, from `first` on; of photon `one` of the frame.
Company company_of(const std::vector<Hit>& photons, std::size_t one, const PhotonTable& hits,
                   std::size_t first, double cloud_sigma) {
    const double reach = std::max(1.6 + 3.9 * cloud_sigma, 2.5 + 2.3 * cloud_sigma);
    // A centre of mass can lie anywhere, a photon only near its own brightest pixel.
    const auto farthest = static_cast<Index>(reach) + 3;
    Company company = Company::none;
    const Hit& photon = photons[one];
    for (std::size_t other = 0; other < photons.size(); ++other) {
        const double distance =
            std::max(std::abs(hits.x[first + other] - static_cast<double>(photon.at_x)),
                     std::abs(hits.y[first + other] - static_cast<double>(photon.at_y)));
        const Index apart = std::max(std::abs(photons[other].at_x - photon.at_x),
                                     std::abs(photons[other].at_y - photon.at_y));
        if (other == one || distance > reach + 1e-9 || apart > farthest)
            continue;
        if (distance < reach - 1e-9 && apart < farthest)
            return Company::some;
        company = Company::unsure;
    }
    return company;
}

// The same photon, its pixels changed as much as rounding does it, and more.
using ChangedFits = std::array<FitAnswer, 3>;

void compare_fit(const PhotonTable& table, std::size_t k, const Hit& hit, const CloudFit& settings,
                 const FitAnswer& fit, const ChangedFits& changed) {
    const FitColumns& fits = table.fitted;
    const auto near = [&](double given, Real FitAnswer::* value, Real floor, const char* what,
                          Index from = 0) {
        Real change = 0;
        for (const FitAnswer& other : changed)
            change = std::max(change, std::abs(fit.*value - other.*value));
        const Real wanted = static_cast<Real>(from) + fit.*value;
        const Real tolerance = floor + 1e-13L * std::abs(wanted) + 100 * change;
        require_near(given, static_cast<double>(wanted), static_cast<double>(tolerance), what);
    };
    const auto near_part = [&](double given, Real FitAnswer::* value, Real part, const char* what) {
        near(given, value, part * fit.*value, what);
    };
    // A charge that is small at last has the digits of the largest one.
    const Real floor = 1e-11L + 1e-14L * fit.largest_charge / fit.charge;
    const Real width_error = fit.cloud_rounding * std::abs(fit.cloud_sigma - settings.cloud_sigma);
    near(table.x[k], &FitAnswer::x, floor, "x of the fit", hit.at_x);
    near(table.y[k], &FitAnswer::y, floor, "y of the fit", hit.at_y);
    near_part(table.charge[k], &FitAnswer::charge, floor, "charge of the fit");
    near_part(fits.sigma_x[k], &FitAnswer::sigma_x, floor, "sigma_x");
    near_part(fits.sigma_y[k], &FitAnswer::sigma_y, floor, "sigma_y");
    near(fits.chi2[k], &FitAnswer::chi2, floor * fit.chi2 + fit.chi2_rounding, "chi2");
    near(fits.own_cloud_sigma[k], &FitAnswer::cloud_sigma, floor + width_error + fit.cloud_floor,
         "own_cloud_sigma");
    near_part(fits.own_cloud_sigma_err[k], &FitAnswer::cloud_sigma_err, floor + fit.cloud_rounding,
              "own_cloud_sigma_err");
    // A series of third order over half the way between two nodes.
    const double change =
        0.5 / (cloud_nodes_per_pixel * settings.cloud_sigma * settings.cloud_sigma);
    require(fit.series_error <= 5.0 * change * change * change, "nodes lie densely enough");
}

// A photon that stands alone.
void compare_alone(const PhotonTable& table, std::size_t k, const Hit& hit,
                   const CloudFit& settings, const PlainWindow& window) {
    const FitAnswer fit = PlainFit(window, settings, SharesBy::series).run();
    bool comparable = fit.comparable;
    ChangedFits changed;
    // A matrix that is nearly singular makes more of rounding.
    const Real rounding = 1e-15L / std::max(fit.least_pivot, 1e-9L);
    for (std::size_t pattern = 0; pattern < changed.size(); ++pattern) {
        const PlainWindow other = fuzz::changed(window, static_cast<std::uint32_t>(pattern));
        FitAnswer& answer = changed[pattern];
        answer =
            PlainFit(other, settings, SharesBy::series, pattern % 2 == 0 ? rounding : -rounding)
                .run();
        const Real moved = std::max(std::abs(fit.x - answer.x), std::abs(fit.y - answer.y));
        comparable = comparable && answer.comparable && moved < 1e-7L &&
                     fit.n_steps == answer.n_steps && fit.flag == answer.flag &&
                     fit.corrected == answer.corrected;
    }
    if (!comparable || (fit.fitted() && fit.largest_charge > 1e6L * fit.charge)) {
        ++fit_counts().left_out;
        return;
    }
    ++fit_counts().compared;
    require((table.fitted.flag[k] & (not_converged | left_pixel)) == fit.flag,
            "there is a fit where there can be one");
    if (fit.fitted()) {
        fit_counts().corrected += fit.corrected ? 1 : 0;
        compare_fit(table, k, hit, settings, fit, changed);
    } else {
        ++fit_counts().unfitted;
        const double last_digits = 1e-15 * static_cast<double>(hit.at_x + hit.at_y);
        require_near(table.x[k], hit.x, 2.0 * hit.position_tolerance + last_digits,
                     "x without a fit");
        require_near(table.y[k], hit.y, 2.0 * hit.position_tolerance + last_digits,
                     "y without a fit");
    }
}

// The photons of one frame: hits from `hit` on as a centre of mass places them, from k on as a fit
// does. noise: what the fit tells of the frame.
void compare_frame(const PlainFrame& frame, const std::vector<Hit>& photons, double noise,
                   const CloudFit& fit, const PhotonTable& hits, std::size_t hit,
                   const PhotonTable& table, std::size_t k) {
    const PedestalAnswer pedestal = pedestal_in(frame);
    if (!pedestal.comparable) {
        ++counts().left_out;
        return;
    }
    ++counts().compared;
    require_near(noise, static_cast<double>(pedestal.noise),
                 static_cast<double>(pedestal.noise_tolerance), "noise of a frame");
    // Without any noise, that of rounding to counts.
    const double of_frame = noise > 0.0 ? noise : std::sqrt(1.0 / 12.0);
    const double of_pixels = fit.read_noise.value_or(of_frame);
    for (std::size_t one = 0; one < photons.size(); ++one) {
        const Hit& photon = photons[one];
        const std::uint8_t flag = table.fitted.flag[k];
        const PlainWindow window =
            window_at(frame, photon.at_x, photon.at_y, pedestal, [&](Index x, Index y) -> Real {
                return fit.noise_map ? (*fit.noise_map)(x, y) : of_pixels;
            });
        const Company company = company_of(photons, one, hits, hit, fit.cloud_sigma);
        require(((flag & cut) != 0) == (window.n_pixels < window_pixels), "a cut window is told");
        if (company != Company::unsure)
            require(((flag & neighbour) != 0) == (company == Company::some), "neighbours are told");
        if (company == Company::unsure)
            ++fit_counts().left_out;
        else if (company == Company::some || (flag & split) != 0)
            ++fit_counts().together;
        else
            compare_alone(table, k, photon, fit, window);
        k += (flag & split) != 0 ? 2 : 1;
    }
}

// answer_of(frame, number): its hits.
template <class AnswerOf>
void compare_frames(const std::vector<PlainFrame>& frames, AnswerOf answer_of, const CloudFit& fit,
                    const FoundPhotons& hits, const FoundPhotons& found) {
    std::size_t hit = 0;
    std::size_t k = 0;
    for (std::size_t number = 0; number < frames.size(); ++number) {
        const auto end_of_frame = [&](const PhotonTable& table, std::size_t at) {
            while (at < table.frame.size() && table.frame[at] == static_cast<Index>(number))
                ++at;
            return at;
        };
        const std::size_t end = end_of_frame(hits.table, hit);
        if (end > hit) {
            const Answer answer = answer_of(frames[number], number);
            require(!answer.comparable || answer.hits.size() == end - hit,
                    "as many hits as are to be found");
            if (answer.comparable)
                compare_frame(frames[number], answer.hits, found.noise[number], fit, hits.table,
                              hit, found.table, k);
            else
                ++counts().left_out;
        }
        hit = end;
        k = end_of_frame(found.table, k);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    with_pixel_type(input, [&](auto pixel) {
        const Index way = input.whole(0, n_ways - 1);
        const bool by_energy = input.one_in(3);
        FindSettings find_settings = any_find_settings(input);
        ClassifySettings classify_settings = any_classify_settings(input);
        CloudFit fit = any_fit(input);
        const bool with_map = input.one_in(4);
        Clouds clouds(input, fit.cloud_sigma);
        if (clouds.n > 0 && input.yes()) {
            find_settings.threshold.reset();
            find_settings.std_threshold = 2.0;
        }
        Frames<decltype(pixel)> frames(input);
        clouds.add_to(*frames.pixels, frames.nx(), frames.ny());
        std::optional<Array<double>> noise_map;
        if (with_map) {
            noise_map.emplace(image_shape(input, frames.shape), input, -1.0);
            // As the layers above hand it on: positive, or NaN where it is not known, and alone.
            for (double& noise : noise_map->memory)
                noise = noise > 0.0 && noise < 1e6 ? noise : gap_value<double>();
            fit.noise_map = noise_map->image();
            fit.read_noise.reset();
        }
        const CameraCorrection camera = frames.camera();
        std::vector<double> adu = any_photon_adu(input, frames.pixels->stack().size());
        if (clouds.n > 0)
            std::fill(adu.begin(), adu.end(), clouds.charge);
        const auto call = [&](const auto& stack, int threads) {
            return by_energy
                       ? classify_photons(stack, adu.data(), camera, classify_settings, {threads})
                       : find_photons(stack, camera, find_settings, {threads});
        };
        const auto hits = outcome_of([&] { return call(frames.pixels->stack(), 1); });
        find_settings.fit = fit;
        classify_settings.fit = fit;
        const auto found = call_in_two_ways(frames, way, call);
        const unsigned faults = faults_of(fit, frames.nx(), frames.ny());
        if (faults != 0) {
            require(((faults | hits.fault) & found.fault) != 0, "a wrong fit is an error");
            return;
        }
        require(found.fault == hits.fault && found.text == hits.text,
                "the fit throws nothing more");
        if (!found.result)
            return;
        compare(*hits.result, *found.result, fit.split_doubles, frames.mask.has_value());
        const auto answer_of = [&](const PlainFrame& frame, std::size_t number) {
            return by_energy ? classify_in(frame, adu[number], classify_settings)
                             : find_in(frame, find_settings);
        };
        compare_frames(plain_frames(frames), answer_of, fit, *hits.result, *found.result);
    });
    return 0;
}
