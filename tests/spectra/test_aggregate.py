"""Errors of counted spectra, from photons to normalised sums; what is added up with them."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from conftest import RUN
from hrixs import HrixsWarning, UnknownUncertaintyError, find_photons, hRIXS
from hrixs.live.spectra import LiveSpectra
from hrixs.runs.mnemonic_table import mnemonics
from hrixs.spectra.aggregate import add, add_in_quadrature, average


def frame_with(spots: dict[tuple[int, int], float]) -> np.ndarray:
    """A frame with squares of 2x2 pixels of these sums."""
    frame = np.zeros((32, 16))
    for (x, y), charge in spots.items():
        frame[x : x + 2, y : y + 2] = charge / 4
    return frame


# Two singles in bin 0, a single and a double hit in bin 1, a double hit in bin 2.
FRAME = frame_with({(4, 1): 120, (12, 2): 120, (4, 5): 120, (12, 5): 240, (20, 9): 240})


def counted_calls(calls: list[int]):
    """`find_photons`, which notes its calls."""

    def find(*args, **options):
        calls.append(1)
        return find_photons(*args, **options)

    return find


@pytest.fixture
def small() -> hRIXS:
    h = hRIXS()
    h.set_params(threshold=50.0, dbl_threshold=200.0, bins=4, threads=1)
    return h


@pytest.fixture
def some_doubles(h):
    """Settings that make double hits in some of the run's images, and in others none."""
    h.DBL_THRESHOLD = 500.0
    return h


class TestCentroid:
    def test_is_the_root_of_the_photons_those_of_double_hits_too(self, small):
        data = xr.Dataset({"MaranaX": (("trainId", "x", "y"), np.stack([FRAME, 0 * FRAME]))})
        result = small.centroid(data)
        error = result.hrixs.error("spectrum")
        assert error.dims == ("trainId", "energy")
        np.testing.assert_array_equal(error[0], np.sqrt([2, 3, 2, 0]))
        np.testing.assert_array_equal(error[1], 0)
        assert error.attrs["units"] == result.spectrum.attrs["units"] == "photons"
        assert data.hrixs.error("spectrum").identical(error)

    def test_in_parts_is_the_same(self, some_doubles, data, monkeypatch):
        whole = some_doubles.centroid(data.copy())
        np.testing.assert_array_equal(whole.hrixs.error(), np.sqrt(whole.spectrum))
        monkeypatch.setattr("hrixs.reduction.stack._BYTES_PER_PART", 1)
        assert some_doubles.centroid(data.copy()).identical(whole)

    def test_integrated_spectra_have_none_and_leave_no_stale_one(self, small):
        data = xr.Dataset({"MaranaX": (("trainId", "x", "y"), FRAME[None])})
        small.normalize(small.centroid(data.assign(n=2.0)), "n")
        data = small.centroid(data).assign(n=2.0)
        small.normalize(data, "n")
        np.testing.assert_array_equal(data.hrixs.error("normalized"), data.hrixs.error() / 2)
        small.integrate(data)
        assert "normalized" not in data
        small.normalize(data, "n")
        for name in ("spectrum", "normalized"):
            with pytest.raises(UnknownUncertaintyError, match="it is in 'ADU', but only counted"):
                data.hrixs.error(name)

    def test_a_stale_error_goes_when_the_sum_is_normalised_anew(self, small):
        data = small.centroid(xr.Dataset({"MaranaX": (("trainId", "x", "y"), FRAME[None])}))
        data = data.assign(n=2.0, normalized_err=("energy", np.ones(4)))
        assert "normalized_err" not in small.normalize(data, "n")


