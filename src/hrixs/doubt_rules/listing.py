"""The doubts of a result, one by one."""

from __future__ import annotations

from typing import Any

import xarray as xr

from hrixs.doubt_rules.doubt import DOUBTS, Doubt, first_of_each, from_text


def doubts(result: Any) -> list[Doubt]:
    """List the doubts of a result: signs that it may be wrong.

    Parameters
    ----------
    result : xarray.Dataset, xarray.DataArray or EnergyCalibration
        A result of `hRIXS.centroid`, `hRIXS.integrate` or `hRIXS.process_run`, also read from a
        file; a spectrum of a result; or the return value of `calibrate_energy`.

    Returns
    -------
    list of Doubt
        Each has ``code``, ``text``, ``figures`` and ``grave``. Empty if nothing was found.
        docs/doubts.md lists the codes.

    Raises
    ------
    LookupError
        If the result was never checked, because it is not one of the above.

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
            "the result has no attribute 'doubts', so it was never checked. Give a result of "
            "centroid, integrate or process_run, made with this version."
        )
    return first_of_each(*map(from_text, texts))
