"""Axes that differ by rounding are one wherever results meet; others are told with how much."""

from __future__ import annotations

import io

import numpy as np
import pytest
import xarray as xr

from hrixs import align_elastic, concat, difference, energy_loss, hRIXS, rixs_map
from hrixs.i0.normalize import add_normalized
from hrixs.live.spectra import LiveSpectra
from hrixs.spectra.axes import apart, on_axes_of, same_axis
from hrixs.spectra.dataset import store_spectrum
from hrixs.spectra.rebin import equal_step

INTERCEPT, STEP, N = 525.123456, 0.0074, 300
ENERGY = INTERCEPT + STEP * np.arange(N)


def as_text(axis: np.ndarray) -> np.ndarray:
    """Through a file of columns."""
    file = io.StringIO()
    np.savetxt(file, axis)
    file.seek(0)
    return np.loadtxt(file)


#: The same axis in other ways.
ROUNDED = {
    "last digit": np.nextafter(ENERGY, 0),
    "single precision": ENERGY.astype(np.float32),
    "double of single": ENERGY.astype(np.float32).astype(np.float64),
    "text": as_text(ENERGY),
    "linspace": np.linspace(INTERCEPT, INTERCEPT + STEP * (N - 1), N),
    "added up": np.cumsum([INTERCEPT, *[STEP] * (N - 1)]),
    "1e-5 of a bin": ENERGY + 1e-5 * STEP,
}
OTHERS = {
    "1e-3 of a bin": ENERGY + 1e-3 * STEP,
    "another slope": INTERCEPT + STEP * (1 + 1e-4) * np.arange(N),
    "half a bin": ENERGY + STEP / 2,
}

rounded = pytest.mark.parametrize("axis", ROUNDED.values(), ids=ROUNDED)
others = pytest.mark.parametrize("axis", OTHERS.values(), ids=OTHERS)


def spectra(axis: np.ndarray, *, run: str = "1", first: int = 10, n: int = 4) -> xr.Dataset:
    rng = np.random.default_rng(first)
    line = 90 * np.exp(-0.5 * ((np.arange(N) - N / 2) / 6) ** 2)
    counts = xr.DataArray(
        rng.poisson(np.broadcast_to(line, (n, N))),
        {"trainId": first + np.arange(n), "energy": ("energy", axis, {"units": "eV"})},
        ("trainId", "energy"),
        attrs={"units": "photons", "energy_slope": STEP},
    )
    nrj = ("trainId", np.full(n, INTERCEPT + STEP * N / 2), {"units": "eV"})
    return xr.Dataset({"spectrum": counts, "nrj": nrj}, attrs={"run": run})


FIRST = spectra(ENERGY)


@rounded
def test_rounding_makes_no_other_axis(axis):
    assert same_axis(ENERGY, axis)
    assert same_axis(axis, ENERGY)


@others
def test_a_thousandth_of_a_bin_does(axis):
    assert not same_axis(ENERGY, axis)
    assert not same_axis(axis, ENERGY)


def test_by_how_much():
    assert apart(ENERGY, ENERGY + STEP / 2) == "up to 0.0037 apart, 0.5 of a bin"
    assert apart(ENERGY, ENERGY[1:]) == "of 300 and 299 bins"
    assert apart(np.array([1.0]), np.array([2.0])) == "up to 1 apart"


def test_whole_numbers_are_exact_and_text_is_no_axis():
    trains = np.array([1_600_000_000, 1_600_000_128])  # which single precision holds
    assert same_axis(trains, trains.copy())
    assert not same_axis(trains, trains + 1)
    assert not same_axis(np.array(["a"]), np.array(["a"]))
    assert not same_axis(ENERGY, ENERGY[1:])


def test_where_single_precision_is_too_coarse_for_the_bins_it_is_another_axis():
    fine = 930 + 1e-4 * np.arange(20)
    assert not same_axis(fine, fine.astype(np.float32))


def test_bins_of_single_precision_are_equal():
    single = ROUNDED["double of single"]
    assert equal_step(single, "energy") == pytest.approx(STEP, rel=1e-5)
    with pytest.raises(ValueError, match="does not have equal steps"):
        equal_step(np.where(np.arange(N) == 7, single + STEP / 2, single), "energy")


@rounded
def test_joined_on_the_first(axis):
    second = spectra(axis, run="2", first=20)
    own = {"mean_line": ("energy", np.arange(N))}  # the same in both, but for the axis
    joined = concat([FIRST.assign(own), second.assign(own)])
    assert joined.spectrum.shape == (8, N)
    np.testing.assert_array_equal(joined.energy, ENERGY)
    np.testing.assert_array_equal(joined.spectrum[4:], second.spectrum)
    np.testing.assert_array_equal(joined.mean_line, np.arange(N))


