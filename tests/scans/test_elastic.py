"""Runs whose elastic lines drift, put where they belong: against the drift they were made with."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from hrixs import (
    HrixsWarning,
    MissingDataError,
    NoLineError,
    aggregate,
    align_elastic,
    energy_loss,
    line_width,
)

SLOPE, SIGMA, LOSS = 0.02, 0.025, 1.7
AXIS = 526.0 + 0.01 * np.arange(700)
STEPS = np.linspace(528.5, 531.25, 12)
DRIFT = 0.3 * np.arange(12)  # in pixels


def spectra(nrj, drift, *, n_images=8, photons=100, seed=1, elastic=1.0) -> xr.Dataset:
    """Counted spectra of one run for each photon energy, its axis off by `drift` pixels."""
    rng = np.random.default_rng(seed)
    edges = np.append(AXIS, AXIS[-1] + 0.01) - 0.005
    counts, energies, runs = [], [], []
    for k, (at, off) in enumerate(zip(nrj, drift, strict=True)):
        for one in np.broadcast_to(at, n_images):
            zero = one + off * SLOPE
            lines = [
                rng.normal(zero, SIGMA, int(photons * elastic)),
                rng.normal(zero - LOSS, 0.12, photons),
            ]
            counts.append(np.histogram(np.concatenate(lines), edges)[0].astype(float))
            energies.append(one)
            runs.append(f"r{k + 1:04d}")
    attrs = {"units": "photons", "energy_slope": SLOPE, "energy_intercept": AXIS[0]}
    return xr.Dataset(
        {
            "spectrum": (("trainId", "energy"), np.array(counts), attrs),
            "nrj": ("trainId", np.array(energies), {"units": "eV"}),
        },
        {
            "trainId": np.arange(len(runs)),
            "energy": ("energy", AXIS, {"units": "eV"}),
            "run": ("trainId", runs),
        },
    )


def of_runs(variable: xr.DataArray) -> np.ndarray:
    """One value for each run."""
    return variable.groupby("run").first().values


def zeros(ds: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Energy loss of the elastic line of each step of the scan, and its standard deviation."""
    loss = energy_loss(aggregate(ds, "nrj", step=0.05))
    fits = []
    for k in range(loss.sizes["nrj"]):
        one = loss.spectrum.isel(nrj=k)
        fits.append(line_width(one.isel(energy_loss=np.flatnonzero(abs(one.energy_loss) < 0.5))))
    return np.array([fit.centre for fit in fits]), np.array([fit.centre_err for fit in fits])


class TestAScan:
    def test_zero_loss_is_within_its_error_in_all_runs(self):
        ds = spectra(STEPS, DRIFT)
        before, _ = zeros(ds)
        np.testing.assert_allclose(before, -DRIFT * SLOPE, atol=0.005)  # up to 66 meV off
        aligned = align_elastic(ds)
        after, error = zeros(aligned)
        assert (np.abs(after) < 3 * error).all()
        assert np.abs(after).max() < 1e-3

    def test_the_drift_is_that_of_the_axis_within_its_errors(self):
        pulls = []
        for seed in range(5):
            aligned = align_elastic(spectra(STEPS, DRIFT, seed=seed))
            drift, error = of_runs(aligned.drift), of_runs(aligned.drift_err)
            # A line of n photons is known to its width over the root of n.
            np.testing.assert_allclose(error, SIGMA / SLOPE / np.sqrt(800), rtol=0.2)
            pulls.append((drift - DRIFT) / error)
        assert np.abs(pulls).max() < 4
        assert 0.75 < np.std(pulls) < 1.3
        assert aligned.drift.attrs["units"] == "px"

    def test_what_lies_beside_the_elastic_line_comes_along(self):
        loss = energy_loss(aggregate(align_elastic(spectra(STEPS, DRIFT, photons=300)), "nrj"))
        total = loss.spectrum.sum("nrj", keep_attrs=True)
        fit = line_width(total.isel(energy_loss=np.flatnonzero(total.energy_loss > 1.0)))
        assert fit.centre == pytest.approx(LOSS, abs=4 * fit.centre_err)

    def test_counts_are_kept(self):
        ds = spectra(STEPS, DRIFT)
        aligned = align_elastic(ds)
        np.testing.assert_allclose(aligned.spectrum.sum("energy"), ds.spectrum.sum("energy"))
        assert aligned.attrs["n_moved_out"] == 0
        assert aligned.attrs["not_aligned"] == ""
        assert aligned.spectrum.attrs == ds.spectrum.attrs
        assert aligned.energy.identical(ds.energy)
        assert "drift" not in ds


def test_the_photon_energy_may_change_inside_of_a_run():
    inside = [np.linspace(528.5, 531.0, 8), np.linspace(529.0, 530.0, 8)]
    aligned = align_elastic(spectra(inside, [0.0, 4.0], photons=200))
    drift, error = of_runs(aligned.drift), of_runs(aligned.drift_err)
    np.testing.assert_allclose(drift, [0, 4], atol=4 * error.max())


