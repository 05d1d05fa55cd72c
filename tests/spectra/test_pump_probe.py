"""The difference of two spectra: its values, and that its errors are what they claim to be."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from hrixs import HrixsWarning, MissingDataError, difference, energy_loss, hRIXS
from hrixs.spectra.plots import plot_difference

ENERGY = np.array([530.0, 530.5, 531.0, 531.5])


def spectrum(values, errors=None, *, name="spectrum", energy=ENERGY, **attrs) -> xr.Dataset:
    values = np.asarray(values, dtype=float)
    errors = np.sqrt(values) if errors is None else np.asarray(errors, dtype=float)
    dims = ("delay", "energy")[-values.ndim :]
    return xr.Dataset(
        {name: (dims, values, {"units": "photons"} | attrs), f"{name}_err": (dims, errors)},
        {"energy": ("energy", energy, {"units": "eV"})},
    )


PUMPED, UNPUMPED = spectrum([64, 36, 16, 0]), spectrum([36, 64, 9, 0])


class TestValues:
    def test_difference_and_relative_difference_with_errors(self):
        result = difference(PUMPED, UNPUMPED, which="spectrum")
        np.testing.assert_array_equal(result.difference, [28, -28, 7, 0])
        np.testing.assert_allclose(result.hrixs.error("difference"), [10, 10, 5, 0])
        np.testing.assert_allclose(result.relative_difference[:3], [28 / 36, -28 / 64, 7 / 9])
        # (64 / 36) * sqrt(1 / 64 + 1 / 36), and so on.
        expected = [
            p / u * np.sqrt(1 / p + 1 / u) for p, u in [(64.0, 36.0), (36.0, 64.0), (16.0, 9.0)]
        ]
        np.testing.assert_allclose(result.hrixs.error("relative_difference")[:3], expected)

    def test_bins_without_a_reference_are_nan_and_counted(self):
        result = difference(PUMPED, UNPUMPED, which="spectrum")
        assert np.isnan(result.relative_difference[3])
        assert np.isnan(result.hrixs.error("relative_difference")[3])
        assert result.attrs["n_undefined"] == 1
        assert result.attrs["n_few_photons"] == 2

    @pytest.mark.parametrize("keep_attrs", [True, False, "default"])
    def test_units_settings_and_version_come_along(self, keep_attrs):
        """findings/xarray_ratio_keeps_its_unit.sh."""
        attrs = {"algorithm": "centroid_one", "curve_a": 0.04}
        pumped, unpumped = (spectrum([4.0] * 4, **attrs) for _ in range(2))
        pumped, unpumped = pumped.assign(counts=3), unpumped.assign(counts=3)
        with xr.set_options(keep_attrs=keep_attrs):
            result = difference(pumped, unpumped, which="spectrum")
        assert result.difference.attrs["units"] == "photons"
        assert result.relative_difference.attrs["units"] == "1"
        assert result.hrixs.error("relative_difference").attrs["units"] == "1"
        assert result.energy.attrs["units"] == "eV"
        assert result.attrs["spectra"] == "centroid_one"
        assert result.attrs["curve_a"] == 0.04
        assert (result.attrs["n_frames_pumped"], result.attrs["n_frames_unpumped"]) == (3, 3)
        assert "hrixs_version" in result.attrs

    def test_one_reference_for_all_delays(self):
        pumped = spectrum(np.stack([PUMPED.spectrum, UNPUMPED.spectrum]))
        pumped = pumped.assign_coords(delay=[-1.0, 2.0])
        result = difference(pumped, UNPUMPED, which="spectrum")
        assert result.difference.dims == ("delay", "energy")
        np.testing.assert_array_equal(result.difference.sel(delay=2.0), 0)
        np.testing.assert_array_equal(result.difference.sel(delay=-1.0), [28, -28, 7, 0])

    def test_bins_together(self):
        result = difference(PUMPED, UNPUMPED, which="spectrum", bins_together=2)
        np.testing.assert_array_equal(result.energy, [530.25, 531.25])
        assert result.energy.attrs["units"] == "eV"
        np.testing.assert_array_equal(result.difference, [0, 7])
        np.testing.assert_allclose(result.hrixs.error("difference"), np.sqrt([200, 25]))
        assert result.attrs["bins_together"] == 2

    def test_inputs_stay_as_they_were(self):
        pumped, unpumped = PUMPED.copy(deep=True), UNPUMPED.copy(deep=True)
        difference(pumped, unpumped, which="spectrum", bins_together=2)
        assert pumped.identical(PUMPED)
        assert unpumped.identical(UNPUMPED)

    @pytest.mark.parametrize("bins_together", [1, 2])
    def test_axes_keep_their_attributes(self, bins_together):
        pumped, unpumped = (
            spectrum([values, values]).assign_coords(delay=("delay", [0.0, 1.0], {"units": "ps"}))
            for values in ([64, 36, 16, 4], [36, 64, 9, 4])
        )
        before = pumped.copy(deep=True), unpumped.copy(deep=True)
        result = difference(pumped, unpumped, which="spectrum", bins_together=bins_together)
        assert (pumped.identical(before[0]), unpumped.identical(before[1])) == (True, True)
        for name in ("difference", "difference_var", "relative_difference_var"):
            assert result[name].energy.attrs == {"units": "eV"}
            assert result[name].delay.attrs == {"units": "ps"}

    def test_is_written_and_read_back(self, tmp_path):
        result = difference(PUMPED, UNPUMPED, which="spectrum")
        result.to_netcdf(tmp_path / "out.nc", engine="h5netcdf")
        with xr.open_dataset(tmp_path / "out.nc", engine="h5netcdf") as again:
            assert again.equals(result)


class TestEnergyLoss:
    @staticmethod
    def with_loss(data, nrj):
        return energy_loss(data.assign(nrj=nrj))

    def test_nearly_the_same_photon_energy_gives_the_mean_axis(self):
        pumped, unpumped = self.with_loss(PUMPED, 531.1), self.with_loss(UNPUMPED, 531.3)
        result = difference(pumped, unpumped, which="spectrum")
        np.testing.assert_allclose(result.energy_loss, 531.2 - ENERGY)
        assert result.energy_loss.attrs["units"] == "eV"
        np.testing.assert_array_equal(result.difference, [28, -28, 7, 0])
        together = difference(pumped, unpumped, which="spectrum", bins_together=2)
        np.testing.assert_allclose(together.energy_loss, [0.95, -0.05])
        assert together.energy_loss.attrs["units"] == "eV"

    def test_other_photon_energies_are_named(self):
        pumped, unpumped = self.with_loss(PUMPED, 531.1), self.with_loss(UNPUMPED, 531.4)
        with pytest.raises(ValueError, match=r"energy_loss.*531\.1.*531\.4.*elastic="):
            difference(pumped, unpumped, which="spectrum")

    def test_the_axis_of_loss_may_come_after_the_difference(self):
        changes = difference(PUMPED, UNPUMPED, which="spectrum")
        before = changes.copy(deep=True)
        loss = energy_loss(changes, elastic=531.0)
        assert changes.identical(before)
        np.testing.assert_allclose(loss.energy_loss, 531 - ENERGY)
        np.testing.assert_array_equal(loss.difference, changes.difference)
        assert loss.difference.attrs["zero_loss"] == 531
        with pytest.raises(MissingDataError, match="give elastic"):
            energy_loss(changes)

    def test_a_difference_is_not_moved(self):
        pumped = spectrum(np.stack([PUMPED.spectrum, UNPUMPED.spectrum]))
        elastic = xr.DataArray([531.0, 532.0], dims="delay")
        with pytest.raises(ValueError, match="before the difference"):
            energy_loss(difference(pumped, UNPUMPED, which="spectrum"), elastic=elastic)


class TestErrorsHelp:
    def test_not_normalised(self):
        with pytest.raises(MissingDataError, match=r"unknown variable 'normalized'.*normalize, or"):
            difference(PUMPED, UNPUMPED)

    def test_no_error(self):
        with pytest.raises(
            MissingDataError, match="unpumped: the error of 'spectrum' cannot be known"
        ):
            difference(PUMPED, UNPUMPED[["spectrum"]], which="spectrum")

    @pytest.mark.parametrize(
        ("energy", "values"), [(ENERGY + 0.1, [1.0] * 4), (ENERGY[:3], [1.0] * 3)]
    )
    def test_other_energy_axis(self, energy, values):
        other = spectrum(values, energy=energy)
        with pytest.raises(ValueError, match=r"pumped has 4 bins from 530 to 531\.5, unpumped"):
            difference(PUMPED, other, which="spectrum")

    def test_not_aggregated(self):
        stack = spectrum(np.ones((2, 4))).rename(delay="trainId")
        pumped, unpumped = (stack.assign_coords(trainId=ids) for ids in ([1, 2], [3, 4]))
        with pytest.raises(
            ValueError, match=r"different values of trainId .*Aggregate over trainId first"
        ):
            difference(pumped, unpumped, which="spectrum")

    def test_other_units(self):
        other = spectrum([1.0] * 4, units="ADU")
        with pytest.raises(ValueError, match="in 'photons', unpumped in 'ADU'"):
            difference(PUMPED, other, which="spectrum")

    def test_no_energy(self):
        flat = PUMPED.rename(energy="row")
        with pytest.raises(MissingDataError, match="pumped has dimensions"):
            difference(flat, flat, which="spectrum")

    def test_not_datasets(self):
        with pytest.raises(TypeError, match="DataArray given, expected pumped spectra"):
            difference(PUMPED.spectrum, UNPUMPED.spectrum, which="spectrum")

    def test_bins_that_do_not_divide(self):
        with pytest.raises(ValueError, match="4 bins of pumped evenly, expected one of 1, 2, 4"):
            difference(PUMPED, UNPUMPED, which="spectrum", bins_together=3)

    def test_sums_of_different_numbers_of_frames_are_told(self):
        pumped, unpumped = PUMPED.assign(counts=30), UNPUMPED.assign(counts=40)
        with pytest.warns(HrixsWarning, match="30 frames, unpumped 40.*Normalise first"):
            difference(pumped, unpumped, which="spectrum")

    def test_other_settings_are_told(self):
        pumped, unpumped = spectrum([1] * 4, curve_a=0.04), spectrum([1] * 4, curve_a=0.05)
        with pytest.warns(HrixsWarning, match=r"different settings: curve_a \(0\.04 and 0\.05\)"):
            difference(pumped, unpumped, which="spectrum")


class TestPlot:
    def test_band_of_one_standard_deviation(self):
        result = difference(PUMPED, UNPUMPED, which="spectrum")
        ax = plot_difference(result)
        assert ax.get_xlabel() == "energy (eV)"
        assert ax.get_ylabel() == "difference (photons)"
        assert ax.get_title() == "difference, pumped and unpumped"
        band = ax.collections[0].get_paths()[0].get_extents()
        assert (band.y0, band.y1) == (-38, 38)

    def test_says_of_which_runs_and_images_it_is(self):
        sides = [
            one.assign(counts=n).assign_attrs(run=run, proposal="3145")
            for one, n, run in ((PUMPED, 4, "r0001"), (UNPUMPED, 4, "r0002"))
        ]
        title = plot_difference(difference(*sides, which="spectrum")).get_title()
        assert "p003145, r0001, r0002\n4 images pumped, 4 images unpumped" in title

    def test_relative_in_percent(self):
        ax = plot_difference(difference(PUMPED, UNPUMPED, which="spectrum"), relative=True)
        assert ax.get_ylabel() == "relative difference (%)"
        np.testing.assert_allclose(ax.lines[1].get_ydata()[0], 100 * 28 / 36)

    def test_several_delays_are_refused(self):
        pumped = spectrum(np.stack([PUMPED.spectrum, UNPUMPED.spectrum]))
        with pytest.raises(ValueError, match=r"expected \('energy',\)"):
            plot_difference(difference(pumped, UNPUMPED, which="spectrum"))


N_PAIRS, N_SITES, N_ROWS = 300, 48, 16
RATES = {"pumped": np.linspace(1, 2, N_ROWS), "unpumped": np.linspace(1.6, 1.4, N_ROWS)}


def measured(
    rng: np.random.Generator, rate: np.ndarray, n_frames: int, *, bunched: bool = False
) -> xr.Dataset:
    """Frames of `N_PAIRS` measurements: photons of exactly known rates, by row of sites.

    A site is a square of 2x2 pixels that touches no other. Photons fall on any, and where two meet
    they make a double hit. With `bunched`, photons come two by two.
    """
    norm = rng.uniform(0.7, 1.3, N_PAIRS * n_frames)
    expected = norm[:, None, None] * np.broadcast_to(rate, (N_SITES, N_ROWS))
    number = 2 * rng.poisson(expected / 2) if bunched else rng.poisson(expected)
    images = np.zeros((len(norm), 4 * N_SITES, 4 * N_ROWS), np.uint16)
    for dx in (1, 2):
        for dy in (1, 2):
            images[:, dx::4, dy::4] = 25 * number
    variables = {
        "MaranaX": (("trainId", "x", "y"), images),
        "hRIXS_norm": ("trainId", norm),
        "pair": ("trainId", np.repeat(np.arange(N_PAIRS), n_frames)),
    }
    return xr.Dataset(variables, {"trainId": np.arange(len(norm))})


def shares_within_their_errors(photons_per_site: float, **options) -> tuple[float, float, float]:
    """Of differences, of relative differences, and the share of double hits."""
    h = hRIXS()
    h.set_params(threshold=50.0, dbl_threshold=150.0, bins=N_ROWS, threads=1)
    rng = np.random.default_rng(0)
    rates = {state: photons_per_site * rate / rate.mean() for state, rate in RATES.items()}
    sums, photons, hits = {}, 0.0, 0
    for state, rate in rates.items():
        counted = h.centroid(measured(rng, rate, round(0.8 / photons_per_site), **options))
        photons += counted.spectrum.attrs["n_photons"]
        hits += counted.spectrum.attrs["n_hits"]
        sums[state] = h.normalize(h.aggregate(counted.drop_vars("MaranaX"), "pair"))
        assert sums[state].spectrum.mean("pair").min() > 20
    result = difference(sums["pumped"], sums["unpumped"])
    truth = N_SITES * (rates["pumped"] - rates["unpumped"])
    within = np.abs(result.difference - truth) < result.hrixs.error("difference")
    truth = rates["pumped"] / rates["unpumped"] - 1
    relative = np.abs(result.relative_difference - truth) < result.hrixs.error(
        "relative_difference"
    )
    return float(within.mean()), float(relative.mean()), photons / hits - 1


@pytest.mark.parametrize(("photons_per_site", "doubles"), [(0.08, 0.04), (0.2, 0.10)])
@pytest.mark.one_in(2)
def test_two_thirds_of_the_differences_lie_within_their_error(photons_per_site, doubles):
    """From frames, over centroid, aggregate and normalize: 68 of 100, as a standard deviation."""
    share, relative, found_doubles = shares_within_their_errors(photons_per_site)
    assert found_doubles == pytest.approx(doubles, abs=0.005)
    assert share == pytest.approx(0.68, abs=0.02)
    assert relative == pytest.approx(0.68, abs=0.02)


def test_photons_that_do_not_come_one_by_one_have_no_error_of_a_count():
    """Two by two their variance is twice as large."""
    with pytest.raises(MissingDataError, match="all values are multiples of 2"):
        shares_within_their_errors(0.1, bunched=True)


def test_axes_that_differ_by_rounding_are_one():
    rounded = np.nextafter(ENERGY, 0)
    a, b = PUMPED, spectrum([36, 64, 9, 0], energy=rounded)
    result = difference(a, b, which="spectrum")
    np.testing.assert_array_equal(result.difference, [28, -28, 7, 0])
    np.testing.assert_array_equal(result.energy, ENERGY)
    with pytest.raises(ValueError, match=r"up to 0\.001 apart"):
        difference(a, b.assign_coords(energy=rounded + 0.001), which="spectrum")
