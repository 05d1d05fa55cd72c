"""How frames lie in files: mapped in place, inflated side by side, or read by HDF5."""

from __future__ import annotations

import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from hrixs.runs import storage as frame_storage
from hrixs.runs.storage import Stored, map_frames, read_frames, stored_frames

WHOLE = (slice(None), slice(None))
FRAMES = np.random.default_rng(5).integers(0, 1 << 16, (7, 12, 20), dtype=np.uint16)


def write(path: Path, frames: np.ndarray = FRAMES, **how) -> Stored:
    with h5py.File(path, "w") as file:
        file.create_dataset("data", data=frames, **how)
    return stored_frames(str(path), "data")


def read(stored: Stored, rows: list[int]) -> tuple[np.ndarray, list[tuple[int, str]]]:
    out = np.zeros((len(rows), *stored.shape), stored.dtype)
    with ThreadPoolExecutor(2) as pool:
        failed = read_frames(stored, np.array(rows), out, pool)
    return out, failed


@pytest.fixture
def deflated(tmp_path) -> Stored:
    return write(tmp_path / "a.h5", chunks=(1, 12, 20), compression="gzip", shuffle=True)


@pytest.mark.parametrize("chunks", [None, (1, 12, 20), (3, 12, 20)])
def test_uncompressed_frames_are_mapped_in_place(tmp_path, chunks):
    stored = write(tmp_path / "a.h5", chunks=chunks)
    rows = np.arange(1, 3) if chunks == (3, 12, 20) else np.arange(1, 6)
    stride = stored.stride(rows)
    assert stride is not None
    frames = map_frames(stored, rows, stride, WHOLE)
    assert not frames.flags.owndata
    assert not frames.flags.writeable
    np.testing.assert_array_equal(frames, FRAMES[rows])
    crop = (slice(2, 9), slice(5, 20))
    np.testing.assert_array_equal(
        map_frames(stored, rows, stride, crop), FRAMES[rows][:, 2:9, 5:20]
    )


def test_every_second_frame_is_mapped_too(tmp_path):
    stored = write(tmp_path / "a.h5")
    rows = np.array([0, 2, 4, 6])
    stride = stored.stride(rows)
    assert stride == 2 * FRAMES[0].nbytes
    np.testing.assert_array_equal(map_frames(stored, rows, stride, WHOLE), FRAMES[::2])


@pytest.mark.parametrize("rows", [[0, 1, 3], [3, 2, 1], [2, 2]])
def test_frames_that_lie_unevenly_are_read(tmp_path, rows):
    stored = write(tmp_path / "a.h5")
    assert stored.stride(np.array(rows)) is None
    out, failed = read(stored, rows)
    assert failed == []
    np.testing.assert_array_equal(out, FRAMES[rows])


def test_a_file_that_ends_before_its_data(tmp_path):
    stored = write(tmp_path / "a.h5")
    with (tmp_path / "a.h5").open("r+b") as file:
        file.truncate(int(stored.offset[5]) + 10)
    rows = np.arange(7)
    with pytest.raises(OSError, match="the file ends before the data"):
        map_frames(stored, rows, stored.stride(rows), WHOLE)
    out, failed = read(stored, [3, 4, 5, 6])
    np.testing.assert_array_equal(out[:2], FRAMES[3:5])
    assert [number for number, _ in failed] == [2, 3]
    assert "the file ends within the data, after 10 of 480 bytes" in failed[0][1]


@pytest.mark.parametrize("without_isal", [False, True])
def test_deflated_frames(deflated, without_isal, monkeypatch):
    if without_isal:
        monkeypatch.setattr(frame_storage, "_zlib", zlib)
    assert (deflated.deflated, deflated.shuffled) == (True, True)
    assert deflated.stride(np.arange(3)) is None
    out, failed = read(deflated, [5, 0, 3])
    assert failed == []
    np.testing.assert_array_equal(out, FRAMES[[5, 0, 3]])
    with open(deflated.path, "r+b") as file:
        file.seek(int(deflated.offset[3]) + 50)
        file.write(b"\xff" * 20)
    out, failed = read(deflated, [2, 3, 4])
    assert [number for number, _ in failed] == [1]
    np.testing.assert_array_equal(out[[0, 2]], FRAMES[[2, 4]])


def test_a_chunk_that_is_another_ones_size(deflated):
    size = deflated.size.copy()
    size[2] = 5
    _, failed = read(replace(deflated, size=size), [1, 2])
    assert [number for number, _ in failed] == [1]


@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2", "<i4", "<f4", "<f8", ">f8"])
@pytest.mark.parametrize("shuffle", [False, True])
def test_all_dtypes(tmp_path, dtype, shuffle):
    frames = (FRAMES % 200).astype(dtype)
    stored = write(
        tmp_path / "a.h5", frames, chunks=(1, 12, 20), compression="gzip", shuffle=shuffle
    )
    out, failed = read(stored, [0, 6])
    assert failed == []
    assert out.dtype == frames.dtype
    np.testing.assert_array_equal(out, frames[[0, 6]])


def test_a_frame_that_was_never_written_is_what_hdf5_says(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        data = file.create_dataset(
            "data", FRAMES.shape, "u2", chunks=(1, 12, 20), fillvalue=9, compression="gzip"
        )
        data[1] = FRAMES[1]
    stored = stored_frames(str(tmp_path / "a.h5"), "data")
    out, failed = read(stored, [0, 1, 6])
    assert failed == []
    np.testing.assert_array_equal(out[1], FRAMES[1])
    assert (out[[0, 2]] == 9).all()


def test_behind_a_user_block_hdf5_reads(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["data"] = FRAMES
    stored = stored_frames(str(path), "data")
    assert stored.offset is None
    np.testing.assert_array_equal(read(stored, [0, 6])[0], FRAMES[[0, 6]])


def test_virtual_frames_are_read_by_hdf5(tmp_path):
    write(tmp_path / "a.h5")
    layout = h5py.VirtualLayout(FRAMES.shape, "u2")
    layout[:] = h5py.VirtualSource(tmp_path / "a.h5", "data", FRAMES.shape)
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file.create_virtual_dataset("data", layout)
    stored = stored_frames(str(tmp_path / "b.h5"), "data")
    assert stored.offset is None
    np.testing.assert_array_equal(read(stored, [2, 4])[0], FRAMES[[2, 4]])


def test_chunks_without_an_iterator(deflated, monkeypatch):
    class Old:
        """A dataset of an HDF5 that can only tell of chunks one by one."""

        def __init__(self, data):
            self.id = type("Id", (), {
                "get_num_chunks": data.id.get_num_chunks, "get_chunk_info": data.id.get_chunk_info,
            })  # fmt: skip

    noted = []
    with h5py.File(deflated.path) as file:
        frame_storage._for_each_chunk(Old(file["data"]), noted.append)
    assert [chunk.byte_offset for chunk in noted] == deflated.offset.tolist()
