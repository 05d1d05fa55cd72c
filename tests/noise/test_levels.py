"""Noise of frames and pixels, with and without photons in them."""

import numpy as np
import pytest
import xarray as xr

from hrixs import NonFinitePixelsError
from hrixs.noise.core_fit import gaussian_core
from hrixs.noise.levels import frame_noise, pixel_noise
from hrixs.simulation import Sensor, simulate_frames


def counts(sigma, *, mean=100.0, shape=(400, 500), seed=1):
    """Pixels in whole ADU."""
    return np.rint(np.random.default_rng(seed).normal(mean, sigma, shape))


# Pixels with noise of some ADU, a third of them raised by photons.
FEW = [157, 131, 203, 148, 139, 138, 169, *[129] * 5, 128, 130, 127, 131, 122, 130, 131, 127, 130]
FEW_AND_RAISED = [
    *[279, 359, 237, 208, 228, 217, 212, 196, 201, 204, 195, 190, 199, 195, 173, 201, 201],
    *[183, 197, 208, 195, 203],
]


class TestCore:
    @pytest.mark.parametrize("sigma", [0.4, 0.8, 1.5, 4.0, 60.0])
    @pytest.mark.parametrize("mean", [99.5, 100.0, 100.3])
    def test_width_of_the_noise_before_it_was_rounded(self, sigma, mean):
        # 200 000 values of which two thirds are fitted tell the width to half a percent.
        found_mean, found = gaussian_core(counts(sigma, mean=mean))
        assert found == pytest.approx(sigma, rel=0.02)
        assert found_mean == pytest.approx(mean, abs=0.03 * sigma)

    def test_photons_do_not_widen_it(self):
        values = counts(1.5)
        values.ravel()[:20_000] += np.random.default_rng(2).exponential(40, 20_000).round()
        assert values.std() > 10
        assert gaussian_core(values)[1] == pytest.approx(1.5, rel=0.05)

    def test_values_that_are_not_whole(self):
        assert gaussian_core(counts(4.0) * 0.01)[1] == pytest.approx(0.04, rel=0.02)

    def test_no_noise_is_none(self):
        assert gaussian_core(np.full(100, 7.0)) == (7.0, 0.0)
        assert gaussian_core(np.full(100, 0.1))[1] == 0.0

    @pytest.mark.parametrize(
        ("values", "middle"),
        [(FEW, 129.4), (FEW_AND_RAISED, 198.0)],
    )
    def test_a_tail_of_photons_does_not_take_the_fit_away(self, values, middle):
        mean, sigma = gaussian_core(values)
        assert mean == pytest.approx(middle, abs=3)
        assert 0 < sigma < 10

    def test_too_few_values(self):
        with pytest.raises(ValueError, match="15 finite values given, expected at least 16"):
            gaussian_core([*range(15), np.nan])


class TestFrames:
    def test_each_frame_by_itself(self):
        frames = np.stack([counts(1.5), counts(3.0, mean=120.0)]).astype(np.uint16)
        before = frames.copy()
        noise = frame_noise(frames)
        np.testing.assert_allclose(noise.noise, [1.5, 3.0], rtol=0.02)
        np.testing.assert_allclose(noise.level, [100, 120], atol=0.05)
        # Rounding four pixels adds 4/12 to the variance of their sum, of which 1/12 is its own.
        np.testing.assert_allclose(noise.square_noise, np.hypot([3.0, 6.0], 0.5), rtol=0.02)
        np.testing.assert_allclose(noise.square_level, [400, 480], atol=0.2)
        assert noise.noise.attrs["units"] == "ADU"
        np.testing.assert_array_equal(frames, before)

    @pytest.mark.parametrize("photons", [0, 100, 2000])
    def test_photons_are_left_out(self, photons):
        sensor = Sensor(shape=(512, 512), read_noise=1.6, pedestal_spread=0.0)
        frames, _ = simulate_frames(1, sensor=sensor, photons_per_frame=photons)
        assert float(frame_noise(frames).noise[0]) == pytest.approx(1.6 / 1.06, rel=0.03)

    def test_the_dark_takes_the_pedestals_pattern_away(self):
        sensor = Sensor(shape=(256, 256), pedestal_spread=5.0)
        frames, _ = simulate_frames(1, sensor=sensor, photons_per_frame=0)
        assert float(frame_noise(frames).noise[0]) == pytest.approx(5.22, rel=0.03)
        dark = sensor.pattern
        assert float(frame_noise(frames, dark=dark).noise[0]) == pytest.approx(1.54, rel=0.03)

    def test_masked_pixels_may_be_anything(self):
        frame = counts(1.5)
        alone = frame_noise(frame)
        frame[50, :] = np.nan
        mask = np.isnan(frame)
        masked = frame_noise(frame, mask=mask)
        assert float(masked.noise[0]) == pytest.approx(float(alone.noise[0]), rel=0.01)
        with pytest.raises(NonFinitePixelsError, match="frame 0 has 500 pixels that are NaN"):
            frame_noise(frame)


class TestPixels:
    def test_map_of_the_noise(self):
        sigma = np.linspace(1, 5, 40)[:, None] * np.ones(60)
        frames = np.random.default_rng(3).normal(100, sigma, (30, 40, 60))
        noise = pixel_noise(xr.DataArray(frames, dims=("trainId", "x", "y")))
        assert noise.dims == ("x", "y")
        np.testing.assert_allclose(noise.mean("y"), sigma[:, 0], rtol=0.06)

    def test_a_photon_in_a_few_frames_does_not_count(self):
        frames = np.random.default_rng(4).normal(100, 2, (20, 32, 32))
        frames[3, 5, 5] += 90
        frames[[8, 15], 6, 6] += 40
        noise = pixel_noise(frames)
        assert noise.values.max() < 4

    def test_masked_pixels_are_nan(self):
        frames = np.random.default_rng(4).normal(100, 2, (5, 8, 8))
        mask = np.zeros((8, 8), bool)
        mask[2, 3] = True
        np.testing.assert_array_equal(np.isnan(pixel_noise(frames, mask=mask)), mask)

    def test_needs_three_frames(self):
        with pytest.raises(ValueError, match="2 frames given, expected at least 3"):
            pixel_noise(np.zeros((2, 8, 8)))
