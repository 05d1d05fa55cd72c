"""Axes of spectra that meet: the same but for rounding, or by how much they are not."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

#: Axes that differ by less, in bins, are one: what a bin counts does not change by that.
ROUNDING = 1e-4
# Where single precision is too coarse for the bins, an axis in it is another one.
_LARGEST_ROUNDING = 0.1

AnyData = TypeVar("AnyData", xr.DataArray, xr.Dataset)


def same_axis(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Whether two axes are one, but for the rounding of their values.

    That is to `ROUNDING` of a bin; where one was stored in single precision, to what that can hold.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.spectra.axes import same_axis
    >>> energy = 530 + 0.005 * np.arange(100)
    >>> same_axis(energy, energy.astype(np.float32)), same_axis(energy, energy + 5e-6)
    (True, False)
    """
    if a.shape != b.shape or a.dtype.kind not in "iuf" or b.dtype.kind not in "iuf":
        return False
    if not a.size or (a.dtype.kind in "iu" and b.dtype.kind in "iu"):
        return np.array_equal(a, b)
    off = np.abs(a.astype(np.float64) - b.astype(np.float64))
    allowed = ROUNDING * _bin_width(a)
    largest = np.abs(a.astype(np.float64)).max()
    if np.float32 in (a.dtype, b.dtype) or _is_single(a) != _is_single(b):
        # One of them was rounded, by half a unit in the last place, perhaps twice.
        last_place = float(np.spacing(np.float32(largest)))
        allowed = max(allowed, min(last_place, _LARGEST_ROUNDING * _bin_width(a)))
    # An axis of one value has no bins: equal up to the last digits.
    allowed = max(allowed, 4 * float(np.spacing(largest)))
    return bool((off <= allowed).all())


def apart(a: NDArray[Any], b: NDArray[Any]) -> str:
    """By how much two axes differ, as text: ``up to 0.001 apart, 0.1 of a bin``.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.spectra.axes import apart
    >>> energy = 530 + 0.01 * np.arange(100)
    >>> apart(energy, energy + 0.001)
    'up to 0.001 apart, 0.1 of a bin'
    """
    if a.shape != b.shape or not _are_numbers(a, b):
        return f"of {len(a)} and {len(b)} bins"
    off = float(np.abs(a.astype(np.float64) - b.astype(np.float64)).max())
    width = _bin_width(a)
    bins = f", {off / width:.3g} of a bin" if width > 0 else ""
    return f"up to {off:.3g} apart{bins}"


def described(axis: NDArray[Any], what: str = "bins") -> str:
    """An axis in words: ``500 bins from 529 to 531``."""
    if not len(axis) or axis.dtype.kind not in "iuf":
        return f"{len(axis)} {what}"
    return f"{len(axis)} {what} from {axis[0]:.10g} to {axis[-1]:.10g}"


def on_axes_of(like: AnyData, values: xr.DataArray, text: str) -> xr.DataArray:
    """`values` with the coordinates of `like` along the dimensions of both.

    xarray would leave out what has not the same coordinate to the last digit, in silence.

    Raises
    ------
    ValueError
        If they lie on others.
    """
    for dim in map(str, values.dims):
        if dim not in values.indexes or dim not in like.indexes:
            continue
        ours, theirs = like[dim].values, values[dim].values
        if np.array_equal(ours, theirs):
            continue
        if not same_axis(ours, theirs):
            how_far = f" They are {apart(ours, theirs)}." if _are_numbers(ours, theirs) else ""
            raise ValueError(
                f"{text} has other values of {dim} than the spectra, expected the "
                f"same.{how_far} Select those that both have."
            )
        values = values.assign_coords({dim: like[dim].variable})
    return values


def _bin_width(axis: NDArray[Any]) -> float:
    """The least distance of neighbours."""
    steps = np.abs(np.diff(axis.astype(np.float64)))
    return float(steps.min()) if steps.size else 0.0


def _is_single(axis: NDArray[Any]) -> bool:
    """Whether all values are such as single precision holds, also where they are doubles now."""
    return bool((axis.astype(np.float32).astype(np.float64) == axis.astype(np.float64)).all())


def _are_numbers(a: NDArray[Any], b: NDArray[Any]) -> bool:
    return bool(a.size and b.size) and a.dtype.kind in "iuf" and b.dtype.kind in "iuf"
