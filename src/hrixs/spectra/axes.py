"""Compare axes of spectra: equal except for rounding, or by how much they differ."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

#: Axes that differ by less than this, in bins, count as equal: counts do not change.
ROUNDING = 1e-4
# If single precision is too coarse for the bins, such an axis counts as different.
_LARGEST_ROUNDING = 0.1

AnyData = TypeVar("AnyData", xr.DataArray, xr.Dataset)


def same_axis(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Whether two axes are equal except for rounding.

    The tolerance is `ROUNDING` of a bin; for an axis stored in single precision, its rounding.

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
        # One of them was rounded by half a unit in the last place, perhaps twice.
        last_place = float(np.spacing(np.float32(largest)))
        allowed = max(allowed, min(last_place, _LARGEST_ROUNDING * _bin_width(a)))
    # An axis of one value has no bins: it must be equal up to the last digits.
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
    """Describe an axis: ``500 bins from 529 to 531``."""
    if not len(axis) or axis.dtype.kind not in "iuf":
        return f"{len(axis)} {what}"
    return f"{len(axis)} {what} from {axis[0]:.10g} to {axis[-1]:.10g}"


def on_axes_of(like: AnyData, values: xr.DataArray, text: str) -> xr.DataArray:
    """Give `values` the coordinates of `like` along common dimensions.

    Without this, xarray drops values whose coordinates differ in the last digit, without a
    warning.

    Raises
    ------
    ValueError
        If the coordinates differ.
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
                f"{text} and the spectra have different values of {dim}, expected the "
                f"same.{how_far} Select those that both have."
            )
        values = values.assign_coords({dim: like[dim].variable})
    return values


def _bin_width(axis: NDArray[Any]) -> float:
    """The smallest distance of neighbours."""
    steps = np.abs(np.diff(axis.astype(np.float64)))
    return float(steps.min()) if steps.size else 0.0


def _is_single(axis: NDArray[Any]) -> bool:
    """Whether all values are exact in single precision, even if stored as doubles."""
    return bool((axis.astype(np.float32).astype(np.float64) == axis.astype(np.float64)).all())


def _are_numbers(a: NDArray[Any], b: NDArray[Any]) -> bool:
    return bool(a.size and b.size) and a.dtype.kind in "iuf" and b.dtype.kind in "iuf"
