"""The axis of energy loss: counts are kept, lines of all trains fall together."""

import numpy as np
import pytest
import xarray as xr

from hrixs import HrixsWarning, MissingDataError, energy_loss, hRIXS
from hrixs.spectra.rebin import rebin_shifted

STEP = 0.01


def spectra(nrj, *, slope=STEP, seed=0):
    """Spectra of trains with photon energies `nrj`, with a line at a loss of 0.3 eV."""
    rng = np.random.default_rng(seed)
    energy = 529 + slope * np.arange(200) - (199 * slope if slope < 0 else 0)
    at_line = np.exp(-0.5 * ((np.asarray(nrj)[:, None] - 0.3 - energy) / 0.05) ** 2)
    counts = rng.poisson(20 * at_line).astype(float)
    dims = ("trainId", "energy")
    return xr.Dataset(
        {
            "spectrum": (dims, counts, {"units": "photons", "algorithm": "centroid_one"}),
            "spectrum_err": (dims, np.sqrt(counts)),
            "nrj": ("trainId", np.asarray(nrj, float)),
            "hRIXS_delay": ("trainId", np.arange(len(nrj))),
        },
        coords={
            "energy": ("energy", energy, {"units": "eV"}),
            "trainId": 100 + np.arange(len(nrj)),
        },
        attrs={"run": "r0145"},
    )


def centre_of_mass(data):
    total = data.spectrum.sum("energy_loss")
    return ((data.spectrum * data.energy_loss).sum("energy_loss") / total).values


def test_one_photon_energy_only_adds_the_coordinate():
    data = spectra([530.001, 529.999, 530.0])
    before = data.copy(deep=True)
    loss = energy_loss(data)
    assert data.identical(before)
    np.testing.assert_allclose(loss.energy_loss, 530 - data.energy.values)
    assert loss.energy_loss.attrs["units"] == "eV"
    assert loss.spectrum.dims == ("trainId", "energy_loss")
    np.testing.assert_array_equal(loss.spectrum, data.spectrum)
    np.testing.assert_array_equal(loss.energy, data.energy)  # along the loss
    assert loss.attrs["run"] == "r0145"
    assert loss.spectrum.attrs["zero_loss"] == pytest.approx(530)
    np.testing.assert_allclose(centre_of_mass(loss), 0.3, atol=0.01)  # positive for loss


@pytest.mark.parametrize("slope", [STEP, -STEP])
def test_trains_of_different_energies_come_to_one_axis(slope):
    nrj = 530 + np.array([-0.1, -0.063, 0.0, 0.0417, 0.1])
    data = spectra(nrj, slope=slope)
    before = data.copy(deep=True)
    loss = energy_loss(data)
    assert data.identical(before)
    assert loss.spectrum.dims == ("trainId", "energy_loss")
    np.testing.assert_allclose(loss.spectrum.sum("energy_loss"), data.spectrum.sum("energy"))
    variance = loss.hrixs.error() ** 2
    np.testing.assert_allclose(variance.sum("energy_loss"), data.spectrum.sum("energy"))
    # The centre of mass is moved exactly, by fractions of a bin too.
    own = (data.spectrum * (data.nrj - data.energy)).sum("energy") / data.spectrum.sum("energy")
    np.testing.assert_allclose(centre_of_mass(loss), own, atol=1e-9)
    # Each train's own energies: what has moved is on no axis of energy.
    assert loss.energy.dims == ("trainId", "energy_loss")
    np.testing.assert_allclose(loss.energy + loss.energy_loss, nrj[:, None] + 0 * loss.energy)
    np.testing.assert_allclose(loss.coverage.sum("energy_loss"), 200)
    assert loss.hRIXS_delay.identical(data.hRIXS_delay)
    sharp = loss.spectrum.sum("trainId")
    assert float(sharp.max()) > 1.3 * float(data.spectrum.sum("trainId").max())


def test_a_whole_number_of_bins_moves_every_count_as_it_is():
    data = spectra([530.0, 530.0 + 3 * STEP])
    loss = energy_loss(data)
    assert loss.sizes["energy_loss"] == 204  # the mean lies between two bins
    data = spectra([530.0, 530.0 + 4 * STEP])
    loss = energy_loss(data)
    assert loss.sizes["energy_loss"] == 204
    np.testing.assert_array_equal(loss.spectrum[0, 4:], data.spectrum[0])
    np.testing.assert_array_equal(loss.spectrum[1, :200], data.spectrum[1])


def test_the_measured_elastic_line_can_be_zero():
    data = spectra([530.0, 530.0]).drop_vars("nrj")
    loss = energy_loss(data, elastic=530.02)
    np.testing.assert_allclose(loss.energy_loss, 530.02 - data.energy.values)
    assert loss.spectrum.attrs["zero_loss_from"] == "elastic"
    each = energy_loss(data, elastic=xr.DataArray([530.0, 530.1], dims="trainId"))
    assert "coverage" in each


def test_trains_without_photon_energy_are_told_of():
    near = spectra([530.0, 530.0, 530.001]).assign(nrj=("trainId", [530.0, np.nan, 530.001]))
    with pytest.warns(HrixsWarning, match="1 of 3 trains have no photon energy; the mean"):
        assert energy_loss(near).sizes["trainId"] == 3
    apart = near.assign(nrj=("trainId", [530.0, np.nan, 530.2]))
    with pytest.warns(HrixsWarning, match="left out"):
        loss = energy_loss(apart)
    assert loss.trainId.values.tolist() == [100, 102]
    assert loss.attrs["n_trains_without_nrj"] == 1


def test_aggregated_spectra_and_the_method_of_the_class():
    h = hRIXS()
    data = h.aggregate(spectra([530.0, 530.004]))
    before = data.copy(deep=True)
    loss = h.energy_loss(data)
    assert data.identical(before)
    np.testing.assert_allclose(loss.energy_loss, 530.002 - data.energy.values)
    shown = loss.spectrum.plot(x="energy_loss")
    assert shown[0].axes.get_xlabel() == "energy loss [eV]"


def test_shares_keep_counts_inside_of_the_axis_and_lose_the_others():
    moved = rebin_shifted(np.array([[4.0, 8.0]]), np.array([-0.5]), 2)
    np.testing.assert_array_equal(moved, [[6.0, 4.0]])  # half of the 4 is lost
    np.testing.assert_array_equal(
        rebin_shifted(np.array([[4.0, 8.0]]), np.array([9.0]), 2), [[0, 0]]
    )


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (lambda d: d.drop_vars("nrj"), MissingDataError, "no photon energy 'nrj'"),
        (lambda d: d.drop_vars("spectrum"), MissingDataError, "make one first"),
        (lambda d: d.assign(nrj=d.nrj * np.nan), MissingDataError, "no value in any train"),
        (lambda d: d.assign(nrj=("other", [1.0])), ValueError, "expected some of"),
        (lambda d: d.assign_coords(energy=d.energy.drop_attrs()), ValueError, "expected eV"),
        (lambda d: d.isel(energy=[0, 1, 5]), ValueError, "does not have equal steps"),
        (lambda d: d.spectrum, TypeError, "expected a dataset"),
    ],
)
def test_bad_datasets(change, error, text):
    with pytest.raises(error, match=text):
        energy_loss(change(spectra([530.0, 530.1])))
