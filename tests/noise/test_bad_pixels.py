"""Bad pixels in dark frames."""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from conftest import DARK, RUN
from hrixs import HrixsWarning, bad_pixels, find_photons
from hrixs.camera import plot_mask
from hrixs.noise.pixel_faults import bad_lines, off_level
from hrixs.simulation import Sensor, SpectralLine, simulate_frames


def darks(n_frames=10, shape=(128, 160), sigma=1.5, seed=1):
    rng = np.random.default_rng(seed)
    return np.rint(rng.normal(100, sigma, (n_frames, *shape))).astype(np.uint16)


def places(mask):
    return list(zip(*(index.tolist() for index in np.nonzero(mask.values)), strict=True))


def test_good_frames_have_none():
    mask = bad_pixels(darks())
    assert mask.dims == ("x", "y")
    assert mask.dtype == bool
    assert int(mask.sum()) == 0


def test_one_of_each_kind():
    frames = darks()
    frames[:, 10, 20] += 40
    frames[:, 30, 40] = 3
    frames[1::4, 50, 60] += 30
    frames[:, 70, 80] = 100 + 15 * (-1.0) ** np.arange(10)
    before = frames.copy()
    mask = bad_pixels(xr.DataArray(frames, dims=("trainId", "x", "y")))
    assert places(mask) == [(10, 20), (30, 40), (50, 60), (70, 80)]
    assert (mask.attrs["n_hot"], mask.attrs["n_dead"], mask.attrs["n_noisy"]) == (1, 1, 2)
    np.testing.assert_array_equal(frames, before)


def test_a_cosmic_ray_is_no_bad_pixel():
    frames = darks()
    frames[4, 20:40, 50] += 500
    assert int(bad_pixels(frames).sum()) == 0


def test_a_pixel_that_never_changes_is_dead_where_that_can_be_told():
    frames = darks(40)
    frames[:, 5, 6] = 100
    assert places(bad_pixels(frames)) == [(5, 6)]
    # In six frames many good pixels count the same each time.
    assert int(bad_pixels(darks(6)).sum()) == 0


def test_a_pedestal_that_drifts_over_the_chip_is_not_hot():
    slope = np.linspace(0, 60, 160).astype(np.uint16)
    frames = darks() + slope
    frames[:, 10, 20] += 80
    assert places(bad_pixels(frames)) == [(10, 20)]


def test_an_image_shows_levels_only():
    frames = darks()
    frames[:, 10, 20] += 40
    with pytest.warns(HrixsWarning, match="1 dark frames given, 5 or more"):
        mask = bad_pixels(frames.mean(axis=0))
    assert places(mask) == [(10, 20)]


def test_finds_what_the_simulation_put_in_and_stops_its_hits():
    sensor = Sensor(shape=(256, 256), hot_fraction=1e-3)
    frames, _ = simulate_frames(8, sensor=sensor, photons_per_frame=0)
    truth = sensor.pattern > 110
    mask = bad_pixels(frames)
    assert int((mask.values & truth).sum()) == int(truth.sum()) > 50
    assert mask.attrs["n_hot"] <= truth.sum() + 3
    options = {"threshold": 420.0, "threads": 1}
    assert find_photons(frames, **options).sizes["photon"] > 300
    assert find_photons(frames, mask=mask, **options).sizes["photon"] < 8


def test_frames_that_are_not_dark():
    frames = darks()
    frames[:, ::6, ::6] += 50
    with pytest.warns(HrixsWarning, match=r"2\.9% of the pixels are marked as bad"):
        bad_pixels(frames)


@pytest.mark.parametrize("n_sigma", [0, -1, np.nan])
def test_n_sigma_is_positive(n_sigma):
    with pytest.raises(ValueError, match=r"n_sigma = .*, expected a positive number"):
        bad_pixels(darks(), n_sigma=n_sigma)


def test_nan_pixels_are_refused():
    frames = darks().astype(float)
    frames[2, 3, 4] = np.nan
    with pytest.raises(ValueError, match="1 pixels that are NaN or infinite"):
        bad_pixels(frames)


def simulated(photons, n=16):
    lines = (SpectralLine(90, 1.3, 0.5), SpectralLine(60, 10, 0.5))
    frames, _ = simulate_frames(
        n, sensor=Sensor(shape=(192, 160)), photons_per_frame=photons, lines=lines,
        curvature=(0.0, 0.0), seed=3,
    )  # fmt: skip
    return frames.values


@pytest.mark.parametrize("photons", [0, 60, 200])
class TestInAnyLight:
    def test_good_frames_have_none(self, photons):
        assert int(bad_pixels(simulated(photons)).sum()) == 0

    @pytest.mark.parametrize("value", [0, 100, 65_535])
    @pytest.mark.parametrize("rows", [(25, 80), (0, 80), (0, 130), (70, 71)])
    def test_dead_and_stuck_bands_of_any_width(self, photons, value, rows):
        frames = simulated(photons)
        frames[:, :, slice(*rows)] = value
        truth = np.zeros((192, 160), bool)
        truth[:, slice(*rows)] = True
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", HrixsWarning)
            mask = bad_pixels(frames)
        assert (mask.values & truth).sum() == truth.sum() == mask.attrs["n_stuck"]
        # Light beside a band that hides most of it is told less surely.
        assert (mask.values & ~truth).sum() <= 2
        assert mask.attrs["n_rows"] == rows[1] - rows[0]

    def test_dead_columns(self, photons):
        frames = simulated(photons)
        frames[:, 40:128] = 0
        with pytest.warns(HrixsWarning, match="0 whole rows .* and 88 columns"):
            mask = bad_pixels(frames)
        assert mask.values[40:128].all()
        assert mask.values.sum() == 88 * 160

    @pytest.mark.parametrize(("n", "adu"), [(1, 20), (3, 8), (3, 4)])
    def test_rows_of_another_pedestal(self, photons, n, adu):
        frames = simulated(photons)
        frames[:, :, 30 : 30 + n] += np.uint16(adu)
        mask = bad_pixels(frames)
        assert mask.values[:, 30 : 30 + n].all()
        assert mask.values.sum() == n * 192
        assert mask.attrs["n_rows"] == n

    def test_halves_of_other_pedestals_are_good(self, photons):
        frames = simulated(photons)
        frames[:, :, 80:] += np.uint16(30)
        assert int(bad_pixels(frames).sum()) == 0

    def test_hot_pixels(self, photons):
        frames = simulated(photons).astype(int)
        rng = np.random.default_rng(2)
        x, y = rng.integers(0, 192, 50), rng.integers(0, 160, 50)
        frames[:, x, y] += rng.integers(100, 3000, 50)
        mask = bad_pixels(frames)
        assert mask.values[x, y].all()
        assert mask.values.sum() == mask.attrs["n_hot"] == len(set(zip(x, y, strict=True)))


