"""Runs as arrays of dask: read when they are needed, and the same values as in memory."""

from __future__ import annotations

import json
import pickle
import shutil
import warnings
from pathlib import Path

import dask
import dask.array as da
import numpy as np
import pytest
import xarray as xr

import hrixs
from conftest import DARK, RUN
from hrixs import (
    FaultyRunError,
    HrixsWarning,
    LostPhotonsWarning,
    concat_photons,
    hRIXS,
    photon_parts,
)
from hrixs.runs.parts import PartReader
from oracles.run_variants import KINDS, camera_files

METHODS = ["auto", "manual", "integrate"]


@pytest.fixture(autouse=True)
def _two_threads():
    with dask.config.set(scheduler="threads", num_workers=2):
        yield


@pytest.fixture
def small_chunks(monkeypatch) -> None:
    """Three images a chunk."""
    monkeypatch.setattr("hrixs.runs.lazy_images.bytes_per_chunk", lambda *_: 3 * 256 * 1024 * 2)


@pytest.fixture
def lazy(h, small_chunks) -> xr.Dataset:
    return h.from_run(RUN, lazy=True)


def whole(h: hRIXS, data: xr.Dataset, method: str) -> xr.Dataset:
    return h.integrate(data) if method == "integrate" else h.centroid(data, method=method)


def test_the_first_images_alone_are_read_before_it_is_needed(h, small_chunks, monkeypatch):
    read: list[int] = []
    of_part = PartReader.read

    def noted(self, part):
        read.extend(part.entries.tolist())
        return of_part(self, part)

    monkeypatch.setattr(PartReader, "read", noted)
    monkeypatch.setattr("hrixs.reduction.stack._ENTRIES_AT_A_TIME", 4)
    data = h.from_run(RUN, lazy=True)
    assert isinstance(data.MaranaX.data, da.Array)
    assert not read
    h.normalize(h.aggregate(h.centroid(data), "hRIXS_delay"))
    assert set(read) == set(range(4))


@pytest.mark.parametrize("method", ["auto", "manual"])
def test_what_is_lost_is_told_at_the_call_by_the_first_images(h, lazy, data, method, monkeypatch):
    from hrixs.runs.parts import PartReader

    real, rows = PartReader.read, []
    monkeypatch.setattr(PartReader, "read", lambda s, part: rows.append(part.rows) or real(s, part))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        attrs = h.centroid(lazy, method=method).spectrum.attrs
    assert sum(map(len, rows)) <= 4
    with warnings.catch_warnings(record=True) as expected:
        warnings.simplefilter("always")
        in_memory = h.centroid(data, method=method).spectrum.attrs
    of_lost = [
        [str(one.message) for one in all_of_them if one.category is LostPhotonsWarning]
        for all_of_them in (told, expected)
    ]
    assert of_lost[0] == of_lost[1]
    assert len(of_lost[0]) == 1  # 'auto' loses 19 % of the photons, 'manual' 6 %
    for name in ("lost_share", "lost_photons", "photons_of_first"):
        assert attrs[name] == in_memory[name]


def test_a_first_image_that_can_not_be_read_is_told_when_it_is_computed(h, simulated, tmp_path):
    folder = Path(shutil.copytree(simulated.folder, tmp_path / "r0145"))
    data = h.from_run(folder, lazy=True)
    camera_files(folder)[0].unlink()
    assert h.centroid(data).spectrum.attrs["lost_share"] > 0
    with pytest.raises(FaultyRunError):
        data.spectrum.compute()


def as_if_loaded(lazy: xr.Dataset) -> xr.Dataset:
    """The dataset without the word in its record that its images were opened lazily."""
    steps = json.loads(lazy.attrs["steps"])
    assert steps[0]["args"].pop("lazy") is True
    return lazy.assign_attrs(steps=json.dumps(steps))


