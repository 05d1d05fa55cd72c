"""The reference of fitted places, against integrals, differences and statistics of its own."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracles.gaussian_fit import (
    Photon,
    brightest,
    cloud,
    cramer_rao,
    gaussian_fit,
    gaussian_fits,
    mean_bound,
    slopes,
)

examples = settings(derandomize=True, deadline=None, max_examples=30, database=None)
sigmas = st.floats(0.3, 0.9)
phases = st.floats(-0.5, 0.5)
charges = st.floats(30, 1000)

WIDE = np.arange(-8, 9)


def frame_with(*photons, shape=(16, 20), cloud_sigma=0.55, background=0.0):
    pixels = [np.arange(n) for n in shape]
    return background + sum(cloud(*pixels, photon, cloud_sigma) for photon in photons)


class TestModel:
    @examples
    @given(phases, phases, charges, sigmas)
    def test_no_charge_is_lost(self, x, y, charge, cloud_sigma):
        total = cloud(WIDE, WIDE, Photon(x, y, charge), cloud_sigma).sum()
        assert total == pytest.approx(charge, rel=1e-8)

    def test_a_pixel_holds_the_integral_of_the_cloud(self):
        fine = (np.arange(400) + 0.5) / 400 - 0.5  # the middles of 400 strips of a pixel
        x, y = np.meshgrid(1 + fine, fine, indexing="ij")
        density = np.exp(-((x - 0.3) ** 2 + (y + 0.1) ** 2) / (2 * 0.6**2)) / (2 * np.pi * 0.6**2)
        pixel = cloud([1], [0], Photon(0.3, -0.1, 100.0), 0.6)[0, 0]
        assert pixel == pytest.approx(100 * density.mean(), rel=1e-5)

    @examples
    @given(phases, phases, charges, sigmas)
    def test_slopes_are_those_of_the_model(self, x, y, charge, cloud_sigma):
        found = slopes(WIDE, WIDE, Photon(x, y, charge), cloud_sigma)
        step = 1e-5
        for axis, slope in enumerate(found):
            ends = []
            for sign in (-1, 1):
                parameters = [x, y, charge]
                parameters[axis] += sign * step
                ends.append(cloud(WIDE, WIDE, Photon(*parameters), cloud_sigma))
            difference = (ends[1] - ends[0]) / (2 * step)
            np.testing.assert_allclose(slope, difference, rtol=1e-5, atol=1e-5)

    def test_brightest_is_the_first_of_equal_pixels(self):
        frame = np.array([[0, 0, 0], [0, 3, 5], [0, 5, 2.0]])
        assert brightest(frame, (1, 1)) == (1, 2)
        frame[1, 2] = np.nan
        assert brightest(frame, (1, 1)) == (2, 1)


class TestFit:
    @examples
    @given(phases, phases, charges, sigmas, st.sampled_from([None, 1.0, 2.5]), st.booleans())
    def test_without_noise_the_photon_itself_comes_back(
        self, x, y, charge, cloud_sigma, electrons_per_adu, local_background
    ):
        photon = Photon(8 + x, 9 + y, charge)
        frame = frame_with(photon, cloud_sigma=cloud_sigma, background=100.0)
        pixel = brightest(frame, (7, 8), size=3)
        fit = gaussian_fit(
            frame,
            pixel,
            cloud_sigma=cloud_sigma,
            read_noise=2.0,
            background=100.0 if not local_background else 99.0,
            electrons_per_adu=electrons_per_adu,
            local_background=local_background,
        )
        np.testing.assert_allclose(fit[:2], photon[:2], atol=1e-6)
        assert fit.charge == pytest.approx(charge, rel=1e-6)
        assert fit.background == pytest.approx(100, abs=1e-4)
        assert fit.chi2 < 1e-9

    @pytest.mark.parametrize("electrons_per_adu", [None, 1.0])
    @pytest.mark.parametrize("local_background", [False, True])
    def test_the_score_is_zero_where_it_ends(self, electrons_per_adu, local_background):
        """The defining equation, with slopes and variances written out once more."""
        rng = np.random.default_rng(1)
        frame = frame_with(Photon(8.2, 9.4, 140.0)) + rng.normal(0, 2, (16, 20))
        fit = gaussian_fit(
            frame,
            (8, 9),
            cloud_sigma=0.55,
            read_noise=2.0,
            electrons_per_adu=electrons_per_adu,
            local_background=local_background,
        )
        window = np.arange(6, 11), np.arange(7, 12)
        photon = Photon(fit.x, fit.y, fit.charge)
        signal = cloud(*window, photon, 0.55)
        variance = 4.0 + (signal if electrons_per_adu else 0.0)
        residuals = (frame[6:11, 7:12] - fit.background - signal) / variance
        rates = slopes(*window, photon, 0.55) + [np.ones((5, 5))] * local_background
        for rate in rates:
            assert abs(np.sum(residuals * rate)) < 1e-6 * np.sum(np.abs(residuals * rate))

    def test_of_one_variance_no_place_near_by_fits_better(self):
        rng = np.random.default_rng(2)
        frame = frame_with(Photon(8.4, 9.1, 140.0)) + rng.normal(0, 3, (16, 20))
        fit = gaussian_fit(frame, (8, 9), cloud_sigma=0.55, read_noise=3.0)

        def squares(*photon):
            model = cloud(np.arange(6, 11), np.arange(7, 12), Photon(*photon), 0.55)
            return np.sum((frame[6:11, 7:12] - model) ** 2)

        least = squares(*fit[:3])
        assert fit.chi2 == pytest.approx(least / 9 / (25 - 3))
        for step in ((0.01, 0, 0), (0, 0.01, 0), (0, 0, 1.0)):
            for sign in (-1, 1):
                assert squares(*(np.array(fit[:3]) + sign * np.array(step))) > least

    def test_a_bad_pixel_takes_no_part(self):
        photon = Photon(8.3, 9.2, 140.0)
        frame = frame_with(photon)
        frame[9, 9] = 1e5
        options = {"cloud_sigma": 0.55, "read_noise": 2.0}
        bad = gaussian_fit(frame, (8, 9), **options)
        frame[9, 9] = np.nan
        good = gaussian_fit(frame, (8, 9), **options)
        np.testing.assert_allclose(good[:3], photon, atol=1e-5)
        assert abs(bad.x - photon.x) > 0.1

    def test_a_noisy_pixel_counts_less(self):
        frame = frame_with(Photon(8.0, 9.0, 140.0))
        frame[9, 9] += 20
        noise = np.full(frame.shape, 2.0)
        flat = gaussian_fit(frame, (8, 9), cloud_sigma=0.55, read_noise=noise)
        noise[9, 9] = 200.0
        mapped = gaussian_fit(frame, (8, 9), cloud_sigma=0.55, read_noise=noise)
        assert abs(mapped.x - 8) < 1e-3 < 0.05 < abs(flat.x - 8)

    @pytest.mark.parametrize("apart", [(3, 0), (0, 3), (3, 2), (4, 4), (6, 0)])
    def test_two_photons_come_back_together(self, apart):
        one = Photon(5.2, 7.9, 140.0)
        two = Photon(5.2 + apart[0], 7.7 + apart[1], 90.0)
        fits = gaussian_fits(
            frame_with(one, two),
            [(5, 8), (5 + apart[0], 8 + apart[1])],
            cloud_sigma=0.55,
            read_noise=2.0,
        )
        for fit, photon in zip(fits, (one, two), strict=True):
            np.testing.assert_allclose(fit[:3], photon, rtol=1e-6)


class TestBound:
    def test_of_a_fine_pixel_is_the_continuous_one(self):
        """In background noise: ``sqrt(8 pi) sigma^2 noise / charge``, for a cloud of many px."""
        bound, _ = cramer_rao(Photon(0, 0, 500.0), cloud_sigma=4.0, read_noise=2.0, size=61)
        assert bound == pytest.approx(np.sqrt(8 * np.pi) * 16 * 2 / 500, rel=0.01)

    def test_of_electrons_alone_is_the_width_of_their_mean(self):
        bound, _ = cramer_rao(
            Photon(0, 0, 400.0), cloud_sigma=4.0, read_noise=1e-3, electrons_per_adu=1.0, size=61
        )
        assert bound == pytest.approx(4.0 / np.sqrt(400), rel=0.01)

    @pytest.mark.parametrize("electrons_per_adu", [None, 1.0])
    @pytest.mark.parametrize("local_background", [False, True])
    def test_in_the_window_of_a_fit_is_what_the_fit_reports(
        self, electrons_per_adu, local_background
    ):
        photon = Photon(8.3, 8.9, 140.0)
        options = {
            "cloud_sigma": 0.55,
            "read_noise": 2.0,
            "electrons_per_adu": electrons_per_adu,
            "local_background": local_background,
        }
        fit = gaussian_fit(frame_with(photon), (8, 9), **options)
        bound = cramer_rao(Photon(0.3, -0.1, 140.0), size=5, **options)
        np.testing.assert_allclose([fit.sigma_x, fit.sigma_y], bound, rtol=1e-5)

    @pytest.mark.parametrize("cloud_sigma", [0.4, 0.55, 0.8])
    def test_5x5_pixels_know_nearly_all(self, cloud_sigma):
        """Else no limit of 1.05 could be set to a fit in 5x5 pixels."""
        options = {"cloud_sigma": cloud_sigma, "read_noise": 2.0}
        small = mean_bound(140.0, size=5, **options)
        assert 1 <= small / mean_bound(140.0, **options) < 1.001

    def test_more_unknowns_or_noise_make_it_wider(self):
        options = {"cloud_sigma": 0.55, "read_noise": 2.0, "size": 5}
        least = mean_bound(140.0, **options)
        assert mean_bound(140.0, local_background=True, **options) > least
        assert mean_bound(140.0, electrons_per_adu=1.0, **options) > 1.5 * least
        assert mean_bound(70.0, **options) == pytest.approx(2 * least)

    def test_more_phases_change_nothing(self):
        options = {"cloud_sigma": 0.4, "read_noise": 2.0, "electrons_per_adu": 1.0}
        few, many = (mean_bound(140.0, n_phases=n, **options) for n in (10, 40))
        assert few == pytest.approx(many, rel=1e-3)

    @pytest.mark.parametrize("electrons", [False, True])
    def test_the_fit_reaches_it(self, electrons):
        rng = np.random.default_rng(3)
        gain = {"electrons_per_adu": 1.0} if electrons else {}
        options = {"cloud_sigma": 0.55, "read_noise": 2.0} | gain
        errors = []
        for _ in range(150):
            photon = Photon(*rng.uniform(7.5, 8.5, 2), 300.0)
            frame = frame_with(photon, shape=(17, 17))
            frame = (rng.poisson(frame) if electrons else frame) + rng.normal(0, 2, frame.shape)
            fit = gaussian_fit(frame, brightest(frame, (6, 6), size=5), **options)
            errors += [fit.x - photon.x, fit.y - photon.y]
        ratio = np.sqrt(np.mean(np.square(errors))) / mean_bound(300.0, **options)
        # 300 numbers: one standard error of their rms is 4 %.
        assert 0.88 < ratio < 1.12
