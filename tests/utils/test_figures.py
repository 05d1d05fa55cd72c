"""One look for figures, without a change of what others draw."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from hrixs.utils.figures import (
    add_legend_above,
    axis_label,
    bin_edges,
    new_axes,
    new_figure,
    set_title,
)


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def test_text_is_large_enough_for_a_talk_and_settings_of_others_stay():
    before = dict(mpl.rcParams)
    ax = new_axes()
    ax.set(xlabel="x", title="t")
    ax.figure.canvas.draw()
    assert ax.xaxis.label.get_fontsize() >= 14
    assert ax.get_xticklabels()[0].get_fontsize() >= 12
    assert dict(mpl.rcParams) == before


def test_a_figure_for_a_file_is_not_one_of_pyplot():
    _, axes = new_figure([["a", "b"]], (8, 4))
    assert set(axes) == {"a", "b"}
    assert not plt.get_fignums()


def test_titles_are_broken_at_the_width_of_the_axes():
    _, axes = new_figure([["a", "b", "c", "d"]], (12, 4))
    set_title(axes["a"], "a title that is longer than its axes are wide", "", "p003145")
    lines = axes["a"].get_title().split("\n")
    assert len(lines) > 2
    assert lines[-1] == "p003145"


@pytest.mark.parametrize(("peak", "loc"), [(0, "right"), (10, "left")])
def test_a_legend_stands_where_nothing_is_drawn(peak, loc):
    ax = new_axes()
    x = np.arange(11.0)
    ax.plot(x, np.exp(-((x - peak) ** 2)), label="line")
    top = ax.get_ylim()[1]
    add_legend_above(ax, x, np.exp(-((x - peak) ** 2)))
    ax.figure.canvas.draw()
    box = ax.get_legend().get_window_extent().transformed(ax.transAxes.inverted())
    assert (box.x0 > 0.5) == (loc == "right")
    assert ax.get_ylim()[1] == top


def test_room_is_made_for_a_legend_where_all_is_high():
    ax = new_axes()
    ax.plot([0, 1], [5, 5], label="line")
    add_legend_above(ax, np.array([0.0, 1.0]), np.array([5.0, 5.0]))
    ax.figure.canvas.draw()
    box = ax.get_legend().get_window_extent().transformed(ax.transData.inverted())
    assert box.y0 > 5


def test_edges_of_bins():
    np.testing.assert_allclose(bin_edges([1.0]), [0.5, 1.5])
    np.testing.assert_allclose(bin_edges([1, 2, 4]), [0.5, 1.5, 3, 5])


def test_labels_of_axes():
    delay = xr.DataArray([1.0], dims="hRIXS_delay", name="hRIXS_delay", attrs={"units": "ps"})
    assert axis_label(delay) == "hRIXS delay (ps)"
    assert axis_label(delay.assign_attrs(units="", long_name="pump_probe delay")) == (
        "pump probe delay"
    )
