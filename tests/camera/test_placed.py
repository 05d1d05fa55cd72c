"""Masks, darks and noise maps: taken by their names, refused where they are of other pixels."""

import numpy as np
import pytest
import xarray as xr

import hrixs
from hrixs import hRIXS
from hrixs.cli.main import main
from hrixs.simulation import Sensor, SpectralLine, simulate_frames

# The threshold hides some photons, with a dark nearly all: that is said, and is right.
pytestmark = pytest.mark.filterwarnings("ignore:crowded:hrixs.LostPhotonsWarning")

SIDE = 128  # a square chip: the shape does not tell the order of the axes
LINE = SpectralLine(60, 25.0, 1.0)  # wide: its photons lie apart
OF_SENSOR = {"lines": (LINE,), "curvature": (0.0, 0.0), "energy": 530.0}


@pytest.fixture(scope="module")
def frames():
    sensor = Sensor(shape=(SIDE, SIDE))
    made = simulate_frames(6, sensor=sensor, photons_per_frame=20, seed=3, **OF_SENSOR)[0].values
    made = made.astype(np.float64)
    made[:, 40, 100:106] += 400  # bad pixels
    return made


@pytest.fixture
def mask():
    bad = np.zeros((SIDE, SIDE), bool)
    bad[40, 99:107] = True
    return bad


@pytest.fixture
def dark():
    pedestal = np.full((SIDE, SIDE), 100.0)
    pedestal[40, 100:106] += 400
    return pedestal


def by_names(image, order, x=None, y=None):
    """`image` (x, y) as a DataArray in an order of dims, perhaps with pixels of the chip."""
    image = xr.DataArray(image, dims=("x", "y"))
    coords = {d: np.arange(b, b + SIDE) for d, b in (("x", x), ("y", y)) if b is not None}
    return image.assign_coords(coords).transpose(*order)


def dataset(frames, x=None, y=None, **variables):
    images = xr.DataArray(frames, dims=("trainId", "x", "y"), name="MaranaX")
    coords = {d: np.arange(b, b + SIDE) for d, b in (("x", x), ("y", y)) if b is not None}
    images = images.assign_coords(coords | {"trainId": np.arange(len(frames))})
    return images.to_dataset().assign(variables)


def spectrometer(**settings):
    h = hRIXS()
    h.set_params(threshold=480, **settings)
    return h


ORDERS = [("x", "y"), ("y", "x")]


@pytest.mark.parametrize("order", ORDERS)
class TestDimsAreTakenByTheirNames:
    def test_mask(self, order, frames, mask):
        expected = hrixs.find_photons(frames, threshold=480, mask=mask).sizes["photon"]
        assert expected < hrixs.find_photons(frames, threshold=480).sizes["photon"]
        named = by_names(mask, order)
        assert hrixs.find_photons(frames, threshold=480, mask=named).sizes["photon"] == expected
        counted = spectrometer(mask=named).centroid(dataset(frames))
        assert counted.spectrum.sum() == expected

    def test_mask_of_one_image(self, order, frames, mask):
        expected = spectrometer(mask=mask).centroid_one(frames[0])
        assert spectrometer(mask=by_names(mask, order)).centroid_one(frames[0]) == expected

    @pytest.mark.parametrize("method", ["auto", "best", "integrate"])
    def test_dark(self, order, method, frames, dark):
        def made(image):
            h = spectrometer(cloud_sigma=0.5, photon_charge=500.0)
            h.load_dark(xr.Dataset({"MaranaX": image}))
            return h.integrate(data) if method == "integrate" else h.centroid(data, method=method)

        data = dataset(frames)
        expected = made(by_names(dark, ("x", "y"))).spectrum.values
        np.testing.assert_array_equal(made(by_names(dark, order)).spectrum.values, expected)

    def test_dark_set_by_hand(self, order, frames, dark):
        spectra = []
        for image in (dark, by_names(dark, order)):
            h = spectrometer(use_dark=True)
            h.dark_image, h.dark_detector = image, "MaranaX"
            spectra.append(h.integrate(dataset(frames)).spectrum.values)
        np.testing.assert_array_equal(*spectra)

    def test_dark_of_functions(self, order, frames, dark):
        for function in (hrixs.integrate_frames, hrixs.find_photons):
            options = {"threshold": 480} if function is hrixs.find_photons else {}
            expected = function(frames, dark=dark, **options)
            xr.testing.assert_identical(
                function(frames, dark=by_names(dark, order), **options), expected
            ) if isinstance(expected, xr.Dataset) else np.testing.assert_array_equal(
                function(frames, dark=by_names(dark, order), **options), expected
            )

    def test_read_noise(self, order, frames, mask):
        noise = np.where(mask, 60.0, 2.0)
        options = {"position": "gaussian", "cloud_sigma": 0.5, "electrons_per_adu": 1.0}
        places = [
            [
                hrixs.find_photons(frames, threshold=480, read_noise=one, **options).y.values,
                spectrometer(read_noise=one, **options).centroid(dataset(frames)).spectrum.values,
                np.array(spectrometer(read_noise=one, **options).centroid_one(frames[0])),
            ]
            for one in (noise, by_names(noise, order))
        ]
        for expected, found in zip(*places, strict=True):
            np.testing.assert_array_equal(found, expected)

    def test_noise_report(self, order, frames, mask, dark):
        expected = hrixs.noise_report(frames, mask=mask, dark=dark)
        found = hrixs.noise_report(frames, mask=by_names(mask, order), dark=by_names(dark, order))
        assert found.threshold == expected.threshold


