"""The width of a line: unbiased, with uncertainties that are the scatter."""

import numpy as np
import pytest
import xarray as xr

from hrixs import LineFit, NoLineError, energy_loss, line_width
from hrixs.simulation import rixs_lines

SIGMA, HALF_LORENTZIAN, CENTRE = 1.3, 0.8, 100.3
GAUSSIAN_FWHM = 2.35482 * SIGMA


def voigt_fwhm():
    """Where the profile is half as high as at its centre, without a formula for it."""
    from scipy.optimize import brentq
    from scipy.special import voigt_profile

    top = voigt_profile(0, SIGMA, HALF_LORENTZIAN)
    return 2 * brentq(lambda x: voigt_profile(x, SIGMA, HALF_LORENTZIAN) - top / 2, 0, 10)


def counted(y, bin_width=0.4, units="px"):
    counts, edges = np.histogram(y, round(200 / bin_width), (0, 200))
    centres = (edges[1:] + edges[:-1]) / 2
    return xr.DataArray(counts, {"y": ("y", centres, {"units": units})}, ["y"])


def line(seed, n_photons, *, shape="gaussian", bin_width=0.4):
    """A line on a background of 0.2 of its photons over 200 rows."""
    rng = np.random.default_rng(seed)
    n = rng.poisson(n_photons)
    y = rng.normal(CENTRE, SIGMA, n)
    if shape == "voigt":
        y += HALF_LORENTZIAN * rng.standard_cauchy(n)
    return counted(np.append(y, rng.uniform(0, 200, rng.poisson(0.2 * n_photons))), bin_width)


def rixs_spectrum(n_photons, seed=0, elastic=170.0):
    rng = np.random.default_rng(seed)
    lines = rixs_lines(elastic)
    which = rng.choice(len(lines), n_photons, p=[one.weight for one in lines])
    y = rng.normal(
        np.array([one.y for one in lines])[which], np.array([one.sigma for one in lines])[which]
    )
    return counted(y)


@pytest.mark.parametrize(("n_photons", "n_spectra"), [(200, 60), (20_000, 100)])
@pytest.mark.parametrize("shape", ["gaussian", "voigt"])
@pytest.mark.one_in(2)
def test_unbiased_and_the_stated_errors_are_the_scatter(shape, n_photons, n_spectra):
    fwhm = {"gaussian": GAUSSIAN_FWHM, "voigt": voigt_fwhm()}[shape]
    fits = [
        line_width(line(seed, n_photons, shape=shape, bin_width=1.0), shape=shape)
        for seed in range(n_spectra)
    ]
    truth = {"fwhm": fwhm, "centre": CENTRE, "area": n_photons}
    for name, true in truth.items():
        pulls = np.array([(getattr(f, name) - true) / getattr(f, f"{name}_err") for f in fits])
        assert 0.8 < pulls.std(ddof=1) < 1.2, name
        assert abs(pulls.mean()) < 0.35, name


def test_the_width_of_the_bins_is_not_in_it():
    fits = [line_width(line(1, 20_000, bin_width=width)) for width in (0.1, 0.4, 2.0)]
    for fit in fits:
        assert fit.fwhm == pytest.approx(GAUSSIAN_FWHM, abs=4 * fit.fwhm_err)
        assert fit.fwhm_err < 0.03
    assert fits[2].height == pytest.approx(20 * fits[0].height, rel=0.15)  # of a wider bin


def test_a_gaussian_is_a_voigt_line_without_lorentzian_part():
    fit = line_width(line(2, 20_000), shape="voigt")
    assert fit.lorentzian < 0.1
    assert fit.fwhm == pytest.approx(GAUSSIAN_FWHM, abs=4 * line_width(line(2, 20_000)).fwhm_err)


def test_the_elastic_line_is_found_among_the_others():
    fit = line_width(rixs_spectrum(4000))
    assert fit.centre == pytest.approx(170, abs=4 * fit.centre_err)
    assert fit.fwhm == pytest.approx(GAUSSIAN_FWHM, abs=4 * fit.fwhm_err)
    assert fit.area == pytest.approx(1000, abs=4 * fit.area_err)


def test_a_region_holds_another_line():
    spectrum = rixs_spectrum(20_000)
    fit = line_width(spectrum, region=(60, 90))
    assert fit.centre == pytest.approx(170 - 1.7 / 0.018387, abs=1.0)
    assert fit.window[0] == pytest.approx(60, abs=0.4)
    assert fit.window[1] == pytest.approx(90, abs=0.4)


