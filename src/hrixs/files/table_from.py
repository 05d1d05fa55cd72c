"""Make a photon table of positions found by another program, such as event lists."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs.photons.columns import FRAME
from hrixs.photons.table import placed_on_chip, table_of_columns
from hrixs.utils.checks import number, whole_number
from hrixs.utils.provenance import frames_attrs, provenance

# More frames than any list has: such numbers are names of frames, for example train ids.
_MOST_FRAMES = 10_000_000


def photon_table_from(
    x: ArrayLike,
    y: ArrayLike,
    *,
    frame: ArrayLike | None = None,
    charge: ArrayLike | None = None,
    double: ArrayLike | None = None,
    n_frames: int | None = None,
    shape: tuple[int, int] | None = None,
    first_centre: float = 0.0,
    first_pixel: tuple[int, int] | None = None,
) -> xr.Dataset:
    """Make a photon table of positions found by another program.

    Give it to any function that takes the table of `find_photons`. Without `charge` there is
    no column of charges, and without `double` each entry is one photon.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Positions along the line and along the energy, in pixels, not corrected for the curvature.
    frame : array_like of int, shape (n,), optional
        Number of the frame of each photon, from 0. Default: all photons are in one frame.
    charge : array_like, shape (n,), optional
        Charge of each photon, in ADU.
    double : array_like of bool, shape (n,), optional
        Entries that are two photons; `photon_spectrum` counts these twice. Default: none.
    n_frames : int, optional
        Number of frames that were searched, including those without photons. Default: up to the
        last frame with a photon.
    shape : (int, int), optional
        Size (x, y) of the frames in pixels; `align` and `hRIXS.count` use it. Positions outside
        raise an error.
    first_centre : float
        Coordinate of the centre of the first pixel in the list: 0 as in hrixs, 0.5 if positions
        count from the corner of the pixel, 1 if the first pixel has number 1. It is subtracted.
    first_pixel : (int, int), optional
        Position of the first pixel of the frames on the full chip. It is added, so that positions
        are those on the full chip.

    Returns
    -------
    xarray.Dataset
        ``x``, ``y``, ``double`` and, if given, ``charge`` over dim ``photon``, with the coordinate
        ``frame``. Functions that need more raise an error that says so; `PhaseCorrection` needs
        photons of one finder of hrixs.

    Raises
    ------
    ValueError
        If lengths differ, a position is not finite or outside `shape`, or `frame` holds values
        that are not frame numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs import photon_spectrum, photon_table_from
    >>> events = np.array([[10.2, 40.5], [11.7, 40.6], [12.0, 90.1]])  # from any reader
    >>> photons = photon_table_from(*events.T, frame=[0, 0, 1], shape=(64, 100), first_centre=0.5)
    >>> photon_spectrum(photons, bins=10, range=(-0.5, 99.5)).sum("y").values
    array([2, 1])
    """
    columns: dict[str, NDArray[Any]] = {"x": _column("x", x), "y": _column("y", y)}
    n = len(columns["x"])
    columns["double"] = np.zeros(n, bool) if double is None else _flags(double)
    if charge is not None:
        columns["charge"] = _column("charge", charge)
    columns["frame"] = np.zeros(n, np.int64) if frame is None else _frame_numbers(frame, n_frames)
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise ValueError(f"the columns have different lengths: {told}. Expected one entry each.")
    _require_finite(columns["x"], columns["y"])
    centre = number("first_centre", first_centre)
    for name in ("x", "y"):
        columns[name] = columns[name] - centre
    attrs = provenance(
        "photon_table_from", first_centre=centre, frames_told=frame is not None, n_hits=n
    )
    if shape is not None:
        attrs |= _of_frames(columns, shape, first_pixel or (0, 0))
    n_searched = int(columns["frame"].max(initial=0)) + 1
    if n_frames is not None:
        n_searched = whole_number("n_frames", n_frames)
    table = table_of_columns(columns, attrs | frames_attrs(["frame"], (n_searched,)))
    table = table.assign_coords(frames_frame=("frames", np.arange(n_searched), FRAME))
    return placed_on_chip(table, first_pixel)


def _column(name: str, values: ArrayLike) -> NDArray[np.float64]:
    try:
        column = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} has values that are not numbers ({error}), expected numbers."
        ) from error
    if column.ndim != 1:
        raise ValueError(
            f"{name} has shape {column.shape}, expected one value per photon, (n,). For a table "
            f"with two columns, give photon_table_from(*table.T)."
        )
    return column


def _flags(double: ArrayLike) -> NDArray[np.bool_]:
    flags = _column("double", double)
    if not np.isin(flags, (0, 1)).all():
        raise ValueError(
            "double has values other than 0 and 1, expected True where an entry stands for two "
            "photons, such as charge > 1.5 * charge_of_one."
        )
    return flags.astype(bool)


def _frame_numbers(frame: ArrayLike, n_frames: int | None) -> NDArray[np.int64]:
    given = _column("frame", frame)
    most = _MOST_FRAMES if n_frames is None else n_frames
    if given.size and not (
        np.isfinite(given).all()
        and (given == np.floor(given)).all()
        and given.min() >= 0
        and given.max() < most
    ):
        raise ValueError(
            f"frame has values from {given.min():.15g} to {given.max():.15g}, expected whole "
            f"numbers from 0, below {most:.0f}. For train ids or other labels of frames, give "
            "frame=np.unique(names, return_inverse=True)[1]."
        )
    return given.astype(np.int64)


def _require_finite(x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
    n_bad = int(np.count_nonzero(~(np.isfinite(x) & np.isfinite(y))))
    if n_bad:
        raise ValueError(
            f"{n_bad} of {len(x)} photons have a position that is NaN or infinite, expected none. "
            "Leave them out of all columns: good = np.isfinite(x) & np.isfinite(y)."
        )


def _of_frames(
    columns: dict[str, NDArray[Any]], shape: tuple[int, int], begin: tuple[int, int]
) -> dict[str, tuple[int, int]]:
    """Attributes on the position of the frames, after a check that no photon is outside."""
    if np.shape(shape) != (2,):
        raise ValueError(
            f"shape = {shape!r}, expected the numbers of pixels along x and y, such as (1632, 800)."
        )
    ranges = {}
    for name, given, first in zip(("x", "y"), shape, begin, strict=True):
        size = whole_number("shape", given)
        low, high = columns[name].min(initial=0.0), columns[name].max(initial=0.0)
        if low < -0.5 or high > size - 0.5:
            raise ValueError(
                f"{name} goes from {low:g} to {high:g}, outside the {size} pixels of the frames; "
                f"the centre of the first pixel is 0. Check the order (x along the line, y along "
                "the energy), first_centre, and shape."
            )
        ranges[f"{name}_range"] = (int(first), int(first) + size)
    return ranges
