"""`auto_range`: the rows and columns with light, against where the simulated photons are."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

import hrixs
from conftest import DARK, ELASTIC_ROW, RUN
from hrixs import NoLineError, auto_range
from hrixs.simulation import Sensor, SpectralLine, rixs_lines, simulate_frames

NX, NY = 512, 600


def simulated_light(
    lines, curvature=(0.03, 0.0), photons=150, n=8, seed=1, shape=(NX, NY)
) -> tuple[xr.DataArray, xr.Dataset]:
    return simulate_frames(
        n,
        sensor=Sensor(shape=shape),
        lines=lines,
        photons_per_frame=photons,
        curvature=curvature,
        seed=seed,
    )


def share_in(truth: xr.Dataset, found, shape=(NX, NY)) -> float:
    """Share of the photons on the chip that lie in the ranges."""
    x, y = truth.x.values, truth.y.values
    on_chip = (x > 0) & (x < shape[0] - 1) & (y > 0) & (y < shape[1] - 1)
    columns = range(*found.x_range.indices(shape[0]))
    inside = (y >= found.y_range.start) & (y < found.y_range.stop)
    inside &= (x >= columns[0]) & (x <= columns[-1])
    return float(inside[on_chip].mean())


@pytest.mark.parametrize(
    "curvature", [(0.0, 0.0), (0.1, 0.0), (-0.12, 0.0), (0.0240845, -3.6953e-5)]
)
@pytest.mark.parametrize("width", [1.0, 8.0])
def test_a_line_alone(curvature, width):
    frames, truth = simulated_light([SpectralLine(300, width, 1.0)], curvature)
    found = auto_range(frames)
    assert share_in(truth, found) > 0.995
    moved = np.ptp(np.polyval([curvature[1], curvature[0], 0], np.arange(NX)))
    assert found.y_range.stop - found.y_range.start < moved + 16 * width + 45
    assert found.x_range == slice(None)
    assert found.significance > 20
    assert found.share > 0.97


def test_excitations_belong_to_it():
    """Elastic line, magnon, dd, and the fluorescence, of which the far tail is lost in noise."""
    frames, truth = simulated_light(rixs_lines(450), photons=400)
    found = auto_range(frames)
    assert share_in(truth, found) > 0.98
    assert found.y_range.start > 20
    assert found.y_range.stop < 450 + 0.03 * NX + 40


def test_a_weak_line():
    """15 photons per image, in a hundredth of the noise's variance."""
    frames, truth = simulated_light([SpectralLine(200, 1.3, 1.0)], photons=15, seed=4)
    found = auto_range(frames)
    assert share_in(truth, found) > 0.99
    assert found.significance < 20


def test_a_bad_row_is_no_light():
    frames, truth = simulated_light([SpectralLine(200, 1.3, 1.0)])
    expected = auto_range(frames)
    frames[:, :, 520] += 40
    frames[:, :, 30] = 0
    with_rows = auto_range(frames)
    assert abs(with_rows.y_range.start - expected.y_range.start) <= 2
    assert abs(with_rows.y_range.stop - expected.y_range.stop) <= 2
    assert share_in(truth, with_rows) > 0.995


@pytest.mark.parametrize(("first", "end"), [(0, 250), (120, 400), (300, NX)])
def test_columns_without_light(first, end):
    frames, truth = simulated_light([SpectralLine(200, 1.3, 1.0)], photons=300)
    dark, _ = simulated_light([SpectralLine(200, 1.3, 1.0)], photons=0, seed=9)
    x = np.arange(NX)
    lit = (x >= first) & (x < end)
    frames = frames.where(xr.DataArray(lit, dims="x"), dark)
    found = auto_range(frames)
    begin, stop, _ = found.x_range.indices(NX)
    assert first - 40 <= begin <= first
    assert end <= stop <= end + 40
    at = truth.isel(photon=np.flatnonzero((truth.x >= first) & (truth.x < end)))
    assert share_in(at, found) > 0.995


def test_a_blank_run_is_refused():
    dark, _ = simulated_light([SpectralLine(200, 1.3, 1.0)], photons=0)
    with pytest.raises(NoLineError):
        auto_range(dark)


def test_images_means_datasets_and_crops_are_the_same():
    frames, _ = simulated_light([SpectralLine(300, 1.3, 1.0)], photons=300)
    expected = auto_range(frames)
    images = xr.Dataset({"cam": frames.rename(frame="trainId")})
    pixels = xr.DataArray(
        frames.values[:, 10:, 50:],
        dims=("n", "x", "y"),
        coords={"x": np.arange(10, NX), "y": np.arange(50, NY)},
    )
    for data in (images, frames.values, frames.mean("frame"), pixels):
        found = auto_range(data)
        assert abs(found.y_range.start - expected.y_range.start) <= 12
        assert abs(found.y_range.stop - expected.y_range.stop) <= 12
    with pytest.raises(hrixs.MissingDataError):
        auto_range(xr.Dataset({"a": ("trainId", [1.0])}))


def test_a_run_is_told_and_drawn_before_it_is_set(h, capsys):
    before = h.Y_RANGE
    found = h.auto_range(RUN)
    said = capsys.readouterr().out
    assert f"y_range=slice({found.y_range.start}, {found.y_range.stop})" in said
    assert len(plt.get_fignums()) == 1
    assert before == h.Y_RANGE
    h.auto_range(RUN, set=True, plot=False)
    assert found.y_range == h.Y_RANGE
    assert found.y_range.start < ELASTIC_ROW - 50 < ELASTIC_ROW < found.y_range.stop
    with pytest.raises(NoLineError):
        h.auto_range(DARK, set=True, plot=False)
    assert found.y_range == h.Y_RANGE


def test_the_same_in_memory_and_lazily(h):
    found = [
        h.auto_range(data, plot=False)
        for data in (RUN, h.from_run(RUN), h.from_run(RUN, lazy=True))
    ]
    assert len({(one.y_range.start, one.y_range.stop) for one in found}) == 1
