"""Photons in a crowd: against the plain NumPy, and against what was put in."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from hrixs import (
    ChargeBalanceWarning,
    HrixsWarning,
    MissingDataError,
    TooManyPhotonsError,
    resolve_photons,
)
from oracles import resolved_photons
from oracles.crowded_frames import CHARGE, LEVEL, NOISE, SIGMA, camera, line


def found_places(table: xr.Dataset) -> NDArray:
    return np.stack([table.x.values, table.y.values], axis=1)


def resolved(frame, **options) -> xr.Dataset:
    known = {"photon_charge": CHARGE, "cloud_sigma": SIGMA, "electrons_per_adu": 1.0}
    return resolve_photons(frame, **known | {"threads": 1} | options)


def matched(places: NDArray, others: NDArray) -> NDArray:
    """Distance from each place to the nearest of the others that is not taken."""
    from scipy.optimize import linear_sum_assignment

    distance = np.linalg.norm(places[:, None] - others[None], axis=2)
    return distance[linear_sum_assignment(distance)]


# The kernel works in floats and solves for steps to a sixth of their length: places agree within
# what a photon may still move, and one that is just believed, or a tie of two squares, may differ.
@pytest.mark.parametrize("sigma", [0.45, 0.55, 0.8])
@pytest.mark.parametrize("density", [0.02, 0.1, 0.3])
@pytest.mark.one_in(4)
def test_same_photons_as_the_reference(density, sigma):
    n_kernel = n_reference = 0
    distances = []
    for seed in range(3):
        frame = camera(line(density, seed=seed), seed=seed, sigma=sigma)
        table = resolved(frame, cloud_sigma=sigma, read_noise=NOISE)
        reference = resolved_photons.resolve(
            frame, float(table.threshold[0]), CHARGE, sigma, NOISE, 1.0
        )
        n_kernel, n_reference = n_kernel + table.sizes["photon"], n_reference + len(reference)
        distances.append(matched(found_places(table), reference))
    distance = np.concatenate(distances)
    assert abs(n_kernel - n_reference) <= (0 if density < 0.1 else 0.02 * n_reference)
    # A move of 0.025 px ends the fits; where photons lie 0.3 a pixel, it is passed on.
    assert np.median(distance) < (0.01 if density < 0.3 else 0.15 * sigma)
    if density < 0.3:
        assert np.quantile(distance, 0.8) < 0.06 * sigma


def test_mask_and_border_as_in_the_reference():
    places = np.array([[0.2, 10.3], [30.0, 47.2], [40.4, 20.1], [63.3, 0.1], [50.2, 30.4]])
    frame = camera(places)
    mask = np.zeros(frame.shape, bool)
    mask[:, 21] = mask[50, 30] = True
    frame[mask] = 5000
    table = resolved(frame, mask=mask, read_noise=NOISE)
    reference = resolved_photons.resolve(
        frame, float(table.threshold[0]), CHARGE, SIGMA, NOISE, 1.0, mask
    )
    assert len(reference) == table.sizes["photon"] == 5
    assert matched(found_places(table), reference).max() < 0.01
    assert (table.flag.values & 8 > 0).all()
    assert np.median(matched(found_places(table), places)) < 0.15


def test_counts_what_is_there():
    true = [line(0.2, shape=(1024, 48), seed=seed) for seed in range(4)]
    frames = np.stack([camera(one, (1024, 48), seed=k) for k, one in enumerate(true)])
    table = resolved(frames)
    n = sum(map(len, true))
    assert abs(table.sizes["photon"] / n - 1) < 0.02
    width = np.sqrt(np.mean((table.y.values - 24) ** 2))
    assert abs(width / np.sqrt(np.mean((np.concatenate(true)[:, 1] - 24) ** 2)) - 1) < 0.015
    assert abs(table.attrs["charge_ratio"] - 1) < 0.03


def test_empty_frame_has_no_photons():
    frames = np.random.default_rng(0).normal(LEVEL, NOISE, (2, 512, 512)).astype(np.float32)
    table = resolved(frames)
    assert table.sizes["photon"] == 0
    assert np.isnan(table.attrs["charge_ratio"])


def test_errors_hold_in_a_crowd():
    pulls = []
    for seed in range(4):
        true = line(0.1, (512, 48), seed)
        table = resolved(camera(true, (512, 48), seed))
        places = found_places(table)
        distance = np.linalg.norm(places[:, None] - true[None], axis=2)
        nearest = distance.argmin(1)
        good = distance.min(1) < 1
        pulls += list(((places - true[nearest])[:, 0] / table.sigma_x.values)[good])
    width = 1.4826 * np.median(np.abs(pulls))
    assert 0.85 < width < 1.2


def test_crowding_and_charge():
    alone, pair = [[12.3, 12.1]], [[40.0, 24.0], [40.0, 25.5]]
    table = resolved(camera(np.array(alone + pair)))
    assert table.sizes["photon"] == 3
    assert table.crowding.values[0] == 0
    assert (table.crowding.values[1:] > 0.1).all()
    assert table.charge.values[0] != CHARGE
    assert (table.charge.values[1:] == CHARGE).all()
    assert abs(table.charge.values[0] - CHARGE) < 60
    assert not table.double.values.any()


@pytest.mark.parametrize("dtype", ["int16", "uint32", "int32", "float32", "float64"])
def test_same_bytes_for_any_pixels_threads_and_order_in_memory(dtype):
    frames = np.stack([camera(line(0.2, seed=k), seed=k) for k in range(5)])
    known = resolved(frames, threads=1)
    for given in (frames.astype(dtype), frames.astype(dtype).swapaxes(1, 2).copy().swapaxes(1, 2)):
        for threads in (1, 3):
            assert resolved(given, threads=threads).equals(known)
    for k in range(5):
        one = resolved(frames[k].astype(dtype))
        of_stack = known.isel(photon=known.frame.values == k)
        assert (one.x.values == of_stack.x.values).all()
        assert (one.sigma_y.values == of_stack.sigma_y.values).all()


def test_dark_and_level():
    places = line(0.1)
    dark = np.random.default_rng(1).uniform(0, 40, (64, 48)).astype(np.float32)
    plain = camera(places).astype(np.float32)
    table = resolved(plain + dark, dark=dark)
    assert matched(found_places(table), found_places(resolved(plain))).max() < 0.01
    slope = np.linspace(0, 6, 192)[:, None] * np.ones((192, 192))
    wide = camera(line(0.1, (192, 192)), (192, 192)).astype(np.float32) + slope
    n_true = len(line(0.1, (192, 192)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        own = resolved(wide, local_background=True)
    assert abs(own.sizes["photon"] / n_true - 1) < 0.05


def test_learns_charge_and_cloud():
    rng = np.random.default_rng(3)
    places = [rng.uniform(4, 250, (60, 2)) for _ in range(8)]
    frames = np.stack([camera(one, (256, 256), k) for k, one in enumerate(places)])
    table = resolve_photons(frames, electrons_per_adu=1.0)
    assert abs(table.attrs["photon_charge"] / CHARGE - 1) < 0.03
    assert abs(table.attrs["cloud_sigma"] / SIGMA - 1) < 0.05
    assert abs(table.sizes["photon"] / 480 - 1) < 0.02
    by_energy = resolved(frames, energy=540.0, photon_charge=None, ev_per_pair=3.6)
    assert by_energy.attrs["photon_charge"] == pytest.approx(150)


def test_cosmic_rays_are_left_out():
    frame = camera(np.array([[12.3, 12.1], [40.2, 30.3]]))
    frame[50:60, 10] = 5000
    table = resolved(frame, max_pixel=1500)
    assert table.sizes["photon"] == 2
    assert table.n_cosmics.values[0] > 0


@pytest.mark.parametrize("factor", [0.85, 1.15])
def test_a_wrong_charge_is_told(factor):
    frames = [camera(line(0.1, (512, 48), seed), (512, 48), seed) for seed in range(3)]
    with (
        pytest.warns(ChargeBalanceWarning, match="above the level"),
        pytest.warns(HrixsWarning, match="isolated photons have"),
    ):
        resolved(np.stack(frames), photon_charge=factor * CHARGE)


@pytest.mark.parametrize("factor", [0.5, 1.5, 2.0])
def test_a_charge_that_is_far_off_is_told_by_lone_photons(factor):
    """The number of photons makes up for it, so that the balance may close all the same."""
    frames = [camera(line(0.1, (512, 48), seed), (512, 48), seed) for seed in range(3)]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        resolved(np.stack(frames), photon_charge=factor * CHARGE)
    assert any("isolated photons have" in str(one.message) for one in told)


def test_a_charge_learned_from_few_spots_is_told():
    shape = (512, 48)
    frames = np.stack([camera(line(0.3, shape, k), shape, k) for k in range(8)])
    with pytest.warns(HrixsWarning, match="± .* ADU, was learned from"):
        table = resolve_photons(frames, electrons_per_adu=1.0, cloud_sigma=0.55)
    assert table.attrs["photon_charge"] == pytest.approx(CHARGE, rel=0.15)


def test_more_frames_tell_the_charge_of_a_crowd():
    shape = (512, 48)
    frames = np.stack([camera(line(0.3, shape, k), shape, k) for k in range(32)])
    table = resolve_photons(frames, electrons_per_adu=1.0, cloud_sigma=0.55)
    assert table.attrs["photon_charge"] == pytest.approx(CHARGE, rel=0.04)


def test_errors_say_what_to_do():
    frame = camera(line(0.1))
    with pytest.raises(ValueError, match="Give only one"):
        resolved(frame, energy=500.0)
    with pytest.raises(ValueError, match="cloud_sigma"):
        resolved(frame, cloud_sigma=1.5)
    with pytest.raises(TooManyPhotonsError, match="max_photons = 3"):
        resolved(frame, max_photons=3)
    with pytest.raises(MissingDataError, match="photon_charge"):
        resolved(frame[:8, :8], photon_charge=None)
    with pytest.raises(ValueError, match="positive"):
        resolved(frame, photon_charge=-1)
