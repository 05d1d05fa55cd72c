"""Damaged runs: what can be used is reduced and rightly labelled, the rest is counted and named.

A good run has 12 images in 12 trains, in three sequence files of four trains. Trains and images
are counted through the run from 0; rows of a file from 0 within it.
"""

from __future__ import annotations

import re
import shutil
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr
from extra_data import RunDirectory, by_id

import hrixs
from conftest import LOST_OF_FIRST
from hrixs import DoubtWarning, HrixsWarning, LostPhotonsWarning, MissingDataError, hRIXS
from hrixs.simulation import write_run
from oracles import damaged_runs as damage

# Of few photons on few columns some run into each other. Which faults leave enough of them in the
# first images to tell it is not what these tests are about.
pytestmark = pytest.mark.filterwarnings(f"ignore:{LOST_OF_FIRST}:hrixs.LostPhotonsWarning")

N_TRAINS, ROWS = 12, 4
FIRST = 1_600_000_000
TRAINS = list(range(N_TRAINS))
SECOND = [4, 5, 6, 7]
PIXEL_METHODS = ("auto", "manual", "integrate")
SLOW = {
    "hRIXS_index": np.arange(100, 100 + N_TRAINS),
    "hRIXS_delay": np.linspace(-2, 3, N_TRAINS),
    "hRIXS_norm": np.linspace(900, 1100, N_TRAINS),
    "hRIXS_exposure": np.linspace(1, 2, N_TRAINS),
    "nrj": np.linspace(528, 533, N_TRAINS),
}
#: One photon, above the background: counted by all methods.
SPOT = np.array([[60, 30], [29, 20]], dtype=np.uint16)
SCAN_FIELDS = ("hRIXS_index", "hRIXS_delay", "hRIXS_norm", "hRIXS_exposure")


def ids(*trains: int) -> list[int]:
    return [FIRST + train for train in trains]


def without(*trains: int) -> list[int]:
    return [train for train in TRAINS if train not in trains]


def lacking(fields: Iterable[str], *trains: int) -> dict[str, list[int]]:
    return {field: list(trains) for field in fields}


def photon_frames(dtype: str = "uint16") -> np.ndarray:
    """Frames of 32 x 64 pixels with 5 to 16 photons each, no two alike."""
    rng = np.random.default_rng(7)
    frames = rng.integers(98, 103, (N_TRAINS, 32, 64)).astype(dtype)
    for train, frame in enumerate(frames):
        for x, y in rng.integers(3, [28, 60], (5 + train, 2)):
            frame[x : x + 2, y : y + 2] += SPOT.astype(dtype)
    return frames


def spectrometer() -> hRIXS:
    h = hRIXS()
    h.BINS = 64
    h.CURVE_A = 0.05
    h.ENERGY_SLOPE, h.ENERGY_INTERCEPT = 0.02, 500.0
    return h


