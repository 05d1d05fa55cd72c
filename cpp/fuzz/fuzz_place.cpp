// SPDX-License-Identifier: BSD-3-Clause
// Photons placed by a fit: not the values, but what must hold for all of them.
#include "settings.hpp"
#include "ways.hpp"

#include "hrixs/classify.hpp"
#include "hrixs/find.hpp"

using namespace hrixs;
using namespace hrixs::fuzz;

namespace {

CloudFit any_fit(Input& input) {
    CloudFit fit;
    fit.cloud_sigma = input.number(0.1, 2.0);
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

bool same_value(double a, double b) {
    return std::memcmp(&a, &b, sizeof a) == 0;
}

void check_photon(const PhotonTable& table, std::size_t k) {
    const PlaceColumns& placed = table.placed;
    const bool fitted = (placed.flag[k] & (not_converged | left_pixel)) == 0;
    require(placed.flag[k] < 32, "no unknown flag");
    if (!fitted) {
        require(std::isnan(placed.sigma_x[k]) && std::isnan(placed.sigma_y[k]) &&
                    std::isnan(placed.chi2[k]) && std::isnan(placed.cloud_sigma[k]) &&
                    std::isnan(placed.cloud_sigma_err[k]),
                "no uncertainty without a fit");
        return;
    }
    require(std::isfinite(table.x[k]) && std::isfinite(table.y[k]) &&
                std::isfinite(table.charge[k]),
            "a fitted photon has a place and a charge");
    require(placed.sigma_x[k] > 0.0 && placed.sigma_y[k] > 0.0 &&
                std::isfinite(placed.sigma_x[k]) && std::isfinite(placed.sigma_y[k]),
            "a fitted photon has an uncertainty");
    require(placed.chi2[k] >= 0.0, "chi square is not negative");
}

// Photons of the fit beside the hits that a centre of mass places.
void compare(const FoundPhotons& hits, const FoundPhotons& found, bool split_doubles,
             bool has_mask) {
    require(same_bytes(hits.base, found.base) && same_bytes(hits.threshold, found.threshold) &&
                same_bytes(hits.n_dropped, found.n_dropped) &&
                same_bytes(hits.n_spikes, found.n_spikes),
            "the fit changes nothing about what is found");
    const auto n = found.table.x.size();
    const PlaceColumns& placed = found.table.placed;
    require(placed.sigma_x.size() == n && placed.sigma_y.size() == n && placed.chi2.size() == n &&
                placed.cloud_sigma.size() == n && placed.cloud_sigma_err.size() == n &&
                placed.flag.size() == n && found.table.frame.size() == n,
            "a value for each photon");
    // Where all of the rows that tell it are masked, it is not known.
    for (const double noise : found.noise)
        require(noise >= 0.0 || (has_mask && std::isnan(noise)), "noise is not negative");
    counts().photons += static_cast<long>(n);
    std::size_t k = 0;
    for (std::size_t hit = 0; hit < hits.table.x.size(); ++hit) {
        require(k < n && found.table.frame[k] == hits.table.frame[hit], "as many hits");
        check_photon(found.table, k);
        if ((placed.flag[k] & split) != 0) {
            require(split_doubles, "split only where that is asked for");
            require(k + 1 < n && (placed.flag[k + 1] & split) != 0, "split into two");
            check_photon(found.table, k + 1);
            require(same_value(found.table.charge[k], found.table.charge[k + 1]) &&
                        found.table.is_double[k] == 0 && found.table.is_double[k + 1] == 0,
                    "two photons alike");
            k += 2;
            continue;
        }
        if ((placed.flag[k] & (not_converged | left_pixel)) != 0)
            require_near(found.table.charge[k], hits.table.charge[hit], 0.0,
                         "charge without a fit");
        if (!split_doubles)
            require(found.table.is_double[k] == hits.table.is_double[hit], "as many doubles");
        ++k;
    }
    require(k == n, "no photon without a hit");
    ++counts().compared;
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
        const Frames<decltype(pixel)> frames(input);
        std::optional<Array<double>> noise_map;
        if (with_map) {
            noise_map.emplace(image_shape(input, frames.shape), input, -1.0);
            // As the layers above hand it on: positive, or NaN where it is not known.
            for (double& noise : noise_map->memory)
                noise = noise > 0.0 && noise < 1e6 ? noise : gap_value<double>();
            fit.noise_map = noise_map->image();
        }
        const ChipCorrection chip = frames.chip();
        const std::vector<double> adu = any_photon_adu(input, frames.pixels->stack().size());
        const auto call = [&](const auto& stack, int threads) {
            return by_energy
                       ? classify_photons(stack, adu.data(), chip, classify_settings, {threads})
                       : find_photons(stack, chip, find_settings, {threads});
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
        if (found.result)
            compare(*hits.result, *found.result, fit.split_doubles, frames.mask.has_value());
    });
    return 0;
}
