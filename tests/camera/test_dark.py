"""The dark through tracks, blank and lit frames."""

import numpy as np
import pytest
import xarray as xr

from conftest import DARK
from hrixs import HrixsWarning, find_photons, hRIXS
from hrixs.camera.dark import DarkMean
from hrixs.simulation import Sensor, SpectralLine, simulate_frames

HOW = {"sensor": Sensor(shape=(192, 160)), "lines": (SpectralLine(80, 1.3, 1.0),)}


def darks(n=8, photons=0.0, seed=5):
    return simulate_frames(n, photons_per_frame=photons, seed=seed, **HOW)[0].values


def mean_of(*parts):
    mean = DarkMean(threads=1)
    for part in parts:
        mean.add(part)
    return mean.result()


def dataset(images):
    da = xr.DataArray(images, dims=("trainId", "x", "y"), name="MaranaX")
    return da.assign_coords(trainId=1000 + np.arange(len(images))).to_dataset()


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32, np.float64])
def test_clean_frames_give_the_plain_mean(dtype):
    frames = darks().astype(dtype)
    dark = mean_of(frames)
    np.testing.assert_allclose(dark.image, frames.mean(axis=0, dtype=np.float64), atol=1e-12)
    assert dark.attrs() == {
        "n_dark_images": 8,
        "n_dark_images_left_out": 0,
        "n_dark_values_left_out": 0,
    }
    assert dark.remarks() == []


@pytest.mark.parametrize("adu", [200, 2000, 12_000])
@pytest.mark.parametrize("n", [2, 3, 8, 40])
def test_a_track_is_left_out_and_counted(n, adu):
    frames = darks(n)
    clean = frames.mean(axis=0)
    frames[1, 100:130, 60] = adu
    dark = mean_of(frames)
    assert dark.n_values_left_out == pytest.approx(30, abs=2)
    # Of two frames the mean loses one.
    assert np.abs(dark.image - clean).max() < (6 if n == 2 else 3)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda frame: 0 * frame, "blank"),
        (lambda frame: 0 * frame + 65_535, "saturated"),
        (lambda frame: frame + 300, "at another level"),
    ],
)
def test_frames_unlike_the_others_are_left_out_and_named(change, kind):
    frames = darks()
    clean = frames[[0, 1, 2, 4, 5, 6, 7]].mean(axis=0)
    frames[3] = change(frames[3].astype(int)).astype(np.uint16)
    dark = mean_of(frames)
    assert dark.left_out == {3: kind}
    assert dark.n_images == 7
    np.testing.assert_allclose(dark.image, clean, atol=1e-12)
    assert (
        f"1 of 8 dark images differ from the others and are left out: number 3 ({kind})"
        in (dark.remarks()[0])
    )


def test_half_of_the_frames_may_be_blank():
    frames = darks(9)
    frames[::2] = 0
    dark = mean_of(frames)
    assert list(dark.left_out) == [0, 2, 4, 6, 8]
    np.testing.assert_allclose(dark.image, frames[1::2].mean(axis=0), atol=1e-12)


def test_light_is_left_out_and_named():
    frames = darks()
    clean = frames.mean(axis=0)
    lit = darks(1, photons=150, seed=9)
    frames[5] = lit[0]
    dark = mean_of(frames)
    assert dark.light == [5]
    assert not dark.lit
    assert dark.n_values_left_out > 400
    assert np.abs(dark.image - clean).max() < 3
    assert "light fell on 1 of the dark images: number 5 (light)" in dark.remarks()[0]


def test_light_on_all_frames_is_named():
    dark = mean_of(darks(8, photons=150))
    assert dark.lit
    assert dark.remarks() == [
        "there is light on most of the dark images, or the camera is not stable. Check that "
        "the shutter was closed."
    ]