def test_one_photon_energy_or_none_puts_all_on_one_row():
    ds = spectra([530.0] * 4, [0.0, 1.0, 2.0, 3.0], photons=300)
    same = align_elastic(ds)
    assert np.ptp(of_runs(same.drift)) == pytest.approx(3, abs=0.2)
    without = align_elastic(ds.drop_vars("nrj"), region=(529.8, 530.4))
    drift = of_runs(without.drift)
    np.testing.assert_allclose(drift - drift.mean(), [-1.5, -0.5, 0.5, 1.5], atol=0.2)
    sums = without.spectrum.groupby("run").sum("trainId").assign_attrs(ds.spectrum.attrs)
    centres = [line_width(one.isel(energy=slice(350, 450))).centre for one in sums]
    assert np.ptp(centres) < 2e-3


def test_elastic_is_where_the_line_belongs():
    ds = spectra([530.0, 530.0], [0.0, 2.0], photons=300)
    for elastic in (530.2, xr.full_like(ds.nrj, 530.2)):
        aligned = align_elastic(ds, elastic=elastic, within=0.5)
        total = aligned.spectrum.sum("trainId", keep_attrs=True)
        assert line_width(total.isel(energy=slice(380, 460))).centre == pytest.approx(
            530.2, abs=2e-3
        )
    with pytest.raises(ValueError, match=r"elastic has shape \(3,\)"):
        align_elastic(ds, elastic=np.ones(3))


def test_runs_without_a_line_are_told_and_left():
    strong = spectra([530.0, 530.0], [1.0, 2.0], photons=200)
    weak = spectra([530.0], [5.0], elastic=0.0).assign_coords(run=("trainId", ["r0009"] * 8))
    far = spectra([530.0], [-14.5], photons=200).assign_coords(run=("trainId", ["r0010"] * 8))
    ds = xr.concat([strong, weak, far], "trainId")
    with pytest.warns(HrixsWarning, match="2 of 4 runs have no clear elastic line .* r0009: "):
        aligned = align_elastic(ds)
    assert aligned.attrs["not_aligned"] == "r0009, r0010"
    left = aligned.run.isin(["r0009", "r0010"])
    assert np.isnan(aligned.drift[left]).all()
    np.testing.assert_array_equal(aligned.spectrum[left], ds.spectrum[left])
    with pytest.raises(NoLineError, match="no elastic line in any of 1 runs"):
        align_elastic(weak)


def test_a_run_without_a_photon_energy_is_left_where_others_have_one():
    ds = spectra([530.0, 530.5, 531.0], [0.0, 1.0, 2.0], photons=200)
    ds["nrj"] = ds.nrj.where(ds.run != "r0002")
    with pytest.warns(HrixsWarning, match="1 of 3 runs .* r0002: it has no photon energy nrj"):
        aligned = align_elastic(ds)
    assert np.isnan(of_runs(aligned.drift)).tolist() == [False, True, False]


def test_errors_photons_and_other_variables_are_moved_as_well():
    ds = spectra([530.0, 530.0], [0.0, 3.0], photons=300)
    ds["normalized"] = ds.spectrum / 2
    ds["photon_y"] = ("photon", [100.0, 200.0])
    ds["photon_frame"] = ("photon", [0, 15])
    aligned = align_elastic(ds)
    np.testing.assert_allclose(aligned.normalized, aligned.spectrum / 2)
    moved = 200.0 - float(aligned.drift[15])
    np.testing.assert_allclose(aligned.photon_y, [100.0 - float(aligned.drift[0]), moved])


def test_a_descending_axis():
    ds = spectra([530.0, 530.0], [0.0, 2.0], photons=300)
    down = ds.isel(energy=slice(None, None, -1))
    down.spectrum.attrs |= {"energy_slope": -SLOPE}
    aligned, turned = align_elastic(ds), align_elastic(down)
    np.testing.assert_allclose(turned.spectrum[:, ::-1], aligned.spectrum, atol=1e-6)
    np.testing.assert_allclose(turned.drift, -aligned.drift, atol=1e-6)


def test_errors_say_what_to_type():
    ds = spectra([530.0], [0.0])
    with pytest.raises(MissingDataError, match="no coordinate 'run'"):
        align_elastic(ds.drop_vars("run"))
    with pytest.raises(MissingDataError, match="no spectrum over trainId and energy"):
        align_elastic(ds.drop_vars("spectrum"))
    with pytest.raises(NoLineError, match="0 bins are between 540 and 541"):
        align_elastic(ds, region=(540, 541))
    with pytest.raises(TypeError, match="expected spectra of several runs"):
        align_elastic(ds.spectrum)