class TestCoordinatesOfOtherPixelsAreRefused:
    SAID = r"x from 100 to 227 .* x from 0 to 127"

    def test_mask(self, frames, mask):
        named = by_names(mask, ("y", "x"), x=100, y=0)
        with pytest.raises(ValueError, match=f"MASK covers other pixels.*{self.SAID}.*drop_vars"):
            spectrometer(mask=named).centroid(dataset(frames, x=0, y=0))
        placed = dataset(frames, x=0, y=0).MaranaX
        with pytest.raises(ValueError, match=f"mask covers other pixels.*{self.SAID}"):
            hrixs.find_photons(placed, threshold=480, mask=named)

    @pytest.mark.parametrize("method", ["auto", "integrate"])
    def test_dark(self, method, frames, dark):
        h = spectrometer()
        h.load_dark(dataset(dark[None], x=100, y=700))
        with pytest.raises(ValueError, match=r"the dark covers other .* y from 700 to 827"):
            h.centroid(dataset(frames)) if method == "auto" else h.integrate(dataset(frames))
        with pytest.raises(ValueError, match="the dark covers other pixels"):
            h.mean_image(dataset(frames))

    def test_dark_of_the_same_crop_is_taken(self, frames, dark):
        h = spectrometer()
        h.load_dark(dataset(dark[None], x=100, y=700))
        placed = h.integrate(dataset(frames, x=100, y=700)).spectrum
        h.load_dark(dataset(dark[None]))
        np.testing.assert_array_equal(placed, h.integrate(dataset(frames)).spectrum)

    def test_dark_of_a_function(self, frames, dark):
        placed = dataset(frames, x=0, y=0).MaranaX
        with pytest.raises(ValueError, match="dark covers other pixels"):
            hrixs.integrate_frames(placed, dark=by_names(dark, ("x", "y"), y=3))
        with pytest.raises(ValueError, match="dark covers other pixels"):
            hrixs.noise_report(placed, dark=by_names(dark, ("x", "y"), y=3))

    def test_read_noise(self, frames, mask):
        options = {"position": "gaussian", "cloud_sigma": 0.5, "electrons_per_adu": 1.0}
        noise = by_names(np.full(mask.shape, 2.0), ("x", "y"), x=5)
        with pytest.raises(ValueError, match="READ_NOISE covers other pixels"):
            spectrometer(read_noise=noise, **options).centroid(dataset(frames))
        placed = dataset(frames, x=0).MaranaX[0]
        with pytest.raises(ValueError, match="READ_NOISE covers other pixels"):
            spectrometer(read_noise=noise, **options).centroid_one(placed)

    def test_the_part_of_a_larger_one_is_advised(self, frames, mask):
        whole = xr.DataArray(
            np.zeros((300, 300), bool), {"x": np.arange(300), "y": np.arange(300)}, ("x", "y")
        )
        advice = r"MASK\.sel\(x=slice\(100, 227\), y=slice\(50, 177\)\)"
        with pytest.raises(ValueError, match=advice):
            spectrometer(mask=whole).centroid(dataset(frames, x=100, y=50))

    def test_one_that_is_upside_down_is_of_other_pixels(self, frames, mask):
        flipped = by_names(mask, ("x", "y"), y=0)[:, ::-1]
        with pytest.raises(ValueError, match="y from 127 to 0"):
            spectrometer(mask=flipped).centroid(dataset(frames, x=0, y=0))

    def test_coordinates_that_are_no_pixels_say_nothing(self, frames, mask):
        named = by_names(mask, ("x", "y")).assign_coords(y=np.linspace(0.1, 1.4, SIDE))
        expected = spectrometer(mask=mask).centroid(dataset(frames)).spectrum
        found = spectrometer(mask=named).centroid(dataset(frames)).spectrum
        np.testing.assert_array_equal(found, expected)