def test_a_pedestal_that_moves_leaves_nothing_out():
    frames = darks(20).astype(float) + np.linspace(0, 30, 20)[:, None, None]
    dark = mean_of(frames)
    assert dark.attrs()["n_dark_images_left_out"] == 0
    assert dark.n_values_left_out == 0
    np.testing.assert_allclose(dark.image, frames.mean(axis=0), atol=1e-9)


def test_parts_are_as_good_as_the_whole():
    frames = darks(12)
    frames[7, 100:130, 60] = 4000
    frames[9] = 0
    whole, parts = mean_of(frames), mean_of(frames[:2], frames[2:5], frames[5:9], frames[9:])
    assert whole.left_out == parts.left_out == {9: "blank"}
    assert parts.n_values_left_out == whole.n_values_left_out == pytest.approx(30, abs=3)
    np.testing.assert_allclose(parts.image, whole.image, rtol=1e-12)


@pytest.mark.parametrize("size", [1, 3, 4, 5, 8])
def test_parts_are_the_whole(size):
    """The first frames, about which values are far, are the same however parts fall."""
    clean = np.random.default_rng(3).normal(100, 2, (10, 64, 64)).round().astype(np.uint16)
    whole, parts = DarkMean(), DarkMean()
    whole.add(clean)
    for begin in range(0, 10, size):
        parts.add(clean[begin : begin + size])
    np.testing.assert_allclose(parts.result().image, whole.result().image, rtol=1e-12)
    assert parts.result().attrs() == whole.result().attrs()


def test_one_frame_and_equal_frames_are_taken_as_they_are():
    one = darks(1)
    np.testing.assert_array_equal(mean_of(one).image, one[0])
    assert (mean_of(np.full((3, 16, 16), 100.0)).image == 100).all()
    with pytest.raises(ValueError, match="there are no dark images"):
        DarkMean().result()


def test_nan_stays():
    frames = darks().astype(float)
    frames[2, 3, 4] = np.nan
    image = mean_of(frames).image
    assert np.isnan(image[3, 4])
    assert np.isnan(image).sum() == 1


class TestOfTheClass:
    def test_a_track_costs_no_photons(self):
        broad = HOW | {"lines": (SpectralLine(80, 15, 1.0),)}
        frames = simulate_frames(6, photons_per_frame=30, seed=3, **broad)[0].values
        found = {}
        for adu in (0, 12_000):
            images = darks()
            images[3, 100:130, 120] = adu or images[3, 100:130, 120]
            h = hRIXS()
            h.STD_THRESHOLD = 5
            h.load_dark(dataset(images))
            data = dataset(frames)
            h.centroid(data)
            found[adu] = float(data.spectrum.sum())
        assert found[12_000] == pytest.approx(found[0], abs=2)
        assert data.spectrum.attrs["n_dark_values_left_out"] == pytest.approx(30, abs=2)
        assert data.spectrum.attrs["n_dark_images"] == 8

    def test_a_blank_frame_is_named_by_its_train(self):
        images = darks()
        images[3] = 0
        h = hRIXS()
        with pytest.warns(HrixsWarning, match=r"left out: train 1003 \(blank\)"):
            h.load_dark(dataset(images))
        assert h.dark_counts["n_dark_images_left_out"] == 1
        assert find_photons(images[5], dark=h.dark_image, threshold=60).sizes["photon"] == 0

    def test_counts_are_those_of_the_dark_that_is_set(self, h):
        h.load_dark(DARK)
        assert h.dark_counts["n_dark_images"] == 6
        h.dark_image = np.zeros((256, 1024))
        assert h.dark_counts == {}

    def test_lazy_images_are_the_same(self):
        pytest.importorskip("dask")
        images = darks(9)
        images[3, 100:130, 60] = 4000
        h, lazy = hRIXS(), hRIXS()
        h.load_dark(dataset(images))
        lazy.load_dark(dataset(images).chunk(trainId=4))
        np.testing.assert_allclose(lazy.dark_image, h.dark_image, atol=1.5)
