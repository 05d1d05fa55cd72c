"""Check images that belong to frames (masks, darks, noise maps): same pixels, and usable."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

# A mask of more pixels most often has the other convention, in which 1 means good.
_MOST_MASKED = 0.5
# Below this share of bad pixels at least one 2x2 square is always good.
_SQUARES_LEFT = 0.2


def require_same_pixels(
    name: str,
    image: Any,
    first: tuple[int, int] | None,
    shape: tuple[int, int],
    of: str = "the frames",
) -> None:
    """Raise an error if an image has coordinates of other pixels than the frames.

    Parameters
    ----------
    name : str
        Name of the image in the text.
    image
        Coordinates ``x`` and ``y`` of a DataArray are its position; other arrays have none.
    first : (int, int) or None
        Position of the first pixel of the frames on the full chip; None if unknown.
    shape : (int, int)
        Pixels of the frames.
    of : str
        Name of the frames in the text.

    Raises
    ------
    ValueError
        With both crops, and what to do.
    """
    if first is None or not isinstance(image, xr.DataArray):
        return
    places = {dim: _whole_pixels(image, dim) for dim in ("x", "y")}
    ours = {d: np.arange(f, f + n) for d, f, n in zip(("x", "y"), first, shape, strict=True)}
    if all(at is None or np.array_equal(at, ours[dim]) for dim, at in places.items()):
        return
    known = {dim: at for dim, at in places.items() if at is not None}
    slices = ", ".join(f"{dim}=slice({ours[dim][0]}, {ours[dim][-1]})" for dim in known)
    covers = all(np.isin(ours[dim], at).all() for dim, at in known.items())
    take = (f"Take its part: {{}}.sel({slices})" if covers else "Take the one of this crop").format(
        name.removeprefix("the ")
    )
    raise ValueError(
        f"{name} covers other pixels than {of}: its coordinates are {_told(known)}, those of {of} "
        f"are {_told({dim: ours[dim] for dim in known})}. {take}; or, if its coordinates are "
        f"wrong, drop them: .drop_vars({list(known)})."
    )


def require_usable_mask(name: str, bad: NDArray[Any]) -> None:
    """Raise an error if a mask leaves so few pixels that it is probably wrong.

    Parameters
    ----------
    name : str
        Name of the mask in the text.
    bad : numpy.ndarray, shape (x, y)
        True, or not 0, where a pixel is bad.

    Raises
    ------
    ValueError
        If more than half of the pixels are bad, or no 2x2 square is good.
    """
    share = np.count_nonzero(bad) / max(bad.size, 1)
    if share > _MOST_MASKED:
        raise ValueError(
            f"{name} masks {_percent(share)} of the {bad.shape[0]} x {bad.shape[1]} pixels, "
            "expected at most half of them: True (in a file any value but 0) means a bad pixel, "
            "which is not used. If yours is True for the good ones, invert it: ~mask, or mask == 0 "
            "for numbers. To use a part of the chip, crop: X_RANGE and Y_RANGE, or a slice."
        )
    if share > _SQUARES_LEFT:
        good = bad == 0
        rows = good[1:] & good[:-1]
        if not (rows[:, 1:] & rows[:, :-1]).any():
            raise ValueError(
                f"{name} masks {_percent(share)} of the pixels and leaves no square of 2x2 good "
                "ones, in which a photon could be found. True means a bad pixel: check the mask."
            )


def _whole_pixels(image: xr.DataArray, dim: str) -> NDArray[np.float64] | None:
    """Coordinates along `dim`, if they are numbers of pixels; otherwise None."""
    if dim not in image.coords or image.coords[dim].dims != (dim,):
        return None
    at = image.coords[dim].values
    if at.dtype.kind not in "iuf" or not at.size:
        return None
    numbers = at.astype(np.float64)
    whole = np.isfinite(numbers).all() and (numbers == np.floor(numbers)).all()
    return numbers if whole else None


def _told(places: dict[str, NDArray[Any]]) -> str:
    return " and ".join(f"{dim} from {at[0]:.0f} to {at[-1]:.0f}" for dim, at in places.items())


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"
