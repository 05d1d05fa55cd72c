"""Choose entries of a dataset, with all that belongs to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.spectra.dataset import OF_ALL_IMAGES
from hrixs.utils.checks import require_dataset
from hrixs.utils.errors import MissingDataError, named_trains, warn

_FRAME = "photon_frame"


def dim_of(data: xr.Dataset, dim: str | None) -> str:
    """Dimension of the entries to choose: ``trainId``, or else the first one of the spectra."""
    require_dataset(data, "a dataset of images or spectra")
    if dim is None and "trainId" not in data.dims and "spectrum" in data:
        dim = str(data["spectrum"].dims[0])
    dim = dim or "trainId"
    if dim not in data.sizes or dim == "energy":
        raise MissingDataError(
            f"the dataset has no dimension {dim!r} to choose from, only "
            f"{', '.join(map(str, data.sizes)) or 'none'}. Choose before aggregating."
        )
    return dim


def at_places(n: int, index: slice | Sequence[int] | NDArray[Any]) -> NDArray[np.bool_]:
    """Entries, of `n`, that a slice or a list of numbers means.

    Raises
    ------
    MissingDataError
        If there are fewer entries.
    TypeError
        If they are not whole numbers.
    """
    chosen = np.zeros(n, dtype=bool)
    if not isinstance(index, slice):
        numbers = np.asarray(index)
        if numbers.dtype.kind not in "iu" or numbers.ndim != 1:
            raise TypeError(
                f"index = {index!r}, expected a slice or a list of whole numbers from 0."
            )
        beyond = numbers[(numbers >= n) | (numbers < -n)]
        if len(beyond):
            raise MissingDataError(
                f"index asks for number {beyond[0]}, but there are {n}, 0 to {n - 1}. For ids of "
                "trains give trains=."
            )
        index = numbers.tolist()
    chosen[index] = True
    return chosen


def of_trains(data: xr.Dataset, trains: Iterable[int], dim: str) -> NDArray[np.bool_]:
    """Entries of these trains; trains without an entry are reported.

    Raises
    ------
    MissingDataError
        If the dataset has none of them, or does not list its trains.
    """
    ids = train_numbers(trains)
    if dim not in data.coords:
        raise MissingDataError(
            f"trains are given, but the dataset does not list its {dim}. Give index= instead."
        )
    own = data[dim].values
    chosen = np.isin(own, ids)
    lacking = ids[~np.isin(ids, own)]
    if not chosen.any():
        raise MissingDataError(
            f"the dataset has none of the trains that are asked for, {named_trains(ids)}; it has "
            f"{named_trains(own)}. For numbers in the order of the images give index=."
        )
    tell_lacking(lacking)
    return np.asarray(chosen)


def tell_lacking(ids: NDArray[np.int64]) -> None:
    """Warn of requested trains that have no image."""
    if len(ids):
        warn(f"there is no image of {named_trains(ids)}, which was asked for.")


def train_numbers(trains: Iterable[int]) -> NDArray[np.int64]:
    """Ids of trains as an array.

    Raises
    ------
    TypeError
        If they are not whole numbers.
    """
    ids = np.asarray(trains.values if isinstance(trains, xr.DataArray) else list(trains))
    if ids.dtype.kind not in "iu" or ids.ndim != 1 or not len(ids):
        raise TypeError(f"trains = {trains!r}, expected a list of train ids.")
    return ids.astype(np.int64)


def take(data: xr.Dataset, chosen: NDArray[np.bool_], dim: str) -> xr.Dataset:
    """The chosen entries, with their photons; counts of all images are removed from ``attrs``."""
    if chosen.all():
        return data.copy(deep=False)  # images are large
    places = np.flatnonzero(chosen)
    result = _with_photons_of(data, chosen, dim).isel({dim: places})
    if "spectrum" in result:
        spectrum = result["spectrum"].copy(deep=False)
        spectrum.attrs = {k: v for k, v in spectrum.attrs.items() if k not in OF_ALL_IMAGES}
        result["spectrum"] = spectrum
    if "n_images" in result.attrs:
        result.attrs["n_images"] = len(places)
    return result


def _with_photons_of(data: xr.Dataset, chosen: NDArray[np.bool_], dim: str) -> xr.Dataset:
    """`data` with only the photons of the chosen entries; ``photon_frame`` counts these entries."""
    if _FRAME not in data.variables or "spectrum" not in data:
        return data
    spectrum = data["spectrum"]
    if spectrum.dims[0] != dim or data.sizes[dim] != len(chosen):
        return data
    per_entry = int(np.prod(spectrum.shape[1:-1], dtype=np.int64))
    entry, within = np.divmod(data[_FRAME].values, per_entry)
    kept = chosen[entry]
    renumbered = (np.cumsum(chosen) - 1)[entry[kept]] * per_entry + within[kept]
    result = data.isel(photon=np.flatnonzero(kept))
    result[_FRAME] = ("photon", renumbered, data[_FRAME].attrs)
    return result


def compact(labels: NDArray[Any]) -> str:
    """Labels as text, with ranges of consecutive whole numbers: ``7, 9-15, 22``.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.selection.entries import compact
    >>> compact(np.array([7, 9, 10, 11, 22]))
    '7, 9-11, 22'
    """
    if labels.dtype.kind not in "iu":
        return ", ".join(map(str, labels))
    ids = np.unique(labels.astype(np.int64))
    parts = np.split(ids, np.flatnonzero(np.diff(ids) > 1) + 1)
    return ", ".join(
        str(part[0]) if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in parts if len(part)
    )
