"""Pedestals, fitted darks and tracks: in memory, in parts, lazily and on a cluster, the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from distributed import Client, LocalCluster

from hrixs import MissingDataError, NonFinitePixelsError, hRIXS
from hrixs.simulation import Sensor, rixs_lines, simulate_frames, write_run

SHAPE = (128, 256)
SENSOR = Sensor(shape=SHAPE)
N = 12
DRIFT = np.linspace(0, 30, N)
TRACK = (slice(30, 70), 90)


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> tuple[Path, Path, Path]:
    """A dark run; one whose level drifts, with a track in image 7; and the same without both."""
    root = tmp_path_factory.mktemp("runs")
    lines = rixs_lines(150.0)
    dark, _ = simulate_frames(8, sensor=SENSOR, photons_per_frame=0, seed=99)
    frames, _ = simulate_frames(N, sensor=SENSOR, photons_per_frame=250, lines=lines, seed=5)
    slow = {"nrj": np.full(N, 530.0), "hRIXS_delay": np.arange(N) % 2}
    still = frames.values
    drifting = (still + DRIFT[:, None, None]).round().astype(np.uint16)
    drifting[(7, *TRACK)] += 4000
    return (
        write_run(root, dark.values, run=1),
        write_run(root, drifting, run=2, slow=slow),
        write_run(root, still, run=3, slow=slow),
    )


@pytest.fixture
def h(runs) -> hRIXS:
    h = hRIXS()
    h.FIELDS = ["MaranaX", "nrj", "hRIXS_delay"]
    h.load_dark(runs[0])
    h.set_params(bins=256, curve_a=0.0240845, curve_b=-3.6953e-7)
    return h


SETTINGS = {
    "image": {"pedestal": "image"},
    "rows": {"pedestal": slice(220, 250)},
    "offset": {"dark_fit": "offset"},
    "both": {"dark_fit": "both", "pedestal": "image", "remove_cosmics": True},
    "cosmics": {"remove_cosmics": True},
}


def made(h: hRIXS, data: xr.Dataset, method: str) -> xr.Dataset:
    return h.integrate(data) if method == "integrate" else h.centroid(data, method=method)


def compared(found: xr.Dataset, expected: xr.Dataset) -> None:
    """All that spectra and mending made."""
    for name in ("spectrum", "pedestal", "dark_factor", "dark_offset", "cosmic_pixels"):
        assert (name in found) == (name in expected), name
        if name in found:
            np.testing.assert_array_equal(found[name].values, expected[name].values, name)


@pytest.mark.filterwarnings("ignore::hrixs.LostPhotonsWarning")
@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("method", ["auto", "integrate"])
@pytest.mark.one_in(3)
def test_in_memory_in_parts_and_lazily_the_same(h, runs, method, settings, monkeypatch):
    h.set_params(**SETTINGS[settings])
    whole = made(h, h.from_run(runs[1]), method)
    options = {"method": method, "progress": False}
    compared(h.process_run(runs[1], **options), whole)
    lazy = made(h, h.from_run(runs[1], lazy=True), method).compute()
    compared(lazy, whole)
    monkeypatch.setattr("hrixs.runs.budget._MOST_BYTES_PER_PART", 1)  # an image a part
    parts = h.process_run(runs[1], **options)
    compared(parts, whole)
    for name in ("n_cosmic_pixels", "cosmic_images", "pedestal", "dark_fit", "dark_factor_err"):
        assert parts.spectrum.attrs.get(name) == whole.spectrum.attrs.get(name), name


def test_the_same_on_a_cluster_and_from_a_checkpoint(h, runs, tmp_path, monkeypatch):
    h.set_params(**SETTINGS["both"])
    monkeypatch.setattr("hrixs.runs.budget._MOST_BYTES_PER_PART", 1)
    options = {"method": "integrate", "progress": False}
    here = h.process_run(runs[1], **options)
    local = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0", "silence_logs": 50}
    with (
        LocalCluster(n_workers=1, threads_per_worker=2, processes=True, **local) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        assert h.process_run(runs[1], client=client, **options).identical(here)
    options["checkpoint"] = tmp_path / "c"
    assert h.process_run(runs[1], **options).identical(here)
    assert h.process_run(runs[1], **options).identical(here)


def test_a_pedestal_takes_a_drift_away_and_its_doubt(h, runs):
    still = h.process_run(runs[2], method="integrate", progress=False)
    h.PEDESTAL, h.REMOVE_COSMICS = "image", True
    mended = h.process_run(runs[1], method="integrate", progress=False)
    assert "level_drift" not in mended.spectrum.attrs["doubts"]
    np.testing.assert_allclose(mended.pedestal - mended.pedestal[0], DRIFT, atol=0.6)
    rest = (mended.spectrum - still.spectrum).values
    assert np.abs(rest).max() < 3.0  # a track of 4000 ADU made 1200 of it


@pytest.mark.parametrize("fit", ["offset", "both"])
def test_a_fitted_dark_takes_another_level_away_and_its_doubt(h, runs, fit):
    h.dark_image = h.dark_image - 9  # as of another exposure
    h.dark_detector = h.DETECTOR
    with pytest.warns(UserWarning, match="dark_level: .*DARK_FIT"):
        h.process_run(runs[2], method="integrate", progress=False)
    h.DARK_FIT = fit
    result = h.process_run(runs[2], method="integrate", progress=False)
    assert "dark_level" not in result.spectrum.attrs["doubts"]
    if fit == "offset":
        np.testing.assert_allclose(result.dark_offset, 9, atol=0.2)
    np.testing.assert_allclose(result.spectrum.median("energy"), 0, atol=0.3)


def test_counts_are_those_of_the_images_that_were_hit(h, runs):
    h.REMOVE_COSMICS = True
    data = h.integrate(h.from_run(runs[1]).drop_vars("nrj"))
    found = data.spectrum.attrs
    assert found["n_cosmic_images"] == int((data.cosmic_pixels > 0).sum())
    assert found["n_cosmic_pixels"] == int(data.cosmic_pixels.sum())
    assert str(int(data.trainId[7])) in found["cosmic_images"]


def test_what_was_mended_goes_with_the_setting(h, runs):
    data = h.from_run(runs[2])
    h.PEDESTAL = "image"
    h.integrate(data)
    assert "pedestal" in data
    h.PEDESTAL = None
    h.integrate(data)
    assert "pedestal" not in data
    assert "pedestal" not in data.spectrum.attrs


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        ({"pedestal": "0:20", "y_range": slice(50, 200)}, ValueError, "outside of Y_RANGE, 50:200"),
        ({"pedestal": "dark"}, ValueError, "expected None, 'image', or rows"),
        ({"pedestal": slice(10, 12)}, ValueError, "leaves 2 rows"),
        ({"dark_fit": "ofset"}, ValueError, "Did you mean 'offset'"),
        ({"dark_fit": "both", "use_dark": False}, MissingDataError, "no dark is subtracted"),
    ],
)
def test_wrong_settings_are_told(h, runs, settings, error, text):
    h.set_params(**settings)
    with pytest.raises(error, match=text):
        h.process_run(runs[2], method="integrate", progress=False)


def test_images_without_a_value_are_errors_as_ever(h, runs):
    h.set_params(pedestal="image", remove_cosmics=True)
    data = h.from_run(runs[2]).astype(float)
    data.MaranaX.values[3, 20, 30] = np.nan
    with pytest.raises(NonFinitePixelsError):
        h.integrate(data)
    h.MASK = np.isnan(data.MaranaX.values[3])
    assert h.integrate(data).sizes["trainId"] == N


def test_several_images_of_a_train_have_a_level_each(h, runs):
    frames = h.from_run(runs[1]).MaranaX.values.reshape(N // 2, 2, *SHAPE)
    data = xr.Dataset({"MaranaX": (("trainId", "pulse", "x", "y"), frames)})
    h.PEDESTAL = "image"
    h.integrate(data)
    assert data.pedestal.dims == ("trainId", "pulse")
    np.testing.assert_allclose(data.pedestal.values.ravel(), DRIFT, atol=0.7)


def test_two_images_cannot_be_compared(h, runs):
    h.REMOVE_COSMICS = True
    with pytest.warns(UserWarning, match="fewer than 3"):
        result = h.integrate(h.from_run(runs[2], subset=slice(2)))
    assert result.spectrum.attrs["n_cosmic_pixels"] == 0
