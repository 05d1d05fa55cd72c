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
        NeXus or columns of text, which tell the steps, too.
    moved : dict of str to str, optional
        Folders that lie elsewhere now: ``{"/old/raw": "/new/raw"}``. Runs that were given by number
        are looked up anew; where they are none of a proposal here: ``{"145": "/new/r0145"}``.

    Returns
    -------
    xarray.Dataset
        The result. On the same version of hrixs it is the same, to the last byte.

    Raises
    ------
    MissingDataError
        If the result does not list its steps, or a run or a file is not there any more.
    ValueError
        If a step can't be done again: images were a dataset in memory, or an argument, as a
        function of one's own, could not be recorded.

    Warns
    -----
    HrixsWarning
        What differs from the result. What was done to large variables between the calls, as
        ``spectrum * 2``, is seen only so.

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
        warn(f"made again, the result is another one. {said_of_differences(made)}")
    return made.result


def done_again(result: Result, moved: Mapping[str, str] | None = None) -> MadeAgain:
    """A result made again, and what differs."""
    return made_again(hRIXS, result, moved, {"count_events": count_events})


def said_of_differences(made: MadeAgain) -> str:
    """What differs, and why that may be."""
    shown = made.differences[:_MOST]
    more = len(made.differences) - len(shown)
    text = "; ".join(shown) + (f"; and {more} more" if more else "")
    if made.version != __version__:
        return f"{text}. It was made by hrixs {made.version}, and this is {__version__}."
    return f"{text}. Have files changed, or was something done to it that is no call of hrixs?"
