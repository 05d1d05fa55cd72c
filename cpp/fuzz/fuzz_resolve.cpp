// SPDX-License-Identifier: BSD-3-Clause
// Photons resolved in a crowd: what must hold for all of them, whatever the pixels are; and
// isolated photons on a quiet frame, which must be found where they are.
#include "settings.hpp"
#include "ways.hpp"

#include "hrixs/resolve.hpp"
#include "placement/cloud_edges.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <vector>

using namespace hrixs;
using namespace hrixs::fuzz;

namespace {

ResolveSettings any_resolve_settings(Input& input) {
    ResolveSettings settings;
    settings.cloud.cloud_sigma = input.one_in(4) ? input.number(0.1, 1.5) : input.number(0.3, 0.9);
    if (input.yes())
        settings.cloud.read_noise = input.number(0.001, 50.0);
    if (input.yes())
        settings.cloud.electrons_per_adu = input.number(0.01, 4.0);
    settings.cloud.local_background = input.yes();
    // Few: noise without an end of photons would take long.
    settings.max_photons = input.one_in(8) ? input.whole(-1, 5) : 300;
    if (input.one_in(3))
        settings.max_pixel = std::abs(any_adu(input));
    return settings;
}

unsigned faults_of(const ResolveSettings& settings, const std::vector<double>& adu) {
    const auto positive = [](const std::optional<double>& value) {
        return !value || (*value > 0.0 && std::isfinite(*value));
    };
    const auto is_charge = [](double photon) { return photon > 0.0 && photon < 1e9; };
    const double sigma = settings.cloud.cloud_sigma;
    const bool right = sigma >= least_resolved_cloud && sigma <= most_resolved_cloud &&
                       positive(settings.cloud.read_noise) &&
                       positive(settings.cloud.electrons_per_adu) && settings.max_photons >= 1 &&
                       std::all_of(adu.begin(), adu.end(), is_charge);
    return right ? 0 : parameter;
}

bool plants() {
    return std::getenv("HRIXS_FUZZ_PLANT") != nullptr;
}

void check(const ResolvedPhotons& resolved, Index n_frames, Index nx, Index ny) {
    const PhotonTable& table = resolved.found.table;
    require(resolved.crowding.size() == table.x.size(), "crowding of each photon");
    require(static_cast<Index>(resolved.light.size()) == n_frames, "light of each frame");
    for (std::size_t k = 0; k < table.x.size(); ++k) {
        require(table.x[k] >= -0.5 && table.x[k] <= static_cast<double>(nx) - 0.5, "x in frame");
        require(table.y[k] >= -0.5 && table.y[k] <= static_cast<double>(ny) - 0.5, "y in frame");
        require(resolved.crowding[k] >= 0.0 || std::isnan(resolved.crowding[k]), "crowding");
        require(!(table.fitted.sigma_x[k] < 0.0), "sigma_x");
        require(table.is_double[k] == 0, "single photons");
        if (k > 0 && table.frame[k] == table.frame[k - 1])
            require(!(table.x[k] < table.x[k - 1]), "in the order of x");
    }
}

// Photons that stand alone, on a frame without noise.
void find_lone_photons(Input& input) {
    constexpr Index cell = 16;
    const Index n_x = input.whole(1, 3);
    const Index n_y = input.whole(1, 3);
    const double sigma = input.one_of({0.3, 0.45, 0.55, 0.8, 1.0});
    const double charge = static_cast<double>(input.whole(100, 2000));
    const Index nx = n_x * cell;
    const Index ny = n_y * cell;
    std::vector<double> pixels(static_cast<std::size_t>(nx * ny), 100.0);
    std::vector<double> places_x;
    std::vector<double> places_y;
    for (Index i = 0; i < n_x; ++i)
        for (Index j = 0; j < n_y; ++j) {
            const double x = static_cast<double>(i * cell + 7) + input.number(0.0, 1.0);
            const double y = static_cast<double>(j * cell + 7) + input.number(0.0, 1.0);
            if (!(x >= 0.0 && y >= 0.0 && x < static_cast<double>(nx) &&
                  y < static_cast<double>(ny)))
                return;
            places_x.push_back(x);
            places_y.push_back(y);
            for (Index a = 0; a < nx; ++a)
                for (Index b = 0; b < ny; ++b) {
                    const auto share = [&](Index pixel, double place) {
                        const double from = static_cast<double>(pixel) - place;
                        return CloudEdge(from + 0.5, sigma).share -
                               CloudEdge(from - 0.5, sigma).share;
                    };
                    pixels[static_cast<std::size_t>(a * ny + b)] +=
                        charge * share(a, x) * share(b, y);
                }
        }
    ResolveSettings settings;
    settings.cloud.cloud_sigma = sigma;
    settings.cloud.read_noise = 1.0;
    settings.max_photons = 1000;
    if (plants())
        settings.cloud.cloud_sigma *= 2.0;
    const FrameStack<double> stack{{pixels.data(), nx, ny, ny, 1}, {1}, {nx * ny}};
    const ResolvedPhotons resolved = resolve_photons(stack, &charge, {}, settings, {1});
    const PhotonTable& table = resolved.found.table;
    require_near(static_cast<double>(table.x.size()), static_cast<double>(places_x.size()), 0.0,
                 "number of photons");
    for (std::size_t k = 0; k < places_x.size(); ++k) {
        double nearest = 1e9;
        for (std::size_t n = 0; n < table.x.size(); ++n)
            nearest =
                std::min(nearest, std::hypot(table.x[n] - places_x[k], table.y[n] - places_y[k]));
        require_near(nearest, 0.0, 0.05, "place of a photon");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    if (input.one_in(4)) {
        find_lone_photons(input);
        return 0;
    }
    with_pixel_type(input, [&](auto pixel) {
        const Index way = input.whole(0, n_ways - 1);
        const ResolveSettings settings = any_resolve_settings(input);
        const Frames<decltype(pixel)> frames(input);
        const CameraCorrection camera = frames.camera();
        const auto& stack = frames.pixels->stack();
        const std::vector<double> adu = any_photon_adu(input, stack.size());
        const auto found = call_in_two_ways(frames, way, [&](const auto& one, int threads) {
            return resolve_photons(one, adu.data(), camera, settings, {threads});
        });
        const unsigned faults = faults_of(settings, adu) | faults_of_camera(frames);
        if (found.result)
            check(*found.result, stack.size(), stack.first.nx, stack.first.ny);
        else
            require(faults != 0 || found.fault == non_finite || found.fault == too_many,
                    "an error has a reason");
        require(faults == 0 || !found.result || stack.size() == 0, "a fault is an error");
    });
    return 0;
}
