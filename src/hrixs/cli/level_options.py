"""Read the option --background, and apply it to a result."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add --background."""
    parser.add_argument(
        "--background",
        type=background,
        metavar="LO:HI|DEGREE",
        help="subtract a background from the spectra: the mean level in a range of the energy axis "
        "without light or in several (525:527,540:545), or a polynomial of this degree outside the "
        "lines (0)",
    )


def background(text: str) -> dict[str, Any]:
    """Options of `subtract_background`.

    Examples
    --------
    >>> from hrixs.cli.level_options import background
    >>> background("525:527"), background("1")
    ({'region': [(525.0, 527.0)]}, {'degree': 1})
    """
    try:
        if ":" not in text:
            return {"degree": int(text)}
        ends = [one.split(":") for one in text.split(",")]
        return {"region": [(float(low), float(high)) for low, high in ends]}
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} given, expected a range of the energy axis, such as 525:527, or a degree, "
            "such as 0"
        ) from None


def with_background(result: xr.Dataset, options: dict[str, Any] | None) -> xr.Dataset:
    """Subtract the background from the result, if that was asked for."""
    if options is None:
        return result
    from hrixs.level.background import subtract_background

    new = subtract_background(result, **options)
    attrs = new["background"].attrs
    print(f"background: degree {attrs['degree']}, {attrs['n_bins']} bins, {attrs['region']}")
    return new
