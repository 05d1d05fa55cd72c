"""How near fitted photons (``position='gaussian'``) come to the best that any fit can do.

Photons stand one in each cell of 24 x 24 pixels, 13 px or more from the next. 1 ADU is 1 electron.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
import xarray as xr

from hrixs import find_photons
from hrixs.simulation import Sensor, SpectralLine, simulate_frames
from oracles.gaussian_fit import mean_bound, shares

CELL = 24
#: 4096 photons: one standard error of the rms of their 8192 errors is 0.8 %.
CELLS_PER_SIDE = 64
LEVEL = 100.0
LIMIT, FAINT_LIMIT, FAINTEST_LIMIT, ELECTRON_LIMIT = 1.05, 1.10, 1.25, 1.15

all_clouds = pytest.mark.parametrize("cloud_sigma", [0.4, 0.55, 0.8])
both_noises = pytest.mark.parametrize("noise", [1.6, 4.0])


class Errors(NamedTuple):
    """Errors of the photons that were detected, their phases in the pixel, and their fits.

    `errors` and `phases` have the shape (photon, 2), for x and y.
    """

    errors: np.ndarray
    phases: np.ndarray
    fits: xr.Dataset
    detected: float

    @property
    def rms(self) -> float:
        return float(np.sqrt(np.mean(np.square(self.errors))))


@cache
def places() -> np.ndarray:
    rng = np.random.default_rng(11)
    corners = np.stack(np.mgrid[:CELLS_PER_SIDE, :CELLS_PER_SIDE], axis=-1).reshape(-1, 2) * CELL
    return corners + CELL / 2 + rng.uniform(-5.5, 5.5, corners.shape)


@cache
def unit_noise() -> np.ndarray:
    side = CELLS_PER_SIDE * CELL
    return np.random.default_rng(12).standard_normal((side, side), dtype=np.float32)


def frame_of(charge, cloud_sigma, noise, *, electrons=False):
    """A frame of all photons; with `electrons`, each of them is counted and strays on its own."""
    frame = LEVEL + noise * unit_noise()
    if electrons:
        rng = np.random.default_rng(13)
        counts = rng.poisson(charge, len(places()))
        strayed = np.repeat(places(), counts, axis=0) + rng.normal(
            0, cloud_sigma, (counts.sum(), 2)
        )
        np.add.at(frame, tuple(np.rint(strayed).astype(int).T), np.float32(1))
        return frame
    pixels = np.rint(places()).astype(int)[:, :, np.newaxis] + np.arange(-5, 6)
    along_x, along_y = (
        shares(pixels[:, axis], places()[:, axis, np.newaxis], cloud_sigma)[0] for axis in (0, 1)
    )
    spots = charge * along_x[:, :, np.newaxis] * along_y[:, np.newaxis, :]
    frame[pixels[:, 0, :, np.newaxis], pixels[:, 1, np.newaxis, :]] += spots.astype(np.float32)
    return frame


def errors_of(table, truth):
    """Compare with the hit nearest to each true place; within 1.5 px the photon was detected."""
    from scipy.spatial import cKDTree

    distance, nearest = cKDTree(np.column_stack([table["x"], table["y"]])).query(truth)
    detected = distance < 1.5
    fits = table.isel(photon=nearest[detected])
    true = truth[detected]
    errors = np.column_stack([fits["x"], fits["y"]]) - true
    return Errors(errors, true - np.rint(true), fits, float(detected.mean()))


@cache
def measured(charge, cloud_sigma, noise, *, electrons=False, wrong=1.0, **options):
    """Errors of the photons of one frame, with hits from four standard deviations of a square.

    They are fitted with `wrong` times the true width.
    """
    settings = {"position": "gaussian", "cloud_sigma": wrong * cloud_sigma, "read_noise": noise}
    table = find_photons(
        frame_of(charge, cloud_sigma, noise, electrons=electrons),
        threshold=4 * LEVEL + 8 * noise,
        **settings | ({"electrons_per_adu": 1.0} if electrons else {}) | options,
    )
    return errors_of(table, places())


def bound_of(charge, cloud_sigma, noise, *, electrons=False):
    gain = {"electrons_per_adu": 1.0} if electrons else {}
    return mean_bound(charge, cloud_sigma=cloud_sigma, read_noise=noise, **gain)


def phase_bias(found, axis, n_bins=20):
    """Mean error in bins of the phase, and its standard error, each of shape (n_bins,)."""
    bins = np.minimum(((found.phases[:, axis] + 0.5) * n_bins).astype(int), n_bins - 1)
    counts = np.bincount(bins, minlength=n_bins)
    errors = found.errors[:, axis]
    means = np.bincount(bins, errors, n_bins) / counts
    squares = np.bincount(bins, errors**2, n_bins) / counts
    return means, np.sqrt((squares - means**2) / counts)


@all_clouds
@both_noises
class TestReach:
    @pytest.mark.parametrize("charge", [140.0, 400.0])
    def test_is_the_bound(self, charge, cloud_sigma, noise):
        found = measured(charge, cloud_sigma, noise)
        assert found.detected > 0.99
        assert found.rms < LIMIT * bound_of(charge, cloud_sigma, noise)

    def test_of_faint_photons_is_nearly_the_bound(self, cloud_sigma, noise):
        found = measured(60.0, cloud_sigma, noise)
        faintest = (cloud_sigma, noise) == (0.8, 4.0)
        assert found.detected > (0.7 if faintest else 0.97)
        limit = FAINTEST_LIMIT if faintest else FAINT_LIMIT
        assert found.rms < limit * bound_of(60.0, cloud_sigma, noise)

    @pytest.mark.parametrize("charge", [60.0, 140.0, 400.0])
    def test_with_electron_statistics(self, charge, cloud_sigma, noise):
        found = measured(charge, cloud_sigma, noise, electrons=True)
        assert found.rms < ELECTRON_LIMIT * bound_of(charge, cloud_sigma, noise, electrons=True)


class TestBetter:
    @all_clouds
    def test_than_the_centre_of_mass(self, cloud_sigma):
        for charge, noise in ((60.0, 1.6), (140.0, 4.0), (400.0, 1.6)):
            com = measured(charge, cloud_sigma, noise, position="com")
            assert measured(charge, cloud_sigma, noise).rms < 0.8 * com.rms

    def test_with_the_electrons_told_of_than_without(self):
        told, untold = (
            measured(400.0, 0.55, 1.6, electrons=True, electrons_per_adu=gain)
            for gain in (1.0, None)
        )
        assert told.rms < 0.98 * untold.rms

    def test_a_level_of_its_own_costs_little(self):
        found = measured(140.0, 0.55, 1.6, local_background=True)
        assert found.rms < LIMIT * bound_of(140.0, 0.55, 1.6)

    @all_clouds
    @pytest.mark.parametrize("wrong", [0.8, 1.2])
    def test_also_with_a_cloud_of_another_width(self, wrong, cloud_sigma):
        """Of counted electrons; with mean clouds the bias of bright photons is all there is."""
        com, fitted = (
            measured(140.0, cloud_sigma, 1.6, electrons=True, **options)
            for options in ({"position": "com"}, {"wrong": wrong})
        )
        assert fitted.rms < com.rms


class TestBias:
    @all_clouds
    @pytest.mark.parametrize("axis", [0, 1], ids=["x", "y"])
    def test_is_nowhere_in_the_pixel(self, axis, cloud_sigma):
        means, standard_errors = phase_bias(measured(400.0, cloud_sigma, 1.6), axis)
        assert standard_errors.max() < 0.002
        assert np.ptp(means) < 0.01
        assert abs(means.mean()) < 0.001

    def test_of_the_centre_of_mass_would_be_seen(self):
        means, _ = phase_bias(measured(400.0, 0.4, 1.6, position="com"), 1)
        assert np.ptp(means) > 0.02


class TestPulls:
    """Errors over the standard deviations that the table gives for them."""

    def pulls(self, *photons, **options):
        found = measured(*photons, **options)
        fine = (found.fits["flag"] == 0).values
        assert fine.mean() > 0.95
        stds = np.column_stack([found.fits["sigma_x"], found.fits["sigma_y"]])
        return found.errors[fine] / stds[fine]

    @all_clouds
    @pytest.mark.parametrize(("charge", "noise"), [(60.0, 1.6), (140.0, 4.0), (400.0, 1.6)])
    @pytest.mark.parametrize("electrons", [False, True])
    def test_are_one_wide(self, charge, noise, electrons, cloud_sigma):
        pulls = self.pulls(charge, cloud_sigma, noise, electrons=electrons)
        assert 0.9 < pulls.std() < 1.1
        # A second look, that a few photons far away can't spoil: 68 % within one.
        assert np.mean(abs(pulls) < 1) == pytest.approx(0.683, abs=0.03)

    def test_of_both_axes_alike(self):
        pulls = self.pulls(140.0, 0.55, 1.6)
        np.testing.assert_allclose(pulls.std(axis=0), 1.0, atol=0.05)
        np.testing.assert_allclose(pulls.mean(axis=0), 0.0, atol=0.06)

    @pytest.mark.parametrize("electrons", [False, True])
    def test_chi2_is_one(self, electrons):
        chi2 = measured(140.0, 0.55, 1.6, electrons=electrons).fits["chi2"]
        assert float(chi2.mean()) == pytest.approx(1, abs=0.03)
        # 22 degrees of freedom.
        assert float(chi2.std()) == pytest.approx(np.sqrt(2 / 22), rel=0.3 if electrons else 0.1)


class TestSimulatedCamera:
    """Frames of whole ADU from the package's simulator, the photons anywhere."""

    @pytest.mark.parametrize(("electrons", "limit"), [(False, 1.10), (True, ELECTRON_LIMIT)])
    def test_reach_of_isolated_photons(self, electrons, limit):
        from scipy.spatial import cKDTree

        sensor = Sensor(
            shape=(512, 512),
            electrons_per_adu=1.0,
            pedestal_spread=0.0,
            electron_statistics=electrons,
        )
        frames, truth = simulate_frames(
            3,
            sensor=sensor,
            lines=(SpectralLine(256.0, 200.0, 1.0),),
            photons_per_frame=400,
            curvature=(0.0, 0.0),
            energy=504.0,
            seed=14,
        )
        # The rounding to whole ADU is noise too.
        noise = np.sqrt(sensor.read_noise**2 + 1 / 12)
        gain = {"electrons_per_adu": 1.0} if electrons else {}
        table = find_photons(
            frames,
            threshold=4 * sensor.pedestal + 8 * noise,
            position="gaussian",
            cloud_sigma=sensor.cloud_sigma,
            **gain,
        )
        errors = []
        for number in range(3):
            true = truth.isel(photon=truth["frame"].values == number)
            true = np.column_stack([true["x"], true["y"]])
            to_next = cKDTree(true).query(true, k=2)[0][:, 1]
            inside = np.all((true > 3) & (true < 508), axis=1)
            hits = table.isel(photon=table["frame"].values == number)
            errors.append(errors_of(hits, true[(to_next > 12) & inside]).errors)
        errors = np.concatenate(errors)
        # One standard error of the rms is 3 % or less.
        assert errors.size > 600
        bound = bound_of(140.0, sensor.cloud_sigma, noise, electrons=electrons)
        assert np.sqrt(np.mean(errors**2)) < limit * bound
