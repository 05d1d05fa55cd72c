"""Files that are not only damaged, but claim what can't be: what they state is not trusted."""

from __future__ import annotations

import shutil
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from extra_data import RunDirectory

import hrixs
from hrixs import DoubtWarning, HrixsWarning, hRIXS
from hrixs.simulation import write_run
from oracles.run_variants import PIXELS, SOURCE

FIRST = 1_600_000_000
INDEX = f"INDEX/{SOURCE}/data"
OWN_IDS = f"INSTRUMENT/{SOURCE}/data/trainId"
FRAMES = np.random.default_rng(2).integers(90, 200, (12, 16, 32), dtype=np.uint16)


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Path:
    slow = {"nrj": np.full(12, 530.0), "hRIXS_delay": np.arange(12.0)}
    return write_run(tmp_path_factory.mktemp("good"), FRAMES, slow=slow)


@pytest.fixture
def folder(good, tmp_path) -> Path:
    return Path(shutil.copytree(good, tmp_path / "r0001"))


def camera(folder: Path) -> Path:
    """The second file, with the images of the trains 6 to 11."""
    return folder / "RAW-R0001-DA02-S00001.h5"


def slow(folder: Path) -> Path:
    return folder / "RAW-R0001-DA01-S00001.h5"


def replaced(path: Path, name: str, **how) -> None:
    with h5py.File(path, "r+") as file:
        del file[name]
        if how:
            file.create_dataset(name, **how)


def processed(folder, fields=("MaranaX",), **options):
    """The result, and the texts of the warnings; the images that remain are right."""
    h = hRIXS()
    h.FIELDS = list(fields)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        begin = time.monotonic()
        result = h.process_run(folder, method="integrate", progress=False, **options)
    assert time.monotonic() - begin < 10
    assert {warning.category for warning in caught} <= {HrixsWarning, DoubtWarning}
    trains = (result.trainId.values - FIRST).astype(int)
    expected = hrixs.integrate_frames(FRAMES)[trains]
    np.testing.assert_array_equal(result.spectrum, expected)
    faults = [one for one in caught if one.category is HrixsWarning]
    return result, " ".join(str(warning.message) for warning in faults)


