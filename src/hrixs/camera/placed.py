"""Images that belong to frames, as masks, darks and noise maps: of the same pixels, and usable."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

# A mask of more is most often one of the other convention, in which 1 means good.
_MOST_MASKED = 0.5
# Below this share of bad pixels some 2x2 square is good, whatever their places.
_SQUARES_LEFT = 0.2


def require_same_pixels(
    name: str,
    image: Any,
    first: tuple[int, int] | None,
    shape: tuple[int, int],
    of: str = "the frames",
) -> None:
    """Raise an error where coordinates say that an image is of other pixels than the frames.

    Parameters
    ----------
    name : str
        What the image is, for the text.
    image
        Coordinates ``x`` and ``y`` of a DataArray give its place; anything else has none.
    first : (int, int) or None
        Place of the frames' first pixel on the full chip; None where it is not known.
    shape : (int, int)
        Pixels of the frames.
    of : str
        What the frames are, for the text.

    Raises
    ------
    ValueError
        Which crop each has, and what to do.
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
        f"{name} is of other pixels than {of}: its coordinates say {_told(known)}, those of {of} "
        f"are {_told({dim: ours[dim] for dim in known})}. {take}; or, if its coordinates are "
        f"wrong, drop them: .drop_vars({list(known)})."
    )


def require_usable_mask(name: str, bad: NDArray[Any]) -> None:
    """Raise an error for a mask that leaves too few pixels to be meant.

    Parameters
    ----------
    name : str
        For the text.
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
            "expected half of them at most: True (in a file any value but 0) means a bad pixel, "
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
    """Coordinates along `dim` that number pixels; None where there are none of that kind."""
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
