"""Results for other programs: written, and read back as those would read them."""

import csv
import json
import warnings

import h5py
import numpy as np
import pytest
import xarray as xr

import hrixs
from hrixs import export
from hrixs.output.suffixes import SUFFIXES
from hrixs.output.writing import recorded

ENERGY = xr.DataArray(
    [530.0, 530.1, 530.2], dims="energy", attrs={"units": "eV", "long_name": "energy"}
)


def summed():
    """One spectrum, with an error, a norm and what made it."""
    attrs = {"units": "photons", "long_name": "photons"}
    return xr.Dataset(
        {
            "spectrum": ("energy", [4.0, 9.0, np.nan], attrs | {"bins": 3, "curve_a": 0.024}),
            "spectrum_err": ("energy", [2.5, 3.5, np.nan], {"units": "photons"}),
            "counts": 8,
        },
        coords={"energy": ENERGY},
        attrs={"run": "145", "settings": '{"bins": 3}'},
    )


def of_trains():
    """Spectra of three trains, with slow data."""
    counts = np.arange(9.0).reshape(3, 3)
    return xr.Dataset(
        {
            "spectrum": (("trainId", "energy"), counts, {"units": "photons"}),
            "hRIXS_delay": ("trainId", [-1.0, 0.5, 2.0], {"units": "ps"}),
        },
        coords={"energy": ENERGY, "trainId": np.array([10, 12, 13], np.uint64)},
    )


def comment_of(path):
    lines = [line for line in path.read_text().splitlines() if line.startswith("#")]
    return "\n".join(lines)


class TestText:
    @pytest.mark.parametrize("suffix", [".dat", ".txt", ".DAT"])
    def test_numpy_reads_the_columns(self, suffix, tmp_path):
        path = tmp_path / f"s{suffix}"
        export(summed(), path)
        energy, spectrum, error = np.loadtxt(path, unpack=True)
        np.testing.assert_array_equal(energy, ENERGY)
        np.testing.assert_array_equal(spectrum, [4, 9, np.nan])
        np.testing.assert_array_equal(error, [2.5, 3.5, np.nan])

    def test_the_comment_tells_columns_units_and_what_made_them(self, tmp_path):
        export(summed(), tmp_path / "s.dat")
        told = comment_of(tmp_path / "s.dat")
        assert "# column 1: energy, in eV, energy" in told
        assert "# column 3: spectrum_err, in photons" in told
        assert "# curve_a: 0.024" in told
        assert '# settings: {"bins": 3}' in told
        assert "# counts: 8" in told
        assert told.splitlines()[-1] == "# energy spectrum spectrum_err"
        assert hrixs.__version__ in told

    def test_spectra_of_trains_have_a_column_each(self, tmp_path):
        path = tmp_path / "s.dat"
        export(of_trains(), path)
        table = np.loadtxt(path)
        assert table.shape == (3, 1 + 2 * 3)
        np.testing.assert_array_equal(table[:, 1::2].T, of_trains().spectrum)
        np.testing.assert_array_equal(table[:, 2::2].T, np.sqrt(of_trains().spectrum))
        told = comment_of(path)
        assert "# column 4: spectrum[trainId=12], in photons" in told
        assert "# hRIXS_delay (over trainId, in ps): [-1.0, 0.5, 2.0]" in told

    def test_every_number_is_read_back_as_it_was(self, tmp_path):
        values = np.random.default_rng(1).normal(size=100) * 10.0 ** np.arange(-50, 50)
        export(xr.DataArray(values, dims="energy"), tmp_path / "s.dat")
        np.testing.assert_array_equal(np.loadtxt(tmp_path / "s.dat")[:, 1], values)

    def test_csv_is_what_spreadsheets_read(self, tmp_path):
        path = tmp_path / "s.csv"
        export(of_trains(), path)
        lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
        rows = list(csv.DictReader(lines))
        assert list(rows[0])[:3] == ["energy", "spectrum[trainId=10]", "spectrum_err[trainId=10]"]
        assert [float(row["spectrum[trainId=12]"]) for row in rows] == [3.0, 4.0, 5.0]

    def test_images_are_left_out_and_named(self, tmp_path):
        data = of_trains().assign(MaranaX=(("trainId", "x", "y"), np.zeros((3, 4, 4))))
        export(data, tmp_path / "s.dat")
        assert "# left out: MaranaX ('trainId', 'x', 'y')" in comment_of(tmp_path / "s.dat")

    def test_a_photon_table_is_one_too(self, tmp_path):
        photons = hrixs.photon_table_from([1.5, 2.5], [3.5, 4.5], frame=[0, 2], double=[0, 1])
        export(photons, tmp_path / "p.csv")
        text = (tmp_path / "p.csv").read_text().splitlines()
        rows = list(csv.DictReader(line for line in text if not line.startswith("#")))
        again = hrixs.photon_table_from(
            *([float(row[name]) for row in rows] for name in ("x", "y")),
            frame=[int(row["frame"]) for row in rows],
            double=[int(row["double"]) for row in rows],
        )
        xr.testing.assert_equal(again, photons)

    def test_groups_by_text_or_time_are_named(self, tmp_path):
        times = np.array(["2026-01-02T03:04:05", "2026-01-02T03:04:06"], "M8[ns]")
        data = xr.DataArray(
            np.ones((2, 3)), {"time": times, "energy": ENERGY}, ("time", "energy"), name="spectrum"
        )
        export(data, tmp_path / "s.dat")
        assert "spectrum[time=2026-01-02T03:04:05" in comment_of(tmp_path / "s.dat")
        assert np.loadtxt(tmp_path / "s.dat").shape == (3, 3)


