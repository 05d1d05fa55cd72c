"""Photons placed by a fit (``position='gaussian'``), against the plain reference of such a fit."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrixs import _core, classify_photons, find_photons
from oracles import frames as reference
from oracles.gaussian_fit import Photon, brightest, cloud, gaussian_fit, gaussian_fits

NOT_CONVERGED, LEFT_PIXEL, NEIGHBOUR, CUT = 1, 2, 4, 8
FITTED = ("sigma_x", "sigma_y", "chi2", "own_cloud_sigma", "flag")
LEVEL = 100.0
#: Of 2x2 squares: far above their noise, and below every photon of these tests.
THRESHOLD = 4 * LEVEL + 50.0
ENERGY = 504.0  # 140 electrons

examples = settings(derandomize=True, deadline=None, max_examples=60, database=None)


def frame_of(photons, *, shape=(96, 192), cloud_sigma=0.55, noise=0.0, seed=0):
    """A frame around `LEVEL`, of which half the width is the negative of the other half.

    Each value above the level so stands once below it too, and any mean or median of the frame,
    clipped or not, is the level: the fits depend on nothing but their windows.
    """
    pixels = [np.arange(n) for n in shape]
    signal = np.random.default_rng(seed).normal(0, noise / np.sqrt(2), shape)
    for photon in photons:
        signal += cloud(*pixels, photon, cloud_sigma)
    return LEVEL + signal - np.roll(signal, shape[1] // 2, axis=1)


def isolated(*, charge=140.0, seed=0, shape=(96, 96), cell=16):
    """One photon in each cell of 16 x 16 pixels, 8 or more from the next; charges vary by 20 %."""
    rng = np.random.default_rng(seed)
    corners = np.stack(np.meshgrid(*(np.arange(0, n, cell) for n in shape)), axis=-1)
    places = corners.reshape(-1, 2) + cell / 2 + rng.uniform(-4, 4, (corners[..., 0].size, 2))
    return [Photon(x, y, charge * rng.uniform(0.8, 1.2)) for x, y in places]


def gaussian(frames, finder=find_photons, **options):
    """The table of fitted photons, by settings that the tests share."""
    first = {"threshold": THRESHOLD} if finder is find_photons else {"energy": ENERGY}
    settled = {"position": "gaussian", "cloud_sigma": 0.55, "read_noise": 2.0}
    return finder(frames, **(first | settled | options))


def pixels_of_hits(frame, finder=find_photons, threshold=THRESHOLD, **chip):
    """The brightest pixel of each hit, in the order of the table."""
    frame = reference.corrected(frame, **chip)
    above = frame - np.nanmean(frame)
    if finder is find_photons:
        sums = reference.squares(frame)
        corners = reference._local_maxima(sums, sums > threshold)
        spots = [above[i - 1 : i + 3, j - 1 : j + 3] for i, j in corners]
        return [
            brightest(frame, corner)
            for corner, spot in zip(corners, spots, strict=True)
            if spot.shape == (4, 4) and np.nansum(spot) > 0
        ]
    photon = ENERGY / 3.6
    in_range = (above > 0.2 * photon) & (above < photon)
    return [(int(i), int(j)) for i, j in reference._local_maxima(above, in_range)]


def assert_as_fitted(table, fits):
    """Fail unless each photon of `table` is the one of `fits`, in the same order."""
    assert table.sizes["photon"] == len(fits) > 0
    assert not np.any(table["flag"].values & (NOT_CONVERGED | LEFT_PIXEL))
    expected = {name: np.array([getattr(fit, name) for fit in fits]) for name in fits[0]._fields}
    for name in ("x", "y"):
        np.testing.assert_allclose(table[name], expected[name], rtol=0, atol=1e-3)
    np.testing.assert_allclose(table["charge"], expected["charge"], rtol=1e-3)
    for name in ("sigma_x", "sigma_y", "chi2"):
        np.testing.assert_allclose(table[name], expected[name], rtol=0.01, err_msg=name)


def assert_same_bytes(one, two):
    for name in ("x", "y", "charge", "double", *FITTED):
        assert one[name].values.tobytes() == two[name].values.tobytes(), name


class TestTable:
    def test_the_hits_are_those_of_the_centre_of_mass(self):
        frame = frame_of(isolated(), noise=2.0)
        options = {"threshold": THRESHOLD, "dbl_threshold": 150.0}
        com = find_photons(frame, position="com", **options)
        fitted = gaussian(frame, **options)
        for name in ("frame", "double", "threshold", "base", "n_dropped"):
            np.testing.assert_array_equal(fitted[name], com[name])
        assert 0 < com["double"].sum() < com.sizes["photon"]
        assert np.all(np.hypot(fitted.x - com.x, fitted.y - com.y) < 0.5)
        assert not np.array_equal(fitted.x, com.x)

    @pytest.mark.parametrize("finder", [find_photons, classify_photons])
    def test_the_centre_of_mass_is_the_default_and_has_no_more_columns(self, finder):
        frame = frame_of(isolated(), noise=2.0)
        first = {"threshold": THRESHOLD} if finder is find_photons else {"energy": ENERGY}
        plain = finder(frame, **first)
        assert plain.identical(finder(frame, position="com", **first))
        assert not set(FITTED) & set(plain)

    def test_columns_have_dims_dtypes_and_units(self):
        table = gaussian(frame_of(isolated(), noise=2.0))
        for name in FITTED:
            assert table[name].dims == ("photon",)
            assert table[name].dtype == (np.uint8 if name == "flag" else np.float64)
        for name in ("x", "y", "sigma_x", "sigma_y", "own_cloud_sigma"):
            assert table[name].attrs["units"] == "px"

    def test_attrs_say_how_the_photons_were_placed(self):
        attrs = gaussian(frame_of(isolated()), local_background=True).attrs
        assert attrs["position"] == "gaussian"
        assert attrs["cloud_sigma"] == 0.55
        assert attrs["read_noise"] == 2.0
        assert attrs["local_background"] == 1

    def test_without_photons_there_is_an_empty_table(self):
        table = gaussian(np.full((16, 16), LEVEL))
        assert table.sizes["photon"] == 0
        assert set(FITTED) <= set(table)

    @pytest.mark.parametrize("wrong", [{"position": "median"}, {"cloud_sigma": -0.5}])
    def test_settings_that_make_no_sense_are_named(self, wrong):
        (name,) = wrong
        with pytest.raises(ValueError, match=name):
            gaussian(frame_of(isolated()), **wrong)


class TestOnePhoton:
    @examples
    @given(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.floats(200, 2000), st.floats(0.35, 0.9))
    def test_without_noise_its_true_place_and_charge_come_back(self, x, y, charge, cloud_sigma):
        photon = Photon(8 + x, 9 + y, charge)
        frame = frame_of([photon], shape=(20, 40), cloud_sigma=cloud_sigma)
        table = gaussian(frame, cloud_sigma=cloud_sigma)
        assert table.sizes["photon"] == 1
        assert float(table.x[0]) == pytest.approx(photon.x, abs=1e-3)
        assert float(table.y[0]) == pytest.approx(photon.y, abs=1e-3)
        assert float(table.charge[0]) == pytest.approx(charge, rel=1e-3)
        assert float(table.own_cloud_sigma[0]) == pytest.approx(cloud_sigma, abs=1e-2)

    @pytest.mark.parametrize("electrons_per_adu", [None, 0.8])
    @pytest.mark.parametrize("cloud_sigma", [0.4, 0.55, 0.8])
    @pytest.mark.parametrize(("charge", "noise"), [(140.0, 1.6), (400.0, 4.0)])
    def test_as_the_reference(self, cloud_sigma, charge, noise, electrons_per_adu):
        photons = isolated(charge=charge)
        frame = frame_of(photons, cloud_sigma=cloud_sigma, noise=noise)
        options = {
            "cloud_sigma": cloud_sigma,
            "read_noise": noise,
            "electrons_per_adu": electrons_per_adu,
        }
        table = gaussian(frame, **options)
        pixels = pixels_of_hits(frame)
        assert len(pixels) >= len(photons) - 1
        assert not table["flag"].any()
        assert_as_fitted(
            table, [gaussian_fit(frame, pixel, background=LEVEL, **options) for pixel in pixels]
        )

    @pytest.mark.parametrize("local_background", [False, True])
    @pytest.mark.parametrize("electrons_per_adu", [1.0, 2.5])
    def test_classified_as_the_reference(self, electrons_per_adu, local_background):
        frame = frame_of(isolated(), noise=2.0)
        # The gain is that of the photon's charge too: the energy makes up for it.
        table = gaussian(
            frame,
            classify_photons,
            energy=ENERGY * electrons_per_adu,
            electrons_per_adu=electrons_per_adu,
            local_background=local_background,
        )
        options = {
            "cloud_sigma": 0.55,
            "read_noise": 2.0,
            "background": LEVEL,
            "electrons_per_adu": electrons_per_adu,
            "local_background": local_background,
        }
        pixels = pixels_of_hits(frame, classify_photons)
        assert_as_fitted(table, [gaussian_fit(frame, pixel, **options) for pixel in pixels])

    def test_a_map_of_the_noise(self):
        rng = np.random.default_rng(5)
        frame = frame_of(isolated(), noise=2.0)
        noise = rng.uniform(1.0, 6.0, frame.shape)
        table = gaussian(frame, read_noise=noise)
        options = {"cloud_sigma": 0.55, "read_noise": noise, "background": LEVEL}
        pixels = pixels_of_hits(frame)
        assert_as_fitted(table, [gaussian_fit(frame, pixel, **options) for pixel in pixels])

    @pytest.mark.parametrize("electrons_per_adu", [None, 1.0])
    def test_a_level_of_its_own(self, electrons_per_adu):
        frame = frame_of(isolated(), noise=2.0)
        slope = np.linspace(-6, 6, frame.shape[0])[:, np.newaxis]
        frame += slope
        options = {"electrons_per_adu": electrons_per_adu, "local_background": True}
        table = gaussian(frame, **options)
        options |= {"cloud_sigma": 0.55, "read_noise": 2.0, "background": LEVEL}
        pixels = pixels_of_hits(frame)
        assert_as_fitted(table, [gaussian_fit(frame, pixel, **options) for pixel in pixels])

    def test_of_a_gain_only_the_variance_knows(self):
        """Charges stay ADU; more electrons for one ADU are less noise."""
        frame = frame_of(isolated(), noise=2.0)
        few, many = (gaussian(frame, electrons_per_adu=gain) for gain in (0.5, 50.0))
        np.testing.assert_allclose(few["charge"], many["charge"], rtol=0.2)
        assert np.all(few["sigma_x"] > 1.5 * many["sigma_x"])


class TestCutWindows:
    def test_masked_pixels_take_no_part(self):
        frame = frame_of(isolated(), noise=2.0)
        mask = np.random.default_rng(6).random(frame.shape) < 0.03
        mask |= np.roll(mask, frame.shape[1] // 2, axis=1)
        frame[mask] = 5e3
        table = gaussian(frame, mask=mask)
        whole = reference.corrected(frame, mask=mask)
        pixels = pixels_of_hits(frame, mask=mask)
        cut = [np.isnan(whole[i - 2 : i + 3, j - 2 : j + 3]).any() for i, j in pixels]
        assert 5 < sum(cut) < len(cut)
        np.testing.assert_array_equal(table["flag"].values & CUT > 0, cut)
        options = {"cloud_sigma": 0.55, "read_noise": 2.0, "background": LEVEL}
        assert_as_fitted(table, [gaussian_fit(whole, pixel, **options) for pixel in pixels])

    def test_at_the_edges_the_rest_of_the_window_is_used(self):
        places = [(1.3, 20.2), (45.6, 30.4), (20.1, 1.4), (30.2, 93.6), (1.4, 1.2), (24.0, 34.0)]
        photons = [Photon(*place, 300.0) for place in places]
        frame = frame_of(photons, shape=(48, 96), noise=1.0)
        table = gaussian(frame)
        pixels = pixels_of_hits(frame)
        assert len(pixels) == len(places)
        at_edge = [not (2 <= i < 46 and 2 <= j < 94) for i, j in pixels]
        assert sum(at_edge) == 5
        np.testing.assert_array_equal(table["flag"].values & CUT > 0, at_edge)
        options = {"cloud_sigma": 0.55, "read_noise": 2.0, "background": LEVEL}
        assert_as_fitted(table, [gaussian_fit(frame, pixel, **options) for pixel in pixels])

    def test_a_dark_is_subtracted_first(self):
        frame = frame_of(isolated(), noise=2.0)
        dark = np.random.default_rng(7).uniform(0, 50, frame.shape)
        plain, dark_corrected = gaussian(frame), gaussian(frame + dark, dark=dark)
        for name in ("x", "y", "charge", "sigma_x", "chi2"):
            np.testing.assert_allclose(dark_corrected[name], plain[name], rtol=1e-3)


class TestNeighbours:
    APART = (
        (3, 0),
        (0, 3),
        (3, 3),
        (3, -2),
        (4, 0),
        (1, 4),
        (4, 4),
        (5, -2),
        (0, 5),
        (5, 5),
        (6, 1),
    )

    def pairs(self, electrons_per_adu=None, seed=0):
        """Pairs of photons, and the pixels and the fits of both together."""
        rng = np.random.default_rng(seed)
        photons = []
        for number, apart in enumerate(self.APART):
            corner = 24 * np.array([number // 4, number % 4]) + 10
            for shift in ((0, 0), apart):
                place = corner + shift + rng.uniform(-0.3, 0.3, 2)
                photons.append(Photon(*place, rng.uniform(120, 240)))
        frame = frame_of(photons, noise=1.6, seed=seed)
        fits = [
            gaussian_fits(
                frame,
                [brightest(frame, (round(p.x) - 1, round(p.y) - 1), size=3) for p in pair],
                cloud_sigma=0.55,
                read_noise=1.6,
                background=LEVEL,
                electrons_per_adu=electrons_per_adu,
            )
            for pair in zip(photons[::2], photons[1::2], strict=True)
        ]
        return frame, fits

    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize("electrons_per_adu", [None, 1.0])
    def test_are_fitted_together(self, electrons_per_adu, seed):
        frame, pairs = self.pairs(electrons_per_adu, seed)
        table = gaussian(frame, read_noise=1.6, electrons_per_adu=electrons_per_adu)
        assert table.sizes["photon"] == 2 * len(self.APART)
        assert not np.any(table["flag"].values & (NOT_CONVERGED | LEFT_PIXEL))
        for apart, pair in zip(self.APART, pairs, strict=True):
            for fit in pair:
                distance = np.hypot(table.x - fit.x, table.y - fit.y)
                nearest = int(distance.values.argmin())
                assert float(distance[nearest]) < 0.02, apart
                assert float(table.charge[nearest]) == pytest.approx(fit.charge, rel=0.03), apart

    def test_are_flagged_where_the_cloud_reaches_the_window(self):
        """Nearer than 1.6 pixels and 3.9 standard deviations, here 3.7 pixels, along both axes."""
        places = [(10, 10), (10, 13), (40, 10), (43, 13), (70, 10), (70, 18), (80, 40), (85, 36)]
        expected = [True] * 4 + [False] * 4
        frame = frame_of([Photon(x + 0.1, y - 0.1, 200.0) for x, y in places])
        table = gaussian(frame)
        order = [np.hypot(table.x - x, table.y - y).values.argmin() for x, y in places]
        flagged = table["flag"].values[order] & NEIGHBOUR > 0
        assert flagged.tolist() == expected

    def test_a_brighter_neighbour_no_longer_draws_a_photon(self):
        """Without noise both places are true; a fit of it alone is off."""
        pair = [Photon(10.2, 10.1, 150.0), Photon(12.9, 9.8, 200.0)]
        frame = frame_of(pair, shape=(24, 48))
        alone = gaussian_fit(frame, (10, 10), cloud_sigma=0.55, read_noise=2.0, background=LEVEL)
        assert alone.x - pair[0].x > 0.03
        table = gaussian(frame)
        np.testing.assert_allclose(table["x"], [photon.x for photon in pair], atol=0.003)
        np.testing.assert_allclose(table["y"], [photon.y for photon in pair], atol=0.003)

    @pytest.mark.parametrize(
        ("cloud_sigma", "beside", "excess"),
        [
            (0.4, 1, (5, 9)),
            (0.55, 0, (3, 6)),
            (0.55, 0, (5, 9)),
            (0.8, 2, (3, 6)),
            (0.8, 2, (5, 9)),
        ],
    )
    def test_a_false_hit_takes_nothing_of_a_bright_photon(self, cloud_sigma, beside, excess):
        """A fit of noise two pixels off may run into the photon, and must not keep its charge.

        It happens to one in some thousand bright photons, by read noise alone.
        """
        rng = np.random.default_rng(15)
        photons = isolated(charge=400.0, cell=24, shape=(192, 192))
        frame = frame_of(photons, shape=(192, 384), cloud_sigma=cloud_sigma, noise=0.5)
        for number, photon in enumerate(photons):
            near, far = np.array([beside, beside + 1]), np.array([2, 3])
            steps = (near, far) if number // 4 % 2 else (far, near)
            signs = (-1, 1)[number % 2], (-1, 1)[number // 2 % 2]
            centre = round(photon.x), round(photon.y)
            block = np.ix_(
                *(c + sign * step for c, sign, step in zip(centre, signs, steps, strict=True))
            )
            frame[block] += rng.uniform(*excess, (2, 2))
        table = gaussian(frame, cloud_sigma=cloud_sigma, threshold=4 * LEVEL + 11.0)
        assert table.sizes["photon"] > len(photons)
        places = np.array([photon[:2] for photon in photons])
        distances = np.hypot(*(table[n].values - places[:, [k]] for k, n in enumerate("xy")))
        nearest = distances.argmin(axis=1)
        assert distances.min(axis=1).max() < 0.1
        charges = [photon.charge for photon in photons]
        np.testing.assert_allclose(table["charge"].values[nearest], charges, rtol=0.1)

    def test_of_other_frames_are_none(self):
        first = frame_of([Photon(10.1, 10.2, 200.0)], shape=(24, 48))
        second = frame_of([Photon(13.1, 10.2, 200.0)], shape=(24, 48))
        assert gaussian(np.stack([first, second]))["flag"].values.tolist() == [0, 0]


class TestFallback:
    def check(self, frame, **options):
        """Number of photons that could not be fitted; fail unless they are as 'com' has them."""
        com = find_photons(frame, **options)
        table = gaussian(frame, **options)
        bad = (table["flag"].values & (NOT_CONVERGED | LEFT_PIXEL)) > 0
        for name in ("x", "y", "charge"):
            np.testing.assert_array_equal(table[name][bad], com[name][bad])
        for name in ("sigma_x", "sigma_y", "chi2"):
            assert np.isnan(table[name][bad]).all()
            assert np.isfinite(table[name][~bad]).all()
        return table, bad

    def test_hits_of_noise_keep_to_their_pixel_or_to_their_centre_of_mass(self):
        frame = np.random.default_rng(8).normal(LEVEL, 2.0, (96, 96))
        threshold = 4 * LEVEL + 7.0
        table, bad = self.check(frame, threshold=threshold)
        assert 0 < bad.sum() < 0.5 * len(bad)
        pixels = np.array(pixels_of_hits(frame, threshold=threshold))
        assert len(pixels) == len(bad) > 100
        assert (abs(table["x"].values - pixels[:, 0]) <= 1.5)[~bad].all()
        assert (abs(table["y"].values - pixels[:, 1]) <= 1.5)[~bad].all()

    def test_a_photon_beyond_its_brightest_good_pixel(self):
        """Only the rim of a bright cloud is left of it: the fit goes two pixels away, or fails."""
        frame = frame_of([Photon(12.0, 12.0, 40_000.0)], shape=(24, 48))
        mask = np.zeros(frame.shape, bool)
        mask[11:14, 11:14] = True
        _, bad = self.check(frame, threshold=THRESHOLD, mask=mask)
        assert len(bad) >= 1
        assert bad.all()


class TestWidthAndNoise:
    @pytest.mark.parametrize("true", [0.45, 0.5, 0.6, 0.65])
    def test_a_photon_tells_the_width_of_its_cloud(self, true):
        frame = frame_of(isolated(charge=1000.0), cloud_sigma=true, noise=2.0)
        table = gaussian(frame)
        # One step goes most of the way, not all of it.
        assert abs(float(table["own_cloud_sigma"].median()) - true) < 0.3 * abs(0.55 - true)

    def test_the_right_width_is_left_alone(self):
        table = gaussian(frame_of(isolated(charge=1000.0), noise=2.0))
        assert float(table["own_cloud_sigma"].median()) == pytest.approx(0.55, abs=0.003)

    @pytest.mark.parametrize("noise", [1.6, 4.0])
    def test_the_noise_of_a_frame_is_taken_from_it(self, noise):
        frame = frame_of(isolated(charge=300.0), noise=noise)
        given, taken = (gaussian(frame, read_noise=value) for value in (noise, None))
        ratio = (taken["sigma_x"] / given["sigma_x"]).values
        np.testing.assert_allclose(ratio, 1.0, atol=0.04)
        np.testing.assert_array_equal(taken["x"].round(6), given["x"].round(6))

    def test_each_frame_has_its_own_noise(self):
        frames = np.stack([frame_of(isolated(charge=300.0), noise=n) for n in (1.0, 4.0)])
        table = gaussian(frames, read_noise=None).groupby("frame").median()
        np.testing.assert_allclose(table["sigma_x"][1] / table["sigma_x"][0], 4.0, rtol=0.1)

    def test_two_photons_in_one_spot_fit_badly(self):
        one = gaussian(frame_of([Photon(10.0, 10.0, 300.0)], shape=(24, 48), noise=2.0))
        double = [Photon(10.0, 9.4, 150.0), Photon(10.0, 10.9, 150.0)]
        two = gaussian(frame_of(double, shape=(24, 48), noise=2.0))
        assert float(one["chi2"][0]) < 2.5
        assert float(two["chi2"][0]) > 10


class TestSameBytes:
    """Frames of whole numbers, crowded enough for neighbours and for cut windows."""

    def frames(self):
        rng = np.random.default_rng(9)
        stack = []
        for seed in range(3):
            places = rng.uniform(0, [96, 96], (60, 2))
            photons = [Photon(*place, 140.0) for place in places]
            stack.append(np.rint(frame_of(photons, noise=2.0, seed=seed)))
        return np.stack(stack).astype(np.uint16)

    options = pytest.mark.parametrize(
        "options",
        [{}, {"electrons_per_adu": 1.0}, {"local_background": True}, {"read_noise": None}],
        ids=str,
    )

    @options
    @pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
    def test_of_any_dtype(self, dtype, options):
        frames = self.frames()
        table = gaussian(frames, **options)
        assert (table["flag"].values & NEIGHBOUR > 0).any()
        assert_same_bytes(gaussian(frames.astype(dtype), **options), table)

    @options
    def test_of_any_number_of_threads(self, options):
        frames = self.frames()
        one, two = (gaussian(frames, threads=threads, **options) for threads in (1, 2))
        assert_same_bytes(one, two)

    @options
    def test_of_frames_alone_or_together(self, options):
        frames = self.frames()
        together = gaussian(frames, **options)
        for number, frame in enumerate(frames):
            photons = together["frame"].values == number
            assert_same_bytes(gaussian(frame, **options), together.isel(photon=photons))

    @options
    def test_of_any_order_in_memory(self, options):
        frames = self.frames()
        table = gaussian(frames, **options)
        for turned in (
            np.asfortranarray(frames),
            frames[:, ::-1].copy()[:, ::-1],
            frames.swapaxes(1, 2).copy().swapaxes(1, 2),
        ):
            assert_same_bytes(gaussian(turned, **options), table)

    def test_of_any_order_of_the_noise_map(self):
        frames = self.frames()
        noise = np.random.default_rng(10).uniform(1, 4, frames.shape[1:])
        table = gaussian(frames, read_noise=noise)
        assert_same_bytes(gaussian(frames, read_noise=np.asfortranarray(noise)), table)

    def test_the_frames_and_the_noise_are_left_alone(self):
        frames = self.frames()
        noise = np.full(frames.shape[1:], 2.0)
        before = frames.copy()
        gaussian(frames, read_noise=noise)
        np.testing.assert_array_equal(frames, before)
        np.testing.assert_array_equal(noise, 2.0)

    SCRIPT = """