def test_the_same_dataset_as_in_memory(h, lazy, data):
    assert as_if_loaded(lazy).identical(data)
    assert lazy.MaranaX.chunks[0] == (2, 2, 2, 2)
    assert lazy.hRIXS_delay.chunks is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.one_in(3)
def test_however_the_images_lie_in_the_file(h, simulated, data, small_chunks, tmp_path, kind):
    folder = Path(shutil.copytree(simulated.folder, tmp_path / "r0145"))
    KINDS[kind](folder)
    lazy = h.from_run(folder, lazy=True).MaranaX
    np.testing.assert_array_equal(lazy, data.MaranaX)
    np.testing.assert_array_equal(lazy[::-2, 10:200, 700], data.MaranaX[::-2, 10:200, 700])
    np.testing.assert_array_equal(lazy[[6, 1, 1], :, 5::7], data.MaranaX[[6, 1, 1], :, 5::7])


@pytest.mark.parametrize("with_dark", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_lazy_spectra_are_the_same_bytes(h, lazy, data, method, with_dark):
    if with_dark:
        h.load_dark(DARK)
    result = whole(h, lazy, method)
    expected = whole(h, data, method)
    assert isinstance(result.spectrum.data, da.Array)
    assert result.spectrum.dtype == (np.float64 if method == "integrate" else np.int64)
    assert result.spectrum.values.tobytes() == expected.spectrum.values.tobytes()
    assert result.energy.identical(expected.energy)
    counted = {"n_photons", "n_outside", "n_hits", "n_dropped", "n_cosmics", "counts_of"}
    known = {k: v for k, v in expected.spectrum.attrs.items() if k not in counted}
    assert result.spectrum.attrs.keys() == known.keys()


@pytest.mark.parametrize("which", [None, "hRIXS_delay"])
def test_aggregated_and_normalised_stay_lazy_and_the_same(h, lazy, data, which):
    results = []
    for ds in (lazy, data):
        h.centroid(ds)
        grouped = h.aggregate(ds, which)
        results.append(h.normalize(grouped))
    assert isinstance(results[0].normalized.data, da.Array)
    assert results[0].normalized.values.tobytes() == results[1].normalized.values.tobytes()
    assert isinstance(results[0].MaranaX.data, da.Array)
    np.testing.assert_array_equal(results[0].MaranaX, results[1].MaranaX)


def test_a_selection_reads_its_images_only(h, lazy, data, monkeypatch):
    from hrixs.runs.parts import PartReader

    real, rows = PartReader.read, []
    monkeypatch.setattr(PartReader, "read", lambda s, part: rows.append(part.rows) or real(s, part))
    np.testing.assert_array_equal(lazy.MaranaX[5, 3, 700:710], data.MaranaX[5, 3, 700:710])
    assert sum(len(r) for r in rows) <= 2


def test_chunks_along_the_rows_are_refused(h, lazy):
    lazy["MaranaX"] = lazy.MaranaX.chunk({"y": 512})
    h.Y_RANGE = slice(None)
    with pytest.raises(ValueError, match=r"chunked along y, into 2 chunks.*data\.chunk\(y=-1\)"):
        h.centroid(lazy)


def test_a_chunk_does_not_carry_what_belongs_to_all(h, lazy):
    import cloudpickle

    h.load_dark(DARK)
    spectrum = h.centroid(lazy, method="manual").spectrum
    layers = spectrum.__dask_graph__().layers.values()
    tasks = [cloudpickle.dumps(task) for layer in layers for task in dict(layer).values()]
    # One of them is the dark, of 256 x 200 doubles.
    assert sum(len(task) > 50_000 for task in tasks) == 1


def test_settings_are_checked_at_once(h, lazy):
    h.BINS = 0
    with pytest.raises(ValueError, match="bins = 0"):
        h.centroid(lazy)


class TestPhotons:
    def test_tables_of_the_parts_make_the_one_of_all(self, h, lazy, data):
        images, loaded = (d.MaranaX[:, :, 700:900] for d in (lazy, data))
        parts = photon_parts(images, std_threshold=4.0)
        assert len(parts) == 4
        found = concat_photons(dask.compute(*parts)[::-1])
        expected = hrixs.find_photons(loaded, std_threshold=4.0)
        assert found.identical(expected)

    def test_with_an_energy_for_each_frame(self, h, lazy, data):
        images, loaded = (d.MaranaX[:, :, 700:900] for d in (lazy, data))
        energy = np.linspace(500, 560, 8)
        found = concat_photons(dask.compute(*photon_parts(images, energy=energy)))
        assert found.identical(hrixs.classify_photons(loaded, energy))

    def test_spectra_of_one_part(self, h, lazy, data):
        options = {"bins": 100, "range": (0, 200)}
        tables = dask.compute(*photon_parts(lazy.MaranaX[:, :, 700:900], std_threshold=4.0))
        found = xr.concat([hrixs.photon_spectrum(table, **options) for table in tables], "trainId")
        whole = hrixs.find_photons(data.MaranaX[:, :, 700:900], std_threshold=4.0)
        expected = hrixs.photon_spectrum(whole, **options)
        assert found.values.tobytes() == expected.values.tobytes()
        np.testing.assert_array_equal(found.trainId, expected.trainId)

    def test_a_missing_part_is_told(self, lazy):
        tables = dask.compute(*photon_parts(lazy.MaranaX[:, :, 700:900], std_threshold=5))
        with pytest.raises(ValueError, match="begins at frame 4, expected 2"):
            concat_photons([tables[0], *tables[2:]])
        with pytest.raises(TypeError, match="Compute the parts first"):
            concat_photons(photon_parts(lazy.MaranaX))

    def test_images_in_memory_are_refused(self, data):
        with pytest.raises(TypeError, match="already in memory"):
            photon_parts(data.MaranaX)


class TestMemory:
    def test_chunks_fit_the_budget(self, h):
        with dask.config.set(num_workers=1):
            assert h.from_run(RUN, lazy=True, memory="45MB").MaranaX.chunks[0] == (4, 4)
            assert max(h.from_run(RUN, lazy=True, memory="40MB").MaranaX.chunks[0]) == 1

    def test_too_little(self, h):
        with pytest.raises(ValueError, match=r"too little for images of 0\.5 MB with 2 threads of"):
            h.from_run(RUN, lazy=True, memory="30MB")

    def test_only_with_lazy(self, h):
        with pytest.raises(ValueError, match="without lazy=True"):
            h.from_run(RUN, memory="512MB")


def test_an_image_that_can_not_be_read_is_an_error_that_names_it(h, simulated, tmp_path):
    folder = Path(shutil.copytree(simulated.folder, tmp_path / "r0145"))
    data = h.from_run(folder, lazy=True)
    with camera_files(folder)[1].open("r+b") as file:
        file.truncate(file.seek(0, 2) - 300_000)
    result = h.centroid(data)
    with pytest.raises(FaultyRunError, match=r"S00001\.h5: train.*1600000009.*use process_run"):
        result.spectrum.compute()
    assert result.spectrum[:4].compute().shape == (4, 500)


def test_faults_of_the_index_are_told_as_in_memory(h, simulated, tmp_path):
    folder = Path(shutil.copytree(simulated.folder, tmp_path / "r0145"))
    camera_files(folder)[1].unlink()
    with pytest.warns(HrixsWarning, match="S00001.h5 is missing"):
        lazy = h.from_run(folder, lazy=True)
    with pytest.warns(HrixsWarning, match="S00001.h5 is missing"):
        assert as_if_loaded(lazy).identical(h.from_run(folder))


def test_lazy_data_and_settings_can_be_sent(h, lazy, data):
    h.load_dark(DARK)
    sent, copy = pickle.loads(pickle.dumps((lazy, h)))
    assert len(pickle.dumps(lazy)) < 100_000
    expected = h.centroid(data).spectrum
    np.testing.assert_array_equal(copy.centroid(sent).spectrum, expected)