class TestNexus:
    """Read by the chain of ``default`` and ``signal``, as a viewer goes."""

    @staticmethod
    def drawn(file):
        group = file
        while "default" in group.attrs:
            group = group[group.attrs["default"]]
        assert group.attrs["NX_class"] == "NXdata"
        return group, group[group.attrs["signal"]]

    @pytest.mark.parametrize("suffix", [".nxs", ".h5", ".hdf5"])
    def test_a_viewer_finds_the_spectrum_its_axis_and_its_error(self, suffix, tmp_path):
        export(summed(), tmp_path / f"s{suffix}")
        with h5py.File(tmp_path / f"s{suffix}") as file:
            group, signal = self.drawn(file)
            np.testing.assert_array_equal(signal, [4, 9, np.nan])
            assert signal.attrs["units"] == "photons"
            (axis,) = group.attrs["axes"]
            np.testing.assert_array_equal(group[axis], ENERGY)
            assert group[axis].attrs["units"] == "eV"
            np.testing.assert_array_equal(group["spectrum_errors"], [2.5, 3.5, np.nan])
            classes = {file[name].attrs["NX_class"] for name in ("entry", "entry/process")}
            assert classes == {"NXentry", "NXprocess"}

    def test_each_dimension_has_its_axis(self, tmp_path):
        export(of_trains(), tmp_path / "s.nxs")
        with h5py.File(tmp_path / "s.nxs") as file:
            group, signal = self.drawn(file)
            assert list(group.attrs["axes"]) == ["trainId", "energy"]
            for dim, name in enumerate(group.attrs["axes"]):
                assert group[name].shape == (signal.shape[dim],)
                assert group.attrs[f"{name}_indices"] == [dim]
            assert group["spectrum_errors"].shape == signal.shape
            delay = file["entry/slow_data/hRIXS_delay"]
            np.testing.assert_array_equal(delay, [-1.0, 0.5, 2.0])
            assert delay.attrs["units"] == "ps"

    def test_counts_with_errors_are_floats(self, tmp_path):
        """findings/scippnexus_refuses_counts_with_errors.sh."""
        counts = np.arange(9).reshape(3, 3)
        export(
            of_trains().assign(spectrum=of_trains().spectrum.copy(data=counts)), tmp_path / "s.nxs"
        )
        with h5py.File(tmp_path / "s.nxs") as file:
            _, signal = self.drawn(file)
            assert signal.dtype == np.float64
            np.testing.assert_array_equal(signal, counts)

    def test_scippnexus_reads_counts_with_their_errors(self, tmp_path):
        scippnexus = pytest.importorskip("scippnexus")
        counts = np.arange(9).reshape(3, 3)
        data = of_trains().assign(spectrum=of_trains().spectrum.copy(data=counts))
        export(data, tmp_path / "s.nxs")
        with scippnexus.File(tmp_path / "s.nxs") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # photons are no unit of scipp's
            read = file["entry/spectrum"][()]
        np.testing.assert_array_equal(read.values, counts)
        np.testing.assert_allclose(read.variances, counts)
        np.testing.assert_array_equal(read.coords["trainId"].values, data.trainId)

    def test_settings_are_there(self, tmp_path):
        export(summed(), tmp_path / "s.nxs")
        with h5py.File(tmp_path / "s.nxs") as file:
            parameters = file["entry/process/parameters"]
            assert json.loads(parameters["settings"].asstr()[()]) == {"bins": 3}
            assert parameters["curve_a"][()] == 0.024
            assert file["entry/process/version"].asstr()[()] == hrixs.__version__

    def test_a_second_spectrum_has_its_own_data(self, tmp_path):
        data = summed().assign(normalized=("energy", [1.0, 2.0, 3.0]))
        export(data, tmp_path / "s.nxs")
        with h5py.File(tmp_path / "s.nxs") as file:
            assert file["entry"].attrs["default"] == "spectrum"
            np.testing.assert_array_equal(file["entry/normalized/normalized"], [1, 2, 3])

    def test_a_dimension_without_numbers_has_no_axis(self, tmp_path):
        data = xr.DataArray(
            np.ones((2, 3)), {"pol": ["LH", "LV"], "energy": ENERGY}, ("pol", "energy")
        )
        export(data, tmp_path / "s.nxs")
        with h5py.File(tmp_path / "s.nxs") as file:
            group, _ = self.drawn(file)
            assert list(group.attrs["axes"]) == [".", "energy"]
            assert list(group["pol"].asstr()) == ["LH", "LV"]

    def test_photons_and_images(self, tmp_path):
        data = of_trains().assign(
            photon_x=("photon", [1.0, 2.0]), MaranaX=(("trainId", "x", "y"), np.zeros((3, 4, 4)))
        )
        export(data, tmp_path / "s.nxs")
        with h5py.File(tmp_path / "s.nxs") as file:
            np.testing.assert_array_equal(file["entry/photons/photon_x"], [1.0, 2.0])
            assert "MaranaX" in file["entry/process/parameters/left_out"].asstr()[()]