class Case:
    """A copy of a good run to be damaged, and what it would have given undamaged."""

    def __init__(self, folder: Path, frames: np.ndarray, h: hRIXS | None = None) -> None:
        self.folder, self.frames = folder, frames
        self.h = spectrometer() if h is None else h

    def camera(self, sequence: int = 1) -> Path:
        return damage.camera_file(self.folder, sequence)

    def slow(self, sequence: int = 1) -> Path:
        return damage.slow_file(self.folder, sequence)

    def spectra(self, method: str, frames: list[int]) -> np.ndarray:
        """Spectra of frames in memory: `process_run` and files have no part in them."""
        data = xr.Dataset(
            {
                "MaranaX": (("trainId", "x", "y"), self.frames[frames]),
                "nrj": ("trainId", SLOW["nrj"][frames]),
            },
            coords={"trainId": ids(*frames)},
        )
        h = self.h
        done = h.integrate(data) if method == "integrate" else h.centroid(data, method=method)
        return done.spectrum.values

    def process(self, run: Any = None, **options: Any) -> tuple[xr.Dataset, list[str]]:
        """The result and the texts of the warnings, which are all of hrixs' own kind."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = self.h.process_run(
                self.folder if run is None else run, progress=False, **options
            )
        # Of 30 photons on few columns some run into each other, which is told of its own.
        told = {warning.category for warning in caught}
        assert told <= {HrixsWarning, LostPhotonsWarning, DoubtWarning}
        faults = [one for one in caught if one.category is HrixsWarning]
        return result, [str(warning.message) for warning in faults]

    def faulty(
        self, *names: object, number: int | None = None, n_warnings: int | None = 1, **options: Any
    ) -> xr.Dataset:
        """Process a run with a fault, which is told, with `names`, and refused when strict.

        A name may be a tuple: then any of them will do.
        """
        result, texts = self.process(**options)
        if n_warnings is not None:
            assert len(texts) == n_warnings, texts
        assert_named(" ".join(texts), names, number)
        with pytest.raises(hrixs.FaultyRunError) as refused:
            self.process(strict=True, **options)
        assert isinstance(refused.value, ValueError)
        if n_warnings == 1:
            assert_named(str(refused.value), names, number)
        return result

    def faultless(self, **options: Any) -> xr.Dataset:
        result, texts = self.process(strict=True, **options)
        assert texts == []
        return result

    def check(
        self,
        result: xr.Dataset,
        trains: list[int],
        *,
        frames: list[int] | None = None,
        method: str = "auto",
        skipped: list[int] | None = None,
        n_skipped: int | None = None,
        n_trains: int | None = N_TRAINS,
        no_value: dict[str, list[int]] | None = None,
    ) -> None:
        """The images of just these `trains` are in the result, each with all that belongs to it.

        `frames` are the images where these are not those of the trains' numbers; `skipped` are
        trains, each counted once unless `n_skipped` says otherwise (-1: not looked at);
        `no_value` gives the trains without a value of a field.
        """
        frames = trains if frames is None else frames
        skipped = skipped or []
        assert result.trainId.values.tolist() == ids(*trains)
        expected = self.spectra(method, frames)
        assert result.spectrum.dims == ("trainId", "energy")
        assert (result.spectrum.dtype, result.spectrum.shape) == (expected.dtype, expected.shape)
        assert result.spectrum.values.tobytes() == expected.tobytes()
        if method != "integrate":
            np.testing.assert_array_equal(result.n_photons, expected.sum(axis=1))
        for name, values in SLOW.items():
            lacking = np.isin(trains, (no_value or {}).get(name, []))
            wanted = np.where(lacking, np.nan, values[trains]) if lacking.any() else values[trains]
            np.testing.assert_array_equal(result[name].values, wanted, err_msg=name)
            if lacking.any():
                assert result[name].dtype == np.float64
        named = result.attrs["skipped_trains"]
        assert named.dtype == np.int64
        assert named.tolist() == ids(*skipped)
        assert result.attrs["n_images"] == len(trains)
        if n_skipped != -1:
            assert result.attrs["n_skipped"] == (len(skipped) if n_skipped is None else n_skipped)
        if n_trains is not None:
            assert result.attrs["n_trains"] == n_trains


def assert_named(text: str, names: tuple[object, ...], number: int | None) -> None:
    for name in names:
        choices = name if isinstance(name, tuple) else (name,)
        assert any(str(choice) in text for choice in choices), f"no {name} in: {text}"
    assert number is None or re.search(rf"\b{number}\b", text), f"no number {number} in: {text}"


@dataclass(frozen=True)
class Good:
    folder: Path
    frames: np.ndarray

    def copied_to(self, folder: Path) -> Path:
        return Path(shutil.copytree(self.folder, folder))


def write(root: Path, frames: np.ndarray, **options: Any) -> Path:
    return write_run(root, frames, slow=SLOW, n_sequence_files=3, **options)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Good:
    frames = photon_frames()
    return Good(write(tmp_path_factory.mktemp("good"), frames), frames)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Good:
    frames = np.random.default_rng(1).integers(80, 200, (N_TRAINS, 16, 32), dtype=np.uint16)
    return Good(write(tmp_path_factory.mktemp("small"), frames), frames)


@pytest.fixture
def case(good: Good, tmp_path: Path) -> Case:
    return Case(good.copied_to(tmp_path / "r0001"), good.frames)


@pytest.fixture
def compressed(case: Case) -> Case:
    for sequence in range(3):
        damage.compress(case.camera(sequence))
    return case


class TestNoFault:
    """What looks unusual and is none of ours to complain about."""

    @pytest.mark.parametrize("method", PIXEL_METHODS)
    def test_a_good_run(self, case, method):
        result = case.faultless(method=method)
        case.check(result, TRAINS, method=method)
        assert result.hRIXS_index.dtype.kind == "i"
        assert len(np.unique(result.spectrum, axis=0)) == N_TRAINS, "a mix-up would not be seen"
        for name in ("n_trains_without_image", "n_trains_with_several_images", "n_suspect"):
            assert result.attrs[name] == 0, name

    def test_a_compressed_run(self, compressed):
        compressed.check(compressed.faultless(), TRAINS)

    @pytest.mark.parametrize("first", [0, 3, 2**64 - 1])
    def test_trains_without_an_image(self, tmp_path, first):
        # Where a train has no image, no one looks at where it would begin.
        empty, frames = [0, 5, 6, 11], photon_frames()
        case = Case(write(tmp_path, frames[without(*empty)], trains_without_image=empty), frames)
        damage.point(case.camera(1), 1, first=first)
        result = case.faultless()
        case.check(result, without(*empty))
        assert result.attrs["n_trains_without_image"] == len(empty)

    def test_a_file_of_trains_without_an_image(self, tmp_path):
        frames = photon_frames()
        case = Case(write(tmp_path, frames[without(*SECOND)], trains_without_image=SECOND), frames)
        case.check(case.faultless(), without(*SECOND))

    def test_zeros_at_the_end_of_the_files(self, case):
        for sequence in range(3):
            damage.pad(case.camera(sequence), 5)
            damage.pad(case.slow(sequence), 5)
        result = case.faultless()
        case.check(result, TRAINS)
        assert result.attrs["n_suspect"] == 0

    def test_own_ids_that_are_zero_say_nothing(self, case):
        damage.set_own_id(case.camera(), 1, 0)
        case.check(case.process()[0], TRAINS)

    def test_no_own_ids(self, case):
        damage.remove_own_ids(case.camera())
        case.check(case.process()[0], TRAINS)


class TestFiles:
    @pytest.mark.parametrize("method", PIXEL_METHODS)
    @pytest.mark.parametrize("harm", damage.UNREADABLE)
    @pytest.mark.one_in(2)
    def test_unreadable_camera_file(self, case, harm, method):
        harm(case.camera())
        result = case.faulty(case.camera().name, number=4, method=method)
        case.check(result, without(*SECOND), method=method, skipped=SECOND)

    @pytest.mark.parametrize("harm", [damage.remove_pixels, damage.remove_camera_index])
    def test_camera_file_without_the_camera(self, case, harm):
        harm(case.camera())
        result = case.faulty(case.camera().name)
        case.check(result, without(*SECOND), skipped=SECOND)

    @pytest.mark.parametrize("sequence", [0, 1, 2])
    def test_camera_file_missing(self, case, sequence):
        damage.remove(case.camera(sequence))
        lost = list(range(ROWS * sequence, ROWS * (sequence + 1)))
        result = case.faulty(f"S{sequence:05d}", number=4)
        case.check(result, without(*lost), skipped=lost)

    def test_first_and_last_camera_file_lost(self, case):
        damage.remove(case.camera(0))
        damage.truncate(case.camera(2))
        result = case.faulty("S00000", case.camera(2).name, n_warnings=None)
        case.check(result, SECOND, skipped=without(*SECOND))

    def test_trains_without_an_image_in_a_lost_file_are_not_known(self, tmp_path):
        frames = photon_frames()
        folder = write(tmp_path, frames[without(1, 5)], trains_without_image=[1, 5])
        case = Case(folder, frames)
        damage.empty(case.camera())
        case.check(case.faulty(case.camera().name), without(1, *SECOND), skipped=SECOND)

    def test_a_gap_in_all_aggregators(self, case):
        damage.remove(case.camera())
        damage.remove(case.slow())
        result = case.faulty("S00001", n_warnings=None)
        case.check(result, without(*SECOND), n_trains=8)

    @pytest.mark.parametrize("harm", [*damage.UNREADABLE, damage.remove])
    def test_slow_file_lost(self, case, harm):
        harm(case.slow())
        result = case.faulty("DA01", "S00001", *SLOW, number=4, n_warnings=None)
        case.check(result, TRAINS, no_value=lacking(SLOW, *SECOND))

    @pytest.mark.parametrize("sequence", [0, 2])
    def test_manual_needs_the_energy_of_each_image(self, case, sequence):
        damage.truncate(case.slow(sequence))
        lost = list(range(ROWS * sequence, ROWS * (sequence + 1)))
        result = case.faulty(case.slow(sequence).name, "nrj", n_warnings=None, method="manual")
        case.check(result, without(*lost), method="manual", skipped=lost)

    def test_an_open_run_lacks_the_file_already(self, case):
        damage.truncate(case.camera())
        result, texts = case.process(RunDirectory(case.folder))
        assert_named(" ".join(texts), ("S00001",), 4)
        case.check(result, without(*SECOND), skipped=SECOND)

    @pytest.mark.parametrize("harm", [damage.fill_with_garbage, damage.remove])
    def test_all_camera_files_lost(self, case, harm):
        for sequence in range(3):
            harm(case.camera(sequence))
        with pytest.raises(MissingDataError, match="MaranaX"):
            case.process()
        with pytest.raises((MissingDataError, hrixs.FaultyRunError)):
            case.process(strict=True)

    def test_all_files_lost(self, case):
        for path in case.folder.iterdir():
            damage.truncate(path)
        with pytest.raises(MissingDataError):
            case.process()

    def test_another_camera(self, tmp_path):
        case = Case(write(tmp_path, photon_frames(), camera="hRIXS_det"), photon_frames())
        with pytest.raises(MissingDataError, match=r"MaranaX(?s:.)*HRIXS:daqOutput"):
            case.process()

    def test_no_image_at_all(self, tmp_path):
        folder = write(tmp_path, photon_frames()[:0], trains_without_image=TRAINS)
        with pytest.raises(MissingDataError, match=r"MaranaX.*\b12 trains"):
            Case(folder, photon_frames()).process()


class TestPixels:
    @pytest.mark.parametrize("keep", [2, 3])
    def test_fewer_images_than_the_index_says(self, case, keep):
        damage.cut_pixels(case.camera(), keep)
        lost = SECOND[keep:]
        case.check(case.faulty(*ids(*lost)), without(*lost), skipped=lost)

    def test_no_image_left_in_a_file(self, case):
        damage.cut_pixels(case.camera(), 0)
        result = case.faulty((case.camera().name, FIRST + 4), number=4)
        case.check(result, without(*SECOND), skipped=SECOND)

    @pytest.mark.parametrize("method", PIXEL_METHODS)
    @pytest.mark.parametrize("harm", [damage.flip_bytes_of_chunk, damage.cut_chunk_short])
    def test_corrupt_chunk(self, compressed, harm, method):
        harm(compressed.camera(), 2)
        result = compressed.faulty(FIRST + 6, method=method)
        compressed.check(result, without(6), method=method, skipped=[6])

    @pytest.mark.parametrize("row", [0, 3])
    def test_corrupt_chunks_at_the_ends(self, compressed, row):
        damage.flip_bytes_of_chunk(compressed.camera(0), 0)
        damage.flip_bytes_of_chunk(compressed.camera(2), 3)
        damage.cut_chunk_short(compressed.camera(), row)
        lost = [0, 4 + row, 11]
        result = compressed.faulty(*ids(*lost), n_warnings=None)
        compressed.check(result, without(*lost), skipped=lost)

    def test_photons_of_the_images_that_remain(self, compressed):
        damage.flip_bytes_of_chunk(compressed.camera(), 2)
        damage.set_train_id(compressed.camera(0), 1, 0)
        result = compressed.faulty(FIRST + 6, n_warnings=None, photons=True)
        left = without(6)
        compressed.check(result, left, skipped=[6])
        images = xr.DataArray(
            compressed.frames[left], dims=("trainId", "x", "y"), coords={"trainId": ids(*left)}
        )
        expected = hrixs.find_photons(images)
        table = hrixs.photon_table(result)
        for name in ("x", "y", "charge", "double", "frame", "trainId"):
            np.testing.assert_array_equal(table[name], expected[name], err_msg=name)

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    @pytest.mark.parametrize("method", PIXEL_METHODS)
    def test_pixel_that_is_no_number(self, tmp_path, bad, method):
        frames = photon_frames("float32")
        case = Case(write(tmp_path, frames), frames)
        damage.set_pixel(case.camera(), 1, 3, 40, bad)
        result = case.faulty(FIRST + 5, method=method)
        case.check(result, without(5), method=method, skipped=[5])

    def test_pixel_that_is_no_number_and_not_used(self, tmp_path):
        frames = photon_frames("float32")
        case = Case(write(tmp_path, frames), frames)
        damage.set_pixel(case.camera(), 1, 3, 0, np.nan)
        damage.set_pixel(case.camera(), 2, 7, 20, np.nan)
        case.h.Y_RANGE = slice(4, None)
        case.h.MASK = np.zeros((32, 64), dtype=bool)
        case.h.MASK[7, 20] = True
        case.check(case.faultless(), TRAINS)

    @pytest.mark.parametrize("method", ["auto", "manual"])
    def test_far_too_many_hits(self, case, method):
        case.h.MAX_PHOTONS = 30
        case.h.THRESHOLD = 450.0
        crowded = np.full((32, 64), 100, dtype=np.uint16)
        crowded[4:] += np.tile(np.pad(SPOT, ((0, 2), (0, 2))), (7, 16))
        damage.set_image(case.camera(), 2, crowded)
        result = case.faulty(FIRST + 6, method=method)
        case.check(result, without(6), method=method, skipped=[6])

    def test_nothing_but_frames_that_are_refused(self, tmp_path):
        frames = photon_frames("float32")
        frames[:, 5, 5] = np.nan
        case = Case(write(tmp_path, frames), frames)
        with pytest.raises(hrixs.NonFinitePixelsError):
            case.process()

    def test_nothing_but_crowded_frames(self, case):
        case.h.MAX_PHOTONS = 1
        with pytest.raises(hrixs.TooManyPhotonsError):
            case.process()

    @pytest.mark.parametrize(
        "other",
        [
            lambda images: images[:, :, :48],
            lambda images: images[:, :16],
            lambda images: images.transpose(0, 2, 1),
            lambda images: images.astype("float32"),
            lambda images: images.astype("uint8"),
            lambda images: images[:, None],
        ],
        ids=["narrow", "short", "turned", "float32", "uint8", "a dimension more"],
    )
    def test_frames_of_another_kind_in_one_file(self, case, other):
        damage.replace_pixels(case.camera(), other(case.frames[SECOND]))
        result = case.faulty(case.camera().name, number=4)
        case.check(result, without(*SECOND), skipped=SECOND)


class TestIndex:
    @pytest.mark.parametrize("own_ids", [True, False])
    @pytest.mark.parametrize("first", [4, 10_000, 2**32, 2**63, 2**64 - 1])
    @pytest.mark.one_in(3)
    def test_first_image_outside(self, case, first, own_ids):
        damage.point(case.camera(), 1, first=first)
        if not own_ids:
            damage.remove_own_ids(case.camera())
        case.check(case.faulty((FIRST + 5, case.camera().name)), without(5), skipped=[5])

    def test_last_images_of_a_train_outside(self, case):
        damage.point(case.camera(), 3, count=3)
        result = case.faulty((FIRST + 7, case.camera().name), n_warnings=None)
        case.check(result, TRAINS, skipped=[7], n_skipped=2)

    @pytest.mark.parametrize("first", [3, 4])
    @pytest.mark.parametrize("count", [2**31, 2**63, 2**64 - 4, 2**64 - 3, 2**64 - 1])
    @pytest.mark.one_in(3)
    def test_counts_that_overflow(self, case, count, first):
        # Whether the one image of train 7 that is there is taken, is open; all else is not.
        damage.point(case.camera(), 3, first=first, count=count)
        result = case.faulty((FIRST + 7, case.camera().name), n_warnings=None)
        taken = first == 3 and FIRST + 7 in result.trainId.values
        case.check(result, TRAINS if taken else without(7), skipped=[7], n_skipped=-1)
        assert result.attrs["n_skipped"] >= 1

    @pytest.mark.parametrize("own_ids", [True, False])
    def test_two_trains_claim_an_image(self, case, own_ids):
        damage.point(case.camera(), 2, first=1)
        if not own_ids:
            damage.remove_own_ids(case.camera())
        result = case.faulty(*ids(5, 6))
        case.check(result, without(5, 6), skipped=[5, 6], n_skipped=-1)
        assert result.attrs["n_skipped"] in (1, 2)  # one image, which two trains miss

    @pytest.mark.parametrize("own_ids", [True, False])
    def test_a_train_claims_the_next_ones_image_too(self, case, own_ids):
        damage.point(case.camera(), 1, count=2)
        if not own_ids:
            damage.remove_own_ids(case.camera())
        result = case.faulty(*ids(5, 6), n_warnings=None)
        skipped = (result.attrs["skipped_trains"] - FIRST).tolist()
        assert skipped in ([6], [5, 6])
        case.check(result, without(6), skipped=skipped, n_skipped=-1)

    def test_several_images_in_a_train(self, case):
        damage.give_images_to(case.camera(), 2, to=1)
        result = case.faulty(("1 train", FIRST + 5))
        trains = [0, 1, 2, 3, 4, 5, 5, 7, 8, 9, 10, 11]
        case.check(result, trains, frames=TRAINS)
        assert result.attrs["n_trains_with_several_images"] == 1
        assert result.attrs["n_trains_without_image"] == 1


class TestTrainIds:
    @pytest.mark.parametrize("method", PIXEL_METHODS)
    @pytest.mark.parametrize("row", [0, 1, 2, 3])
    @pytest.mark.one_in(2)
    def test_zero_where_images_have_their_own_ids(self, case, row, method):
        damage.set_train_id(case.camera(), row, 0)
        result = case.faulty(case.camera().name, method=method)
        case.check(result, TRAINS, method=method)

    @pytest.mark.parametrize("method", PIXEL_METHODS)
    @pytest.mark.parametrize("row", [0, 1, 2, 3])
    @pytest.mark.one_in(2)
    def test_zero_without_own_ids(self, case, row, method):
        damage.set_train_id(case.camera(), row, 0)
        damage.remove_own_ids(case.camera())
        result = case.faulty(case.camera().name, method=method)
        case.check(result, without(4 + row), method=method, n_skipped=1)

    def test_zero_where_the_own_id_is_zero_too(self, case):
        damage.set_train_id(case.camera(), 1, 0)
        damage.set_own_id(case.camera(), 1, 0)
        case.check(case.faulty(case.camera().name), without(5), n_skipped=1)

    def test_several_zeros_in_several_files(self, case):
        for sequence, rows in ((0, [1, 2]), (1, [0, 3])):
            for row in rows:
                damage.set_train_id(case.camera(sequence), row, 0)
        damage.remove_own_ids(case.camera(0))
        result = case.faulty(case.camera(0).name, case.camera(1).name, n_warnings=None)
        case.check(result, without(1, 2), n_skipped=2)

    def test_zero_in_all_aggregators(self, case):
        # The slow data of that train can't be told; those of the others do not move up.
        damage.set_train_id(case.camera(), 1, 0)
        damage.set_train_id(case.slow(), 1, 0)
        result = case.faulty(case.camera().name, n_warnings=None)
        case.check(result, TRAINS, no_value=lacking(SLOW, 5), n_trains=None)

    @pytest.mark.parametrize("opened", ["folder", "run", "file"])
    @pytest.mark.parametrize("own_ids", [True, False])
    def test_zero_however_the_run_is_given(self, case, opened, own_ids):
        damage.set_train_id(case.camera(), 1, 0)
        if not own_ids:
            damage.remove_own_ids(case.camera())
        run = {"folder": case.folder, "run": None, "file": case.camera()}[opened]
        if opened == "run":
            run = RunDirectory(case.folder)
        if opened == "file":
            case.h.FIELDS = ["MaranaX"]
        result, texts = case.process(run)
        assert_named(" ".join(texts), (case.camera().name,), None)
        wanted = SECOND if opened == "file" else TRAINS
        wanted = [train for train in wanted if own_ids or train != 5]
        assert result.trainId.values.tolist() == ids(*wanted)
        assert result.spectrum.values.tobytes() == case.spectra("auto", wanted).tobytes()

    def test_zero_and_a_subset_of_trains(self, case):
        damage.set_train_id(case.camera(), 1, 0)
        damage.remove_own_ids(case.camera())
        result, _ = case.process(subset=by_id[ids(3, 6, 7, 9)])
        assert result.trainId.values.tolist() == ids(3, 6, 7, 9)
        assert result.spectrum.values.tobytes() == case.spectra("auto", [3, 6, 7, 9]).tobytes()

    @pytest.mark.parametrize("claimed", [FIRST + 7, FIRST + 9, 123_456])
    def test_own_id_that_disagrees(self, case, claimed):
        damage.set_own_id(case.camera(), 2, claimed)
        case.check(case.faulty(FIRST + 6, claimed), without(6), skipped=[6])

    def test_images_whose_own_ids_are_exchanged(self, case):
        damage.set_own_id(case.camera(), 1, FIRST + 6)
        damage.set_own_id(case.camera(), 2, FIRST + 5)
        case.check(case.faulty(*ids(5, 6), n_warnings=None), without(5, 6), skipped=[5, 6])

    def test_same_id_twice_and_own_ids_decide(self, case):
        damage.set_train_id(case.camera(), 2, FIRST + 5)
        result = case.faulty(*ids(5, 6), n_warnings=None)
        case.check(result, without(6), skipped=[5])

    @pytest.mark.parametrize("own_ids", [True, False])
    @pytest.mark.parametrize("equal", [True, False])
    def test_same_id_twice_in_a_file(self, case, equal, own_ids):
        damage.set_train_id(case.camera(), 2, FIRST + 5)
        damage.set_own_id(case.camera(), 2, FIRST + 5)
        if equal:
            damage.set_image(case.camera(), 2, case.frames[5])
        if not own_ids:
            damage.remove_own_ids(case.camera())
        result = case.faulty(FIRST + 5)
        if equal:
            case.check(result, without(6))
        else:
            case.check(result, without(5, 6), skipped=[5], n_skipped=2)

    def test_same_id_twice_and_one_image_unreadable(self, compressed):
        # The images can't be compared: which of them is the train's is not known.
        damage.set_train_id(compressed.camera(), 2, FIRST + 5)
        damage.remove_own_ids(compressed.camera())
        damage.flip_bytes_of_chunk(compressed.camera(), 1)
        result = compressed.faulty(FIRST + 5, n_warnings=None)
        compressed.check(result, without(5, 6), skipped=[5], n_skipped=2)

    @pytest.mark.parametrize("method", ["auto", "integrate"])
    @pytest.mark.parametrize("number", [3, 7])
    @pytest.mark.parametrize("slow_too", [True, False])
    @pytest.mark.one_in(3)
    def test_a_file_twice(self, case, method, number, slow_too):
        copy = damage.copy_file(case.camera(), number)
        if slow_too:
            damage.copy_file(case.slow(), number)
        result = case.faulty((copy.name, FIRST + 4), n_warnings=None, method=method)
        case.check(result, TRAINS, method=method)

    @pytest.mark.parametrize("own_ids", [True, False])
    def test_a_file_twice_with_one_image_changed(self, case, own_ids):
        copy = damage.copy_file(case.camera(), 3)
        damage.copy_file(case.slow(), 3)
        damage.set_pixel(copy, 1, 10, 10, 300)
        if not own_ids:
            damage.remove_own_ids(case.camera())
            damage.remove_own_ids(copy)
        result = case.faulty(FIRST + 5, n_warnings=None)
        case.check(result, without(5), skipped=[5], n_skipped=2)

    @pytest.mark.parametrize("pair", [(0, 1), (1, 2), (0, 3)])
    @pytest.mark.parametrize("where", ["camera", "slow", "both"])
    @pytest.mark.one_in(2)
    def test_trains_out_of_order(self, case, pair, where):
        if where != "slow":
            damage.swap_trains(case.camera(), *pair)
        if where != "camera":
            damage.swap_trains(case.slow(), *pair)
        case.check(case.faulty("S00001", n_warnings=None), TRAINS)

    @pytest.mark.parametrize("method", PIXEL_METHODS)
    def test_index_out_of_order(self, case, method):
        damage.swap_entries(case.camera(), 0, 3)
        damage.swap_entries(case.camera(2), 1, 2)
        result = case.faulty(
            case.camera().name, case.camera(2).name, n_warnings=None, method=method
        )
        case.check(result, TRAINS, method=method)

    def test_files_out_of_order(self, tmp_path, good):
        case = Case(good.copied_to(tmp_path / "r0001"), good.frames)
        for path in (case.camera, case.slow):
            path(0).rename(tmp_path / "aside")
            path(1).rename(path(0))
            (tmp_path / "aside").rename(path(1))
        case.check(case.process()[0], TRAINS)

    @pytest.mark.parametrize("where", ["camera", "both"])
    def test_suspect_trains(self, case, where):
        damage.set_flag(case.camera(), 1)
        damage.set_flag(case.camera(2), 3)
        if where == "both":
            damage.set_flag(case.slow(), 1)
            damage.set_flag(case.slow(2), 3)
        result = case.faulty(*ids(5, 11), number=2)
        case.check(result, TRAINS)
        assert result.attrs["n_suspect"] == 2

    def test_the_suspect_train_behind_a_zero(self, case):
        damage.set_train_id(case.camera(), 1, 0)
        damage.set_flag(case.camera(), 2)
        result = case.faulty(FIRST + 6, n_warnings=None)
        case.check(result, TRAINS)
        assert result.attrs["n_suspect"] == 1

    def test_flags_of_format_1_1_mean_the_contrary(self, case):
        for sequence in range(3):
            damage.make_format_1_1(case.camera(sequence))
        with warnings.catch_warnings():
            # extra-data says of this format that it does not know it well.
            warnings.simplefilter("ignore")
            result = case.h.process_run(case.folder, progress=False)
        case.check(result, TRAINS)
        assert result.attrs["n_suspect"] == 0


class TestSlowData:
    @pytest.mark.parametrize("row", [0, 1, 3])
    def test_no_energy_in_a_train(self, case, row):
        damage.forget_slow(case.slow(), row, damage.MONO)
        result = case.faulty("nrj", n_warnings=None)
        case.check(result, TRAINS, no_value=lacking(["nrj"], 4 + row))

    def test_no_scan_values_in_a_train(self, case):
        damage.forget_slow(case.slow(), 1, damage.SCAN)
        result = case.faulty(*SCAN_FIELDS, n_warnings=None)
        case.check(result, TRAINS, no_value=lacking(SCAN_FIELDS, 5))

    def test_manual_without_an_energy_in_a_train(self, case):
        damage.forget_slow(case.slow(), 1, damage.MONO)
        result = case.faulty("nrj", FIRST + 5, n_warnings=None, method="manual")
        case.check(result, without(5), method="manual", skipped=[5])

    def test_manual_without_other_values_in_a_train(self, case):
        damage.forget_slow(case.slow(), 1, damage.SCAN)
        result = case.faulty(*SCAN_FIELDS, n_warnings=None, method="manual")
        case.check(result, TRAINS, method="manual", no_value=lacking(SCAN_FIELDS, 5))

    @pytest.mark.parametrize("row", [0, 1, 2])
    def test_zero_among_the_ids_of_the_slow_data(self, case, row):
        damage.set_train_id(case.slow(), row, 0)
        result, _ = case.process()
        case.check(result, TRAINS, no_value=lacking(SLOW, 4 + row))


class TestManyFaultsAtOnce:
    @pytest.mark.parametrize("seed", range(40))
    @pytest.mark.one_in(2)
    def test_what_is_kept_is_right_and_what_is_lost_is_told(self, small, tmp_path, seed):
        case = Case(small.copied_to(tmp_path / "r0001"), small.frames)
        harm_at_random(case, np.random.default_rng(seed))
        result, texts = case.process(method="integrate")
        trains = (result.trainId.values.astype(int) - FIRST).tolist()
        assert trains == sorted(set(trains) & set(TRAINS))
        assert result.spectrum.values.tobytes() == case.spectra("integrate", trains).tobytes()
        for name, values in SLOW.items():
            here = result[name].values
            known = ~np.isnan(here)
            np.testing.assert_array_equal(here[known], values[trains][known], err_msg=name)
        skipped = (result.attrs["skipped_trains"] - FIRST).tolist()
        assert skipped == sorted(set(skipped) & set(TRAINS))
        assert result.attrs["n_images"] == len(trains)
        assert result.attrs["n_skipped"] >= len(set(TRAINS) - set(trains) - set(skipped))
        assert (result.attrs["n_skipped"] > 0) or trains == TRAINS
        if texts:
            with pytest.raises(hrixs.FaultyRunError):
                case.process(method="integrate", strict=True)
        else:
            case.faultless(method="integrate")


def harm_at_random(case: Case, rng: np.random.Generator) -> None:
    """Some faults in each file: none that no one could see, as an image of another train.

    Faults of single rows have rows of their own: one fault could hide another. Faults of the
    pixels, and files that are there twice, come on top of any other.
    """

    def chance(probability: float) -> bool:
        return bool(rng.random() < probability)

    lost = int(rng.integers(3)) if chance(0.4) else None
    for sequence in range(3):
        path, slow = case.camera(sequence), case.slow(sequence)
        own_ids, compressed = chance(0.5), chance(0.6)
        if sequence == lost:
            # The slow data of these stay as they are: they tell which trains are lost.
            rng.choice([*damage.UNREADABLE, damage.remove])(path)
            continue
        if compressed:
            damage.compress(path)
        if not own_ids:
            damage.remove_own_ids(path)
        if chance(0.3):
            damage.swap_trains(path, *rng.choice(ROWS, 2, replace=False))
        copies = [damage.copy_file(path, 3 + sequence)] if chance(0.15) else []
        harm_rows(path, rng, own_ids)
        if compressed and chance(0.5):
            harm = rng.choice([damage.flip_bytes_of_chunk, damage.cut_chunk_short])
            harm(path, rng.integers(ROWS))
        if chance(0.3):
            damage.cut_pixels(path, int(rng.integers(1, ROWS)))
        if not copies and chance(0.15):
            damage.copy_file(path, 3 + sequence)
        if chance(0.4):
            harm_slow_data(slow, rng)


def harm_rows(path: Path, rng: np.random.Generator, own_ids: bool) -> None:
    with h5py.File(path) as file:
        written = file["INDEX/trainId"][:].tolist()
    rows = rng.permutation(ROWS).tolist()
    kinds = ["zero", "outside", "overlap", "twice", "suspect", "own id"]
    for kind in rng.choice(kinds, rng.integers(0, 4), replace=False):
        if len(rows) < 2:
            return
        row = rows.pop()
        if kind == "zero":
            damage.set_train_id(path, row, 0)
        elif kind == "outside":
            damage.point(path, row, first=int(rng.choice([4, 99, 2**62])))
        elif kind == "overlap":
            damage.point(path, row, first=rows.pop())
        elif kind == "twice":
            damage.set_train_id(path, row, written[rows.pop()])
        elif kind == "suspect":
            damage.set_flag(path, row)
        elif own_ids:
            damage.set_own_id(path, row, written[row - 1])


def harm_slow_data(path: Path, rng: np.random.Generator) -> None:
    row = int(rng.integers(ROWS))
    harms = [
        lambda: rng.choice([*damage.UNREADABLE, damage.remove])(path),
        lambda: damage.set_train_id(path, row, 0),
        lambda: damage.forget_slow(path, row, damage.MONO),
        lambda: damage.forget_slow(path, row, damage.SCAN),
        lambda: damage.swap_trains(path, row, row - 1),
    ]
    harms[rng.integers(len(harms))]()
