"""The curvature from photons: against known curves, on noise, and on a real frame."""

import numpy as np
import pytest
import xarray as xr

from conftest import CURVATURE, RUN, SHARED
from hrixs import HrixsWarning, NoLineError, find_photons, fit_curvature, fit_curvature_image, hRIXS
from hrixs.camera.curve import Curvature
from hrixs.curvature.sharpness import StraightPhotons
from hrixs.simulation import Sensor, SpectralLine, rixs_lines, simulate_frames

CHIP = (2048, 2048)
X = np.arange(2048.0)


def table(x, y, double=None) -> xr.Dataset:
    double = np.zeros(len(x), dtype=bool) if double is None else double
    return xr.Dataset({"x": ("photon", x), "y": ("photon", y), "double": ("photon", double)})


def photons_on(curve, *, n=20_000, lines=None, false=0.3, shape=CHIP, seed=0) -> xr.Dataset:
    """Photons of a RIXS spectrum along a curve, a share of them false hits all over the frame."""
    rng = np.random.default_rng(seed)
    nx, ny = shape
    lines = lines or rixs_lines(0.85 * ny - max(0.0, float(curve(np.float64(nx)))))
    n_false = round(false * n)
    weight = np.array([line.weight for line in lines])
    line = rng.choice(len(lines), n - n_false, p=weight / weight.sum())
    x = rng.uniform(-0.5, nx - 0.5, n)
    y = rng.uniform(0, ny - 1, n)
    y[n_false:] = curve(x[n_false:]) + rng.normal(
        np.array([one.y for one in lines])[line], np.array([one.sigma for one in lines])[line]
    )
    inside = (y > 1) & (y < ny - 2)
    return table(x[inside], y[inside])


def tilted(tilt, curve_b=0.0):
    """A parabola that ends `tilt` rows higher than it begins."""
    return lambda x: Curvature((tilt / 2048 - curve_b * 2048, curve_b))(x)


def deviation(fit, curve) -> float:
    """Largest distance between two curves over the chip, less their mean, in pixels."""
    difference = fit.curve(X) - curve(X)
    return float(np.abs(difference - difference.mean()).max())


@pytest.mark.parametrize("curve_b", [-5e-6, 0.0, 5e-6])
@pytest.mark.parametrize("tilt", [-60, -7, 60])
@pytest.mark.one_in(2)
def test_found_without_hints_within_a_tenth_of_a_pixel(tilt, curve_b):
    curve = tilted(tilt, curve_b)
    fit = fit_curvature(photons_on(curve, false=0.0), shape=CHIP, n_bootstrap=2)
    assert deviation(fit, curve) < 0.1
    assert fit.curve_b == pytest.approx(curve_b, abs=2e-7)


@pytest.mark.parametrize("false", [0.0, 0.5])
@pytest.mark.parametrize("tilt", [-60, 25])
@pytest.mark.one_in(2)
def test_two_thousand_photons_are_enough(tilt, false):
    curve = tilted(tilt, 2e-6)
    fit = fit_curvature(photons_on(curve, n=2000, false=false), shape=CHIP)
    assert deviation(fit, curve) < 0.6
    assert (np.abs(fit.curve(X) - curve(X)) < 5 * fit.curve_error(X) + 0.5).all()
    assert 0.1 < fit.curve_error(X).max() < 0.4


@pytest.mark.slow
def test_stated_errors_are_the_scatter():
    curve = tilted(30, -1e-6)
    true = (30 / 2048 + 1e-6 * 2048, -1e-6)
    options = {"start": true, "shape": CHIP, "n_bootstrap": 40}
    fits = [fit_curvature(photons_on(curve, n=5000, seed=s), **options) for s in range(24)]
    pulls = np.array([(np.array(fit.coefficients) - true) / fit.errors for fit in fits])
    spread = np.sqrt((pulls**2).mean(axis=0))
    assert np.abs(pulls.mean(axis=0)).max() < 0.6
    assert (spread > 0.8).all()
    assert (spread < 1.2).all()


