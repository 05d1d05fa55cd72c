import numpy as np
import pytest
import xarray as xr

from hrixs import find_photons, integrate_frames, photon_parts, photon_spectrum
from hrixs.camera.crop import Crop
from hrixs.camera.curve import Curvature
from hrixs.camera.frames import as_frames, first_pixel
from hrixs.photons.table import concat_photons

ZEROS = xr.DataArray(np.zeros((2, 6, 8)), dims=("frame", "x", "y"))


class TestFirstPixel:
    @pytest.mark.parametrize(
        ("x", "y", "expected"),
        [
            (np.arange(300, 306), np.arange(700, 708), (300, 700)),
            (np.arange(300.0, 306.0), np.arange(8, dtype=np.uint16), (300, 0)),
            (np.arange(6), np.arange(8), (0, 0)),
            (np.arange(-2, 4), np.arange(8), (-2, 0)),
            (None, np.arange(700, 708), (0, 700)),
            (None, None, None),
            (np.arange(0, 12, 2), np.arange(8) + 0.5, None),
            (np.arange(6)[::-1], np.arange(5, 13), (0, 5)),
            (list("abcdef"), None, None),
            (np.full(6, np.nan), None, None),
        ],
    )
    def test_of_consecutive_whole_numbers(self, x, y, expected):
        coords = {name: c for name, c in {"x": x, "y": y}.items() if c is not None}
        frames = ZEROS.assign_coords(coords)
        assert first_pixel(frames) == expected
        stack = as_frames(frames)
        assert (stack.first_pixel, stack.origin) == (expected, expected or (0, 0))
        assert as_frames(frames.transpose("y", "frame", "x")).first_pixel == expected

    def test_bare_arrays_count_from_their_corner(self):
        assert as_frames(ZEROS.values).first_pixel is None
        assert as_frames(ZEROS.rename(x="row", y="column")).origin == (0, 0)


def test_a_crop_of_a_part_knows_its_place_on_the_chip():
    crop = Crop.of(slice(3, None), slice(2, 8), 20, 10)
    assert crop.origin == (3, 2)
    assert crop.ranges == {"x_range": (3, 20), "y_range": (2, 8)}
    part = Crop(crop.x, crop.y, crop.chip_shape, first=(300, 700))
    assert part.origin == (303, 702)
    assert part.pixels["x"].tolist() == list(range(303, 320))
    assert part.pixels["y"].tolist() == list(range(702, 708))


@pytest.fixture(scope="module")
def chip():
    """Frames of a whole chip with tilted lines, and their photons' curve."""
    rng = np.random.default_rng(3)
    frames = rng.normal(100, 1, (4, 120, 90))
    for frame in frames:
        for _ in range(60):
            x, y = rng.integers(5, 115), rng.integers(20, 60)
            y += round(0.2 * x)
            frame[x : x + 2, y : y + 2] += rng.uniform(20, 60, (2, 2))
    where = {"x": np.arange(120), "y": np.arange(90)}
    return xr.DataArray(frames, where, ("trainId", "x", "y"))


CURVE = Curvature((0.2, 1e-4))
CROP = {"x": slice(40, None), "y": slice(13, 85)}


class TestACropMovesNothing:
    def test_photons_are_counted_on_the_chip(self, chip):
        crop = chip.isel(CROP)
        placed, bare = find_photons(crop, threshold=440), find_photons(crop.values, threshold=440)
        np.testing.assert_array_equal(placed.x, bare.x.values + 40)
        np.testing.assert_array_equal(placed.y, bare.y.values + 13)
        np.testing.assert_array_equal(placed.charge, bare.charge)
        assert placed.attrs["first_pixel"].tolist() == [40, 13]
        assert "first_pixel" not in bare.attrs

    def test_their_spectrum_is_that_of_the_same_photons_of_the_chip(self, chip):
        crop, whole = (find_photons(f, threshold=440) for f in (chip.isel(CROP), chip))
        inside = (whole.x > 42) & (whole.y > 15) & (whole.y < 82)
        same = whole.isel(photon=inside.values)
        rows = {"bins": 100, "range": (10.0, 70.0), "curvature": CURVE}
        few = crop.isel(photon=((crop.x > 42) & (crop.y > 15) & (crop.y < 82)).values)
        assert few.sizes["photon"] > 100
        np.testing.assert_array_equal(photon_spectrum(few, **rows), photon_spectrum(same, **rows))

    def test_spectra_are_reckoned_in_the_crop(self, chip):
        crop = chip.isel(CROP)
        bare = photon_spectrum(
            find_photons(crop.values, threshold=440),
            bins=144, range=(0, 72), curvature=CURVE.counted_from(40),
        )  # fmt: skip
        placed = photon_spectrum(
            find_photons(crop, threshold=440), bins=144, range=(13, 85), curvature=CURVE
        )
        np.testing.assert_array_equal(placed.values, bare.values)
        np.testing.assert_array_equal(placed.y, bare.y.values + 13)

    @pytest.mark.parametrize("curve", [CURVE, Curvature((0.2, 1e-4, 3e-6), 50.0)])
    def test_integrated_rows_are_those_of_the_chip(self, chip, curve):
        crop = chip.isel(CROP)
        mask = np.broadcast_to(np.arange(120)[:, None] < 40, (120, 90))
        expected = integrate_frames(chip, curvature=curve, mask=mask)
        found = integrate_frames(chip.isel(x=CROP["x"]), curvature=curve)
        np.testing.assert_allclose(found, expected, rtol=1e-12)
        rows = integrate_frames(crop, curvature=curve)
        assert rows.y.values.tolist() == list(range(13, 85))
        assert rows.attrs["first_pixel"].tolist() == [40, 13]
        inner = slice(40, 50)  # rows that no end of the crop reaches
        np.testing.assert_allclose(rows.sel(y=inner), expected.sel(y=inner), rtol=1e-12)

    def test_chunks_are_counted_on_the_chip(self, chip):
        import dask

        crop = chip.isel(CROP)
        parts = dask.compute(*photon_parts(crop.chunk(trainId=1), threshold=440))
        joined = concat_photons(parts)
        xr.testing.assert_identical(joined, find_photons(crop, threshold=440))
