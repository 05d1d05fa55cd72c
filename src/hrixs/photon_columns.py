"""The photon table of a long run, kept beside its spectra, and how to get it back."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from hrixs import _core
from hrixs.utils.checks import require_dataset
from hrixs.utils.errors import MissingDataError

_PREFIX = "photon_"
_COLUMNS = {
    "x": {"units": "px", "long_name": "position along the line"},
    "y": {"units": "px", "long_name": "position along the energy"},
    "charge": {"units": "ADU", "long_name": "spot sum"},
    "double": {"long_name": "two photons in one spot"},
    "frame": {"long_name": "number of the frame, from 0"},
}

FITTED_CHARGE = {"units": "ADU", "long_name": "charge of the fitted cloud"}
#: Columns of photons that were placed by a fit of their charge clouds.
PLACE_COLUMNS: dict[str, dict[str, Any]] = {
    "sigma_x": {"units": "px", "long_name": "standard deviation of x"},
    "sigma_y": {"units": "px", "long_name": "standard deviation of y"},
    "chi2": {"long_name": "chi square of the fit for each degree of freedom"},
    "cloud_sigma": {"units": "px", "long_name": "width of the photon's own charge cloud"},
    "cloud_sigma_err": {"units": "px", "long_name": "standard deviation of cloud_sigma"},
    "flag": {
        "long_name": "what is special about the place",
        "flag_masks": np.array(list(_core.PHOTON_FLAGS.values()), np.uint8),
        "flag_meanings": " ".join(_core.PHOTON_FLAGS),
    },
}


def with_attributes(result: xr.Dataset) -> xr.Dataset:
    """`result` with units and names at its photon columns."""
    for name, attrs in (_COLUMNS | PLACE_COLUMNS).items():
        if _PREFIX + name in result:
            result[_PREFIX + name].attrs |= attrs
    if "n_photons" in result:
        result["n_photons"].attrs |= {"units": "photons", "long_name": "photons in the spectrum"}
    return result


def photon_table(result: xr.Dataset) -> xr.Dataset:
    """Get the photon table out of a run that was processed with ``photons=True``.

    Parameters
    ----------
    result : xarray.Dataset
        As from `hRIXS.process_run`, or read back from its file.

    Returns
    -------
    xarray.Dataset
        ``x``, ``y``, ``charge``, ``double`` and, of photons that were placed by a fit, what it
        told of them, over dim ``photon``, with the coordinates ``frame``
        (number of the frame in `result`) and ``trainId``, as from `find_photons`:
        `photon_spectrum` makes spectra of it.

    Raises
    ------
    MissingDataError
        If `result` has no photons.
    ValueError
        If its trains were sorted or cut, so that the photons' frames are not those of the spectra.

    Examples
    --------
    >>> result = h.process_run(145, photons=True)  # doctest: +SKIP
    >>> photons = hrixs.photon_table(result)  # doctest: +SKIP
    >>> hrixs.photon_spectrum(photons, bins=800, range=(0, 200))  # doctest: +SKIP
    """
    require_dataset(result, "the result of process_run")
    missing = [name for name in (*_COLUMNS, "trainId") if _PREFIX + name not in result]
    if missing or "spectrum" not in result:
        raise MissingDataError(
            f"the dataset has no {_PREFIX}{missing[0] if missing else 'frame'} or no spectrum; "
            "process the run with photons=True."
        )
    _require_its_frames(result)
    frames = result["spectrum"].isel(energy=0, drop=True)
    dims = [str(dim) for dim in frames.dims]
    frame = result[_PREFIX + "frame"].values
    coords: dict[str, Any] = {"frame": ("photon", frame, _COLUMNS["frame"])}
    for name in dims:
        if name not in result.coords:
            continue
        values = np.broadcast_to(
            result[name].values.reshape([-1 if dim == name else 1 for dim in dims]), frames.shape
        ).ravel()
        coords[name] = ("photon", values[frame], result[name].attrs)
        coords[f"frames_{name}"] = ("frames", values, result[name].attrs)
    columns: dict[str, Any] = {
        name: (
            "photon",
            result[_PREFIX + name].values.astype(bool if name == "double" else float),
            _COLUMNS[name],
        )
        for name in ("x", "y", "charge", "double")
    }
    columns |= {
        name: ("photon", result[_PREFIX + name].values, attrs)
        for name, attrs in PLACE_COLUMNS.items()
        if _PREFIX + name in result
    }
    if "flag" in columns:
        columns["charge"] = (*columns["charge"][:2], FITTED_CHARGE)
    table = xr.Dataset(
        columns,
        coords=coords,
        attrs=dict(result["spectrum"].attrs)
        | {"frame_dims": ",".join(dims), "frame_shape": ",".join(map(str, frames.shape))},
    )
    if "frames" not in table.sizes:
        table = table.assign_coords(frames_number=("frames", np.arange(frames.size)))
    return table


def _require_its_frames(result: xr.Dataset) -> None:
    frames_per_train = int(np.prod(result["spectrum"].shape[1:-1], dtype=np.int64))
    train = result[_PREFIX + "frame"].values // frames_per_train
    ids = result["trainId"].values
    if len(train) and (
        train.max() >= len(ids) or (ids[train] != result[_PREFIX + "trainId"].values).any()
    ):
        raise ValueError(
            "the dataset's trains were sorted, cut or joined, so that photon_frame does not count "
            "them any more. Take the table first: photon_table(result), then select photons."
        )
