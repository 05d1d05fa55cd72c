"""``data.hrixs``: what results know of themselves, on xarray's own objects."""

from __future__ import annotations

from typing import Any

import xarray as xr

from hrixs.scans.map_plot import plot_map
from hrixs.scans.maps import cut
from hrixs.spectra.errors import error_of


@xr.register_dataset_accessor("hrixs")  # type: ignore[no-untyped-call]  # xarray's own gap
class DatasetAccessor:
    """``dataset.hrixs`` of xarray's datasets.

    Examples
    --------
    >>> import xarray as xr
    >>> import hrixs
    >>> counts = xr.Variable("energy", [4, 9], {"units": "photons"})
    >>> xr.Dataset({"spectrum": counts}).hrixs.error("spectrum").values
    array([2., 3.])
    """

    def __init__(self, data: xr.Dataset) -> None:
        self._data = data

    def error(self, name: str = "spectrum") -> xr.DataArray:
        """One standard deviation of a variable, as it is now; see `hrixs.error_of`."""
        return error_of(self._data, name)

    def plot(self, ax: Any = None, *, scale: str = "linear") -> Any:
        """Draw a map; see `hrixs.plot_map`."""
        return plot_map(self._data, ax, scale=scale)

    def cut(self, **ranges: float | tuple[float, float]) -> xr.Dataset:
        """Sum over a range of one of a map's axes; see `hrixs.cut`."""
        return cut(self._data, **ranges)


@xr.register_dataarray_accessor("hrixs")  # type: ignore[no-untyped-call]  # the same
class DataArrayAccessor:
    """``array.hrixs`` of xarray's arrays."""

    def __init__(self, array: xr.DataArray) -> None:
        self._array = array

    def error(self) -> xr.DataArray:
        """One standard deviation of counted photons; see `hrixs.error_of`."""
        return error_of(self._array)
