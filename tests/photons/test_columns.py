"""The columns of the photon table are one list in Python, and the same as the core's."""

import numpy as np
import pytest

from hrixs import _core, find_photons, resolve_photons
from hrixs.photons.columns import COLUMNS, FRAME_COLUMNS
from hrixs.simulation import Sensor, simulate_frames


@pytest.fixture(scope="module")
def frames():
    return simulate_frames(2, sensor=Sensor(shape=(64, 96)), photons_per_frame=8, seed=1)[0]


def core_names(frames, fit):
    found = _core.find_photons(
        np.asarray(frames, dtype=np.float64), threshold=None, std_threshold=10.0,
        dbl_threshold=None, dark=None, mask=None, max_photons=100, fit=fit, threads=1,
    )  # fmt: skip
    return set(found) - {"frame"}


def test_every_column_of_the_core_is_described(frames):
    centre = {name for name, column in COLUMNS.items() if not column.fitted}
    of_frames = set(FRAME_COLUMNS)
    assert core_names(frames, _core.FitOptions()) == centre | of_frames - {"noise"}
    fit = _core.FitOptions(cloud_sigma=0.62)
    of_crowd = {name for name, column in COLUMNS.items() if column.of_crowd}
    assert core_names(frames, fit) == (set(COLUMNS) - of_crowd) | of_frames
    resolved = resolve_photons(frames, 530.0, cloud_sigma=0.62)
    own_cloud = {"own_cloud_sigma", "own_cloud_sigma_err"}  # which no photon of a crowd tells
    assert set(resolved.data_vars) == (set(COLUMNS) - own_cloud) | of_frames


def test_the_table_has_them_in_order_with_units(frames):
    table = find_photons(frames, position="gaussian", cloud_sigma=0.62)
    fitted = {name: column for name, column in COLUMNS.items() if not column.of_crowd}
    assert [name for name in table.data_vars if name in COLUMNS] == list(fitted)
    for name, column in fitted.items():
        assert table[name].dims == ("photon",)
        assert table[name].attrs.keys() == column.attrs.keys()
    for name in FRAME_COLUMNS:
        assert table[name].dims == ("frames",)


def test_a_fitted_charge_is_called_so(frames):
    spots = find_photons(frames)
    clouds = find_photons(frames, position="gaussian", cloud_sigma=0.62)
    assert spots["charge"].attrs["long_name"] == "spot sum"
    assert clouds["charge"].attrs["long_name"] == "charge of the fitted cloud"
