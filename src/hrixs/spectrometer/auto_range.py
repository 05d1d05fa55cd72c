"""Find the part of the chip with light, for the ranges of the crop."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from hrixs.camera.frames import along_x_y
from hrixs.curvature.image_fit import CurvatureFit, rough_line
from hrixs.curvature.light_extent import LightExtent, light_extent
from hrixs.curvature.range_plot import plot_range
from hrixs.settings.attributes import Settings
from hrixs.spectrometer.curve_fits import fit_line, light_of
from hrixs.spectrometer.inputs import RunOrData
from hrixs.utils.errors import NoLineError

# Rows added on both sides of the light: the fewest, in widths of the line, and in its extent.
_MARGIN, _WIDTHS, _SHARE = 10.0, 5.0, 0.05
_CAMERA = "MaranaX"


@dataclass(frozen=True, repr=False)
class FoundRange:
    """The part of the chip with light.

    Attributes
    ----------
    x_range, y_range : slice
        Columns and rows of the whole chip, for `X_RANGE` and `Y_RANGE`; all columns if the light
        fills them.
    significance : float
        Height of the line / its uncertainty: at least 8; above 20 the line is clear.
    share : float
        Share of the light within the rows.
    fit : CurvatureFit
        The line.
    image : xarray.DataArray, dims (x, y)
        The image, without the patterns of the chip.
    """

    x_range: slice
    y_range: slice
    significance: float
    share: float
    fit: CurvatureFit
    image: xr.DataArray

    def __repr__(self) -> str:
        x = "all columns" if self.x_range == slice(None) else _text(self.x_range)
        middle = float(self.image["x"].mean())
        row, tilt = float(self.fit.centre(np.array([middle]))[0]), self._rows_of_tilt
        return (
            f"FoundRange(y_range={_text(self.y_range)}, x_range={x}: a line at row {row:.0f} in "
            f"the middle, {self.fit.fwhm:.1f} px wide, that moves by {tilt:.0f} rows over the "
            f"image; {self.significance:.0f} deviations high, {100 * self.share:.0f} % of the "
            "light within)"
        )

    @property
    def _rows_of_tilt(self) -> float:
        return float(np.ptp(self.fit.centre(self.image["x"].values.astype(np.float64))))

    def plot(self, ax: Any = None) -> Any:
        """Draw the image with line and ranges, into these axes or a new figure."""
        return plot_range(self.image, self.fit, self.x_range, self.y_range, ax)


def auto_range(data: xr.Dataset | xr.DataArray | ArrayLike) -> FoundRange:
    """Find the rows and columns of the chip that have light.

    Parameters
    ----------
    data : xarray.Dataset, xarray.DataArray or array_like, shape (..., x, y)
        Images in ADU, or their mean. Coordinates `x` and `y` give their position on the chip.

    Returns
    -------
    FoundRange
        `x_range` and `y_range` contain the light in all columns; `plot` shows them.

    Raises
    ------
    NoLineError
        If there is no line in the images, or what was found is probably not a line.
    MissingDataError
        If a dataset has no images.

    Notes
    -----
    The strongest line is fitted as in `hrixs.fit_curvature_image`. The image is straightened by the
    curve and averaged over the columns. This profile is smoothed by 1.5 rows, and its remainder by
    6 and by 20 rows. Rows have light if it is five standard deviations above the noise, and at
    least 2 % of its peak. The noise is that of the difference of two halves of the columns. Columns
    have light if a filter of the shape of the profile gives at least 10 % of its value in bright
    columns.

    Examples
    --------
    >>> from hrixs import auto_range
    >>> from hrixs.simulation import Sensor, SpectralLine, simulate_frames
    >>> frames, _ = simulate_frames(
    ...     4, sensor=Sensor(shape=(256, 400)), lines=[SpectralLine(200, 1.5, 1.0)],
    ...     photons_per_frame=200, curvature=(0.04, 0.0))
    >>> found = auto_range(frames)
    >>> found.y_range.start < 200, found.y_range.stop > 200 + 0.04 * 256, found.x_range
    (True, True, slice(None, None, None))
    """
    settings = Settings(None, _CAMERA)
    if isinstance(data, xr.Dataset):
        found = [str(name) for name, v in data.data_vars.items() if {"x", "y"} <= set(v.dims)]
        own = data[found[0]] if found else None
    else:
        own = along_x_y(data) if isinstance(data, xr.DataArray) else None
        if own is None:
            pixels = np.asarray(data)
            leading = [f"image_{k}" for k in range(pixels.ndim - 2)]
            own = xr.DataArray(pixels, dims=[*leading, "x", "y"][-pixels.ndim :])
    images = xr.Dataset() if own is None else own.rename(_CAMERA).to_dataset()
    return range_of(settings, images, None)


def find_range(
    h: Settings, run: RunOrData, proposal: int | str | None, *, set: bool, plot: bool
) -> FoundRange:
    """Find the ranges of a run, print and draw them, and then set them if requested."""
    found = range_of(h, run, proposal)
    print(found)
    if plot:
        found.plot()
    if set:
        h.X_RANGE, h.Y_RANGE = found.x_range, found.y_range
    return found


def range_of(h: Settings, run: RunOrData, proposal: int | str | None) -> FoundRange:
    """The ranges of light on the whole chip, independent of the present crop."""
    whole = copy.copy(h)
    whole.X_RANGE = whole.Y_RANGE = slice(None)
    light = light_of(whole, run, proposal)
    try:
        fit = fit_line(light)
    except NoLineError:
        columns = light_extent(light.clean, *rough_line(light.clean)).columns
        if columns is None:
            raise
        whole.X_RANGE = slice(*columns)
        fit = fit_line(light_of(whole, run, proposal))
    x0, y0 = light.crop.origin
    curve = fit.curvature.about(x0)
    line = float(fit.centre(np.array([float(x0)]))[0]) - y0
    extent = light_extent(light.clean, curve, line)
    columns = extent.columns
    x_range = slice(None) if columns is None else slice(x0 + columns[0], x0 + columns[1])
    first, end = columns or (0, len(light.clean))
    moves = curve(np.arange(first, end, dtype=np.float64))
    # Spectra are straightened to column 0 of the chip; its rows must be in the crop.
    at_zero = float(curve(-float(x0)))
    lowest, highest = min(float(moves.min()), at_zero), max(float(moves.max()), at_zero)
    low, high = _with_margin(extent, fit)
    rows = (
        max(0, int(np.floor(low + lowest))),
        min(light.clean.shape[1], int(np.ceil(high + highest)) + 1),
    )
    y_range = slice(y0 + rows[0], y0 + rows[1])
    significance = float(fit.amplitude / fit.amplitude_err)
    share = extent.share_within(low, high)
    return FoundRange(x_range, y_range, significance, share, fit, light.image)


def _with_margin(extent: LightExtent, fit: CurvatureFit) -> tuple[float, float]:
    low, high = extent.rows
    margin = max(_MARGIN, _WIDTHS * fit.sigma, _SHARE * (high - low))
    return low - margin, high + margin


def _text(one: slice) -> str:
    return f"slice({one.start}, {one.stop})"
