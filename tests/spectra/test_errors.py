"""Errors after what users do with xarray: right or refused, never wrong."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import hrixs
from hrixs import UnknownUncertaintyError, energy_loss, error_of, hRIXS
from hrixs.spectra.dataset import store_spectrum
from hrixs.spectra.errors import with_variance

N_TRAINS, N_BINS = 40, 60


def counted(seed: int = 0, **variables) -> xr.Dataset:
    """Spectra of a run as `process_run` gives them: photons of a line on a background."""
    rng = np.random.default_rng(seed)
    expected = 0.4 + 6 * np.exp(-0.5 * ((np.arange(N_BINS) - 30) / 2) ** 2)
    energy = ("energy", 529 + 0.05 * np.arange(N_BINS), {"units": "eV"})
    spectrum = xr.DataArray(
        rng.poisson(expected, (N_TRAINS, N_BINS)).astype(float),
        {"trainId": 10_000 * (seed + 1) + 10 * np.arange(N_TRAINS), "energy": energy},
        ("trainId", "energy"),
        attrs={"units": "photons"},
    )
    data = store_spectrum(xr.Dataset(coords={"trainId": spectrum.trainId}), spectrum)
    data["nrj"] = "trainId", np.full(N_TRAINS, 530.5)
    data["I0"] = "trainId", rng.normal(100, 20, N_TRAINS)
    data = data.assign_coords(group=("trainId", np.arange(N_TRAINS) // 10))
    return data.assign(variables)


def moved() -> xr.Dataset:
    """The same over the energy loss at photon energies that change: no whole numbers any more."""
    loss = energy_loss(counted(nrj=("trainId", 530.5 + 0.033 * np.arange(N_TRAINS))))
    return loss.drop_vars("energy").rename(energy_loss="energy")


def converted(noise: float = 0.7, seed: int = 1) -> xr.Dataset:
    """Intensity in photons, whose bins scatter by noise, too."""
    data = counted(seed)
    spectrum = data.spectrum + np.random.default_rng(seed).normal(0, noise, data.spectrum.shape)
    spectrum.attrs = {"units": "photons", "bin_noise": noise}
    return store_spectrum(data.drop_vars("spectrum"), spectrum.astype(float))


def expected_variance(data: xr.Dataset, noise: float = 0.0) -> xr.DataArray:
    return data.spectrum.clip(0) + noise**2


SUMS = {
    "sum over trains": lambda ds: ds.sum("trainId"),
    "sum with attributes": lambda ds: ds.sum("trainId", keep_attrs=True),
    "bins together": lambda ds: ds.coarsen(energy=6, boundary="trim").sum(),
    "trains together": lambda ds: ds.coarsen(trainId=10, coord_func="min").sum(),
    "sum and bins together": lambda ds: ds.sum("trainId").coarsen(energy=6, boundary="trim").sum(),
    "by groups": lambda ds: ds.groupby("group").sum(),
    "one train": lambda ds: ds.isel(trainId=3),
    "some trains": lambda ds: ds.isel(trainId=slice(3, 9)).sum("trainId"),
    "some bins": lambda ds: ds.isel(energy=slice(20, 40)),
    "running sum": lambda ds: ds.rolling(trainId=5).sum().dropna("trainId"),
    "a choice of trains": lambda ds: ds.where(ds.group != 2, drop=True),
    "sum of a choice": lambda ds: ds.where(ds.group != 2, drop=True).astype(int).sum("trainId"),
}


class TestSums:
    """All ways to add up, against the sum of the variances."""

    @pytest.mark.parametrize("way", SUMS)
    def test_of_counts(self, way):
        data = counted().drop_vars(["nrj", "I0"])
        found = SUMS[way](data)
        np.testing.assert_allclose(found.hrixs.error("spectrum"), np.sqrt(found.spectrum))

    @pytest.mark.parametrize("way", [way for way in SUMS if "choice" not in way])
    @pytest.mark.parametrize("make", [moved, converted])
    def test_of_what_is_no_count(self, way, make):
        data = make().drop_vars(["nrj", "I0", "coverage"], errors="ignore")
        variance = data.hrixs.error("spectrum") ** 2
        plain = SUMS[way](xr.Dataset({"v": variance})).v
        found = SUMS[way](data).hrixs.error("spectrum")
        np.testing.assert_allclose(found, np.sqrt(plain.transpose(*found.dims)))

    def test_moved_counts_keep_the_sum_of_variances(self):
        data, loss = counted(), moved()
        variance = (loss.hrixs.error() ** 2).sum("energy")
        np.testing.assert_allclose(variance, data.spectrum.sum("energy"))

    def test_noise_adds_to_converted_intensity(self):
        data = converted(noise=0.7)
        np.testing.assert_allclose(data.hrixs.error() ** 2, expected_variance(data, 0.7))
        total = data.sum("trainId").hrixs.error()
        np.testing.assert_allclose(total**2, expected_variance(data, 0.7).sum("trainId"))

    @pytest.mark.parametrize("make", [counted, moved, converted])
    def test_the_class_and_xarray_agree(self, make):
        h, data = hRIXS(), make()
        np.testing.assert_allclose(
            h.aggregate(data).hrixs.error(), data.sum("trainId").hrixs.error()
        )

    @pytest.mark.parametrize("make", [counted, converted])
    def test_results_put_together(self, make):
        a, b = make(seed=5), make(seed=6)
        b = b.assign_coords(trainId=b.trainId + 1000)
        both = xr.concat([a, b], "trainId")
        expected = np.concatenate([a.hrixs.error(), b.hrixs.error()])
        np.testing.assert_array_equal(both.hrixs.error(), expected)
        for total in (both.sum("trainId"), a.sum("trainId") + b.sum("trainId")):
            np.testing.assert_allclose(total.hrixs.error() ** 2, (expected**2).sum(0))

    def test_results_of_the_same_kind_twice(self):
        a = moved()
        total = (a.sum("trainId") + moved().sum("trainId")).hrixs  # equal: no sum of two runs
        with pytest.raises(UnknownUncertaintyError, match="multiplied"):
            total.error()

    def test_is_read_back_from_a_file(self, tmp_path):
        for data in (counted(), moved(), converted()):
            data.to_netcdf(tmp_path / "out.nc", engine="h5netcdf")
            with xr.open_dataset(tmp_path / "out.nc", engine="h5netcdf") as again:
                assert again.hrixs.error().identical(data.hrixs.error())


NO_SUMS = {
    "mean": lambda ds: ds.mean("trainId"),
    "mean with attributes": lambda ds: ds.mean("trainId", keep_attrs=True),
    "median": lambda ds: ds.median("trainId", keep_attrs=True),
    "mean of bins": lambda ds: ds.coarsen(energy=6, boundary="trim").mean(),
    "mean of trains": lambda ds: ds.coarsen(trainId=10).mean(),
    "mean by groups": lambda ds: ds.groupby("group").mean(),
    "twice as much": lambda ds: ds * 2,
    "half as much": lambda ds: ds / 2,
    "divided": lambda ds: ds / ds.I0,
    "a difference": lambda ds: ds.isel(trainId=0) - ds.isel(trainId=1),
    "less a constant": lambda ds: ds - 1,
    "changes": lambda ds: ds.diff("trainId"),
    "to other bins": lambda ds: ds.interp(energy=ds.energy + 0.01),
    "root": lambda ds: np.sqrt(abs(ds)),
}


class TestRefused:
    """What has no error that could be known, and why."""

    @pytest.mark.parametrize("way", NO_SUMS)
    @pytest.mark.parametrize("make", [counted, moved, converted])
    def test_with_the_reason(self, way, make):
        with pytest.raises(
            UnknownUncertaintyError, match="the error of 'spectrum' cannot be known"
        ):
            NO_SUMS[way](make()).hrixs.error("spectrum")

    def test_of_an_array_too(self):
        spectrum = counted().spectrum
        total = spectrum.sum("trainId")
        np.testing.assert_allclose(total.hrixs.error() ** 2, total)
        for changed in (spectrum.mean("trainId"), 2 * spectrum, spectrum / 3.0, spectrum - 1):
            with pytest.raises(UnknownUncertaintyError):
                changed.assign_attrs(units="photons").hrixs.error()

    def test_of_intensity(self):
        adu = xr.DataArray([1.5, 2.0], dims="energy", name="spectrum", attrs={"units": "ADU"})
        with pytest.raises(UnknownUncertaintyError, match="'ADU', but only counted photons"):
            adu.hrixs.error()

    def test_without_the_witness(self):
        with pytest.raises(
            UnknownUncertaintyError, match="n_added, stored with its variance, is missing"
        ):
            moved().drop_vars("n_added").hrixs.error()

    def test_of_an_unknown_variable(self):
        with pytest.raises(hrixs.MissingDataError, match="Did you mean 'spectrum'"):
            counted().hrixs.error("spektrum")


class TestRatios:
    def test_of_a_sum_and_its_norm(self):
        h, data = hRIXS(), counted(hRIXS_norm=("trainId", np.linspace(1, 2, N_TRAINS)))
        total = h.normalize(data.sum("trainId", keep_attrs=True))
        expected = np.sqrt(total.spectrum) / total.hRIXS_norm
        np.testing.assert_allclose(total.hrixs.error("normalized"), expected)
        bins = total.coarsen(energy=6).sum()
        expected = np.sqrt(bins.spectrum) / bins.hRIXS_norm
        np.testing.assert_allclose(bins.hrixs.error("normalized"), expected)

    def test_a_sum_of_ratios_is_refused(self):
        data = hRIXS().normalize(counted(), "I0")
        for keep_attrs, why in (
            (True, r"not spectrum / .* any more.*normalize"),
            (False, r"the divisor, is not in the dataset.*normalise"),
        ):
            with pytest.raises(UnknownUncertaintyError, match=why):
                data.sum("trainId", keep_attrs=keep_attrs).hrixs.error("normalized")
        with pytest.raises(UnknownUncertaintyError):
            data.mean("trainId", keep_attrs=True).hrixs.error("normalized")

    def test_without_its_norm(self):
        data = hRIXS().normalize(counted(), "I0").drop_vars("I0")
        with pytest.raises(UnknownUncertaintyError, match="I0, is not in the dataset"):
            data.hrixs.error("normalized")

    def test_of_moved_spectra(self):
        data = hRIXS().normalize(moved(), "I0")
        # Bins that less than half a spectrum reaches have no ratio, and no error of one.
        expected = data.hrixs.error().where(data.coverage > 0.5)
        assert expected.isnull().any()
        np.testing.assert_allclose(data.hrixs.error("normalized") * data.I0, expected)


def test_an_error_of_ones_own_is_taken_as_it_is():
    data = counted().assign(spectrum_err=("energy", np.full(N_BINS, 7.0)))
    np.testing.assert_array_equal(error_of(data), np.full((N_TRAINS, N_BINS), 7.0))


def test_a_variance_is_spread_over_the_variable():
    data = xr.Dataset({"a": (("t", "energy"), np.ones((3, 4)))})
    made = with_variance(data, "a", xr.DataArray([1.0, 4, 9, 16], dims="energy"))
    np.testing.assert_array_equal(made.hrixs.error("a"), [[1, 2, 3, 4]] * 3)
    assert "a_var" not in data


def test_nothing_is_changed():
    data = moved()
    before = data.copy(deep=True)
    data.hrixs.error("spectrum")
    assert data.identical(before)


def test_counts_say_of_which_images_they_are():
    """xarray keeps the attributes of the first result: what they claim stays true."""
    h = hRIXS()
    h.set_params(threshold=50.0, bins=4, threads=1)
    frame = np.zeros((16, 16))
    frame[4:6, 4:6] = 30
    results = []
    for k, run in enumerate(("r0145", "r0146")):
        trains = 10 * k + np.arange(3)
        images = xr.Dataset({"MaranaX": (("trainId", "x", "y"), np.stack([frame] * 3))})
        images = images.assign_coords(trainId=trains, run=("trainId", [run] * 3))
        results.append(h.centroid(images).drop_vars("MaranaX"))
    both = xr.concat(results, "trainId")
    assert both.run.values.tolist() == ["r0145"] * 3 + ["r0146"] * 3
    assert both.spectrum.attrs["counts_of"] == "3 images of r0145"
    assert both.spectrum.attrs["n_photons"] == 3
    joined = hrixs.concat(results)
    assert joined.spectrum.attrs["counts_of"] == "3 images of r0145; 3 images of r0146"
    assert joined.spectrum.attrs["n_photons"] == 6
    assert not {"counts_of", "n_photons"} & set(h.aggregate(joined).spectrum.attrs)