class TestAll:
    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_results_of_the_functions_and_their_errors(self, suffix, tmp_path):
        rng = np.random.default_rng(1)
        photons = hrixs.photon_table_from(*rng.uniform(0, 50, (2, 500)), shape=(51, 51))
        spectrum = hrixs.photon_spectrum(photons, bins=10, range=(0, 50)).sum(
            "frame", keep_attrs=True
        )
        export(spectrum, tmp_path / f"s{suffix}")
        errors = np.sqrt(spectrum.values)
        if SUFFIXES[suffix] == "netCDF":
            found = xr.load_dataset(tmp_path / f"s{suffix}", engine="h5netcdf").hrixs.error()
        elif SUFFIXES[suffix] == "NeXus":
            with h5py.File(tmp_path / f"s{suffix}") as file:
                found = file["entry/spectrum/spectrum_errors"][:]
        else:
            text = (tmp_path / f"s{suffix}").read_text().splitlines()
            rows = [line.replace(",", " ").split() for line in text if line[0].isdigit()]
            found = np.array(rows, float)[:, 2]
        np.testing.assert_array_equal(found, errors)

    def test_a_mean_of_counts_has_no_error_that_would_be_theirs(self, tmp_path):
        export(of_trains().mean("trainId", keep_attrs=True).spectrum / 2, tmp_path / "s.dat")
        assert np.loadtxt(tmp_path / "s.dat").shape == (3, 2)

    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_what_is_recorded_is_found_again(self, suffix, tmp_path):
        path = tmp_path / f"s{suffix}"
        export(summed().assign_attrs(task="abc"), path)
        assert recorded(path, "task") == "abc"
        assert recorded(path, "nothing") is None
        assert recorded(tmp_path / f"none{suffix}", "task") is None

    def test_numbers_in_units_of_time_stay_numbers_in_netcdf(self, tmp_path):
        """findings/xarray_exposures_become_timedeltas.sh."""
        units = {"days": "d", "hours": "h", "minutes": "min", "seconds": "s", "milliseconds": "ms"}
        units |= {"microseconds": "us", "nanoseconds": "ns"}
        units |= {short: short for short in [*units.values(), "ps", "fs", "second"]}
        data = of_trains().assign_coords(seconds=("trainId", [0.5, 1, 2], {"units": "seconds"}))
        for unit in units:
            data[f"in_{unit}"] = ("trainId", [0.5, 2e-5, np.nan], {"units": unit})
        data["waited"] = ("trainId", np.arange(3).astype("timedelta64[ns]"))
        given = data.copy(deep=True)
        export(data, tmp_path / "s.nc")
        assert data.identical(given)
        read = xr.load_dataset(tmp_path / "s.nc", engine="h5netcdf", decode_timedelta=True)
        for unit, short in units.items():
            assert read[f"in_{unit}"].attrs["units"] == short
            np.testing.assert_array_equal(read[f"in_{unit}"], [0.5, 2e-5, np.nan])
        assert read.seconds.attrs["units"] == "s"
        np.testing.assert_array_equal(read.waited, data.waited)

    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_a_result_without_trains_is_written(self, suffix, tmp_path):
        export(of_trains().isel(trainId=[]), tmp_path / f"s{suffix}")
        if suffix == ".dat":
            np.testing.assert_array_equal(np.loadtxt(tmp_path / "s.dat"), ENERGY)

    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_an_error_leaves_the_older_file(self, suffix, tmp_path):
        path = tmp_path / f"s{suffix}"
        path.write_text("older")
        bad = summed().assign_attrs(settings=object())
        if suffix == ".nc":
            with pytest.raises(TypeError):
                export(bad, path)
        else:
            with pytest.raises(
                LookupError, match="expected a spectrum over energy or energy_loss or y"
            ):
                export(summed().drop_dims("energy"), path)
        assert path.read_text() == "older"
        assert list(tmp_path.iterdir()) == [path]

    @pytest.mark.parametrize("name", ["s", "s.xls", "s.nx"])
    def test_unknown_suffixes(self, name, tmp_path):
        with pytest.raises(ValueError, match=r"unknown suffix .*\.csv, \.dat"):
            export(summed(), tmp_path / name)

    def test_other_things(self, tmp_path):
        with pytest.raises(TypeError, match="ndarray given, expected a result"):
            export(np.zeros(3), tmp_path / "s.dat")
