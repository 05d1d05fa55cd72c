"""The curvature fit: against simulated truth, and on a real frame."""

import numpy as np
import pytest
import xarray as xr

from conftest import SHARED
from hrixs import NoLineError, fit_curvature_image
from hrixs.camera.curve import Curvature
from hrixs.curvature.image_fit import CurvatureFit, line_positions
from hrixs.simulation import Sensor, SpectralLine, simulate_frames


def image_of_line(curvature, *, y0=200.0, sigma=1.5, noise=1.0, shape=(512, 400), seed=0):
    x, y = np.mgrid[: shape[0], : shape[1]].astype(float)
    distance = y - y0 - Curvature(curvature)(x)
    line = 20 * np.exp(-0.5 * (distance / sigma) ** 2)
    return 100 + line + np.random.default_rng(seed).normal(0, noise, shape)


@pytest.mark.parametrize(
    "curvature",
    [(0.0, 0.0), (0.1, 0.0), (-0.12, 0.0), (0.02, 3e-5), (-0.05, -2e-5), (0.0, 3e-5)],
    ids=str,
)
def test_found_without_hints_within_its_errors(curvature):
    fit = fit_curvature_image(image_of_line(curvature))
    x = np.arange(512.0)
    assert np.abs(fit.centre(x) - 200 - Curvature(curvature)(x)).max() < 0.1
    assert abs(fit.curve_a - curvature[0]) < 5 * fit.curve_a_err
    assert abs(fit.curve_b - curvature[1]) < 5 * fit.curve_b_err
    assert fit.sigma == pytest.approx(1.5, rel=0.03)
    assert fit.amplitude == pytest.approx(20, rel=0.05)
    assert fit.background == pytest.approx(100, abs=0.2)
    assert fit.fwhm == pytest.approx(2.3548 * fit.sigma, rel=1e-4)


class TestOnTheChip:
    """Of an image with coordinates the curve is that of the full chip."""

    CURVE = Curvature((0.02, 3e-5))

    def placed(self, x0, y0, seed=0, **options):
        of_crop = self.CURVE.counted_from(x0).about(0.0).coefficients
        image = image_of_line(of_crop, seed=seed, **options)
        where = {"x": x0 + np.arange(512), "y": y0 + np.arange(400)}
        return xr.DataArray(image, where, ("x", "y"))

    def test_a_crop_gives_the_curve_of_the_chip(self):
        image = self.placed(300, 700)
        bare, fit = fit_curvature_image(image.values), fit_curvature_image(image)
        assert fit.curve_a == pytest.approx(bare.curve_a - 600 * bare.curve_b, abs=1e-12)
        assert fit.curve_b == bare.curve_b
        x = np.arange(300.0, 812.0)
        np.testing.assert_allclose(fit.centre(x), 700 + bare.centre(x - 300), rtol=1e-12)
        assert fit.curvature.errors == pytest.approx((fit.curve_a_err, fit.curve_b_err))
        assert fit_curvature_image(image.T).curve_a == fit.curve_a
        near = fit_curvature_image(image, start=self.CURVE)
        assert near.curve_a == pytest.approx(fit.curve_a, abs=1e-6)

    def test_at_the_corner_it_is_that_of_the_array(self):
        image = self.placed(0, 0)
        assert fit_curvature_image(image) == fit_curvature_image(image.values)

    @pytest.mark.slow
    def test_stated_errors_are_the_scatter(self):
        fits = [fit_curvature_image(self.placed(300, 700, s, noise=8)) for s in range(24)]
        for name in ("curve_a", "curve_b", "y0"):
            values = np.array([getattr(fit, name) for fit in fits])
            errors = np.array([getattr(fit, f"{name}_err") for fit in fits])
            assert 0.6 < values.std(ddof=1) / np.median(errors) < 1.5, name

    def test_line_positions_are_those_of_the_chip(self):
        image = self.placed(300, 700)
        fit = fit_curvature_image(image)
        x, y = line_positions(image, fit, n_strips=8)
        assert x[0] == pytest.approx(331.5)
        np.testing.assert_allclose(y, fit.centre(x), atol=0.1)


@pytest.mark.slow
def test_stated_errors_are_the_scatter():
    fits = [fit_curvature_image(image_of_line((0.05, 1e-5), noise=8, seed=s)) for s in range(24)]
    for name in ("curve_a", "curve_b", "y0", "sigma"):
        values = np.array([getattr(fit, name) for fit in fits])
        errors = np.array([getattr(fit, f"{name}_err") for fit in fits])
        assert 0.6 < values.std(ddof=1) / np.median(errors) < 1.5, name


