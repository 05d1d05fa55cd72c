"""`hRIXS.process_run`: the same spectra as from a run loaded whole, in bounded memory."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from extra_data import RunDirectory, by_id, by_index

import hrixs
from conftest import CURVATURE, DARK, RUN
from hrixs import HrixsWarning, MissingDataError, hRIXS, photon_spectrum, photon_table
from hrixs.simulation import write_run
from oracles.run_variants import KINDS, PIXELS, camera_files

METHODS = ["auto", "manual", "integrate"]
FIELDS = ["hRIXS_index", "hRIXS_delay", "hRIXS_norm", "hRIXS_exposure", "nrj"]


def whole(h: hRIXS, data: xr.Dataset, method: str) -> xr.Dataset:
    return h.integrate(data) if method == "integrate" else h.centroid(data, method=method)


@pytest.fixture
def folder(simulated, tmp_path) -> Path:
    """A copy of the run, to change."""
    return Path(shutil.copytree(simulated.folder, tmp_path / "r0145"))


@pytest.mark.parametrize("with_dark", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_same_as_of_the_run_loaded_whole(h, method, with_dark):
    if with_dark:
        h.load_dark(DARK)
    result = h.process_run(RUN, method=method, progress=False)
    data = h.from_run(RUN)
    expected = whole(h, data, method)
    assert result.spectrum.identical(expected.spectrum.assign_coords(energy=expected.energy))
    for name in FIELDS:
        assert result[name].identical(data[name].assign_coords(trainId=data.trainId)), name
    assert "MaranaX" not in result
    assert result.trainId.dtype == np.uint64
    counts = {name: result.attrs[name] for name in ("n_trains", "n_images", "n_skipped")}
    assert counts == {"n_trains": 10, "n_images": 8, "n_skipped": 0}
    assert result.attrs["n_trains_without_image"] == 2
    assert result.attrs["skipped_trains"].size == 0
    assert result.attrs["faults"] == ""
    assert result.attrs["proposal"] == "3145"


def test_n_photons_are_those_of_the_spectrum(h):
    result = h.process_run(RUN, progress=False)
    np.testing.assert_array_equal(result.n_photons, result.spectrum.sum("energy"))
    assert "n_photons" not in h.process_run(RUN, method="integrate", progress=False)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.one_in(4)
def test_however_the_images_lie_in_the_file(h, folder, kind, method):
    expected = whole(h, h.from_run(RUN), method).spectrum
    KINDS[kind](folder)
    result = h.process_run(folder, method=method, progress=False)
    assert result.spectrum.values.tobytes() == expected.values.tobytes()
    np.testing.assert_array_equal(result.trainId, expected.trainId)
    loaded = h.from_run(folder).MaranaX
    np.testing.assert_array_equal(loaded, h.from_run(RUN).MaranaX)


@pytest.mark.parametrize("kind", ["one image a chunk", "deflated and shuffled", "with lzf"])
@pytest.mark.parametrize("part_bytes", [1, 3 * 256 * 1024 * 2, 10**9])
@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.one_in(4)
def test_same_bytes_for_all_parts_and_threads(h, folder, kind, part_bytes, threads, monkeypatch):
    expected = h.process_run(folder, progress=False, photons=True)
    KINDS[kind](folder)
    monkeypatch.setattr("hrixs.runs.budget._MOST_BYTES_PER_PART", part_bytes)
    assert h.process_run(folder, progress=False, photons=True, threads=threads).equals(expected)


@pytest.mark.parametrize("x_range", [slice(None), slice(32, 224)])
@pytest.mark.parametrize("kind", ["one image a chunk", "deflated"])
def test_crops_are_pushed_into_the_read(h, folder, kind, x_range):
    h.X_RANGE = x_range
    KINDS[kind](folder)
    result = h.process_run(folder, progress=False)
    np.testing.assert_array_equal(result.spectrum, h.centroid(h.from_run(RUN)).spectrum)


def test_number_path_file_and_open_run(h, simulated):
    expected = h.process_run(RUN, progress=False)
    for run in (str(RUN), simulated.folder, str(simulated.folder), RunDirectory(simulated.folder)):
        assert h.process_run(run, progress=False).equals(expected)
    assert hRIXS().process_run(RUN, proposal=3145, progress=False).sizes["trainId"] == 8
    h.FIELDS = ["MaranaX"]
    one = h.process_run(camera_files(simulated.folder)[0], progress=False)
    np.testing.assert_array_equal(one.trainId, expected.trainId[:4])


def test_selected_trains(h, simulated):
    everything = h.process_run(RUN, progress=False)
    ids = everything.trainId.values[[1, 4]]
    part = h.process_run(RUN, progress=False, subset=by_id[ids])
    assert part.equals(everything.isel(trainId=[1, 4]))
    assert h.process_run(RUN, progress=False, subset=by_index[:4]).sizes["trainId"] == 3
    selected = RunDirectory(simulated.folder).select_trains(by_index[5:])
    later = h.process_run(selected, progress=False, strict=True)
    assert later.attrs["n_trains"] == 5
    assert later.equals(everything.isel(trainId=slice(4, None)))


def test_extra_fields_and_fields_that_are_not_there(h, simulated):
    entry = {"source": "SCS_HRIXS_ACQ/MDL/SCAN", "key": "index.value", "dim": []}
    result = h.process_run(RUN, extra_fields={"step": entry}, progress=False)
    np.testing.assert_array_equal(result.step, result.hRIXS_index)
    assert result.attrs["missing_fields"] == ""
    h.FIELDS = ["MaranaX", "nrj"]
    with pytest.warns(HrixsWarning, match="nrj is left out"):
        result = h.process_run(DARK, progress=False, strict=True)
    assert result.attrs["missing_fields"] == "nrj"
    h.FIELDS = ["MaranaX"]
    assert list(h.process_run(DARK, progress=False)) == ["n_photons", "spectrum"]
    with pytest.raises(MissingDataError, match="nrj can't be loaded"):
        h.process_run(DARK, extra_fields="nrj", progress=False)


@pytest.mark.parametrize(
    "name", ["energy", "spectrum", "spectrum_var", "n_photons", "photon_x", "trainId"]
)
def test_fields_named_like_what_is_made_are_refused_at_once(h, name):
    entry = {"source": "SCS_HRIXS_ACQ/MDL/SCAN", "key": "index.value", "dim": []}
    with pytest.raises(ValueError, match=f"field '{name}' would replace a variable"):
        h.process_run(RUN, extra_fields={name: entry}, progress=False)


@pytest.mark.parametrize("energy", [-5.0, 0.0, np.nan])
def test_an_energy_that_is_none_is_refused_at_once(h, energy):
    with pytest.raises(ValueError, match="not a positive number"):
        h.process_run(RUN, method="manual", energy=energy, progress=False)


def test_copied_in_place_of_mapped_by_request(h, monkeypatch):
    expected = h.process_run(RUN, progress=False)
    monkeypatch.setenv("HRIXS_MAP_FILES", "0")
    monkeypatch.setattr("hrixs.runs.parts.map_frames", None)
    assert h.process_run(RUN, progress=False).equals(expected)


def test_many_threads_do_not_take_the_memory(h):
    assert h.process_run(RUN, threads=500, progress=False).sizes["trainId"] == 8


def test_a_file_that_vanishes_loses_its_images_only(h, folder, monkeypatch):
    from hrixs.runs.parts import PartReader

    real = PartReader.read
    lost = camera_files(folder)[1]

    def read(self, part):
        lost.unlink(missing_ok=True)
        return real(self, part)

    monkeypatch.setattr(PartReader, "read", read)
    with pytest.warns(HrixsWarning, match="4 images are skipped.*No such file"):
        result = h.process_run(folder, progress=False)
    assert result.attrs["n_images"] == 4


def test_a_camera_in_several_aggregators_lacks_nothing(h, folder):
    second = camera_files(folder)[1]
    second.rename(folder / second.name.replace("DA02", "DA03"))
    (folder / "notes.h5").write_text("no data of the run")
    (folder / f"._{second.name}").write_text("no data of the run")
    result = h.process_run(folder, progress=False, strict=True)
    assert result.equals(h.process_run(RUN, progress=False))


class TestPhotons:
    def test_sorted_or_cut_trains_are_refused(self, h):
        result = h.process_run(RUN, photons=True, progress=False)
        for changed in (
            result.isel(trainId=slice(2, None)),
            result.isel(trainId=slice(None, None, -1)),
        ):
            with pytest.raises(ValueError, match="were sorted, selected or joined"):
                photon_table(changed)

    @pytest.mark.parametrize("method", ["auto", "manual"])
    def test_table_is_that_of_all_frames(self, h, method):
        h.DBL_THRESHOLD = 150.0
        result = h.process_run(RUN, method=method, photons=True, progress=False)
        frames = h.from_run(RUN).MaranaX[:, h.X_RANGE, h.Y_RANGE]
        if method == "auto":
            expected = hrixs.find_photons(frames, dbl_threshold=150.0)
        else:
            expected = hrixs.classify_photons(frames, 530.0)
        table = photon_table(result)
        assert table.sizes["photon"] > 500
        for name in ("x", "y", "charge", "double", "frame", "trainId"):
            np.testing.assert_array_equal(table[name], expected[name], err_msg=name)
            assert table[name].dtype == expected[name].dtype

    def test_spectra_of_the_table(self, h, tmp_path):
        result = h.process_run(RUN, photons=True, progress=False)
        result.to_netcdf(tmp_path / "out.nc", engine="h5netcdf")
        with xr.open_dataset(tmp_path / "out.nc", engine="h5netcdf") as ds:
            table = photon_table(ds.load())
        curvature = (h.CURVE_A, h.CURVE_B)
        again = photon_spectrum(table, bins=h.BINS, range=(700, 900), curvature=curvature)
        np.testing.assert_array_equal(again, result.spectrum)
        np.testing.assert_array_equal(again.trainId, result.trainId)

    def test_without_photons(self, h):
        for options in ({}, {"photons": True, "method": "integrate"}):
            result = h.process_run(RUN, progress=False, **options)
            with pytest.raises(MissingDataError, match="photons=True"):
                photon_table(result)


class TestCells:
    """JUNGFRAU-like entries: several frames in each train."""

    @pytest.fixture
    def cells(self, h, folder, monkeypatch) -> np.ndarray:
        entry = hrixs.mnemonics["MaranaX"] | {"dim": ["cell", "x", "y"]}
        monkeypatch.setitem(hrixs.mnemonics, "MaranaX", entry)
        frames = []
        for path in camera_files(folder):
            with h5py.File(path, "r+") as file:
                images = file[PIXELS][:]
                del file[PIXELS]
                stacked = np.stack([images, images[::-1], images[:, ::-1]], axis=1)
                file.create_dataset(PIXELS, data=stacked, chunks=(1, *stacked.shape[1:]))
                frames.append(stacked)
        return np.concatenate(frames)

    @pytest.mark.parametrize("method", METHODS)
    def test_each_cell_has_a_spectrum(self, h, folder, cells, method):
        result = h.process_run(folder, method=method, progress=False, photons=True)
        data = h.from_run(folder)
        np.testing.assert_array_equal(data.MaranaX, cells)
        expected = whole(h, data, method).spectrum
        assert result.spectrum.dims == ("trainId", "cell", "energy")
        np.testing.assert_array_equal(result.spectrum, expected)
        if method != "integrate":
            assert result.n_photons.dims == ("trainId", "cell")
            table = photon_table(result)
            frames = data.MaranaX[..., h.Y_RANGE]
            found = (
                hrixs.find_photons(frames)
                if method == "auto"
                else hrixs.classify_photons(frames, 530.0)
            )
            for name in ("x", "frame", "trainId"):
                np.testing.assert_array_equal(table[name], found[name])


def test_frames_that_lie_the_other_way_round(h, folder, monkeypatch):
    for path in camera_files(folder):
        with h5py.File(path, "r+") as file:
            turned = file[PIXELS][:].swapaxes(1, 2)
            del file[PIXELS]
            file.create_dataset(PIXELS, data=turned, chunks=(1, *turned.shape[1:]))
    expected = h.process_run(RUN, progress=False)
    mean, curvature = h.mean_image(RUN), h.find_curvature(RUN, plot=False)
    with pytest.warns(HrixsWarning, match="there is light"):  # that of photons
        h.load_dark(RUN)
    dark, h.USE_DARK = h.dark_image, False
    entry = hrixs.mnemonics["MaranaX"] | {"dim": ["y", "x"]}
    monkeypatch.setitem(hrixs.mnemonics, "MaranaX", entry)
    np.testing.assert_array_equal(h.mean_image(folder), mean)
    assert h.find_curvature(folder, plot=False) == curvature
    with pytest.warns(HrixsWarning, match="there is light"):
        h.load_dark(folder)
    np.testing.assert_array_equal(h.dark_image, dark)
    h.USE_DARK, h.curvature = False, CURVATURE
    np.testing.assert_array_equal(h.process_run(folder, progress=False).spectrum, expected.spectrum)
    entry = hrixs.mnemonics["MaranaX"] | {"dim": ["x", "cell"]}
    monkeypatch.setitem(hrixs.mnemonics, "MaranaX", entry)
    with pytest.raises(ValueError, match="expected x and y as the last two"):
        h.process_run(folder, progress=False)


def test_settings_and_the_spectrometer_are_left_alone(h):
    before = pickle.dumps(h.get_params())
    h.process_run(RUN, progress=False)
    assert pickle.dumps(h.get_params()) == before


def test_no_thread_is_left(h, folder):
    KINDS["deflated"](folder)
    before = threading.active_count()
    h.process_run(folder, progress=False)
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"memory": "10MB"},
            r"memory = '10MB' is too little for images of 0\.524 MB, expected \d+ MB or more",
        ),
        ({"memory": "plenty"}, "expected a number of bytes, or text such as '512MB'"),
        ({"method": "fast"}, "unknown method 'fast'"),
        ({"threads": 0}, "threads = 0"),
    ],
)
def test_errors_help(h, options, text):
    with pytest.raises(ValueError, match=text):
        h.process_run(RUN, progress=False, **options)


def test_manual_without_any_energy(h):
    h.FIELDS = ["MaranaX"]
    with pytest.raises(MissingDataError, match="no photon energy 'nrj'"):
        h.process_run(RUN, method="manual", progress=False)
    result = h.process_run(RUN, method="manual", energy=530.0, progress=False)
    h.FIELDS = ["MaranaX", "nrj"]
    np.testing.assert_array_equal(
        result.spectrum, h.process_run(RUN, method="manual", progress=False).spectrum
    )


def test_nan_among_the_delays_is_told_when_grouping(h, folder):
    slow = sorted(folder.glob("*-DA01-*.h5"))[1]
    with h5py.File(slow, "r+") as file:
        file["INDEX/SCS_HRIXS_ACQ/MDL/SCAN/count"][:2] = 0
    with pytest.warns(HrixsWarning):
        result = h.process_run(folder, progress=False)
    assert int(result.hRIXS_delay.isnull().sum()) == 2
    with pytest.warns(HrixsWarning, match="2 of 8 frames have no hRIXS_delay"):
        grouped = h.aggregate(result, "hRIXS_delay")
    assert int(grouped.counts.sum()) == 6


MEMORY = r"""
import re, sys
from pathlib import Path
import numpy as np
import extra_data, h5py, scipy  # part of the import
import hrixs

def peak():
    # Not ru_maxrss, which begins with that of the process that started this one.
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1])

h = hrixs.hRIXS()
h.FIELDS = ["MaranaX"]
hrixs.find_photons(np.zeros((8, 8)))
before = peak()
result = h.process_run(sys.argv[1], memory=sys.argv[2], progress=False, threads=2)
print(result.sizes["trainId"], peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("kind", ["one image a chunk", "deflated and shuffled", "with lzf"])
@pytest.mark.one_in(3)
def test_peak_memory(tmp_path, kind):
    frames = np.full((100, 1024, 1024), 100, np.uint16)  # 200 MB
    folder = write_run(tmp_path, frames)
    KINDS[kind](folder)
    command = [sys.executable, "-c", MEMORY, str(folder), "100MB"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert int(said[0]) == 100
    # More than a part is in memory, which shows that the peak is seen.
    assert 10e6 < int(said[1]) * 1024 < 100e6
