"""The plot of a noise report. Imports matplotlib inside its functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from hrixs.camera.plots import beyond
from hrixs.utils.figures import (
    BLUE,
    GREEN,
    ORANGE,
    VERMILION,
    add_colours,
    add_legend,
    bin_edges,
    name_figure,
    new_figure_of_pyplot,
    set_title,
)
from hrixs.utils.provenance import first_pixel_of, source_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Factor above the highest value on a logarithmic axis, for the legend.
_UP = 60


def plot_noise_report(report: Any) -> Figure:
    """Draw charges with their peaks, hits against the threshold, and noise of the pixels.

    Parameters
    ----------
    report : hrixs.NoiseReport
        The report to draw.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (left, middle, right) = new_figure_of_pyplot(1, 3, (17, 5.5))
    _draw_charges(left, report)
    _draw_hits(middle, report)
    _draw_pixels(right, report)
    name_figure(figure, "noise report", _source(report.attrs))
    return figure


def _source(attrs: dict[str, Any]) -> str:
    """Run and number of the frames."""
    of = source_text(xr.Dataset(attrs={k: v for k, v in attrs.items() if k != "n_images"}))
    n_darks = int(attrs.get("n_darks", 0))
    darks = f"{n_darks} dark frames" if n_darks else ""
    return ", ".join(one for one in (of, f"{attrs['n_frames']} frames", darks) if one)


def _draw_charges(ax: Axes, report: Any) -> None:
    charges, peaks = report.charges, report.peaks
    charge = charges["charge"].values
    ax.stairs(charges.values, bin_edges(charge), fill=True, color="0.8", label="spots found")
    if peaks is not None:
        fine = np.linspace(charge[0], charge[-1], 1000)
        kinds = peaks.density(fine) * (charge[1] - charge[0])
        ax.plot(fine, kinds.sum(axis=0), color="black", lw=1.5, label="fit of all")
        ax.plot(fine, kinds[0], color=BLUE, label="one photon")
        ax.plot(fine, kinds[2], color=VERMILION, label="two photons (double hit)")
        ax.axvline(
            peaks.boundary, color=VERMILION, ls="--", lw=1.5,
            label=f"DBL_THRESHOLD = {report.dbl_threshold:.4g}",
        )  # fmt: skip
        ax.set_yscale("log")
        ax.set_ylim(0.5, _UP * max(1, charges.values.max()))
        add_legend(ax, loc="upper right")
    else:
        ax.text(0.5, 0.5, "no peak of single photons", ha="center", transform=ax.transAxes)
    ax.set(xlabel="charge of a spot above the pedestal (ADU)", ylabel="spots")
    set_title(ax, "charge of the spots")


def _draw_hits(ax: Axes, report: Any) -> None:
    scan = report.scan
    threshold = scan["threshold"].values
    ax.plot(threshold, _positive(scan["hits"]), color="black", label="hits found")
    ax.plot(threshold, _positive(scan["false_hits"]), color=ORANGE, label="expected of noise alone")
    if "dark_hits" in scan:
        dark_hits = _positive(scan["dark_hits"])
        ax.plot(threshold, dark_hits, ".", color=GREEN, label="found in dark frames")
    ax.axvline(
        report.threshold, color=BLUE, ls="--", lw=1.5,
        label=f"THRESHOLD = {report.threshold:.4g}",
    )  # fmt: skip
    ax.set_yscale("log")
    ax.set_ylim(
        1e-3, 20 * _UP * max(1.0, float(scan["hits"].max()), float(scan["false_hits"].max()))
    )
    ax.set(xlabel="threshold on a 2x2 square (ADU)", ylabel="hits per frame")
    set_title(ax, "hits over the threshold")
    add_legend(ax, loc="upper right")


def _draw_pixels(ax: Axes, report: Any) -> None:
    # In frames with light the lines of the spectrum are visible; they are not noise.
    ax.set_title(
        "noise of the pixels in the dark frames"
        if report.attrs["n_darks"]
        else "scatter of the pixels in these frames, with photons",
        fontsize=12,  # in one line
    )
    if report.pixels is None:
        ax.text(0.5, 0.5, "needs 3 frames or more", ha="center", transform=ax.transAxes)
        return
    noise = report.pixels.values
    # A pixel of the screen shows the noisiest of several; otherwise single bad ones are invisible.
    step = max(1, max(noise.shape) // 512)
    nx, ny = (size // step for size in noise.shape)
    blocks = noise[: nx * step, : ny * step].reshape(nx, step, ny, step)
    shown = np.where(np.isnan(blocks), -np.inf, blocks).max(axis=(1, 3))
    shown[np.isneginf(shown)] = np.nan
    begin = first_pixel_of(report.attrs)
    x, y = begin or (0, 0)
    whose = "frames given" if begin is None else "chip"
    low, high = np.nanpercentile(shown, [1, 99.5])
    mesh = ax.imshow(
        shown.T, origin="lower", aspect="auto", vmin=low, vmax=high, cmap="viridis",
        extent=(x - 0.5, x + nx * step - 0.5, y - 0.5, y + ny * step - 0.5),
    )  # fmt: skip
    ax.set(xlabel=f"x (pixel of the {whose}, along the line)")
    ax.set(ylabel=f"y (pixel of the {whose}, along the energy)")
    label = f"ADU, noisiest of {step} x {step} pixels" if step > 1 else "ADU"
    add_colours(ax, mesh, label, extend=beyond(shown, low, high))


def _positive(values: Any) -> Any:
    """Values for a logarithmic axis, without 0."""
    return np.where(values.values > 0, values.values, np.nan)
