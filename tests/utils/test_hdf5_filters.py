"""The filter that an HDF5 dataset needs is named, and what to install."""

import h5py
import pytest

from hrixs.utils.hdf5_filters import load_filters, missing_filter_text
from image_files import FRAMES, write_filtered, write_hdf5


def text_of(path):
    with h5py.File(path) as file:
        return missing_filter_text(file["entry/data"])


def test_those_of_hdf5plugin_are_loaded(tmp_path):
    pytest.importorskip("hdf5plugin")
    assert load_filters()
    write_filtered(tmp_path / "a.h5", 32008)
    assert text_of(tmp_path / "a.h5") is None


@pytest.mark.parametrize("options", [{}, {"compression": "gzip"}, {"compression": "lzf"}])
def test_nothing_is_missing_for_what_h5py_brings(tmp_path, options):
    write_hdf5(tmp_path / "a.h5", FRAMES, **options)
    assert text_of(tmp_path / "a.h5") is None


@pytest.mark.parametrize(("code", "name"), [(32002, "MAFISC"), (31999, "a filter")])
def test_a_filter_is_named_by_the_list_of_registered_ones(tmp_path, code, name):
    write_filtered(tmp_path / "a.h5", code)
    text = text_of(tmp_path / "a.h5")
    assert f"/entry/data is compressed with {name} (HDF5 filter {code})" in text