def test_the_error_of_the_curve_is_that_of_its_coefficients():
    fit = fit_curvature(photons_on(tilted(10), n=3000), shape=CHIP)
    draws = np.random.default_rng(0).multivariate_normal(fit.coefficients, fit.covariance, 2000)
    curves = draws @ np.stack([X, X**2])
    curves -= curves.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(fit.curve_error(X)[::500], curves.std(axis=0)[::500], rtol=0.1)
    np.testing.assert_allclose(fit.errors, np.sqrt(np.diag(fit.covariance)))


def test_higher_degrees():
    def curve(x):
        return ((8 / 2048**3 * x - 2e-6) * x + 0.02) * x

    photons = photons_on(curve)
    cubic = fit_curvature(photons, degree=3, shape=CHIP)
    assert cubic.degree == len(cubic.errors) == 3
    assert deviation(cubic, curve) < 0.2 < deviation(fit_curvature(photons, shape=CHIP), curve)
    assert fit_curvature(photons, degree=1, shape=CHIP).curve_b == 0.0


@pytest.mark.parametrize("shape", [None, (2048, 200)])
def test_a_background_that_ends_with_the_frame_does_not_draw_the_curve_straight(shape):
    # Nine of ten hits are false; the frame's ends alone are known to 0.1 px of tilt from these.
    line = (SpectralLine(70.0, 1.3, 1.0),)
    tilts = [
        fit_curvature(
            photons_on(tilted(60), lines=line, false=0.9, shape=(2048, 200), seed=seed),
            shape=shape,
            n_bootstrap=2,
        ).curve(X[-1:])[0]
        for seed in range(6)
    ]
    assert np.mean(tilts) == pytest.approx(60, abs=0.15)


def test_a_line_that_leaves_the_frame_counts_where_it_is_seen():
    line = (SpectralLine(155.0, 1.3, 1.0),)
    photons = photons_on(tilted(60), lines=line, false=0.5, shape=(2048, 200))
    with pytest.warns(HrixsWarning, match="lies in the frame only from x = 2 to 1"):
        fit = fit_curvature(photons, shape=(2048, 200))
    assert fit.n_outside > 1000
    assert deviation(fit, tilted(60)) < 4 * fit.curve_error(X).max()


@pytest.mark.parametrize("tilt", [0, 3, 60])
def test_a_narrow_line_alone_needs_no_shape(tilt):
    photons = photons_on(tilted(tilt), n=2000, lines=(SpectralLine(900.0, 0.4, 1.0),), false=0.0)
    assert deviation(fit_curvature(photons), tilted(tilt)) < 0.1


def test_start_and_samples_change_nothing_but_the_way():
    photons = photons_on(tilted(25, 2e-6), n=3000)
    free = fit_curvature(photons, shape=CHIP)
    near = fit_curvature(photons, start=(0.01, 1e-6), shape=CHIP, seed=1)
    assert near.coefficients == pytest.approx(free.coefficients, rel=1e-3)
    assert near.errors != free.errors
    assert fit_curvature(photons, shape=CHIP) == free


def test_a_double_hit_counts_as_two():
    photons = photons_on(tilted(25), n=2000)
    doubles = photons.assign(double=("photon", np.ones(photons.sizes["photon"], bool)))
    once, twice = (fit_curvature(p, shape=CHIP) for p in (photons, doubles))
    assert twice.n_photons == 2 * once.n_photons
    assert twice.sharpness == pytest.approx(4 * once.sharpness, rel=1e-6)
    assert twice.coefficients == pytest.approx(once.coefficients, rel=1e-6)
    weighted = fit_curvature(photons, weights=np.full(len(photons.x), 2.0), shape=CHIP)
    assert weighted == twice


