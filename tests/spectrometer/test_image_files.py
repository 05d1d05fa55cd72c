"""The class takes the names of image files where it takes a run or a dataset."""

import numpy as np
import pytest
import tifffile

from hrixs import hRIXS, open_images
from hrixs.simulation import Sensor, SpectralLine, simulate_frames


@pytest.fixture(scope="module")
def camera(tmp_path_factory):
    """A folder with frames and darks of a small camera."""
    folder = tmp_path_factory.mktemp("camera")
    sensor = Sensor(shape=(128, 96), hot_fraction=0.0)
    lines = [SpectralLine(48, 2.0, 1.0)]
    frames, _ = simulate_frames(8, sensor=sensor, lines=lines, photons_per_frame=80, seed=1)
    darks, _ = simulate_frames(6, sensor=sensor, photons_per_frame=0, seed=2)
    np.save(folder / "frames.npy", frames.values)
    tifffile.imwrite(folder / "darks.tif", darks.values, photometric="minisblack")
    return folder


def test_load_dark(camera):
    h = hRIXS()
    h.load_dark(str(camera / "darks.tif"))
    darks = open_images(camera / "darks.tif")["MaranaX"]
    np.testing.assert_allclose(h.dark_image, darks.mean("trainId"), atol=3)
    assert h.USE_DARK
    assert h.dark_run.endswith("darks.tif")


@pytest.mark.parametrize("call", ["mean_image", "find_curvature", "noise_report"])
def test_what_takes_a_run_takes_a_file(camera, call):
    h, other = hRIXS(), hRIXS()
    options = {"find_curvature": {"plot": False}, "noise_report": {"energy": 530.0}}.get(call, {})
    found = getattr(h, call)(camera / "frames.npy", **options)
    expected = getattr(other, call)(open_images(camera / "frames.npy"), **options)
    if call == "mean_image":
        np.testing.assert_array_equal(found, expected)
    assert h.get_params() == other.get_params()


def test_find_bad_pixels(camera):
    h = hRIXS()
    h.find_bad_pixels(camera / "darks.tif", plot=False)
    assert h.MASK.shape == (128, 96)


@pytest.mark.parametrize("call", ["from_run", "process_run"])
def test_what_needs_a_run_says_what_to_call(camera, call):
    with pytest.raises(ValueError, match=r"frames\.npy is not a run: 8 images .*open_images"):
        getattr(hRIXS(), call)(str(camera / "frames.npy"))


def test_a_file_that_is_neither_is_told_so(tmp_path):
    (tmp_path / "a.dat").write_text("a note")
    with pytest.raises(ValueError, match=r"a\.dat: images are read from"):
        hRIXS().from_run(tmp_path / "a.dat")
