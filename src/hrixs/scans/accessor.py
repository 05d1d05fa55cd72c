"""The accessor ``data.hrixs`` of xarray objects: errors, plots and cuts of results."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

    import xarray as xr


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
        """One standard deviation of a variable; see `hrixs.error_of`."""
        from hrixs.spectra.errors import error_of

        return error_of(self._data, name)

    def plot(self, ax: Any = None, *, scale: str = "linear") -> Any:
        """Draw a map; see `hrixs.plot_map`."""
        from hrixs.scans.map_plot import plot_map

        return plot_map(self._data, ax, scale=scale)

    def cut(self, **ranges: float | tuple[float, float]) -> xr.Dataset:
        """Sum over a range of one of a map's axes; see `hrixs.cut`."""
        from hrixs.scans.maps import cut

        return cut(self._data, **ranges)


class DataArrayAccessor:
    """``array.hrixs`` of xarray's arrays."""

    def __init__(self, array: xr.DataArray) -> None:
        self._array = array

    def error(self) -> xr.DataArray:
        """One standard deviation of counted photons; see `hrixs.error_of`."""
        from hrixs.spectra.errors import error_of

        return error_of(self._array)


def register_with_xarray() -> None:
    """Make ``data.hrixs`` known to xarray: now, or as soon as somebody imports it."""
    if "xarray" in sys.modules:
        _register()
    else:
        sys.meta_path.insert(0, _WhenXarrayComes())


def _register() -> None:
    import xarray as xr

    of_dataset, of_array = xr.register_dataset_accessor, xr.register_dataarray_accessor
    of_dataset("hrixs")(DatasetAccessor)  # type: ignore[no-untyped-call]  # xarray's own gap
    of_array("hrixs")(DataArrayAccessor)  # type: ignore[no-untyped-call]  # the same


class _WhenXarrayComes:
    """Registers when xarray was imported; importing it beforehand takes longer than most commands.

    Nothing of hrixs may be imported with it: its modules may be waiting for xarray themselves.
    """

    def __init__(self) -> None:
        self._is_asked = False

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name != "xarray" or self._is_asked:
            return None
        import importlib.util

        self._is_asked = True  # by itself, below
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._is_asked = False
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_and_register(module: Any) -> None:
            execute(module)
            # Here, since others look for xarray and do not import it.
            if self in sys.meta_path:
                sys.meta_path.remove(self)
                _register()

        # An object of this import's own, whose method it may replace.
        spec.loader.exec_module = execute_and_register  # type: ignore[method-assign]  # on purpose
        return spec