def test_numbers_of_the_fit():
    photons = photons_on(tilted(25), lines=(SpectralLine(900.0, 2.0, 1.0),), false=0.2)
    before = photons.copy(deep=True)
    fit = fit_curvature(photons, shape=CHIP)
    assert fit.y0 == pytest.approx(900, abs=0.2)
    assert fit.fwhm == pytest.approx(2.3548 * 2.0, rel=0.05)
    assert fit.n_photons + fit.n_outside == photons.sizes["photon"]
    np.testing.assert_allclose(fit.centre(X), fit.y0 + (fit.curve_b * X + fit.curve_a) * X)
    xr.testing.assert_identical(photons, before)


@pytest.mark.parametrize("false", [0.0, 0.007, 0.3])
@pytest.mark.parametrize("sigma", [0.6, 1.3, 4.0])
@pytest.mark.one_in(2)
def test_the_width_of_one_line_with_few_false_hits(sigma, false):
    lines = (SpectralLine(900.0, sigma, 1.0),)
    photons = photons_on(tilted(25), n=4000, lines=lines, false=false)
    for shape in (None, CHIP):
        fit = fit_curvature(photons, shape=shape, n_bootstrap=2)
        assert fit.fwhm == pytest.approx(2.3548 * sigma, rel=0.1)


def test_photons_without_a_place_are_left_out_and_counted():
    photons = photons_on(tilted(25), n=3000)
    y = photons.y.values.copy()
    y[:7] = np.nan
    with pytest.warns(HrixsWarning, match="7 of"):
        fit = fit_curvature(photons.assign(y=("photon", y)), shape=CHIP)
    assert fit.n_not_finite == 7


@pytest.mark.parametrize("shape", [CHIP, (2048, 200)])
@pytest.mark.parametrize("n", [150, 2000, 20_000])
def test_false_hits_have_no_line(n, shape):
    for seed in range(2):
        with pytest.raises(NoLineError, match="above chance"):
            fit_curvature(photons_on(tilted(0), n=n, false=1.0, shape=shape, seed=seed))


def test_a_background_that_rises_over_the_frame_is_no_line():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, 2047, 20_000), 2047 * np.sqrt(rng.random(20_000))
    with pytest.raises(NoLineError, match="above chance"):
        fit_curvature(table(x, y))


def test_a_line_that_is_too_broad_is_none():
    broad = (SpectralLine(1000.0, 40.0, 1.0),)
    with pytest.raises(NoLineError, match="uncertain by"):
        fit_curvature(photons_on(tilted(20), n=2000, lines=broad), shape=CHIP)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"degree": 5}, ValueError, "expected 1 to 4"),
        ({"degree": 1.5}, ValueError, "whole number"),
        ({"n_bootstrap": 1}, ValueError, "2 or more"),
        ({"start": (np.nan, 0.0)}, ValueError, "finite numbers"),
        ({"shape": (2048, 6)}, ValueError, "at least 8"),
        ({"weights": [1.0, -1.0]}, ValueError, "positive number"),
    ],
)
def test_bad_settings(change, error, text):
    with pytest.raises(error, match=text):
        fit_curvature(photons_on(tilted(0), n=500), **change)


def test_bad_tables():
    with pytest.raises(TypeError, match="expected a photon table"):
        fit_curvature(np.zeros((10, 2)))
    with pytest.raises(ValueError, match="with x, y and double"):
        fit_curvature(xr.Dataset({"x": ("photon", [1.0])}))
    with pytest.raises(NoLineError, match="0 photons"):
        fit_curvature(table(np.empty(0), np.empty(0)))
    with pytest.raises(ValueError, match="at least 8"):
        fit_curvature(table(np.full(500, 3.0), np.arange(500.0)))


