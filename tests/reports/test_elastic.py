import numpy as np
import pytest
import xarray as xr

from hrixs.reports.elastic import elastic_line

STEP = 0.005
LOSS = np.arange(-0.5, 3.0, STEP)


def spectrum(*lines: tuple[float, float, int], axis: str = "energy_loss") -> xr.DataArray:
    """Photons of lines of a place, a FWHM, and a number, counted."""
    rng = np.random.default_rng(5)
    photons = np.concatenate([rng.normal(at, fwhm / 2.355, n) for at, fwhm, n in lines])
    counts, _ = np.histogram(photons, len(LOSS), (LOSS[0] - STEP / 2, LOSS[-1] + STEP / 2))
    attrs = {"units": "photons"}
    return xr.DataArray(counts, {axis: (axis, LOSS, {"units": "eV"})}, [axis], attrs=attrs)


def test_the_elastic_line_is_the_one_at_zero_loss_and_not_the_tallest():
    total = spectrum((0.0, 0.06, 500), (1.5, 0.1, 5000))
    line = elastic_line(total, np.sqrt(total), 0.02)
    assert line.is_elastic
    assert abs(line.fit.fwhm - 0.06) < 4 * line.fit.fwhm_err
    assert line.text.startswith("The elastic line within 0.3 eV of zero loss has a FWHM of ")
    assert "meV, at " in line.text


def test_without_a_line_at_zero_loss_none_is_told():
    total = spectrum((1.5, 0.1, 5000))
    line = elastic_line(total, np.sqrt(total), 0.02)
    assert line.fit is None
    assert line.text.startswith("No width is given: no elastic line was found within 0.3 eV")


def test_a_line_at_the_end_of_where_it_is_looked_for_is_none():
    total = spectrum((0.29, 0.05, 3000))
    assert elastic_line(total, np.sqrt(total), 0.02).fit is None


def test_over_energy_the_tallest_line_need_not_be_elastic():
    total = spectrum((0.0, 0.06, 500), (1.5, 0.1, 5000), axis="energy")
    line = elastic_line(total, np.sqrt(total), 0.02)
    assert not line.is_elastic
    assert line.fit.centre == pytest.approx(1.5, abs=0.01)
    assert "It is not known whether this line is the elastic one" in line.text


def test_a_line_of_another_shape_is_told():
    total = spectrum((0.0, 0.06, 20)).copy()
    total.values[:] = np.where(abs(LOSS) < 0.06, 400, 2)  # a box
    line = elastic_line(total, np.sqrt(total), 0.02)
    assert line.fit.chi2 > 2
    assert "The shape of the line differs from the fit" in line.text


def test_errors_that_cannot_be_known_are_not_told():
    total = (spectrum((0.0, 0.06, 5000)) / 7.0).assign_attrs(units="photons")
    line = elastic_line(total, None, 0.02)
    assert "±" not in line.text
    assert line.text.endswith("The errors of these numbers cannot be known.")


def test_bins_that_share_intensity_are_told():
    total = spectrum((0.0, 0.06, 5000))
    total.attrs["bin_noise"] = 0.5
    line = elastic_line(total, np.sqrt(total + 0.25), 0.02)
    assert "Bins share the intensity of a row, so these errors are too small." in line.text
