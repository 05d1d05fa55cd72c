"""Reproduce a result with one call."""

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
    """Reproduce a result from its runs or images, by the steps in its attributes.

    Parameters
    ----------
    result : xarray.Dataset or path
        A result of the class `hRIXS` or of the command ``hrixs process``, or its file: netCDF,
        NeXus or columns of text; all of them contain the steps.
    moved : dict of str to str, optional
        New places of folders: ``{"/old/raw": "/new/raw"}``. Runs that were given by number are
        looked up again; if this fails, give their folders: ``{"145": "/new/r0145"}``.

    Returns
    -------
    xarray.Dataset
        The result. The same version of hrixs gives the same bytes.

    Raises
    ------
    MissingDataError
        If the result does not list its steps, or a run or a file does not exist any more.
    ValueError
        If a step cannot be repeated: images were a dataset in memory, or an argument could not be
        recorded, such as a function of the user.

    Warns
    -----
    HrixsWarning
        If the new result differs. Changes of large variables between the calls, such as ``spectrum
        * 2``, are not recorded and become visible only in this way.

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
        warn(f"the reproduced result differs. {said_of_differences(made)}")
    return made.result


def done_again(result: Result, moved: Mapping[str, str] | None = None) -> MadeAgain:
    """A reproduced result, and the differences."""
    return made_again(hRIXS, result, moved, {"count_events": count_events})


def said_of_differences(made: MadeAgain) -> str:
    """Text on the differences and their possible reasons."""
    shown = made.differences[:_MOST]
    more = len(made.differences) - len(shown)
    text = "; ".join(shown) + (f"; and {more} more" if more else "")
    if made.version != __version__:
        return f"{text}. It was made by hrixs {made.version}, and this is {__version__}."
    return f"{text}. Have files changed, or was the result changed by something other than hrixs?"