def test_derivatives_of_the_sharpness():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, 400)
    basis = np.stack([x, x**2])
    y = rng.normal(0, 1.0, 400) + 0.3 * x
    weight = rng.choice([1.0, 2.0], 400)

    def at(*factors: float) -> StraightPhotons:
        return StraightPhotons(y - np.array(factors) @ basis, basis, weight, 1.0)

    value, gradient, hessian = at(0.0, 0.0).derivatives()
    gaps = y[:, None] - y
    pairs = np.outer(weight, weight) * np.exp(-(gaps**2) / 4) / np.sqrt(4 * np.pi)
    assert value == pytest.approx(pairs.sum() - np.trace(pairs), rel=0.02)
    assert at(0.0, 0.0).sharpness() == pytest.approx(value)
    for k, (low, high) in enumerate([((-0.01, 0), (0.01, 0)), ((0, -0.01), (0, 0.01))]):
        below, above = at(*low), at(*high)
        slope = (above.sharpness() - below.sharpness()) / 0.02
        assert gradient[k] == pytest.approx(slope, rel=0.03, abs=1e-3 * value)
        bend = (above.derivatives()[1] - below.derivatives()[1]) / 0.02
        np.testing.assert_allclose(hessian[k], bend, rtol=0.05, atol=2e-3 * value)


def test_found_in_simulated_frames():
    curvature = (0.03, 3e-6)
    frames, _ = simulate_frames(
        6,
        sensor=Sensor(shape=(1024, 300)),
        lines=(SpectralLine(200.0, 1.3, 0.6), SpectralLine(160.0, 6.0, 0.4)),
        curvature=curvature,
        photons_per_frame=300,
        seed=1,
    )
    fit = fit_curvature(find_photons(frames, threshold=450.0), shape=(1024, 300))
    x = np.arange(1024.0)
    difference = fit.curve(x) - Curvature(curvature)(x)
    assert np.abs(difference - difference.mean()).max() < 3 * fit.curve_error(x).max() < 0.5
    assert fit.n_photons > 1500


class TestFindCurvature:
    def test_sets_and_returns(self, h):
        h.CURVE_A = h.CURVE_B = 0.0
        h.STD_THRESHOLD = 6.0
        found = h.find_curvature(RUN, plot=False, method="photons")
        assert found == (h.CURVE_A, h.CURVE_B) == h.curvature_fit.coefficients
        x = np.arange(256.0)
        moved = h.parabola(x) - Curvature(CURVATURE)(x)
        assert np.abs(moved - moved.mean()).max() < 0.3
        assert "FWHM" in h._repr_html_()

    def test_takes_runs_datasets_and_lazy_ones_alike(self, h, data):
        h.STD_THRESHOLD = 6.0
        found = h.find_curvature(RUN, plot=False, method="photons")
        lazy = h.from_run(RUN, lazy=True)
        assert h.find_curvature(data, plot=False, method="photons") == found
        assert h.find_curvature(lazy, plot=False, method="photons") == found
        near = h.find_curvature(data, plot=False, method="photons", args=(0.035, -1e-5))
        assert near == pytest.approx(found, rel=1e-3)

    def test_plot_draws_photons_and_the_curve(self, h, data):
        import matplotlib.pyplot as plt

        h.STD_THRESHOLD = 6.0
        h.find_curvature(data, method="photons")
        (axes, *_) = plt.gcf().axes
        (line,) = axes.lines
        low, high = axes.get_ylim()
        assert 700 <= low < line.get_ydata().min() < line.get_ydata().max() < high <= 900

    def test_plot_of_a_run_read_in_parts_counts_all_its_images(self, h, monkeypatch):
        import matplotlib.pyplot as plt

        monkeypatch.setattr("hrixs.runs.budget._MOST_BYTES_PER_PART", 1)
        h.STD_THRESHOLD = 6.0
        h.find_curvature(RUN, method="photons")
        assert plt.gcf().axes[0].get_title().endswith("p003145, r0145, 8 images")

    def test_bad_calls_change_nothing(self, h, data):
        for change, text in (
            ({"method": "sharp"}, "unknown method"),
            ({"degree": 5}, "expected 1 to 4"),
        ):
            with pytest.raises(ValueError, match=text):
                h.find_curvature(data, plot=False, **({"method": "photons"} | change))
        h.Y_RANGE = slice(100, 400)
        with pytest.raises(NoLineError):
            h.find_curvature(data, plot=False, method="photons")
        assert (h.CURVE_A, h.CURVE_B) == CURVATURE
        assert h.curvature_fit is None

    def test_a_curve_of_a_higher_degree_is_set_as_a_whole(self, h, data):
        a, b = h.find_curvature(data, plot=False, method="photons", degree=3)
        assert h.curvature == h.curvature_fit.curvature
        assert h.curvature.degree == 3
        assert (a, b) == h.curvature.coefficients[:2] == (h.CURVE_A, h.CURVE_B)
        attrs = h.centroid(data).spectrum.attrs
        np.testing.assert_array_equal(attrs["curve_coefficients"], h.curvature.coefficients)
        with pytest.warns(HrixsWarning, match="degree 3 is replaced by the parabola"):
            h.CURVE_A = 0.04
        assert h.curvature.coefficients == (0.04, b)


