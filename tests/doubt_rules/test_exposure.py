"""The exposure against the time between images: one of the two may be in another unit."""

import numpy as np
import pytest
import xarray as xr

from hrixs import doubts, hRIXS
from hrixs.doubt_rules.exposure import exposure_too_long
from hrixs.simulation import Sensor, simulate_frames

FIRST = 1_600_000_000


@pytest.mark.parametrize(
    ("exposure", "distance", "is_told"),
    [(0.1, 0.1, False), (0.11, 0.1, True), (1.0, 1.0, False), (1000, 1.0, True), (0.2, 1.0, False)],
)
def test_an_exposure_is_no_longer_than_the_time_between_images(exposure, distance, is_told):
    found = exposure_too_long(exposure, distance)
    assert [doubt.code for doubt in found] == ["exposure"] * is_told
    assert not any(doubt.grave for doubt in found)


def test_it_says_whether_ms_would_fit():
    assert "1000 ms would fit" in exposure_too_long(1000, 1.0)[0].text
    assert "would fit" not in exposure_too_long(1e5, 1.0)[0].text


@pytest.fixture(scope="module")
def frames():
    return simulate_frames(4, sensor=Sensor(shape=(64, 64)), photons_per_frame=20)[0].values


def told(frames, *, exposure, units, step=1, first=FIRST, name="hRIXS_exposure"):
    """Figures of the doubt where images of so many trains apart are integrated."""
    data = xr.Dataset({"MaranaX": (("trainId", "x", "y"), frames)})
    data = data.assign_coords(trainId=first + step * np.arange(len(frames)))
    attrs = {} if units is None else {"units": units}
    data[name] = ("trainId", np.full(len(frames), exposure), attrs)
    found = {doubt.code: doubt for doubt in doubts(hRIXS().integrate(data))}
    return found["exposure"].figures if "exposure" in found else None


@pytest.mark.parametrize(
    ("exposure", "units", "step", "expected"),
    [
        (0.1, "s", 1, None),
        (1.0, "s", 10, None),
        (100.0, "ms", 1, None),
        (1000.0, "ms", 10, None),
        (1000.0, "s", 10, {"exposure": 1000.0, "distance": 1.0}),
        (1000.0, None, 10, {"exposure": 1000.0, "distance": 1.0}),
        (1000.0, "ms", 1, {"exposure": 1.0, "distance": pytest.approx(0.1)}),
        (5.0, "furlong", 1, None),  # of an unknown unit nothing is told
    ],
)
def test_by_the_units_that_the_data_have(frames, exposure, units, step, expected):
    assert told(frames, exposure=exposure, units=units, step=step) == expected


def test_images_that_are_numbered_are_no_trains(frames):
    assert told(frames, exposure=300.0, units="s", first=0) is None


def test_of_a_run_it_is_told_too(frames, tmp_path):
    from hrixs.simulation import write_run

    images = xr.DataArray(frames, dims=("trainId", "x", "y"))
    folder = write_run(
        tmp_path, images, proposal=1, run=1, slow={"hRIXS_exposure": np.full(len(frames), 250.0)}
    )
    h = hRIXS(1)
    h.FIELDS = ["MaranaX", "hRIXS_exposure"]
    result = h.process_run(folder, method="integrate", progress=False)
    unit = {"s": 1.0, "ms": 1e-3}[result.hRIXS_exposure.attrs["units"]]
    (doubt,) = (one for one in doubts(result) if one.code == "exposure")
    assert doubt.figures["exposure"] == 250.0 * unit