BROKEN: dict[str, Callable[[Path], None]] = {
    "no first": lambda path: replaced(path, f"{INDEX}/first"),
    "first is a table": lambda path: replaced(path, f"{INDEX}/first", data=np.zeros((6, 2), "u8")),
    "flags are a table": lambda path: replaced(path, "INDEX/flag", data=np.ones((6, 2), "i4")),
    "pixels are one number": lambda path: replaced(path, PIXELS, data=3),
    "ids are text": lambda path: replaced(path, "INDEX/trainId", data=np.array([b"a"] * 6)),
    "a billion billion trains": lambda path: replaced(
        path, "INDEX/trainId", shape=(2**60,), dtype="u8", chunks=(1024,)
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_file_that_makes_no_sense_loses_its_own_images_only(folder, kind):
    BROKEN[kind](camera(folder))
    result, text = processed(folder)
    assert result.attrs["n_images"] == 6
    assert camera(folder).name in text
    assert result.attrs["n_skipped"] == 6
    assert result.attrs["skipped_trains"].tolist() == [FIRST + n for n in range(6, 12)]
    with pytest.raises(hrixs.FaultyRunError):
        processed(folder, strict=True)


def test_pixels_that_claim_a_petabyte(folder):
    replaced(
        camera(folder), PIXELS, shape=(2**40, 16, 32), dtype="u2", chunks=(1, 16, 32), fillvalue=7
    )
    with h5py.File(camera(folder), "r+") as file:
        file[PIXELS][:6] = FRAMES[6:]
    result, _ = processed(folder)
    assert result.attrs["n_images"] == 12


def test_an_index_that_claims_a_petabyte(folder):
    replaced(camera(folder), PIXELS, shape=(2**40, 16, 32), dtype="u2", chunks=(1, 16, 32))
    with h5py.File(camera(folder), "r+") as file:
        file[PIXELS][:6] = FRAMES[6:]
        file[f"{INDEX}/first"][5] = 2**41
        file[f"{INDEX}/count"][4] = 2**63
    result, text = processed(folder)
    assert (result.attrs["n_images"], result.attrs["n_skipped"]) == (10, 2)
    assert "has no valid position for 1 trains" in text
    assert "fewer than its index states: 1 are skipped" in text


def test_slow_data_that_claim_a_petabyte(folder):
    name = "CONTROL/SA3_XTD10_MONO/MDL/PHOTON_ENERGY/actualEnergy/value"
    replaced(slow(folder), name, shape=(2**45,), dtype="f8", chunks=(1024,))
    with h5py.File(slow(folder), "r+") as file:
        file[name][:6] = 530.0
        file["INDEX/SA3_XTD10_MONO/MDL/PHOTON_ENERGY/first"][5] = 2**44
    result, _ = processed(folder, ["MaranaX", "nrj"])
    np.testing.assert_array_equal(result.nrj, [530.0] * 11 + [0.0])


class TestLengths:
    @pytest.mark.parametrize("name", [f"{INDEX}/count", f"{INDEX}/first", "INDEX/trainId"])
    def test_a_column_that_is_cut_short_is_told(self, folder, name):
        with h5py.File(camera(folder)) as file:
            column = file[name][:3]
        replaced(camera(folder), name, data=column)
        result, text = processed(folder)
        assert result.attrs["n_images"] == 9
        assert result.attrs["n_skipped"] >= 3
        assert "expected equally many; 3 trains are skipped" in text

    def test_zeros_behind_the_end_are_no_fault(self, folder):
        for name in (f"{INDEX}/count", f"{INDEX}/first", "INDEX/trainId"):
            with h5py.File(camera(folder)) as file:
                column = np.append(file[name][:], [0, 0]).astype("u8")
            replaced(camera(folder), name, data=column[:-1] if "first" in name else column)
        assert processed(folder, strict=True)[0].attrs["n_images"] == 12


def test_an_image_without_a_place_in_the_index_is_told(folder):
    with h5py.File(camera(folder), "r+") as file:
        file[f"{INDEX}/count"][2] = 0
    result, text = processed(folder)
    assert (result.attrs["n_images"], result.attrs["n_skipped"]) == (11, 1)
    assert result.attrs["skipped_trains"].tolist() == [FIRST + 8]
    assert "1 images are not listed in the index" in text


def test_places_that_are_all_shifted_by_one(folder):
    with h5py.File(camera(folder), "r+") as file:
        file[f"{INDEX}/first"][1:] = [2, 3, 4, 5, 6]
    result, _ = processed(folder)
    assert (result.trainId.values - FIRST).tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_ids_beside_the_images_that_are_none(folder):
    with h5py.File(camera(folder), "r+") as file:
        file[OWN_IDS][:] = [1, 2, 3, 4, 5, 6]
    result, text = processed(folder)
    assert result.attrs["n_images"] == 12
    assert "have nothing in common with the index" in text


def test_an_id_that_is_restored_in_an_open_run_of_the_camera_alone(folder):
    with h5py.File(camera(folder), "r+") as file:
        file["INDEX/trainId"][2] = 0
    opened = RunDirectory(folder, include="*DA02*", parallelize=False)
    result, text = processed(opened)
    assert result.attrs["n_images"] == 12
    assert "their own ids are used: train 1600000008" in text


def test_a_field_of_which_nothing_can_be_read(folder):
    slow(folder).unlink()
    first = folder / "RAW-R0001-DA01-S00000.h5"
    name = "CONTROL/SCS_HRIXS_ACQ/MDL/SCAN/delay/value"
    replaced(first, name, data=np.arange(6.0), chunks=(6,), compression="gzip")
    with h5py.File(first) as file:
        chunk = file[name].id.get_chunk_info(0)
    with first.open("r+b") as file:
        file.seek(chunk.byte_offset)
        file.write(b"\xff" * chunk.size)
    result, text = processed(folder, ["MaranaX", "hRIXS_delay"])
    assert result.attrs["n_images"] == 12
    assert result.attrs["missing_fields"] == "hRIXS_delay"
    assert "hRIXS_delay can't be read" in text


def test_a_chunk_that_inflates_without_end(folder):
    for path in sorted(folder.glob("*DA02*")):
        with h5py.File(path, "r+") as file:
            images = file[PIXELS][:]
            del file[PIXELS]
            data = file.create_dataset(PIXELS, data=images, chunks=(1, 16, 32), compression="gzip")
            if path == camera(folder):
                import zlib

                data.id.write_direct_chunk((3, 0, 0), zlib.compress(bytes(200_000_000)))
    result, text = processed(folder)
    assert result.attrs["n_images"] == 11
    assert "does not decompress to the 1024 bytes of a frame" in text


WAYS = {
    "from_run": lambda h, folder: h.from_run(folder)["MaranaX"].values,
    "lazy": lambda h, folder: h.from_run(folder, lazy=True)["MaranaX"].values,
    "load_dark": lambda h, folder: [h.load_dark(folder), h.dark_image][1:],
    "mean_image": lambda h, folder: [h.mean_image(folder)],
}


class TestImagesThatClaimAPetabyte:
    """Each image of the second file, not their number."""

    @pytest.fixture
    def liar(self, folder):
        replaced(
            camera(folder), PIXELS, shape=(6, 2**24, 2**24), dtype="u2", chunks=(1, 1024, 1024)
        )
        return folder

    def test_a_long_run(self, liar):
        result, text = processed(liar)
        assert (result.attrs["n_images"], result.attrs["n_skipped"]) == (6, 6)
        assert "states 16777216 x 16777216 values for each entry, which is impossible" in text

    @pytest.mark.parametrize("way", WAYS)
    def test_any_way_to_load_it(self, liar, way):
        h = hRIXS()
        h.FIELDS = ["MaranaX"]
        text = "16777216 x 16777216 values for each entry, which is impossible"
        with pytest.warns(HrixsWarning, match=text):
            images = WAYS[way](h, liar)
        expected = FRAMES[:6] if len(images) == 6 else [FRAMES[:6].mean(axis=0)]
        np.testing.assert_allclose(images, expected)

    @pytest.mark.parametrize("way", WAYS)
    def test_in_all_files(self, liar, way):
        first = liar / "RAW-R0001-DA02-S00000.h5"
        replaced(first, PIXELS, shape=(6, 2**24, 2**24), dtype="u2", chunks=(1, 1024, 1024))
        with pytest.warns(HrixsWarning), pytest.raises(hrixs.MissingDataError):
            WAYS[way](hRIXS(), liar)


@pytest.mark.parametrize(("n_values", "said"), [(2**44, "can't be"), (2**27, "nrj is not read")])
def test_slow_data_that_claim_too_much_for_each_train(folder, n_values, said):
    name = "CONTROL/SA3_XTD10_MONO/MDL/PHOTON_ENERGY/actualEnergy/value"
    for path in folder.glob("*DA01*"):
        replaced(path, name, shape=(6, n_values), dtype="f8", chunks=(1, 1024))
    _, text = processed(folder, ["MaranaX", "nrj"])
    assert said in text
    assert "nrj is left out" in text


def test_pixels_that_are_text(folder):
    for path in folder.glob("*DA02*"):
        replaced(path, PIXELS, shape=(6, 16, 32), dtype="S5")
    for way in WAYS.values():
        with pytest.raises(ValueError, match=r"MaranaX are of type \|S5, expected numbers"):
            way(hRIXS(), folder)