class TestOnTheChip:
    """Of a table that tells its first pixel the curve is that of the full chip."""

    @pytest.mark.parametrize("degree", [2, 3])
    def test_a_crop_gives_the_curve_of_the_chip(self, degree):
        crop = photons_on(tilted(40, 2e-6), n=5000, false=0.0)
        placed = crop.assign(x=crop.x + 900, y=crop.y + 300).assign_attrs(first_pixel=[900, 300])
        options = {"shape": CHIP, "n_bootstrap": 20, "degree": degree}
        bare, fit = fit_curvature(crop, **options), fit_curvature(placed, **options)
        x = X + 900
        np.testing.assert_allclose(fit.centre(x), 300 + bare.centre(X), atol=1e-6)
        np.testing.assert_allclose(fit.curve_error(x), bare.curve_error(X), rtol=1e-5)
        moved = fit.curvature.about(900.0)
        np.testing.assert_allclose(moved.coefficients, bare.coefficients, rtol=1e-6, atol=1e-15)
        np.testing.assert_allclose(moved.errors, bare.errors, rtol=1e-5)
        assert fit.curvature.errors == pytest.approx(fit.errors)
        near = fit_curvature(placed, start=fit.curvature, **options)
        np.testing.assert_allclose(near.curvature(x), fit.curvature(x), atol=0.02)

    def test_at_the_corner_it_is_that_of_the_table(self):
        crop = photons_on(tilted(40), n=2000, false=0.0)
        options = {"shape": CHIP, "n_bootstrap": 5}
        at_corner = fit_curvature(crop.assign_attrs(first_pixel=[0, 0]), **options)
        assert at_corner == fit_curvature(crop, **options)


class TestRealFrame:
    """Its photons lie on each other, so that a spot's charge says how many they are."""

    @pytest.fixture
    def frame(self):
        path = SHARED / "data" / "LSCO_0040.tif"
        if not path.exists():
            pytest.skip("the frame is not in the repository")
        import tifffile

        return tifffile.imread(path).T

    @pytest.fixture
    def by_image(self, frame):
        return fit_curvature_image(frame.astype(float))

    def test_photons_weighted_by_their_charge(self, frame, by_image):
        photons = find_photons(frame)
        fit = fit_curvature(photons, weights=photons.charge, shape=frame.shape)
        assert deviation(fit, by_image.centre) < 0.5

    def test_pixels_as_photons(self, frame, by_image):
        light = frame - np.median(frame)
        x, y = np.nonzero(light > 60)
        pixels = table(x.astype(float), y.astype(float))
        fit = fit_curvature(pixels, weights=light[x, y], shape=frame.shape, n_bootstrap=10)
        assert deviation(fit, by_image.centre) < 0.2

    def test_the_class_agrees_within_its_errors(self, frame, by_image):
        data = xr.Dataset({"MaranaX": (("trainId", "x", "y"), frame[None])}, {"trainId": [0]})
        h = hRIXS()
        h.find_curvature(data, method="photons", plot=False)
        worst = h.curvature_fit.curve_error(X).max()
        assert deviation(h.curvature_fit, by_image.centre) < 3 * worst
