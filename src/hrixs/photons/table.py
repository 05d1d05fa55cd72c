"""Store the photon table of a long run with its spectra, and read it back."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs import _core
from hrixs.camera.frames import FRAME_DIMS, Frames
from hrixs.photons.charge_balance import with_ratio
from hrixs.photons.columns import COLUMNS, FRAME, FRAME_COLUMNS
from hrixs.steps.record import recorded
from hrixs.utils.checks import require_dataset
from hrixs.utils.errors import MissingDataError
from hrixs.utils.provenance import CHARGES, frames_attrs, frames_of_attrs, source_attrs

_PREFIX = "photon_"
# Columns that all photon tables have.
_ALWAYS = [name for name, column in COLUMNS.items() if not column.fitted]


def table_columns(table: xr.Dataset) -> dict[str, NDArray[Any]]:
    """Columns of a photon table by name, with ``frame``."""
    return {name: table[name].values for name in ("frame", *COLUMNS) if name in table.variables}


def table_of_columns(columns: dict[str, NDArray[Any]], attrs: dict[str, Any]) -> xr.Dataset:
    """Make a photon table from columns; the inverse of `table_columns`."""
    coords = {"frame": ("photon", columns["frame"], FRAME)} if "frame" in columns else {}
    return xr.Dataset(_described(columns), coords=coords, attrs=attrs)


def _described(columns: Mapping[str, Any]) -> dict[str, Any]:
    """The given columns with units and names."""
    fitted = "flag" in columns
    return {
        name: ("photon", columns[name], column.attrs_in(fitted=fitted))
        for name, column in COLUMNS.items()
        if name in columns
    }


def with_attributes(result: xr.Dataset) -> xr.Dataset:
    """Add units and names to the photon columns of `result`."""
    for name, attrs in {"frame": FRAME, **{n: c.attrs for n, c in COLUMNS.items()}}.items():
        if _PREFIX + name in result:
            result[_PREFIX + name].attrs |= attrs
    if "n_photons" in result:
        result["n_photons"].attrs |= {"units": "photons", "long_name": "photons in the spectrum"}
    return result


@recorded
def photon_table(result: xr.Dataset) -> xr.Dataset:
    """Get the photon table of a run that was processed with ``photons=True``.

    Parameters
    ----------
    result : xarray.Dataset
        A result of `hRIXS.process_run`, also read from its file.

    Returns
    -------
    xarray.Dataset
        ``x``, ``y``, ``charge``, ``double`` and, for fitted photons, the results of the fit, over
        dim ``photon``, with the coordinates ``frame`` (number of the frame in `result`) and
        ``trainId``, as from `find_photons`: `photon_spectrum` makes spectra from it.

    Raises
    ------
    MissingDataError
        If `result` has no photons.
    ValueError
        If its trains were sorted or selected, so that frame numbers of photons and spectra differ.

    Examples
    --------
    >>> result = h.process_run(145, photons=True)  # doctest: +SKIP
    >>> photons = hrixs.photon_table(result)  # doctest: +SKIP
    >>> hrixs.photon_spectrum(photons, bins=800, range=(0, 200))  # doctest: +SKIP
    """
    require_dataset(result, "the result of process_run")
    missing = [name for name in (*_ALWAYS, "frame", "trainId") if _PREFIX + name not in result]
    if missing or "spectrum" not in result:
        raise MissingDataError(
            f"the dataset has no {_PREFIX}{missing[0] if missing else 'frame'} or no spectrum; "
            "process the run with photons=True."
        )
    _require_its_frames(result)
    frames = result["spectrum"].isel(energy=0, drop=True)
    dims = [str(dim) for dim in frames.dims]
    frame = result[_PREFIX + "frame"].values
    coords: dict[str, Any] = {"frame": ("photon", frame, FRAME)}
    for name in dims:
        if name not in result.coords:
            continue
        values = np.broadcast_to(
            result[name].values.reshape([-1 if dim == name else 1 for dim in dims]), frames.shape
        ).ravel()
        coords[name] = ("photon", values[frame], result[name].attrs)
        coords[f"frames_{name}"] = ("frames", values, result[name].attrs)
    columns = {name: result[_PREFIX + name].values for name in COLUMNS if _PREFIX + name in result}
    columns["double"] = columns["double"].astype(bool)
    table = xr.Dataset(
        _described(columns),
        coords=coords,
        attrs=dict(result["spectrum"].attrs)
        | source_attrs(result)
        | frames_attrs(dims, frames.shape),
    )
    if "frames" not in table.sizes:
        table = table.assign_coords(frames_number=("frames", np.arange(frames.size)))
    return table


def placed_on_chip(photons: xr.Dataset, first_pixel: tuple[int, int] | None) -> xr.Dataset:
    """Convert positions to pixels of the full chip, for frames that begin at `first_pixel`.

    ``attrs`` then have ``first_pixel``. Without it the table is returned unchanged.
    """
    if first_pixel is None:
        return photons
    moved = {
        name: photons[name].copy(data=photons[name].values + begin)
        for name, begin in zip(FRAME_DIMS, first_pixel, strict=True)
        if begin
    }
    return photons.assign(moved).assign_attrs(first_pixel=np.array(first_pixel))


def _require_its_frames(result: xr.Dataset) -> None:
    frames_per_train = int(np.prod(result["spectrum"].shape[1:-1], dtype=np.int64))
    train = result[_PREFIX + "frame"].values // frames_per_train
    ids = result["trainId"].values
    if len(train) and (
        train.max() >= len(ids) or (ids[train] != result[_PREFIX + "trainId"].values).any()
    ):
        raise ValueError(
            "the trains of the dataset were sorted, selected or joined, so photon_frame does not "
            "match them any more. Take the table first, photon_table(result), and then select "
            "photons."
        )


def table_of_found(found: _core.Found, frames: Frames, attrs: dict[str, Any]) -> xr.Dataset:
    """Make the photon table from the result of the core, in pixels of the full chip if known."""
    frame = found["frame"]
    # A coordinate of the frames is stored twice: for each photon, and for each frame.
    extents = dict(zip(frames.dims, frames.leading_shape, strict=True))
    by_name = cast("Mapping[str, Any]", found)
    columns = _described(by_name)
    columns |= {
        column: ("frames", by_name[column], described)
        for column, described in FRAME_COLUMNS.items()
        if column in by_name
    }
    coords: dict[str, Any] = {"frame": ("photon", frame, FRAME)}
    for name, variable in frames.coords.items():
        spread = variable.set_dims(extents)  # type: ignore[no-untyped-call]  # xarray's own gap
        values = spread.values.ravel()
        coords[f"frames_{name}"] = ("frames", values, variable.attrs)
        # Text, such as the run, for each photon would need too much memory.
        taken = name in columns or name in coords or name == "photon"
        if not taken and values.dtype.kind not in "USO":
            coords[str(name)] = ("photon", values[frame], variable.attrs)
    table = xr.Dataset(
        columns,
        coords=coords,
        attrs=attrs
        | {
            "n_hits": len(frame),
            "n_dropped": int(found["n_dropped"].sum()),
            "n_cosmics": int(found["n_cosmics"].sum()),
        }
        | frames_attrs(frames.dims, frames.leading_shape),
    )
    return placed_on_chip(table, frames.first_pixel)


#: Attribute of photon tables: number of the first frame.
FIRST_FRAME = "first_frame"


def concat_photons(tables: Sequence[xr.Dataset]) -> xr.Dataset:
    """Join the photon tables of all chunks to one table, equal to that of `find_photons`.

    Parameters
    ----------
    tables : sequence of xarray.Dataset
        Computed tables of `photon_parts`, in any order.

    Returns
    -------
    xarray.Dataset
        The photon table.

    Raises
    ------
    TypeError
        If a table is not computed yet.
    ValueError
        If there is no table, one is not from `photon_parts`, or one is missing between two others.

    Examples
    --------
    >>> parts = hrixs.photon_parts(data.MaranaX)  # doctest: +SKIP
    >>> photons = hrixs.concat_photons(dask.compute(*parts))  # doctest: +SKIP
    """
    for table in tables:
        if not isinstance(table, xr.Dataset):
            raise TypeError(
                f"got {type(table).__name__}, expected photon tables. Compute the parts first: "
                "concat_photons(dask.compute(*parts))."
            )
        if FIRST_FRAME not in table.attrs or "frames" not in table.sizes:
            raise ValueError(
                "a table is not from photon_parts, or was cut. Give the unchanged tables."
            )
    if not len(tables):
        raise ValueError("got no table, expected the tables of photon_parts.")
    ordered = sorted(tables, key=lambda table: int(table.attrs[FIRST_FRAME]))
    expected = 0
    for table in ordered:
        if table.attrs[FIRST_FRAME] != expected:
            raise ValueError(
                f"a table begins at frame {table.attrs[FIRST_FRAME]}, expected {expected}: a "
                "table is missing or was given twice. Give all tables of photon_parts."
            )
        expected += table.sizes["frames"]
    first = ordered[0]

    def joined(name: Hashable) -> tuple[Any, ...]:
        values = np.concatenate([table[name].values for table in ordered])
        return first[name].dims, values, first[name].attrs

    attrs = {name: value for name, value in first.attrs.items() if name != FIRST_FRAME}
    for count in ("n_hits", "n_dropped", "n_cosmics", *CHARGES):
        if count in attrs:
            attrs[count] = sum(table.attrs[count] for table in ordered)
    attrs = with_ratio(attrs)
    dims, shape = frames_of_attrs(first.attrs) or ([], ())
    if shape:
        n_entries = sum(int(np.atleast_1d(table.attrs["frame_shape"])[0]) for table in ordered)
        attrs |= frames_attrs(dims, (n_entries, *shape[1:]))
    return xr.Dataset(
        {name: joined(name) for name in first.data_vars},
        coords={name: joined(name) for name in first.coords},
        attrs=attrs,
    )
