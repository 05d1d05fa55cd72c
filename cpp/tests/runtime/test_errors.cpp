// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/errors.hpp"

#include "hrixs/classify.hpp"
#include "hrixs/find.hpp"
#include "hrixs/integrate.hpp"
#include "images.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <vector>

using namespace hrixs;
using namespace hrixs::test;
using doctest::Contains;

namespace {

// Settings that all frames below pass; a test spoils one at a time.
struct Call {
    Stack<double> stack{5, 8, 8};
    CameraCorrection camera;
    FindSettings find_settings{30.0, 0.0, {}, 1};
    ClassifySettings classify_settings{0.2, 1.0, 0.2, 1.5, 1};
    Curvature curvature;
    std::vector<double> photon_adu = std::vector<double>(5, 50.0);
    int threads = 1;

    void find() const { find_photons(stack.frames(), camera, find_settings, {threads}); }
    void classify() const {
        classify_photons(stack.frames(), photon_adu.data(), camera, classify_settings, {threads});
    }
    void integrate() const { integrate_frames(stack.frames(), camera, curvature, {threads}); }
};

template <class Error> void check_all(const Call& call, const char* text) {
    CHECK_THROWS_WITH_AS(call.find(), Contains(text), Error);
    CHECK_THROWS_WITH_AS(call.classify(), Contains(text), Error);
    CHECK_THROWS_WITH_AS(call.integrate(), Contains(text), Error);
}

void check_none(const Call& call) {
    CHECK_NOTHROW(call.find());
    CHECK_NOTHROW(call.classify());
    CHECK_NOTHROW(call.integrate());
}

} // namespace

TEST_CASE("errors: frames smaller than a spot") {
    Call call;
    call.stack = Stack<double>(5, 3, 8);
    check_all<ShapeError>(call, "3 x 8");
    call.stack = Stack<double>(5, 8, 3);
    check_all<ShapeError>(call, "8 x 3");
    call.stack = Stack<double>(5, 4, 4);
    check_none(call);
    call.stack = Stack<double>(0, 4, 4);
    check_none(call);
}

TEST_CASE("errors: dark and mask of another shape") {
    const Image<double> dark(8, 7);
    const Image<std::uint8_t> mask(7, 8);
    Call call;
    call.camera.dark = dark.view();
    check_all<ShapeError>(call, "dark has shape (8, 7), expected that of a frame, (8, 8)");
    call.camera = {{}, mask.view()};
    check_all<ShapeError>(call, "mask has shape (7, 8), expected that of a frame, (8, 8)");
}

TEST_CASE("errors: non-finite pixels of the lowest frame are counted, masked ones pass") {
    Image<std::uint8_t> mask(8, 8);
    for (int threads = 1; threads <= 4; ++threads) {
        Call call;
        call.threads = threads;
        call.stack(4, 0, 0) = not_a_number;
        call.stack(2, 0, 0) = not_a_number;
        call.stack(2, 3, 7) = infinity;
        call.stack(2, 7, 7) = -infinity;
        check_all<NonFinitePixels>(call, "frame 2 has 3 pixels");
        mask(0, 0) = mask(3, 7) = 1;
        mask(7, 7) = 0;
        call.camera.mask = mask.view();
        check_all<NonFinitePixels>(call, "frame 2 has 1 pixels");
        mask(7, 7) = 1;
        check_none(call);
    }
}

TEST_CASE("errors: a dark that is not finite where it is used") {
    Image<double> dark(8, 8);
    dark(1, 1) = not_a_number;
    dark(7, 7) = infinity;
    Image<std::uint8_t> mask(8, 8);
    mask(1, 1) = 1;
    Call call;
    call.camera.dark = dark.view();
    check_all<ParameterError>(call, "dark has 2 pixels");
    call.camera.mask = mask.view();
    check_all<ParameterError>(call, "dark has 1 pixels");
    mask(7, 7) = 1;
    check_none(call);
}