class TestTheSameInAllWays:
    @pytest.mark.parametrize("method", ["auto", "manual"])
    def test_process_run(self, some_doubles, data, method):
        expected = some_doubles.centroid(data, method=method).hrixs.error()
        result = some_doubles.process_run(RUN, method=method, progress=False)
        assert result.hrixs.error().identical(expected.assign_coords(energy=result.energy))

    def test_parts_threads_and_resumed_work(self, some_doubles, monkeypatch, tmp_path):
        expected = some_doubles.process_run(RUN, progress=False)
        monkeypatch.setattr("hrixs.runs.budget._MOST_BYTES_PER_PART", 1)
        monkeypatch.setattr("hrixs.reduction.checkpoint._SECONDS_BETWEEN_SAVES", 0.0)
        assert some_doubles.process_run(RUN, progress=False, threads=2).identical(expected)
        options = {"progress": False, "checkpoint": tmp_path / "c"}
        assert some_doubles.process_run(RUN, **options).identical(expected)
        # Of two images the results are lost, and made anew.
        for path in sorted((tmp_path / "c").glob("part-*"))[2:4]:
            path.unlink()
        assert some_doubles.process_run(RUN, **options).identical(expected)

    def test_integrated_runs_have_none(self, h):
        result = h.process_run(RUN, method="integrate", progress=False)
        with pytest.raises(UnknownUncertaintyError, match="only counted photons"):
            result.hrixs.error()

    def test_lazy(self, some_doubles, data, monkeypatch):
        monkeypatch.setattr("hrixs.runs.lazy_images.bytes_per_chunk", lambda *_: 3 * 256 * 1024 * 2)
        lazy = some_doubles.from_run(RUN, lazy=True)
        made = []
        for ds in (lazy, data):
            ds["hRIXS_norm_err"] = 0.1 * ds.hRIXS_norm
            grouped = some_doubles.aggregate(some_doubles.centroid(ds), "hRIXS_delay")
            normalized = some_doubles.normalize(grouped).hrixs.error("normalized")
            made.append((ds.hrixs.error(), normalized))
        for found, expected in zip(*made, strict=True):
            assert found.chunks is not None
            assert found.values.tobytes() == expected.values.tobytes()
            assert found.attrs == expected.attrs

    def test_lazy_photons_are_found_once_for_both(self, some_doubles, monkeypatch):
        monkeypatch.setattr("hrixs.runs.lazy_images.bytes_per_chunk", lambda *_: 3 * 256 * 1024 * 2)
        data = some_doubles.centroid(some_doubles.from_run(RUN, lazy=True))
        n_chunks = len(data.spectrum.chunks[0])
        searched = []
        monkeypatch.setattr("hrixs.reduction.analysis.find_photons", counted_calls(searched))
        total = some_doubles.aggregate(data)
        xr.Dataset({"counts": total.spectrum, "error": total.hrixs.error()}).compute()
        assert len(searched) == n_chunks

    def test_live(self, small):
        source, key, _ = mnemonics["MaranaX"].values()
        live = LiveSpectra(small)
        for train_id in (1000, 1001):
            live.add(train_id, {source: {key: FRAME}})
        saved = live.dataset()
        np.testing.assert_array_equal(saved.hrixs.error(), [np.sqrt([2, 3, 2, 0])] * 2)
        np.testing.assert_array_equal(saved.hrixs.error("total"), np.sqrt([4, 6, 4, 0]))
        assert saved.hrixs.error("total").attrs["units"] == "photons"
        integrated = LiveSpectra(small, method="integrate")
        integrated.add(1000, {source: {key: FRAME}})
        with pytest.raises(UnknownUncertaintyError):
            integrated.dataset().hrixs.error("total")


