"""``data.hrixs``: what results know of themselves, on xarray's own objects."""

from __future__ import annotations

import xarray as xr

from hrixs.spectra.errors import error_of


@xr.register_dataset_accessor("hrixs")  # type: ignore[no-untyped-call]
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


@xr.register_dataarray_accessor("hrixs")  # type: ignore[no-untyped-call]
class DataArrayAccessor:
    """``array.hrixs`` of xarray's arrays."""

    def __init__(self, array: xr.DataArray) -> None:
        self._array = array

    def error(self) -> xr.DataArray:
        """One standard deviation of counted photons; see `hrixs.error_of`."""
        return error_of(self._array)