def require_same(fit, scaled, norm):
    """The same fit, of values that are divided by a norm."""
    for name in ("fwhm", "centre", "fwhm_err", "centre_err", "chi2"):
        assert getattr(scaled, name) == pytest.approx(getattr(fit, name), rel=1e-6), name
    for name in ("area", "height", "background", "area_err", "height_err", "background_err"):
        assert getattr(scaled, name) == pytest.approx(getattr(fit, name) / norm, rel=1e-4), name


NORMS = [1e-12, 1e-6, 50, 1e6, 1e9, 1e12]


@pytest.mark.parametrize("shape", ["gaussian", "voigt"])
@pytest.mark.parametrize("norm", NORMS)
def test_counts_divided_by_a_norm_are_fitted_alike(norm, shape):
    spectrum = line(3, 1000) + np.random.default_rng(1).poisson(0.5, 500)
    fit = line_width(spectrum, shape=shape)
    assert fit.background_err > 0
    scaled = line_width(spectrum / norm, error=np.sqrt(spectrum) / norm, shape=shape)
    require_same(fit, scaled, norm)


@pytest.mark.parametrize("error", [None, 2.0])
@pytest.mark.parametrize("norm", NORMS)
def test_intensity_in_any_unit_is_fitted_alike(norm, error):
    y = np.arange(200.0)
    values = 60 * np.exp(-0.5 * ((y - 80.2) / 2) ** 2) - 5
    values += np.random.default_rng(1).normal(0, 2, 200)
    spectrum = xr.DataArray(values, {"y": y}, ["y"])
    weights = [None if error is None else np.full(200, error / n) for n in (1, norm)]
    fit = line_width(spectrum, noise="gaussian", error=weights[0])
    scaled = line_width(spectrum / norm, noise="gaussian", error=weights[1])
    require_same(fit, scaled, norm)


def test_double_hits_enlarge_the_error():
    spectrum = line(3, 1000)
    fit = line_width(spectrum)
    doubled = line_width(2 * spectrum, error=2 * np.sqrt(spectrum))
    assert doubled.area == pytest.approx(2 * fit.area, rel=1e-3)
    assert doubled.fwhm_err == pytest.approx(fit.fwhm_err, rel=1e-2)


@pytest.mark.parametrize("error", [None, 2.0])
def test_integrated_intensity(error):
    y = np.arange(200.0)
    pulls = []
    for seed in range(40):
        noise = np.random.default_rng(seed).normal(0, 2, 200)
        values = 60 * np.exp(-0.5 * ((y - 80.2) / 2) ** 2) - 5 + noise
        spectrum = xr.DataArray(values, {"y": y}, ["y"], attrs={"units": "ADU"})
        weights = None if error is None else np.full(200, error)
        fit = line_width(spectrum, noise="gaussian", error=weights, region=(60, 100))
        # Values are those of the bins' centres: the bins' width is part of the line here.
        pulls.append((fit.fwhm - 2.35482 * np.sqrt(4 - 1 / 12)) / fit.fwhm_err)
    assert 0.7 < np.std(pulls) < 1.3
    assert abs(np.mean(pulls)) < 0.5


def test_missing_bins_are_left_out_and_an_axis_may_descend():
    spectrum = line(4, 5000).astype(float)
    holes = spectrum.copy()
    holes[::7] = np.nan
    assert line_width(holes).fwhm == pytest.approx(GAUSSIAN_FWHM, abs=0.2)
    energy = spectrum.rename(y="energy").assign_coords(
        energy=("energy", 530 - 0.02 * spectrum.y.values, {"units": "eV"})
    )
    fit, rows = line_width(energy), line_width(spectrum)
    assert fit.fwhm == pytest.approx(0.02 * rows.fwhm, rel=1e-4)
    assert fit.centre == pytest.approx(530 - 0.02 * rows.centre, abs=1e-4)
    assert fit.window == pytest.approx(tuple(530 - 0.02 * end for end in rows.window[::-1]))


@pytest.mark.parametrize("slope", [0.02, -0.02])
def test_the_axis_of_energy_loss(slope):
    spectrum = line(4, 5000).rename(y="energy")
    energy = 530 + slope * (spectrum.energy.values - CENTRE)
    spectrum = spectrum.assign_coords(energy=("energy", energy, {"units": "eV"}))
    loss = energy_loss(xr.Dataset({"spectrum": spectrum, "nrj": 530.5})).spectrum
    fit = line_width(loss, region=(0.3, 0.7))
    assert fit.centre == pytest.approx(0.5, abs=4 * fit.centre_err)
    assert fit.fwhm == pytest.approx(0.02 * GAUSSIAN_FWHM, abs=4 * fit.fwhm_err)
    assert fit.window[0] < 0.32 < 0.68 < fit.window[1]
    assert fit.units == "eV"
    assert line_width(loss).centre == pytest.approx(0.5, abs=0.01)


