"""How doubts are kept, told, and made errors."""

import json
import warnings

import numpy as np
import pytest
import xarray as xr

from hrixs import DoubtError, DoubtWarning, doubts
from hrixs.doubt_rules import (
    DOUBTS,
    Doubt,
    as_text,
    first_of_each,
    from_text,
    new_ones,
    require_none_grave,
    tell,
    with_doubts,
)

CUT = Doubt("cut", "a line leaves the crop.", {"row": 12.5, "rows": [1, 2]})
CURVE = Doubt("curve", "another curve.", {"sharper": 4.0}, grave=True)


def test_doubts_go_through_text_which_netcdf_can_hold(tmp_path):
    assert from_text(as_text([CUT, CURVE])) == [CUT, CURVE]
    assert from_text("[]") == []
    data = xr.Dataset({"spectrum": ("y", np.zeros(3), {DOUBTS: as_text([CUT])})})
    data.to_netcdf(tmp_path / "one.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "one.nc", engine="h5netcdf") as again:
        assert doubts(again) == [CUT]


def test_attrs_have_one_of_each_code():
    attrs = with_doubts({"a": 1}, [CUT])
    attrs = with_doubts(attrs, [CURVE, Doubt("cut", "another text")])
    assert from_text(attrs[DOUBTS]) == [CURVE, CUT]
    assert attrs["a"] == 1
    assert json.loads(with_doubts({}, [])[DOUBTS]) == []
    assert first_of_each([CUT], [CURVE, CUT]) == [CUT, CURVE]
    assert new_ones([CUT, CURVE], [CUT]) == [CURVE]


def test_a_code_can_be_silenced():
    with pytest.warns(DoubtWarning) as told:
        tell([CUT, CURVE])
    assert [str(one.message) for one in told] == [str(CUT), str(CURVE)]
    assert str(CUT).startswith("cut: ")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", "cut:", DoubtWarning)
        tell([CUT, CURVE])
    assert [str(one.message) for one in told] == [str(CURVE)]


def test_grave_ones_are_errors():
    require_none_grave([])
    require_none_grave([CUT])
    with pytest.raises(DoubtError, match=r"^curve: another curve\.$") as error:
        require_none_grave([CUT, CURVE])
    assert error.value.doubts == (CURVE,)


def test_doubts_of_a_spectrum_and_of_a_dataset():
    spectrum = xr.DataArray(np.zeros(3), dims="y", attrs={DOUBTS: as_text([CUT])})
    assert doubts(spectrum) == doubts(spectrum.to_dataset(name="spectrum")) == [CUT]


def test_what_nothing_has_looked_at_is_an_error():
    with pytest.raises(LookupError, match="so it was never checked"):
        doubts(xr.Dataset())
