"""Checks of arguments: what was given, and what was expected."""

import pytest
import xarray as xr

import hrixs
from hrixs.utils.checks import require_dataset

OLD = {"algorithm": "centroid_one", "hrixs_version": "0.1.0"}


def test_no_dataset():
    with pytest.raises(TypeError, match="list given, expected a photon table"):
        require_dataset([1.0], "a photon table")


@pytest.mark.parametrize(
    "data",
    [
        xr.Dataset({"x": ("photon", [1.0])}, attrs=OLD),
        xr.Dataset({"spectrum": ("y", [1.0], OLD)}),
    ],
    ids=["table", "spectra"],
)
def test_what_has_old_names_is_refused_with_its_version(data):
    with pytest.raises(ValueError, match=r"was made by hrixs 0\.1\.0, expected a dataset of this"):
        require_dataset(data, "a dataset")
    data = data.assign_attrs(hrixs_version=hrixs.__version__)
    for variable in data.variables.values():
        variable.attrs["hrixs_version"] = hrixs.__version__
    require_dataset(data, "a dataset")


def test_a_table_of_an_earlier_version_makes_no_spectrum():
    table = xr.Dataset({"x": ("photon", [1.0]), "y": ("photon", [2.0])}, attrs=OLD)
    with pytest.raises(ValueError, match=r"Make it again, or read it with hrixs 0\.1\.0"):
        hrixs.photon_spectrum(table, bins=5, range=(0, 10))
