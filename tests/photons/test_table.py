import numpy as np
import pytest
import xarray as xr

from hrixs import find_photons, photon_spectrum
from hrixs.photons.table import placed_on_chip
from hrixs.utils.provenance import frames_of_attrs

DIMS = ("trainId", "cell", "exposure")


def frames_of(leading, **coords):
    frames = np.zeros((*leading, 16, 20))
    frames[..., 5:7, 8:10] = 30
    return xr.DataArray(frames, coords, (*DIMS[: len(leading)], "x", "y"))


@pytest.mark.parametrize("leading", [(), (1,), (4,), (2, 3), (2, 1, 3)])
def test_a_file_gives_back_the_frames_of_a_table(leading, tmp_path):
    where = {"x": np.arange(300, 316), "y": np.arange(700, 720)}
    table = find_photons(frames_of(leading, **where), threshold=50)
    assert frames_of_attrs(table.attrs) == (list(DIMS[: len(leading)]), leading)
    table.to_netcdf(tmp_path / "photons.nc", engine="h5netcdf")
    again = xr.load_dataset(tmp_path / "photons.nc", engine="h5netcdf")
    assert frames_of_attrs(again.attrs) == (list(DIMS[: len(leading)]), leading)
    rows = {"bins": 10, "range": (700, 720)}
    expected = photon_spectrum(table, **rows)
    assert expected.shape == (*leading, 10)
    assert expected.sum() == np.prod(leading, dtype=int)
    xr.testing.assert_equal(photon_spectrum(again, **rows), expected)


def test_the_place_of_the_crop_is_added():
    table = find_photons(frames_of((2,)), threshold=50)
    placed = placed_on_chip(table, (300, 700))
    assert placed.x.values.tolist() == [305.5, 305.5]
    assert placed.y.values.tolist() == [708.5, 708.5]
    assert placed.x.attrs == table.x.attrs
    assert table.x.values.tolist() == [5.5, 5.5]
    assert placed_on_chip(table, None) is table
    at_corner = placed_on_chip(table, (0, 0))
    assert at_corner.attrs["first_pixel"].tolist() == [0, 0]
    np.testing.assert_array_equal(at_corner.x, table.x)
