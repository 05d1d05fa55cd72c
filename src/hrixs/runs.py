"""Opening and reading EuXFEL runs. The only module of the package that reads with extra-data."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.errors import MissingDataError, unknown_name, warn
from hrixs.mnemonics import UNITS, Mnemonic, mnemonics

if TYPE_CHECKING:
    from extra_data import DataCollection, KeyData

#: A run number, a run's folder or file, or a run that is open already.
RunLike: TypeAlias = "int | str | os.PathLike[str] | DataCollection"
#: A name in the table of mnemonics, or entries of the table's form under names of one's own.
Field: TypeAlias = "str | Mapping[str, Mnemonic]"

_BYTES_PER_PART = 256 * 2**20


def open_run(run: RunLike, proposal: int | str | None = None) -> DataCollection:
    """Open a run's raw data, given by number, by path or as it is.

    Parameters
    ----------
    run : int, path or extra_data.DataCollection
        A number is looked up under ``EXTRA_DATA_DATA_ROOT`` (on the Maxwell cluster it need not
        be set); a path is a run's folder or one HDF5 file.
    proposal : int or str, optional
        Needed with a run number.

    Raises
    ------
    MissingDataError
        If there is no such run.
    ValueError
        If a run number is given without a proposal.
    """
    import extra_data

    if isinstance(run, extra_data.DataCollection):
        return run
    if isinstance(run, str) and run.isdigit() and not Path(run).exists():
        run = int(run)
    if isinstance(run, int | np.integer) and not isinstance(run, bool):
        if proposal is None:
            raise ValueError(
                f"run {run} was given without a proposal; expected hRIXS(proposal), proposal= "
                "(on the command line --proposal), or the path of the run's folder."
            )
        try:
            return extra_data.open_run(proposal, int(run), data="raw")
        except Exception as error:
            # extra-data raises a plain Exception for an unknown proposal.
            root = os.environ.get("EXTRA_DATA_DATA_ROOT", "/gpfs/exfel/exp")
            raise MissingDataError(
                f"run {run} of proposal {proposal} can't be opened: {str(error).rstrip('.')}. "
                f"Looked under {root}, which EXTRA_DATA_DATA_ROOT sets; the path of a run's folder "
                "can be given as well."
            ) from error
    if isinstance(run, str | os.PathLike):
        path = Path(run)
        try:
            if path.is_dir():
                return extra_data.RunDirectory(path)
            if path.is_file():
                return extra_data.H5File(path)
        except Exception as error:
            raise MissingDataError(f"{path} can't be opened as a run: {error}") from error
        raise MissingDataError(
            f"there is no run at {path}; expected a run's folder or HDF5 file, or an image file "
            "(.tif, .npy, .h5) on the command line."
        )
    raise TypeError(
        f"run is {type(run).__name__} {run!r}, expected a run number, a path or an open "
        "DataCollection."
    )


def load_run(
    run: DataCollection,
    camera: str,
    fields: Sequence[Field] = (),
    *,
    required: Iterable[str] = (),
    subset: Any = None,
) -> xr.Dataset:
    """Load a run's images and the slow data that belong to them.

    Parameters
    ----------
    run : extra_data.DataCollection
        An open run.
    camera : str
        Mnemonic of the camera. Each of its images becomes one entry along ``trainId``.
    fields : sequence of str or dict
        Mnemonics of the slow data, or dicts ``{name: {'source', 'key', 'dim'}}``. Those that the
        run lacks are left out with a warning.
    required : iterable of str
        The names among `fields` whose lack is an error.
    subset : slice or extra_data.by_index or extra_data.by_id, optional
        Trains to load, as for ``run.select_trains``.

    Returns
    -------
    xarray.Dataset
        Images and slow data over ``trainId``. ``attrs`` counts the trains, the images, the trains
        without an image and with several, and the images dropped for lack of slow data.

    Raises
    ------
    MissingDataError
        If the run lacks the camera, has no image, or lacks a required field.
    """
    if subset is not None:
        run = run.select_trains(subset)
    pixels, train_ids, counts = read_images(run, camera)
    dataset: dict[str, Any] = {}
    keep = np.ones(len(train_ids), dtype=bool)
    for name, entry in _entries(fields).items():
        if name == camera:
            continue
        slow = _slow_data(run, name, entry, required=name in set(required))
        if slow is None:
            continue
        has_value = np.isin(train_ids, slow.trainId.values)
        if not has_value.any() and name in set(required):
            raise MissingDataError(f"{name} has no value for any train with an image.")
        if not has_value.any():
            _left_out(name, "it has no value for any train with an image")
            continue
        if not has_value.all():
            warn(
                f"{int((~has_value).sum())} of {len(train_ids)} images have no value of {name} "
                "and are dropped."
            )
        keep &= has_value
        dataset[name] = slow
    if not keep.any():
        raise MissingDataError(
            f"no image of {camera} has values of all of {', '.join(dataset)}; load fewer fields."
        )
    kept_ids = train_ids[keep]
    n_dropped = int((~keep).sum())
    images = pixels if n_dropped == 0 else pixels[keep]
    data_vars: dict[str, Any] = {
        camera: (("trainId", *_dims(camera, pixels)), images, {"units": "ADU"})
    }
    for name, slow in dataset.items():
        matched = slow.isel(trainId=np.searchsorted(slow.trainId.values, kept_ids))
        data_vars[name] = (matched.dims, matched.values, matched.attrs)
    entry = mnemonics[camera]
    attrs = {"camera": camera, "source": entry["source"], "key": entry["key"]}
    return xr.Dataset(
        data_vars,
        coords={"trainId": kept_ids},
        attrs=attrs | counts | {"n_images": len(kept_ids), "n_images_dropped": n_dropped},
    )


def read_images(
    run: DataCollection, camera: str
) -> tuple[NDArray[Any], NDArray[np.uint64], dict[str, int]]:
    """All images of a run, their train ids, and how many trains had none or several.

    Raises
    ------
    MissingDataError
        If the run lacks the camera, or has no image.
    """
    key_data = camera_key(run, camera)
    train_ids = key_data.train_id_coordinates()
    if len(train_ids) == 0:
        raise MissingDataError(_no_image_text(run, camera))
    per_train = np.unique(train_ids, return_counts=True)[1]
    counts = {
        "n_trains": len(run.train_ids),
        "n_trains_without_image": len(run.train_ids) - len(per_train),
        "n_trains_with_several_images": int((per_train > 1).sum()),
    }
    if counts["n_trains_with_several_images"]:
        warn(
            f"{counts['n_trains_with_several_images']} trains have several images of {camera}; "
            "all are kept, each with its train's slow data."
        )
    return key_data.ndarray(), train_ids, counts


def iterate_images(run: DataCollection, camera: str) -> Iterator[NDArray[Any]]:
    """Images of a run, part by part, so that memory does not grow with the run.

    Yields
    ------
    numpy.ndarray, shape (n, x, y)
        Overwritten by the next part.
    """
    key_data = camera_key(run, camera)
    bytes_per_train = max(int(np.prod(key_data.entry_shape)) * key_data.dtype.itemsize, 1)
    buffer: NDArray[Any] | None = None
    for part in key_data.split_trains(trains_per_part=max(1, _BYTES_PER_PART // bytes_per_train)):
        if part.shape[0] == 0:
            continue
        if buffer is None or len(buffer) < part.shape[0]:
            buffer = np.empty(part.shape, part.dtype)
        yield part.ndarray(out=buffer[: part.shape[0]])


def sum_images(run: DataCollection, camera: str) -> tuple[NDArray[np.float64], int]:
    """Sum of a run's images over everything but x and y, and how many they were.

    Raises
    ------
    MissingDataError
        If the run lacks the camera, or has no image.
    """
    total: NDArray[np.float64] | None = None
    n_images = 0
    for images in iterate_images(run, camera):
        stack = images.reshape(-1, *images.shape[-2:])
        part = stack.sum(axis=0, dtype=np.float64)
        total = part if total is None else total + part
        n_images += len(stack)
    if total is None:
        raise MissingDataError(_no_image_text(run, camera))
    return total, n_images


def run_name(run: RunLike | xr.Dataset) -> str:
    """Text that tells which run it was: its number, or its path."""
    if isinstance(run, xr.Dataset):
        return str(run.attrs.get("run", "dataset"))
    import extra_data

    if isinstance(run, extra_data.DataCollection):
        return ", ".join(sorted({str(Path(file.filename).parent) for file in run.files}))
    return str(run)


def camera_key(run: DataCollection, camera: str) -> KeyData:
    """The camera's images in `run`, not read yet.

    Raises
    ------
    MissingDataError
        If the mnemonic is unknown, or the run lacks its source or key.
    """
    entry = _entries([camera])[camera]
    key_data = _find(run, entry)
    if key_data is None:
        cameras = [source for source in run.all_sources if ":" in source]
        raise MissingDataError(
            f"the run has no camera {camera}, that is {entry['source']} / {entry['key']}. "
            f"Instrument sources in the run: {', '.join(sorted(cameras)) or 'none'}. Choose "
            f"another detector, or correct hrixs.mnemonics[{camera!r}] (on the command line with "
            "--mnemonics)."
        )
    return key_data


def _entries(fields: Iterable[Field]) -> dict[str, Mnemonic]:
    entries: dict[str, Mnemonic] = {}
    for field in fields:
        if not isinstance(field, str):
            entries.update(field)
        elif field in mnemonics:
            entries[field] = mnemonics[field]
        else:
            raise MissingDataError(unknown_name("mnemonic", field, mnemonics))
    return entries


def _find(run: DataCollection, entry: Mnemonic) -> KeyData | None:
    source, key = entry["source"], entry["key"]
    if source not in run.all_sources:
        return None
    # Control sources list their keys with '.value', which may be left out.
    known = run.keys_for_source(source)
    return run[source, key] if key in known or f"{key}.value" in known else None


def _slow_data(
    run: DataCollection, name: str, entry: Mnemonic, *, required: bool
) -> xr.DataArray | None:
    """One value a train, train ids ascending and unique; None where the run has no such data."""
    key_data = _find(run, entry)
    if key_data is None:
        where = f"the run has no {entry['source']} / {entry['key']}"
        if required:
            raise MissingDataError(f"{name} can't be loaded: {where}. Correct hrixs.mnemonics.")
        _left_out(name, where)
        return None
    train_ids, first = np.unique(key_data.train_id_coordinates(), return_index=True)
    values = key_data.ndarray()
    if len(train_ids) < len(values):
        warn(f"{name} has several values in some trains; the first of each train is used.")
    values = values[first]
    named = entry["dim"] if len(entry["dim"]) == values.ndim - 1 else None
    dims = named or [f"{name}_dim_{d}" for d in range(values.ndim - 1)]
    attrs = {"source": entry["source"], "key": entry["key"]}
    if name in UNITS:
        attrs["units"] = UNITS[name]
    return xr.DataArray(
        values, dims=("trainId", *dims), coords={"trainId": train_ids}, name=name, attrs=attrs
    )


def _no_image_text(run: DataCollection, camera: str) -> str:
    return (
        f"the run has no image of {camera} in its {len(run.train_ids)} trains; expected one at "
        "least. Check the run number."
    )


def _left_out(name: str, why: str) -> None:
    warn(f"{name} is left out: {why}.")


def _dims(camera: str, pixels: NDArray[Any]) -> Sequence[str]:
    dims = mnemonics[camera]["dim"]
    if len(dims) != pixels.ndim - 1:
        raise ValueError(
            f"images of {camera} have {pixels.ndim - 1} dimensions, but "
            f"hrixs.mnemonics[{camera!r}]['dim'] names {dims}; expected as many names."
        )
    return dims