@others
def test_not_joined(axis):
    with pytest.raises(ValueError, match=r"apart, [\d.]+ of a bin, expected the same axis"):
        concat([FIRST, spectra(axis, run="2", first=20)])


@rounded
def test_a_map_of_several_runs(axis):
    second = spectra(axis, run="2", first=20)
    second["nrj"] = second.nrj + 1
    one = rixs_map([FIRST, second], axis="energy")
    assert one.normalized.shape == (2, N)
    np.testing.assert_array_equal(one.energy, ENERGY)


@rounded
def test_subtracted_on_the_first(axis):
    on, off = (one.sum("trainId", keep_attrs=True) for one in (FIRST, spectra(axis, first=20)))
    found = difference(on, off, which="spectrum")
    np.testing.assert_array_equal(found.energy, ENERGY)
    np.testing.assert_array_equal(found.difference, on.spectrum.values - off.spectrum.values)
    loss = [energy_loss(one, elastic=526.2) for one in (on, off)]
    assert difference(*loss, which="spectrum").difference.shape == (N,)


@others
def test_not_subtracted(axis):
    on, off = (one.sum("trainId", keep_attrs=True) for one in (FIRST, spectra(axis, first=20)))
    with pytest.raises(ValueError, match=r"apart, [\d.]+ of a bin; expected the same energy axis"):
        difference(on, off, which="spectrum")


@rounded
def test_divided_by_values_over_the_energy(axis):
    response = xr.DataArray(np.arange(1.0, N + 1), {"energy": axis}, ("energy",), name="response")
    made = add_normalized(FIRST.copy(), response)
    np.testing.assert_allclose(made.normalized, FIRST.spectrum / np.arange(1.0, N + 1))
    np.testing.assert_array_equal(made.energy, ENERGY)


@rounded
def test_a_new_spectrum_beside_what_lies_on_the_present_axis(axis):
    data = FIRST.assign(model=("energy", np.ones(N)))
    made = store_spectrum(data, spectra(axis, first=10).spectrum)
    np.testing.assert_array_equal(made.energy, ENERGY)
    assert made.model.shape == (N,)


@others
def test_none_on_another_axis_or_in_another_unit(axis):
    data = FIRST.assign(model=("energy", np.ones(N)))
    with pytest.raises(
        ValueError, match=r"model of the dataset are on the present.* of a bin\. First drop them"
    ):
        store_spectrum(data, spectra(axis, first=10).spectrum)
    rows = spectra(ENERGY).spectrum
    rows.energy.attrs["units"] = "px"
    with pytest.raises(ValueError, match="it is in eV, not px"):
        store_spectrum(data, rows)


@pytest.mark.parametrize("move", [energy_loss, align_elastic])
def test_elastic_lines_of_other_steps_are_not_left_out(move):
    steps = FIRST.nrj.values + 2 * STEP * np.arange(4)
    data = FIRST.drop_vars("nrj").rename(trainId="nrj").assign_coords(nrj=("nrj", steps))
    if move is align_elastic:
        data = FIRST.assign_coords(run=("trainId", ["r0001"] * 4), trainId=steps)
    dim = "trainId" if move is align_elastic else "nrj"
    centres = xr.DataArray(steps, {dim: np.nextafter(steps, 0)}, (dim,))
    assert move(data, elastic=centres).spectrum.sizes[dim] == 4
    with pytest.raises(
        ValueError, match=rf"elastic and the spectra have different values of {dim}.*of a bin"
    ):
        move(data, elastic=centres.assign_coords({dim: steps + 0.5 * STEP}))


def test_text_along_a_dimension_is_equal_or_another():
    like = xr.DataArray([1, 2], {"run": ["a", "b"]}, ("run",))
    assert on_axes_of(like, like, "it").identical(like)
    with pytest.raises(ValueError, match=r"different values of run"):
        on_axes_of(like, like.assign_coords(run=["a", "c"]), "it")


def test_a_live_sum_is_of_one_axis():
    h, shape = hRIXS(), (40, 60)
    h.set_params(energy_slope=STEP, energy_intercept=INTERCEPT, threshold=50)
    image = np.random.default_rng(1).normal(100, 2, shape)
    image[10, 30] += 200
    source, key = "SCS_HRIXS_CAM/CAM/MARANAX:daqOutput", "data.image.pixels"
    live = LiveSpectra(h)
    live.add(1, {source: {key: image}})
    h.ENERGY_INTERCEPT = np.nextafter(INTERCEPT, 0)
    live.add(2, {source: {key: image}})
    h.ENERGY_INTERCEPT = INTERCEPT + STEP
    live.add(3, {source: {key: image}})
    assert (live.counts.analysed, live.counts.trains) == (2, 3)
    assert "energy axis" in live.last_failure
    assert "8.33 of a bin. Settings were changed during the watch" in live.last_failure
