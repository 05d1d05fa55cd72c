"""A result made again with one call."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr

from hrixs.replays.again import MadeAgain, made_again
from hrixs.replays.opened import Result
from hrixs.spectrometer.spectra import count_events
from hrixs.spectrometer.spectrometer import hRIXS
from hrixs.utils.errors import warn
from hrixs.utils.provenance import __version__

_MOST = 6


def replay(result: Result, *, moved: Mapping[str, str] | None = None) -> xr.Dataset:
    """Make a result again, from its runs or images, by the steps in its attributes.

    Parameters
    ----------
    result : xarray.Dataset or path
        A result of the class `hRIXS` or of the command ``hrixs process``, or its file: netCDF, or
        NeXus or columns of text, which have the steps, too.
    moved : dict of str to str, optional
        Folders that were moved: ``{"/old/raw": "/new/raw"}``. Runs that were given by number are
        searched again; if their proposal is not on this machine: ``{"145": "/new/r0145"}``.

    Returns
    -------
    xarray.Dataset
        The result. With the same version of hrixs it is equal, to the last byte.

    Raises
    ------
    MissingDataError
        If the result does not have its steps, or a run or a file does not exist any more.
    ValueError
        If a step cannot be repeated: images came from a dataset in memory, or an argument (such as
        your own function) could not be recorded.

    Warns
    -----
    HrixsWarning
        Lists differences from the original. Changes of large variables between the calls, such as
        ``spectrum * 2``, are only detected in this way.

    See Also
    --------
    hrixs.how_made : the same steps as Python.
    hRIXS.from_result : the settings alone.

    Examples
    --------
    >>> again = hrixs.replay("spectrum.nc")  # doctest: +SKIP
    """
    made = done_again(result, moved)
    if made.differences:
        warn(f"made again, the result differs from the original. {said_of_differences(made)}")
    return made.result


def done_again(result: Result, moved: Mapping[str, str] | None = None) -> MadeAgain:
    """Make a result again, and compare it with the original."""
    return made_again(hRIXS, result, moved, {"count_events": count_events})


def said_of_differences(made: MadeAgain) -> str:
    """The differences, and a possible reason."""
    shown = made.differences[:_MOST]
    more = len(made.differences) - len(shown)
    text = "; ".join(shown) + (f"; and {more} more" if more else "")
    if made.version != __version__:
        return f"{text}. It was made by hrixs {made.version}, and this is {__version__}."
    return f"{text}. Perhaps files, or the result itself, were changed without hrixs."