class TestMaskOfTheOtherConvention:
    MEANT = (
        r"masks 99\.95 % of the 128 x 128 pixels.*True .* means a bad pixel.*~mask, or mask == 0"
    )

    @pytest.mark.parametrize(
        "use",
        [
            lambda frames, mask: hrixs.find_photons(frames, threshold=480, mask=mask),
            lambda frames, mask: hrixs.classify_photons(frames, 530.0, mask=mask),
            lambda frames, mask: hrixs.integrate_frames(frames, mask=mask),
            lambda frames, mask: hrixs.noise_report(frames, mask=mask),
            lambda frames, mask: hrixs.estimate_cloud(frames, mask=mask),
            lambda frames, mask: spectrometer(mask=mask).centroid(dataset(frames)),
            lambda frames, mask: spectrometer(mask=mask).integrate(dataset(frames)),
            lambda frames, mask: spectrometer(mask=mask).centroid_one(frames[0]),
            lambda frames, mask: spectrometer(mask=mask).mean_image(dataset(frames)),
            lambda frames, mask: spectrometer(mask=mask).find_curvature(dataset(frames)),
            lambda frames, mask: spectrometer(mask=mask).noise_report(dataset(frames)),
            lambda frames, mask: spectrometer(mask=mask).find_bad_pixels(dataset(frames)),
        ],
    )
    def test_is_an_error_that_says_how_to_invert_it(self, use, frames, mask):
        with pytest.raises(ValueError, match=self.MEANT):
            use(frames, ~mask)

    def test_of_the_command_line(self, frames, mask, tmp_path, capsys):
        np.save(tmp_path / "f.npy", frames.astype(np.uint16))
        np.save(tmp_path / "good.npy", (~mask).astype(np.uint8))
        words = ["process", str(tmp_path / "f.npy"), "-o", str(tmp_path / "o.nc")]
        assert main([*words, "--mask", str(tmp_path / "good.npy")]) == 1
        assert "in a file any value but 0" in capsys.readouterr().err
        assert not (tmp_path / "o.nc").exists()

    def test_everything_masked(self, frames, mask):
        with pytest.raises(ValueError, match="masks 100 %"):
            hrixs.find_photons(frames, threshold=480, mask=np.ones_like(mask))

    def test_no_square_left(self, frames, mask):
        board = np.indices(mask.shape).sum(axis=0) % 2 == 0
        with pytest.raises(ValueError, match="leaves no square of 2x2 good"):
            spectrometer(mask=board).centroid(dataset(frames))

    def test_half_of_the_chip_may_be_bad(self, frames, mask):
        half = np.zeros_like(mask)
        half[:64] = True
        assert spectrometer(mask=half).centroid(dataset(frames)).spectrum.sum() > 0

    def test_what_lies_outside_of_the_crop_does_not_count(self, frames, mask):
        bad = np.ones_like(mask)
        bad[20:100, 40:80] = False
        h = spectrometer(mask=bad, x_range=slice(20, 100), y_range=slice(40, 80))
        assert h.centroid(dataset(frames)).spectrum.sum() > 0
