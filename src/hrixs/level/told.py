"""What the corrections did with each image: columns of a result, counts, and warnings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.doubt_rules.images import Names
from hrixs.level.dark_fit import LARGEST_ERROR
from hrixs.utils.errors import warn

#: Columns of images: values that were subtracted, and numbers of replaced pixels.
PEDESTAL, DARK_FACTOR, DARK_OFFSET = "pedestal", "dark_factor", "dark_offset"
PIXELS = "cosmic_pixels"
# Columns of which only the sum is kept.
DARK_FACTOR_ERR, LIT = "dark_factor_err", "level_lit"
_UNITS = {PEDESTAL: "ADU", DARK_OFFSET: "ADU"}
_LONG_NAMES = {
    PEDESTAL: "level of the pixels without light, subtracted",
    DARK_FACTOR: "factor of the dark",
    DARK_OFFSET: "level above the dark, subtracted",
    PIXELS: "pixels replaced because of cosmic rays",
}
#: Variables that results may have.
VARIABLES = tuple(_LONG_NAMES)
_MOST_NAMED = 8


def variables(
    columns: Mapping[str, NDArray[Any]],
) -> dict[str, tuple[NDArray[Any], dict[str, str]]]:
    """Columns for a result, with their attributes."""
    made = {}
    for name in VARIABLES:
        if name in columns:
            values = columns[name]
            if name == PIXELS:
                values = np.maximum(values, 0).astype(np.int64)
            unit = {"units": _UNITS[name]} if name in _UNITS else {}
            made[name] = (values, {"long_name": _LONG_NAMES[name], "mended": "yes"} | unit)
    return made


def told(columns: Mapping[str, NDArray[Any]], names: Names) -> dict[str, Any]:
    """Counts for ``attrs`` from the columns of all images; warns of problems.

    Warns
    -----
    HrixsWarning
        If there is light where the level is measured, if the dark is too flat for a factor, or if
        images cannot be compared with the others.
    """
    attrs: dict[str, Any] = {}
    if DARK_FACTOR_ERR in columns and len(columns[DARK_FACTOR_ERR]):
        errors = columns[DARK_FACTOR_ERR]
        attrs[DARK_FACTOR_ERR] = float(np.median(errors))
        flat = np.flatnonzero(~(errors <= LARGEST_ERROR))
        if len(flat):
            warn(
                "the dark has too little structure to determine its factor within "
                f"{LARGEST_ERROR:g} in {len(flat)} images: the factor is set to 1 "
                f"({_named(flat, names)}). Set DARK_FIT = 'offset'."
            )
    if LIT in columns:
        lit = np.flatnonzero(columns[LIT])
        attrs["n_lit_levels"] = len(lit)
        if len(lit):
            warn(
                f"the level of {len(lit)} images may be too high, because nearly all pixels used "
                f"for it have light, or levels of their own: {_named(lit, names)}. Set PEDESTAL to "
                "rows without light, such as slice(1900, 2000), and load a dark."
            )
    if PIXELS in columns:
        pixels = columns[PIXELS]
        hit = np.flatnonzero(pixels > 0)
        attrs["n_cosmic_pixels"] = int(pixels[hit].sum())
        attrs["n_cosmic_images"] = len(hit)
        attrs["cosmic_images"] = _named(hit, names, most=len(hit)) if len(hit) else ""
        odd = np.flatnonzero(pixels < 0)
        if len(odd):
            warn(
                f"no tracks are removed from {len(odd)} images, because their light differs from "
                f"that of the first images: {_named(odd, names)}. Look at these images."
            )
    return attrs


def _named(numbers: NDArray[np.int64], names: Names, most: int = _MOST_NAMED) -> str:
    shown = ", ".join(str(names.numbers[number]) for number in numbers[:most])
    more = f" and {len(numbers) - most} more" if len(numbers) > most else ""
    return f"{names.word}{'s' if len(numbers) > 1 else ''} {shown}{more}"
