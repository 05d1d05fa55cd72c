"""Levels, darks, tracks and backgrounds asked for on the command line."""

from __future__ import annotations

import pytest
import xarray as xr

from conftest import DARK, RUN
from hrixs import subtract_background
from hrixs.cli.level_options import background
from hrixs.cli.main import main


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_settings_and_background_are_those_of_the_class(data_root, h, tmp_path, capsys):
    out = tmp_path / "out.nc"
    words = ["process", str(RUN), "--proposal", "3145", "--dark", str(DARK), "-o", str(out)]
    words += ["--y-range", "700:900", "--curve-a", "0.04", "--curve-b", "-2e-5", "--no-progress"]
    words += ["--energy-slope", "0.018387", "--energy-intercept", "498.27", "--method", "integrate"]
    words += ["--pedestal", "image", "--dark-fit", "offset", "--remove-cosmics", "yes"]
    assert main([*words, "--background", "511.3:512"]) == 0
    assert "background: degree 0" in capsys.readouterr().out
    found = xr.load_dataset(out)
    h.load_dark(DARK)
    h.set_params(pedestal="image", dark_fit="offset", remove_cosmics=True)
    expected = h.process_run(RUN, method="integrate", progress=False)
    for name in ("pedestal", "dark_offset", "cosmic_pixels"):
        xr.testing.assert_equal(found[name], expected[name])
    expected = subtract_background(expected, region=(511.3, 512))
    for name in ("spectrum", "background", "background_var", "spectrum_var"):
        xr.testing.assert_equal(found[name], expected[name])


def test_rows_without_light_are_a_pedestal(data_root, tmp_path):
    out = tmp_path / "out.nc"
    words = ["process", str(RUN), "--proposal", "3145", "-o", str(out), "--no-progress"]
    words += ["--y-range", "700:900", "--method", "integrate", "--pedestal", "860:900"]
    assert main(words) == 0
    found = xr.load_dataset(out)
    assert found.spectrum.attrs["pedestal"] == "860:900"
    assert float(found.pedestal.mean()) == pytest.approx(100, abs=1)


@pytest.mark.parametrize("text", ["525-527", "a:b", "525:", "1.5"])
def test_what_is_no_range_and_no_degree_is_told(text, capsys):
    with pytest.raises(SystemExit):
        main(["process", "1", "-o", "x.nc", "--background", text])
    assert "expected a range of the energy axis" in capsys.readouterr().err


def test_several_ranges():
    assert background("525:527,533:535") == {"region": [(525.0, 527.0), (533.0, 535.0)]}