TEST_CASE("errors: too many photons name the lowest frame whatever the threads") {
    for (int threads = 1; threads <= 4; ++threads) {
        Call call;
        call.threads = threads;
        put_block(call.stack, 0, 2, 2, 20.0);
        for (const Index frame : {1, 2, 4}) {
            put_block(call.stack, frame, 1, 1, 20.0);
            put_block(call.stack, frame, 5, 4, 20.0);
        }
        CHECK_THROWS_WITH_AS(call.find(), Contains("frame 1 has 2 hits"), TooManyPhotons);
        CHECK_THROWS_WITH_AS(call.classify(), Contains("frame 1 has 2 hits"), TooManyPhotons);
        call.find_settings.max_photons = call.classify_settings.max_photons = 2;
        check_none(call);
        const auto found =
            find_photons(call.stack.frames(), call.camera, call.find_settings, {threads});
        CHECK(found.table.size() == 7);
    }
}

TEST_CASE("errors: bad parameters") {
    const auto refused = [](const std::function<void(Call&)>& spoil, void (Call::*kernel)() const) {
        Call call;
        spoil(call);
        CHECK_THROWS_AS((call.*kernel)(), ParameterError);
    };
    Call no_threads;
    no_threads.threads = 0;
    check_all<ParameterError>(no_threads, "threads = 0");

    refused([](Call& c) { c.find_settings.threshold = not_a_number; }, &Call::find);
    refused([](Call& c) { c.find_settings = {{}, not_a_number, {}, 1}; }, &Call::find);
    refused([](Call& c) { c.find_settings.dbl_threshold = not_a_number; }, &Call::find);
    refused([](Call& c) { c.find_settings.max_photons = 0; }, &Call::find);

    for (const double adu : {0.0, -1.0, not_a_number, infinity})
        refused([adu](Call& c) { c.photon_adu[4] = adu; }, &Call::classify);
    refused([](Call& c) { c.classify_settings.max_photons = 0; }, &Call::classify);
    refused([](Call& c) { c.classify_settings.candidate_low = 1.0; }, &Call::classify);
    refused([](Call& c) { c.classify_settings.candidate_high = not_a_number; }, &Call::classify);
    refused([](Call& c) { c.classify_settings.single_low = -0.1; }, &Call::classify);
    refused([](Call& c) { c.classify_settings.single_low = 1.6; }, &Call::classify);
    refused([](Call& c) { c.classify_settings.double_low = not_a_number; }, &Call::classify);

    for (const double bad : {not_a_number, infinity, -infinity, 1e9}) {
        refused([bad](Call& c) { c.curvature.a = bad; }, &Call::integrate);
        refused([bad](Call& c) { c.curvature.b = bad; }, &Call::integrate);
    }
}

TEST_CASE("errors: bad settings of a fit") {
    const auto with = [](const std::function<void(CloudFit&)>& spoil) {
        CloudFit fit;
        fit.cloud_sigma = 0.5;
        spoil(fit);
        Call call;
        call.find_settings.fit = call.classify_settings.fit = fit;
        return call;
    };
    const auto check_refused = [&](const std::function<void(CloudFit&)>& spoil, const char* text) {
        CHECK_THROWS_WITH_AS(with(spoil).find(), Contains(text), ParameterError);
        CHECK_THROWS_WITH_AS(with(spoil).classify(), Contains(text), ParameterError);
    };
    for (const double bad : {0.0, -0.5, 0.099, 2.001, not_a_number, infinity})
        check_refused([bad](CloudFit& fit) { fit.cloud_sigma = bad; }, "cloud_sigma = ");
    for (const double bad : {0.0, -1.0, not_a_number, infinity}) {
        check_refused([bad](CloudFit& fit) { fit.read_noise = bad; }, "read_noise = ");
        check_refused([bad](CloudFit& fit) { fit.electrons_per_adu = bad; },
                      "electrons_per_adu = ");
    }
    for (const double good : {least_cloud_sigma, 0.5, most_cloud_sigma})
        CHECK_NOTHROW(with([good](CloudFit& fit) { fit.cloud_sigma = good; }).find());

    const Image<double> map(8, 7, 1.0);
    const Call call = with([&](CloudFit& fit) { fit.noise_map = map.view(); });
    const char* text = "read_noise has (x, y) shape (8, 7), expected that of the frames, (8, 8)";
    CHECK_THROWS_WITH_AS(call.find(), Contains(text), ShapeError);
    CHECK_THROWS_WITH_AS(call.classify(), Contains(text), ShapeError);
}
