"""Names that are imported when they are asked for."""

import subprocess
import sys

import pytest

from hrixs import utils

ACCESSOR = "print(float(xr.Dataset({'spectrum': counts}).hrixs.error()[1]))"
COUNTS = "counts = xr.Variable('energy', [4, 9], {'units': 'photons'})"


def said_by(*lines: str) -> str:
    command = [sys.executable, "-W", "error", "-c", "\n".join(lines)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize(
    "first", ["import hrixs, xarray as xr", "import xarray as xr, hrixs",
              "from hrixs.spectra.errors import error_of; import xarray as xr",
              "import hrixs.cli.main; import xarray as xr",
              "import hrixs, importlib.util as i; i.find_spec('xarray'); import xarray as xr"],
)  # fmt: skip
@pytest.mark.one_in(2)
def test_results_know_of_hrixs_whatever_is_imported_first(first):
    assert said_by(first, COUNTS, ACCESSOR) == "3.0"


def test_nothing_waits_for_xarray_once_it_is_there():
    count = "len([one for one in sys.meta_path if type(one).__module__.startswith('hrixs')])"
    lines = (f"print({count})", "import xarray", f"print({count})", "print(xarray.__spec__.name)")
    assert said_by("import sys, hrixs", *lines).split() == ["1", "0", "xarray"]


def test_an_xarray_that_is_not_there_is_an_error_as_ever():
    hide = "import sys, hrixs; sys.path[:] = []; sys.path_importer_cache.clear()"
    tell = "try:\n    import xarray\nexcept ModuleNotFoundError as error:\n    print(error)"
    assert said_by(hide, tell) == "No module named 'xarray'"


def test_modules_are_found_as_attributes():
    lines = ("import hrixs", "print(hrixs.spectra.errors.error_of is hrixs.error_of)")
    assert said_by(*lines) == "True"


def test_a_name_is_looked_up_once():
    assert utils.FWHM is vars(utils)["FWHM"]


def test_what_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"module 'hrixs.utils' has no attribute 'FHWM'"):
        _ = utils.FHWM
    with pytest.raises(ImportError, match="cannot import name 'FHWM'"):
        from hrixs.utils import FHWM  # noqa: F401
    assert not hasattr(utils, "__wrapped__")


def test_all_public_names_come_with_a_star():
    assert said_by("from hrixs import *", "print(hRIXS.__name__, __version__ > '')") == "hRIXS True"


def test_an_error_in_a_module_is_not_hidden():
    tell = "try:\n    hrixs.compare\nexcept ImportError as error:\n    print(error.name)"
    assert said_by("import sys, hrixs", "sys.modules['xarray'] = None", tell) == "xarray"
