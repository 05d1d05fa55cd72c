"""Images and masks as they are drawn: of what, in which unit, and what lies beyond the colours."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from hrixs.camera import plot_image, plot_mask


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def image(nx=600, ny=40, **attrs) -> xr.DataArray:
    pixels = np.random.default_rng(1).normal(0, 1, (nx, ny))
    coords = {"x": np.arange(nx) + 10, "y": np.arange(ny) + 700}
    return xr.DataArray(pixels, coords, ["x", "y"], attrs=attrs)


def test_title_says_of_what_it_is():
    attrs = {"long_name": "mean image", "proposal": "3145", "run": "r0145", "n_images": 48}
    assert plot_image(image(**attrs)).get_title() == "mean image\np003145, r0145, 48 images"
    assert plot_image(np.ones((8, 8))).get_title() == "image"


def test_colours_tell_unit_and_the_columns_that_are_averaged():
    ax = plot_image(image())
    assert ax.figure.axes[-1].get_ylabel() == "ADU per frame, mean of 2 columns"
    few = plot_image(image(100, units="photons"))
    assert few.figure.axes[-1].get_ylabel() == "photons"


def test_values_beyond_the_colours_are_shown_by_arrows():
    assert plot_image(image()).get_images()[0].colorbar.extend == "both"
    assert plot_image(np.ones((8, 8))).get_images()[0].colorbar.extend == "neither"


def test_place_on_the_chip_and_axes_in_words():
    ax = plot_image(image())
    assert ax.get_images()[0].get_extent() == [9.5, 609.5, 699.5, 739.5]
    assert ax.get_xlabel() == "x (pixel along the line)"
    assert ax.get_ylabel() == "y (pixel along the energy)"


def test_a_mask_says_what_a_point_is():
    mask = np.zeros((1100, 64), bool)
    mask[5, 6] = True
    of_run = xr.DataArray(mask, dims=["x", "y"], attrs={"run": "r0145"})
    title = plot_mask(of_run).get_title()
    assert title.startswith("1 bad pixels, 0.0014 %\na point is 2 x 2 pixels, black if any is bad")
    assert title.endswith("r0145")
