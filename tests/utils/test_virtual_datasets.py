"""Where the rows of a virtual dataset come from, and what is not there."""

import h5py
import numpy as np
import pytest

from hrixs.utils.virtual_datasets import SourceRows, source_rows

DATA = np.arange(6 * 4, dtype="i4").reshape(6, 4)


def rows_of(path):
    with h5py.File(path) as file:
        return source_rows(file["data"])


def written(path, data=DATA, name="data"):
    with h5py.File(path, "w") as file:
        file[name] = data
    return path


def virtual(path, *mappings, shape=DATA.shape, dtype="i4"):
    """A virtual dataset of rows, each mapping a range of rows, a file, and rows there."""
    layout = h5py.VirtualLayout(shape, dtype)
    for rows, source, there in mappings:
        layout[rows] = h5py.VirtualSource(source, "data", DATA.shape)[there]
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("data", layout, fillvalue=0)
    return path


def test_pieces_of_several_files(tmp_path):
    a, b = written(tmp_path / "a.h5"), written(tmp_path / "b.h5")
    path = virtual(
        tmp_path / "v.h5", (np.s_[:2], "b.h5", np.s_[4:]), (np.s_[2:], str(a), np.s_[1:5])
    )
    pieces, absent = rows_of(path)
    assert pieces == [SourceRows(0, 2, str(b), "data", 4), SourceRows(2, 6, str(a), "data", 1)]
    assert absent == {}


def test_what_is_not_there(tmp_path):
    written(tmp_path / "a.h5", DATA[:3])
    written(tmp_path / "other.h5", name="another")
    path = virtual(
        tmp_path / "v.h5",
        (np.s_[:1], "gone.h5", np.s_[:1]),
        (np.s_[1:2], "other.h5", np.s_[:1]),
        (np.s_[2:5], "a.h5", np.s_[1:4]),
    )
    pieces, absent = rows_of(path)
    assert pieces == [SourceRows(2, 4, str(tmp_path / "a.h5"), "data", 1)]
    assert {why: np.flatnonzero(rows).tolist() for why, rows in absent.items()} == {
        "its data are in data of gone.h5, which is not there": [0],
        "its data are in data of other.h5, which is not there": [1],
        "data of a.h5 ends before its data": [4],
        "no file gives its data": [5],
    }


@pytest.mark.parametrize(
    ("rows", "there"),
    [(np.s_[:, :2], np.s_[:, 2:]), (np.s_[::2], np.s_[:3]), (np.s_[:3], np.s_[::2])],
)
def test_what_is_not_whole_rows_in_their_order_is_left_to_hdf5(tmp_path, rows, there):
    written(tmp_path / "a.h5")
    assert rows_of(virtual(tmp_path / "v.h5", (rows, "a.h5", there)))[0] is None


def test_another_type_is_left_to_hdf5(tmp_path):
    written(tmp_path / "a.h5")
    path = virtual(tmp_path / "v.h5", (np.s_[:], "a.h5", np.s_[:]), dtype="f8")
    assert rows_of(path) == (None, {})


def test_a_source_of_a_source_that_is_left_to_hdf5(tmp_path):
    virtual(tmp_path / "between.h5", (np.s_[:], "gone.h5", np.s_[:]))
    path = virtual(tmp_path / "v.h5", (np.s_[:], "between.h5", np.s_[:]), dtype="f8")
    pieces, absent = rows_of(path)
    assert pieces is None
    assert list(absent) == ["its data are in data of gone.h5, which is not there"]


@pytest.mark.parametrize("n_files", [3, 2])
def test_names_with_a_number_for_each_block(tmp_path, n_files):
    for k in range(n_files):
        written(tmp_path / f"part-{k}.h5", DATA[2 * k : 2 * k + 2])
    space = h5py.h5s.create_simple((6, 4), (h5py.h5s.UNLIMITED, 4))
    space.select_hyperslab((0, 0), (h5py.h5s.UNLIMITED, 1), (2, 1), (2, 4))
    source = h5py.h5s.create_simple((2, 4))
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_virtual(space, b"part-%b.h5", b"data", source)
    with h5py.File(tmp_path / "v.h5", "w") as file:
        extent = h5py.h5s.create_simple((6, 4), (h5py.h5s.UNLIMITED, 4))
        h5py.h5d.create(file.id, b"data", h5py.h5t.NATIVE_INT32, extent, plist)
    pieces, absent = rows_of(tmp_path / "v.h5")
    with h5py.File(tmp_path / "v.h5") as file:
        n_seen = len(file["data"])
    assert pieces is None
    gone = np.flatnonzero(np.any(list(absent.values()), axis=0)).tolist() if absent else []
    assert gone == [row for row in range(n_seen) if row >= 2 * n_files]