def test_tilt_of_fifty_pixels_from_single_photons():
    curvature = (0.0240845, -3.6953e-7)
    lines = (SpectralLine(150.0, 1.3, 0.4), SpectralLine(110.0, 5.0, 0.6))
    frames, _ = simulate_frames(
        6,
        sensor=Sensor(shape=(2048, 300)),
        lines=lines,
        curvature=curvature,
        photons_per_frame=400,
        seed=2,
    )
    fit = fit_curvature_image(frames.values.sum(axis=0, dtype=float))
    x = np.arange(2048.0)
    deviation = fit.centre(x) - 150 - Curvature(curvature)(x)
    assert np.abs(deviation).max() < 0.5
    assert abs(fit.curve_a - curvature[0]) < 4 * fit.curve_a_err


def test_start_from_hints_and_options_of_the_optimiser():
    image = image_of_line((0.1, 1e-5))
    free = fit_curvature_image(image)
    near = fit_curvature_image(image, start=(0.09, 2e-5), xtol=1e-12)
    assert near.curve_a == pytest.approx(free.curve_a, abs=1e-6)


def test_masked_pixels_are_left_out():
    image = image_of_line((0.05, 0.0))
    spoilt = image.copy()
    spoilt[100:110] = np.nan
    fit = fit_curvature_image(spoilt)
    assert fit.curve_a == pytest.approx(fit_curvature_image(image).curve_a, abs=3e-4)


@pytest.mark.parametrize("seed", range(4))
def test_noise_has_no_line(seed):
    noise = np.random.default_rng(seed).normal(100, 3, (512, 300))
    with pytest.raises(NoLineError, match="no spectral line found"):
        fit_curvature_image(noise)


@pytest.mark.parametrize(
    ("image", "error", "text"),
    [
        (np.full((100, 100), 7.0), NoLineError, "no spectral line"),
        (np.full((100, 100), np.nan), NoLineError, "no finite pixel"),
        (np.zeros(100), ValueError, "expected"),
        (np.zeros((8, 100)), ValueError, "at least 16 x 16"),
    ],
)
def test_bad_images(image, error, text):
    with pytest.raises(error, match=text):
        fit_curvature_image(image)


def test_bad_start():
    with pytest.raises(ValueError, match="expected a pair"):
        fit_curvature_image(image_of_line((0.1, 0.0)), start=(0.1, np.nan))


def test_line_positions_see_what_the_parabola_misses():
    image = image_of_line((0.05, 0.0), noise=0.2)
    fit = fit_curvature_image(image)
    x, y = line_positions(image, fit, n_strips=8)
    np.testing.assert_allclose(y, 200 + 0.05 * x, atol=0.1)


@pytest.fixture(scope="module")
def real_frame():
    path = SHARED / "data" / "LSCO_0040.tif"
    if not path.exists():
        pytest.skip("the real frame lies outside of the repository")
    import tifffile

    return tifffile.imread(path).T


def test_line_of_the_real_frame(real_frame):
    image = real_frame.astype(float)
    fit = fit_curvature_image(image)
    drift = np.ptp(fit.centre(np.arange(len(image), dtype=float)))
    assert 30 < drift < 60
    x, y = line_positions(image, fit)
    # The line is not symmetric: its centre of mass lies beside the Gaussian's, everywhere alike.
    residual = y - fit.centre(x)
    assert np.sqrt(np.mean((residual - np.median(residual)) ** 2)) < 0.5


def test_the_text_of_a_fit_tells_numbers_with_their_errors():
    fit = CurvatureFit(
        0.0240862, -3.6953e-7, 170.12, 1.3, 9.0, 0.1, 2.1e-5, 1.2e-8, 0.031, 0.02, 0.4, 0.01
    )
    assert repr(fit) == (
        "<CurvatureFit: A 0.024086 ± 2e-05, B -3.695e-07 ± 1e-08 /px, "
        "row 170.12 ± 0.03 px at x = 0, FWHM 3.06 ± 0.05 px>"
    )


def test_pixels_that_no_camera_has_are_an_error():
    image = np.random.default_rng(1).normal(size=(64, 64))
    image[3, 4] = 1e300
    with pytest.raises(ValueError, match=r"pixels of up to 1e\+300 ADU"):
        fit_curvature_image(image)
