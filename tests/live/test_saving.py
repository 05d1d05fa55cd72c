"""Saving a watch in between."""

import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

from hrixs.live.saving import Saver


def found(value: float) -> xr.Dataset:
    return xr.Dataset({"total": ("energy", np.full(3, value))})


def test_it_is_due_again_after_a_while_and_the_file_is_replaced(tmp_path):
    path = tmp_path / "w.nc"
    saver = Saver(path, every=1e9)
    assert saver.is_due
    saver.begin(found(1.0))
    assert saver.saved is not None
    assert not saver.is_due
    saver.every = 0.0
    assert saver.is_due
    saver.begin(found(2.0))
    saver.end(found(3.0))
    assert xr.load_dataset(path, engine="h5netcdf").total[0] == 3
    assert [one.name for one in tmp_path.iterdir()] == ["w.nc"]


def test_what_writing_needs_is_loaded_before_trains_come(tmp_path):
    code = """
import sys
from pathlib import Path
import xarray as xr
from hrixs.live.saving import Saver
saver = Saver(Path(sys.argv[1]))
before = set(sys.modules)
saver.begin(xr.Dataset({"spectrum": (("trainId", "energy"), [[1.0]])}))
assert not set(sys.modules) - before
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "w.nc")], check=True)


def test_what_cannot_be_written_is_kept_and_raised_at_the_end(tmp_path):
    saver = Saver(tmp_path / "nowhere" / "w.nc", every=0.0)
    saver.begin(found(1.0))
    assert isinstance(saver.error, FileNotFoundError)
    with pytest.raises(FileNotFoundError):
        saver.end(found(2.0))
    saver.path.parent.mkdir()
    saver.end(found(2.0))
    assert saver.error is None
