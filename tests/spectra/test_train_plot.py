"""One value for each image, as it is drawn: points, errors, mean, gaps, runs."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from hrixs import MissingDataError
from hrixs.spectra import plot_per_train

COUNTS = np.array([90, 110, 103, 97])


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def photons(values=COUNTS, trains=(7, 8, 10, 11), **attrs) -> xr.DataArray:
    attrs = attrs or {"units": "photons"}
    run = ("trainId", ["r0145"] * len(values))
    return xr.DataArray(values, {"trainId": list(trains), "run": run}, ["trainId"], attrs=attrs)


def points(ax) -> list[np.ndarray]:
    return [one.lines[0].get_xydata() for one in ax.containers]


def legend(ax) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_photons_with_their_errors_mean_and_expected_scatter():
    ax = plot_per_train(photons())
    np.testing.assert_array_equal(points(ax)[0], np.transpose([[0, 1, 3, 4], COUNTS]))
    (bars,) = ax.containers[0].lines[2]
    reach = [segment[:, 1] for segment in bars.get_segments()]
    np.testing.assert_allclose(reach, np.transpose([COUNTS - COUNTS**0.5, COUNTS + COUNTS**0.5]))
    assert set(legend(ax)) == {
        "image ± 1 standard deviation", "mean 100, scatter 8.52", "expected for counts: ± 10"
    }  # fmt: skip
    assert ax.get_ylim()[0] == 0


def test_says_what_it_is():
    ax = plot_per_train(photons())
    assert ax.get_title() == "photons per train\nr0145, 4 images"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("train (from 7)", "photons")


def test_of_a_result_photons_are_added_up_over_the_energy():
    spectrum = np.stack([COUNTS, 2 * COUNTS], axis=1)
    data = photons().to_dataset(name="n").drop_vars("n")
    data["spectrum"] = ("trainId", "energy"), spectrum, {"units": "photons"}
    np.testing.assert_array_equal(points(plot_per_train(data))[0][:, 1], 3 * COUNTS)


def test_intensities_are_averaged_and_have_no_error_of_counts():
    data = photons().to_dataset(name="n").drop_vars("n")
    attrs = {"units": "ADU", "long_name": "mean intensity per pixel"}
    data["spectrum"] = ("trainId", "energy"), np.stack([COUNTS, COUNTS + 2.0], axis=1), attrs
    ax = plot_per_train(data)
    np.testing.assert_array_equal(points(ax)[0][:, 1], COUNTS + 1)
    assert ax.get_ylabel() == "mean intensity per pixel (ADU)"
    assert ax.get_title().startswith("mean intensity per pixel per train\n")
    assert legend(ax) == ["mean 101, scatter 8.52"]


def test_images_without_a_value_are_told():
    values = np.array([90.0, np.nan, 103, 97])
    ax = plot_per_train(photons(values))
    assert ax.get_title().endswith("1 of 4 images without a value")
    assert "mean 96.67, scatter 6.51" in legend(ax)


def test_several_runs_stand_one_after_another_with_their_own_means():
    two = photons(trains=(7, 8, 900, 901)).assign_coords(run=("trainId", ["r1", "r1", "r2", "r2"]))
    ax = plot_per_train(two)
    assert [one[:, 0].tolist() for one in points(ax)] == [[0, 1], [2, 3]]
    assert legend(ax) == ["r1, mean 100, scatter 14.1", "r2, mean 100, scatter 4.24"]
    assert ax.get_xlabel() == "image"


def test_many_photons_have_a_band_alone():
    ax = plot_per_train(photons(np.full(500, 100), np.arange(500)))
    assert not ax.containers[0].has_yerr
    assert "expected for counts: ± 10" in legend(ax)


def test_a_label_of_ones_own():
    ax = plot_per_train(photons(COUNTS / 7, units="mJ"), label="pulse energy")
    assert ax.get_ylabel() == "pulse energy"


def test_no_photons():
    assert plot_per_train(photons(0 * COUNTS)).get_ylim() == (0, 1)


def test_no_images():
    total = photons().sum("trainId", keep_attrs=True)
    with pytest.raises(MissingDataError, match="no dimension of images"):
        plot_per_train(total)