def test_blank_frames_are_left_out_and_named():
    frames = simulated(0)
    frames[3] = 0
    with pytest.warns(HrixsWarning, match=r"1 of 16 frames .* left out: number 3 \(blank\)"):
        mask = bad_pixels(frames)
    assert int(mask.sum()) == 0
    assert mask.attrs["n_left_out"] == 1


def test_a_pedestal_that_moves_is_no_noise():
    frames = simulated(0) + np.linspace(0, 30, 16)[:, None, None]
    assert int(bad_pixels(frames).sum()) == 0


def test_a_band_shows_in_one_image():
    frames = simulated(0)[:1]
    frames[:, :, 40:60] = 3
    with pytest.warns(HrixsWarning) as told:
        mask = bad_pixels(frames)
    assert mask.values[:, 40:60].all()
    assert mask.values.sum() == 20 * 192
    assert "1 dark frames given" in str(told[0].message)


def test_frames_without_any_noise_are_an_error():
    with pytest.raises(ValueError, match="no noise"):
        bad_pixels(np.full((8, 32, 32), 100))


def test_a_mask_is_drawn():
    mask = bad_pixels(darks())
    mask[5, 7] = True
    ax = plot_mask(mask.assign_coords(x=np.arange(128) + 10))
    assert ax.get_title().startswith("1 bad pixels")
    assert ax.get_images()[0].get_extent()[0] == 9.5
    assert int(ax.get_images()[0].get_array().sum()) == 1
    plt.close(ax.figure)
    large = np.zeros((1100, 64), bool)
    large[1099, 63] = True
    ax = plot_mask(large)
    assert int(ax.get_images()[0].get_array().sum()) == 1
    plt.close(ax.figure)


class TestOfTheClass:
    def test_finds_them_from_data_alone_and_draws(self, h):
        truth = Sensor(shape=(256, 1024), hot_fraction=1e-4).pattern > 110
        mask = h.find_bad_pixels(RUN, plot=True)
        assert h.MASK is mask
        assert mask.attrs["light"] == 1
        assert (mask.values & truth).sum() >= 0.9 * truth.sum()
        assert (mask.values & ~truth).sum() <= 1
        plt.close("all")

    def test_sets_the_mask_of_the_chip(self, h):
        mask = h.find_bad_pixels(DARK)
        assert mask.shape == (256, 1024)
        assert h.MASK is mask
        assert mask.attrs["n_hot"] > 10
        assert h.find_bad_pixels(DARK, n_sigma=200.0).attrs["n_sigma"] == 200.0

    def test_joins_the_mask_that_is_there(self, h):
        found = h.find_bad_pixels(DARK)
        h.MASK = by_hand = np.zeros((256, 1024), bool)
        by_hand[100:104] = True
        h.FIELDS = ["MaranaX"]
        joined = h.find_bad_pixels(h.from_run(DARK))
        np.testing.assert_array_equal(joined, found.values | by_hand)
        assert int(by_hand.sum()) == 4 * 1024
        assert joined.attrs["n_hot"] == found.attrs["n_hot"]

    def test_a_mask_of_another_shape_stays(self, h):
        h.MASK = by_hand = np.zeros((256, 200), bool)
        with pytest.raises(ValueError, match=r"MASK has shape \(256, 200\)"):
            h.find_bad_pixels(DARK)
        assert h.MASK is by_hand


@pytest.mark.parametrize("shape", [(64, 64), (130, 200), (63, 65)])
def test_a_square_without_pixels_is_compared_with_all(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    level = rng.normal(100, 1, shape)
    usable = rng.random(shape) < 0.9
    usable[:60, :60] = False
    usable[0, 0] = True
    level[0, 0] = 130.0
    hot, dead = off_level(level, usable, 7.0)
    assert hot.sum() == 1
    assert hot[0, 0]
    assert not dead.any()


@pytest.mark.parametrize("share", [0.0, 0.01])
def test_medians_that_are_known_change_nothing(share: float) -> None:
    rng = np.random.default_rng(6)
    level = np.rint(rng.normal(100, 1.6, (130, 200))) / 4 + rng.normal(0, 3, 200)
    level[20, 30], level[70, 80] = 200.0, -50.0
    usable = rng.random(level.shape) >= share
    lines = bad_lines(level, usable, np.zeros_like(usable), 1.6)
    assert not lines.columns.any()
    assert lines.medians is not None
    known = off_level(level, usable, 7.0, medians=lines.medians)
    for found, expected in zip(known, off_level(level, usable, 7.0), strict=True):
        np.testing.assert_array_equal(found, expected)
        assert np.count_nonzero(found) == 1
