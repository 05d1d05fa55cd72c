"""Curves on an image and on photons, as they are drawn."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from hrixs import fit_curvature, fit_curvature_image
from hrixs.curvature.plots import plot_curvature, plot_photon_curvature, plot_photons

CURVE = (0.03, -1e-6)


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def table(n=4000) -> xr.Dataset:
    rng = np.random.default_rng(1)
    x = rng.uniform(0, 500, n)
    y = 200 + CURVE[0] * x + CURVE[1] * x**2 + rng.normal(0, 1.2, n)
    attrs = {"run": "r0145", "proposal": "3145", "frame_dims": ["trainId"], "frame_shape": [8]}
    columns = {"x": x, "y": y, "double": np.zeros(n, bool)}
    return xr.Dataset({name: ("photon", one) for name, one in columns.items()}, attrs=attrs)


def legend(ax) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_photons_with_the_fit_and_of_what_they_are():
    photons = table()
    fit = fit_curvature(photons)
    ax = plot_photon_curvature(photons, fit)
    what, a, *_, source = ax.get_title().split("\n")
    assert what == "photons and fitted curvature"
    assert a.startswith(f"A = {fit.curve_a:.6f} ± ")
    assert f"{fit.fwhm:.2f} px FWHM" in ax.get_title()
    assert source == "p003145, r0145, 8 images"
    assert legend(ax) == ["fitted curvature"]
    np.testing.assert_allclose(ax.lines[0].get_ydata(), fit.centre(ax.lines[0].get_xdata()))
    assert ax.figure.axes[-1].get_ylabel().startswith("photons in 8 x ")


def test_all_photons_with_a_curve_through_most_of_them():
    ax = plot_photons(table(), curvature=CURVE)
    x, y = ax.lines[0].get_data()
    np.testing.assert_allclose(y - CURVE[0] * x - CURVE[1] * x**2, 200, atol=1.5)
    assert ax.get_title() == "photons and the curvature\np003145, r0145, 8 images"
    assert ax.collections[0].get_array().sum() == 4000


@pytest.mark.parametrize(("sign", "corner"), [(1, "upper"), (-1, "lower")])
def test_the_legend_lies_away_from_the_line(sign, corner):
    photons = table()
    photons["y"] = 300 + sign * (photons.y - 200)
    ax = plot_photon_curvature(photons, fit_curvature(photons))
    ax.figure.canvas.draw()
    box = ax.get_legend().get_window_extent().transformed(ax.transAxes.inverted())
    assert (box.y0 > 0.5) == (corner == "upper")


def test_photons_without_a_curve_or_without_photons():
    ax = plot_photons(table())
    assert (len(ax.lines), ax.get_title().split("\n")[0]) == (0, "photons")
    assert plot_photons(table(0), curvature=CURVE).collections[0].get_array().sum() == 0


def test_image_with_the_fit():
    x, y = np.meshgrid(np.arange(300.0), np.arange(100.0), indexing="ij")
    pixels = 20 * np.exp(-0.5 * ((y - 40 - CURVE[0] * x) / 1.3) ** 2)
    pixels += np.random.default_rng(1).normal(0, 1, pixels.shape)
    attrs = {"long_name": "mean image", "run": "r0145", "n_images": 3}
    image = xr.DataArray(pixels, dims=["x", "y"], attrs=attrs)
    fit = fit_curvature_image(image)
    ax = plot_curvature(image, fit)
    assert ax.get_title().startswith("mean image and fitted curvature\nA = ")
    assert ax.get_title().endswith("r0145, 3 images")
    np.testing.assert_allclose(ax.lines[0].get_ydata(), fit.centre(np.arange(300.0)))