import hashlib
import hrixs
from hrixs import _core
from hrixs.simulation import Sensor, simulate_frames

frames, _ = simulate_frames(2, sensor=Sensor(shape=(150, 517)), photons_per_frame=500, seed=1)
fit = {"position": "gaussian", "cloud_sigma": 0.55, "threads": 1}
digest = hashlib.sha256()
for more in ({}, {"electrons_per_adu": 1.06, "read_noise": 1.5}, {"local_background": True}):
    for stack in (frames, frames.astype("f4")):
        table = hrixs.find_photons(stack, threshold=430.0, **fit, **more)
        for name in ("x", "y", "charge", "sigma_x", "sigma_y", "chi2", "own_cloud_sigma", "flag"):
            digest.update(table[name].values.tobytes())
print(_core.simd_level(), table.sizes["photon"], digest.hexdigest())
"""

    def test_of_any_level_of_the_processor(self):
        said = []
        for level in _core.simd_levels():
            done = subprocess.run(
                [sys.executable, "-c", self.SCRIPT],
                capture_output=True,
                text=True,
                env=os.environ | {"HRIXS_SIMD": level},
            )
            assert done.returncode == 0, done.stderr
            said.append(done.stdout.split())
        assert [used for used, *_ in said] == _core.simd_levels()
        assert int(said[0][1]) > 500
        assert {tuple(result) for _, *result in said} == {tuple(said[0][1:])}
