import numpy as np
import pytest
import xarray as xr

from hrixs.reports.elastic import elastic_line
from hrixs.reports.over_trains import OverTrains, over_trains
from hrixs.reports.spectra_of import spectra_of

ENERGY = 529.0 + 0.01 * np.arange(200)


def images(
    n: int, *, drift: float = 0.0, photons: int = 200, **variables: np.ndarray
) -> xr.Dataset:
    """Spectra of `n` images with a line at 530 eV, which drifts by so many eV in all."""
    rng = np.random.default_rng(7)
    came = variables.get("I0", np.ones(n))
    rows = [
        np.histogram(
            rng.normal(530.0 + drift * (k / n - 0.5), 0.03, rng.poisson(photons * came[k])),
            len(ENERGY), (ENERGY[0] - 0.005, ENERGY[-1] + 0.005),
        )[0]
        for k in range(n)
    ]  # fmt: skip
    told = {"units": "photons", "energy_slope": 0.01, "energy_intercept": 0.0}
    data = {"spectrum": (("trainId", "energy"), np.array(rows), told)}
    data |= {"nrj": ("trainId", np.full(n, 530.0))}
    data |= {name: ("trainId", values) for name, values in variables.items()}
    trains = 500 + 10 * np.arange(n)
    return xr.Dataset(data, {"energy": ("energy", ENERGY, {"units": "eV"}), "trainId": trains})


def values_of(data: xr.Dataset) -> OverTrains:
    spectra = spectra_of(data)
    line = elastic_line(spectra.total, spectra.error, 0.01)
    return over_trains(spectra, line.fit, elastic=line.is_elastic, alike=True)


def test_photons_stand_over_their_trains():
    data = images(6)
    values = values_of(data)
    np.testing.assert_array_equal(values.intensity, data.spectrum.sum("energy"))
    np.testing.assert_array_equal(values.number, 10.0 * np.arange(6))
    assert values.label == "train, from 500"


def test_what_is_expected_follows_what_came_in():
    came = np.linspace(0.5, 1.5, 40)
    values = values_of(images(40, I0=came))
    mean, scatter = values.expected
    np.testing.assert_allclose(mean, values.intensity.mean() * came / came.mean())
    pulls = (values.intensity - mean) / scatter
    assert 0.7 < pulls.std() < 1.3


def test_a_drift_of_the_line_is_seen():
    drift = values_of(images(60, drift=0.02)).drift
    assert drift.units == "eV"
    slope, _ = np.polyfit(drift.at, drift.place, 1, w=1 / drift.error)
    assert slope * 600 == pytest.approx(0.02, abs=0.005)


def test_a_steady_line_scatters_by_its_errors():
    drift = values_of(images(60)).drift
    assert len(drift.at) == 12
    assert 0.5 < (drift.place / drift.error).std() < 1.6


def test_too_few_photons_tell_no_drift():
    drift = values_of(images(5)).drift
    assert len(drift.at) == 0
    assert "too few for positions in 3 groups of images" in drift.text


def test_a_drift_that_was_measured_is_taken():
    moved = np.array([0.1, 0.0, -0.1])
    drift = values_of(images(3, drift_err=np.full(3, 0.02)).assign(drift=("trainId", moved))).drift
    np.testing.assert_array_equal(drift.place, moved)
    assert drift.units == "px"


def test_energies_that_change_tell_no_drift():
    data = images(6, photons=2000)
    data["nrj"] = ("trainId", np.linspace(530, 531, 6))
    assert "the photon energy changes" in values_of(data).drift.text