def test_chi2_is_about_one_also_where_bins_are_nearly_empty():
    sparse = [line_width(line(seed, 100, bin_width=0.1), region=(90, 110)) for seed in range(30)]
    chi2 = np.array([fit.chi2 for fit in sparse])
    assert chi2.mean() == pytest.approx(1, abs=0.15)
    assert chi2.max() < 2.5


def test_a_line_of_another_shape_has_a_large_chi2():
    two = line(1, 2000) + line(2, 2000).shift(y=14, fill_value=0)
    assert line_width(two, region=(80, 125)).chi2 > 5


def test_a_plot_of_line_and_residuals():
    spectrum = line(3, 2000)
    fit = line_width(spectrum)
    figure = fit.plot(spectrum)
    above, below = figure.axes
    drawn = above.lines[-1].get_xydata()
    assert drawn[:, 1].max() == pytest.approx(fit.height + fit.background, rel=0.05)
    assert above.get_ylabel() == "photons per bin"
    assert above.get_title().startswith(f"fitted line\nFWHM {fit.fwhm:.2f}"[:16])
    labels = [text.get_text() for text in above.get_legend().get_texts()]
    assert labels == ["fitted gaussian line", "spectrum, ± 1 standard deviation"]
    assert below.get_xlabel() == "y (px)"
    inside = (spectrum.y > fit.window[0]) & (spectrum.y < fit.window[1])
    residuals = below.lines[0].get_ydata()
    assert len(residuals) == int(inside.sum())
    assert 0.6 < residuals.std() < 1.5


def test_an_empty_region_is_told_with_its_axis():
    with pytest.raises(ValueError, match=r"the axis 'y' goes from 0\.2 to 199\.8 px"):
        line_width(line(7, 500), region=(700, 900))


def test_the_text_tells_the_numbers_with_their_errors():
    fit = LineFit(
        3.0612, 170.0, 9.0, 1000.0, 0.1, 0.0, 0.083, 0.04, 1.0, 33.0, 0.02, 0.0, 1.1,
        (160.0, 180.0), "gaussian", "px",
    )  # fmt: skip
    assert repr(fit) == (
        "<LineFit (gaussian): FWHM 3.061 ± 0.083 px at 170.000 ± 0.040 px, area 1000 ± 33, "
        "chi2 1.10>"
    )


@pytest.mark.parametrize("mean", [0.0, 0.05, 3.0, 200.0])
def test_noise_has_no_line(mean):
    rng = np.random.default_rng(5)
    for _ in range(5):
        flat = xr.DataArray(rng.poisson(mean, 500), {"y": np.arange(500.0)}, ["y"])
        with pytest.raises(NoLineError, match="no spectral line found"):
            line_width(flat)
        with pytest.raises(NoLineError):
            line_width(flat + rng.normal(0, 3, 500), noise="gaussian")


def test_the_spectrum_is_not_changed():
    spectrum = line(6, 500)
    before = spectrum.copy(deep=True)
    line_width(spectrum)
    assert spectrum.identical(before)


@pytest.mark.parametrize(
    ("change", "options", "text"),
    [
        (lambda s: s, {"shape": "gausian"}, "Did you mean 'gaussian'"),
        (lambda s: s, {"noise": "poison"}, "Did you mean 'poisson'"),
        (lambda s: s, {"region": (500, 600)}, "0 bins with a value"),
        (lambda s: s, {"error": np.ones(3)}, "error has shape"),
        (lambda s: s, {"error": np.zeros(500), "noise": "gaussian"}, "not positive"),
        (lambda s: s - 1, {}, "negative values"),
        (lambda s: s.assign_attrs(units="ADU"), {}, "in 'ADU', expected photons"),
        (lambda s: s.expand_dims("trainId"), {}, "First sum over the others or select"),
        (lambda s: s.drop_vars("y"), {}, "no coordinate"),
        (lambda s: s.assign_coords(y=s.y**2), {}, "does not have equal steps"),
    ],
)
def test_bad_arguments(change, options, text):
    with pytest.raises(ValueError, match=text):
        line_width(change(line(7, 500)), **options)


def test_a_dataset_is_no_spectrum():
    with pytest.raises(TypeError, match="expected a spectrum"):
        line_width(xr.Dataset())


def test_values_whose_squares_are_no_numbers_have_no_line_that_is_certain():
    y = np.arange(100.0)
    values = 1e160 * np.exp(-0.5 * ((y - 50) / 2) ** 2) + 1e158 * np.cos(7 * y) ** 2
    spectrum = xr.DataArray(values, {"y": y}, ["y"])
    with pytest.raises(NoLineError, match="± inf"):
        line_width(spectrum, noise="gaussian")
