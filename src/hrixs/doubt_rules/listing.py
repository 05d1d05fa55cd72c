"""The doubts of a result, one by one."""

from __future__ import annotations

from typing import Any

import xarray as xr

from hrixs.doubt_rules.doubt import DOUBTS, Doubt, first_of_each, from_text


def doubts(result: Any) -> list[Doubt]:
    """List what is doubtful in a result.

    Parameters
    ----------
    result : xarray.Dataset, xarray.DataArray or EnergyCalibration
        As from `hRIXS.centroid`, `hRIXS.integrate` or `hRIXS.process_run`, from a file, or a
        spectrum of it; or what `calibrate_energy` has given.

    Returns
    -------
    list of Doubt
        Each with ``code``, ``text``, ``figures`` and ``grave``; empty where all looked as it
        should. docs/doubts.md lists the codes.

    Raises
    ------
    LookupError
        If the result was not looked at, since it is of another kind.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from hrixs import doubts, hRIXS
    >>> frames = np.random.default_rng(1).normal(100, 2, (4, 64, 64)).round()
    >>> data = xr.Dataset({"MaranaX": (("trainId", "x", "y"), frames)})
    >>> h = hRIXS()
    >>> h.THRESHOLD = 500
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     result = h.centroid(data)
    >>> [doubt.code for doubt in doubts(result)]
    ['no_photons']
    """
    if isinstance(getattr(result, "doubts", None), tuple):
        return list(result.doubts)
    own = [result.attrs]
    if isinstance(result, xr.Dataset):
        own += [variable.attrs for variable in result.data_vars.values()]
    texts = [str(attrs[DOUBTS]) for attrs in own if DOUBTS in attrs]
    if not texts:
        raise LookupError(
            "the result has no attribute 'doubts': nothing has looked at it. Give a result of "
            "centroid, integrate or process_run of this version."
        )
    return first_of_each(*map(from_text, texts))
