"""Corrections of frames by the settings `PEDESTAL`, `DARK_FIT` and `REMOVE_COSMICS`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from hrixs.camera.crop import Crop
from hrixs.level.mend import Mending
from hrixs.level.told import VARIABLES
from hrixs.level.words import DARK_FITS
from hrixs.reduction.analysis import Analysis
from hrixs.settings.attributes import Settings
from hrixs.utils.checks import require_word, yes_or_no
from hrixs.utils.errors import MissingDataError

# Fewest rows for a level.
_LEAST_ROWS = 4


def mending_of(h: Settings, crop: Crop, analysis: Analysis) -> Mending | None:
    """Corrections of frames of the crop by the settings; None if there are none.

    Raises
    ------
    MissingDataError
        If a dark shall be fitted, but no dark is subtracted.
    ValueError, TypeError
        If a setting is invalid, or rows of `PEDESTAL` are not in the crop.
    """
    rows = pedestal_rows(h.PEDESTAL, crop)
    require_word("DARK_FIT", h.DARK_FIT, DARK_FITS)
    cosmics = yes_or_no("REMOVE_COSMICS", h.REMOVE_COSMICS)
    if rows is None and h.DARK_FIT is None and not cosmics:
        return None
    dark, mask = (analysis.camera[name] for name in ("dark", "mask"))
    if h.DARK_FIT is not None and dark is None:
        raise MissingDataError(
            f"DARK_FIT = {h.DARK_FIT!r}, but no dark is subtracted; load one with load_dark(run), "
            "or set DARK_FIT = None."
        )
    noise, n_images = h.dark_noise, h.dark_counts.get("n_dark_images", 0)
    known = dark is not None and noise is not None and np.isfinite(noise) and n_images > 0
    return Mending(
        pedestal=rows,
        dark_fit=h.DARK_FIT,
        cosmics=cosmics,
        dark=None if dark is None else np.asarray(dark),
        dark_error=float(noise / np.sqrt(n_images)) if known else 0.0,
        mask=None if mask is None else np.asarray(mask, dtype=bool),
        keep_light=not analysis.counts_photons,
        first_row=crop.ranges["y_range"][0],
    )


def pedestal_rows(pedestal: Any, crop: Crop) -> str | slice | None:
    """Rows of the crop from rows of the chip, given as a slice or as text ``'1900:2000'``.

    Raises
    ------
    ValueError, TypeError
        If it is neither, or outside the crop.
    """
    if pedestal is None or (isinstance(pedestal, str) and pedestal == "image"):
        return pedestal
    given = _as_slice(pedestal)
    first, end = crop.ranges["y_range"]
    size = crop.first[1] + crop.chip_shape[1]
    begin, stop, step = given.indices(size)
    if step != 1 or stop - begin < _LEAST_ROWS:
        raise ValueError(
            f"PEDESTAL = {pedestal!r} leaves {max(stop - begin, 0)} rows of {size}, expected "
            f"{_LEAST_ROWS} or more without a step."
        )
    if begin < first or stop > end:
        raise ValueError(
            f"PEDESTAL = {pedestal!r} are rows outside of Y_RANGE, {first}:{end}, and only these "
            "are read. Widen Y_RANGE, take rows without light in it, or set PEDESTAL = 'image'."
        )
    return slice(begin - first, stop - first)


def _as_slice(pedestal: Any) -> slice:
    if isinstance(pedestal, slice):
        return pedestal
    try:
        begin, end = (int(one) if one else None for one in str(pedestal).split(":"))
    except ValueError:
        raise ValueError(
            f"PEDESTAL = {pedestal!r}, expected None, 'image', or rows without light such as "
            f"slice(1900, 2000) or '1900:2000'."
        ) from None
    return slice(begin, end)


def with_columns(
    data: xr.Dataset, result: xr.Dataset, columns: Mapping[str, xr.Variable]
) -> xr.Dataset:
    """Put the columns about corrections into both datasets; they replace earlier ones."""
    for one in (data, result):
        for name in VARIABLES:
            if name in one and _is_of_mending(one[name]):
                del one[name]
        for name, variable in columns.items():
            one[name] = variable.copy(deep=False)
    return result


def _is_of_mending(variable: xr.DataArray) -> bool:
    """Whether a variable was made here, and is not a field of the user."""
    return "mended" in variable.attrs