class TestAggregate:
    @pytest.fixture
    def counted(self) -> xr.Dataset:
        errors = np.array([[3.0, 0.0], [4.0, 1.0], [12.0, 2.0]])
        return xr.Dataset(
            {
                "spectrum": (("trainId", "energy"), errors**2),
                "spectrum_err": (("trainId", "energy"), errors, {"units": "photons"}),
                "delay": ("trainId", [0, 0, 1]),
            }
        )

    def test_errors_add_in_quadrature(self, counted):
        agg = hRIXS().aggregate(counted)
        np.testing.assert_allclose(agg.spectrum_err, [13, np.sqrt(5)])
        np.testing.assert_allclose(agg.spectrum_err, np.sqrt(agg.spectrum))
        assert agg.spectrum_err.attrs == {"units": "photons"}

    def test_group_by_group_and_the_groups_again(self, counted):
        h = hRIXS()
        groups = h.aggregate(counted, "delay")
        np.testing.assert_allclose(groups.spectrum_err, [[5, 1], [12, 2]])
        again = h.aggregate(groups, dim="delay").spectrum_err
        np.testing.assert_allclose(again, h.aggregate(counted).spectrum_err)

    def test_what_is_missing_stays_missing(self, counted):
        counted.spectrum_err[1, 0] = np.nan
        assert hRIXS().aggregate(counted).spectrum_err.isnull().values.tolist() == [True, False]

    def test_left_out_where_spectra_do_not_add_any_more(self, counted):
        h = hRIXS()
        h.aggregators["spectrum"] = lambda da, dim: da.mean(dim)
        with pytest.warns(HrixsWarning, match="spectrum_err is left out: aggregators.'spectrum'"):
            assert "spectrum_err" not in h.aggregate(counted)
        h.aggregators["spectrum_err"] = lambda da, dim: (da**2).sum(dim) ** 0.5 / da.sizes[dim]
        np.testing.assert_allclose(h.aggregate(counted).spectrum_err, [13 / 3, np.sqrt(5) / 3])
        h = hRIXS()
        del h.aggregators["spectrum"]
        assert "spectrum_err" not in h.aggregate(counted)


class TestNormalize:
    @pytest.fixture
    def counted(self) -> xr.Dataset:
        spectrum = np.array([100.0, 25.0])
        variables = {"spectrum": ("energy", spectrum, {"units": "photons"})}
        return xr.Dataset(variables | {"spectrum_err": ("energy", np.sqrt(spectrum))})

    @pytest.mark.parametrize("norm", [50.0, -50.0])
    def test_divided_by_the_size_of_the_norm(self, counted, norm):
        result = hRIXS().normalize(counted.assign(hRIXS_norm=norm))
        error = result.hrixs.error("normalized")
        np.testing.assert_allclose(error, [0.2, 0.1])
        assert error.attrs["units"] == "photons per hRIXS_norm"

    def test_an_error_of_the_norm_is_added_in_quadrature(self, counted):
        result = hRIXS().normalize(counted.assign(hRIXS_norm=50.0, hRIXS_norm_err=5.0))
        relative = result.hrixs.error("normalized") / result.normalized
        np.testing.assert_allclose(relative, np.hypot([0.1, 0.2], 0.1))

    def test_the_error_of_the_norm_adds_up_in_an_aggregate(self):
        ones = ("trainId", np.ones(4))
        agg = hRIXS().aggregate(xr.Dataset({"hRIXS_norm": ones, "hRIXS_norm_err": ones}))
        assert (float(agg.hRIXS_norm), float(agg.hRIXS_norm_err)) == (4.0, 2.0)

    def test_a_norm_of_zero_gives_no_number(self, counted):
        with pytest.warns(HrixsWarning, match="zero or not finite"):
            result = hRIXS().normalize(counted.assign(hRIXS_norm=0.0))
        assert not np.isfinite(result.hrixs.error("normalized")).any()


def test_errors_survive_a_file(small, tmp_path):
    data = small.centroid(xr.Dataset({"MaranaX": (("trainId", "x", "y"), FRAME[None])}))
    data.to_netcdf(tmp_path / "out.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "out.nc", engine="h5netcdf") as again:
        assert again.hrixs.error().identical(data.hrixs.error())


@pytest.mark.parametrize("way", [add, average, add_in_quadrature])
@pytest.mark.parametrize("values", [["a", "b"], [b"a", b"b"], np.array(["a", 1], object)])
def test_text_is_neither_added_nor_averaged(way, values):
    nrj = xr.DataArray(values, dims="trainId", name="nrj")
    with pytest.raises(TypeError, match=r"nrj has the type .*Expected numbers"):
        way(nrj, "trainId")
