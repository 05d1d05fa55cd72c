"""Names of entries of a dataset in text: trains by id, others by value."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.utils.errors import named_trains

_MOST = 8


def named_entries(data: xr.Dataset | xr.DataArray, dim: str, chosen: NDArray[np.bool_]) -> str:
    """Text with the chosen entries along `dim`; all of them if they are few.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from hrixs.spectra.naming import named_entries
    >>> data = xr.Dataset(coords={"trainId": [7, 8, 9]})
    >>> named_entries(data, "trainId", np.array([True, False, True]))
    'trains 7, 9'
    """
    labels = data[dim].values if dim in data.coords else np.arange(len(chosen))
    own = labels[chosen]
    if own.dtype.kind in "iu" and dim == "trainId" and dim in data.coords:
        return named_trains(own)
    if not len(own):
        return f"no {dim}"
    what = dim if dim in data.coords else "numbers" if len(own) > 1 else "number"
    more = f" and {len(own) - _MOST} more" if len(own) > _MOST else ""
    return f"{what} {', '.join(str(one) for one in own[:_MOST])}{more}"
