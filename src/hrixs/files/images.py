"""Images of any camera in plain files: one file, a folder, a pattern, or several files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.files.formats import format_of, is_run_name, unknown_text
from hrixs.files.hdf5 import is_run_file
from hrixs.files.names import files_named, is_pattern, is_plain_name
from hrixs.files.sif import is_spool
from hrixs.files.stored import Stack, as_stack, native, one_an_image
from hrixs.steps.record import recorded
from hrixs.utils.errors import MissingDataError, warn
from hrixs.utils.memory import require_memory

#: A path or a pattern, or several paths.
PathLike = str | Path | Sequence[str | Path]
_MOST_LISTED = 20


@recorded
def open_images(
    path: PathLike,
    *,
    detector: str = "MaranaX",
    dataset: str | None = None,
    stack_axis: int | None = None,
    transpose: bool = False,
) -> xr.Dataset:
    """Read images of any camera from a file, or one stack from a folder of files.

    Parameters
    ----------
    path : str, Path, or sequence of them
        TIFF, HDF5 and NeXus, NumPy, EDF, CBF, FITS, Andor SIF, Princeton SPE; the format is
        recognised by the first bytes of the file. A folder, a pattern such as ``'scan_*.tif'`` and
        several paths are one stack; files of a folder or a pattern are in the order of the numbers
        in their names.
    detector : str
        Name of the images in the result, such as `hRIXS.DETECTOR`.
    dataset : str, optional
        Which array of the file: the path of a dataset in HDF5, which may be a group or a pattern
        of numbered images; the name in an .npz file; an extension of FITS; the number of a TIFF
        series. Not needed if there is only one choice.
    stack_axis : int, optional
        The axis that counts images in an array of three axes or more. Default: the first one, or
        the one stated in the file; an error asks for it if the shape does not show it.
    transpose : bool
        Exchange the two axes of the images: needed if the spectral line runs along the second one.

    Returns
    -------
    xarray.Dataset
        The images, dims ``(trainId, x, y)``, in the type of the file. ``trainId`` counts from 0.
        If the file has them: ``exposure`` in s and ``units`` in the attrs of the images, or a
        coordinate ``exposure`` if images differ; a coordinate ``time`` (UTC, or local time if the
        file has no time zone). ``attrs["images"]`` says what was read.

    Raises
    ------
    ValueError
        If the file has no images, or it is not clear which or how many; if images have different
        shapes; if a linked file or a filter of HDF5 is missing.
    ImportError
        If the package that reads the format is not installed; the text has the line to type.
    MissingDataError
        If there is no such file.
    MemoryError
        If the images do not fit into the free memory.

    Warns
    -----
    HrixsWarning
        If something in the file is not applied: an orientation, parts that were never written; or
        if a folder has files that are not images.

    Notes
    -----
    The formats are read with tifffile, h5py, NumPy, fabio, astropy and sif_parser. Frames of SPE
    files and of spooled acquisitions are read by the layout in their headers, because rows and
    frames may be padded.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp()) / "data"
    >>> folder.mkdir()
    >>> for number in (9, 10, 11):
    ...     np.save(folder / f"scan_{number}.npy", np.full((48, 64), number, np.uint16))
    >>> data = open_images(folder)
    >>> data["MaranaX"].dims, data["MaranaX"][:, 0, 0].values.tolist()
    (('trainId', 'x', 'y'), [9, 10, 11])
    >>> print(data.attrs["images"])
    3 images of 48 x 64 pixels, one per file of data: first scan_9.npy, last scan_11.npy
    """
    files, left_out = _image_files(path)
    stacks = [_stack(file, dataset, stack_axis) for file in files]
    _require_alike(files, stacks)
    n_images = sum(one.n for one in stacks)
    name = _name_of(path, files)
    copies = 2 if len(stacks) == 1 and stacks[0].axis else 1  # an axis is moved in memory
    require_memory(
        copies * sum(one.stored.n_bytes for one in stacks),
        f"the images that {_whole_name(path, files)} lists",
        "Take fewer files, or a file with fewer.",
    )
    pixels = _pixels(files, stacks, n_images)
    for text in dict.fromkeys(text for one in stacks for text in one.stored.remarks):
        warn(text)
    if left_out:
        listed = ", ".join(Path(file).name for file in left_out[:_MOST_LISTED])
        warn(f"{len(left_out)} files in {name} are not images and are left out: {listed}.")
    data = xr.Dataset(
        {detector: (("trainId", *(("y", "x") if transpose else ("x", "y"))), pixels)},
        coords={"trainId": np.arange(n_images, dtype=np.uint64)},
        attrs={
            "run": _whole_name(path, files),
            "n_images": n_images,
            "images": _said(name, files, stacks, n_images),
        },
    ).transpose("trainId", "x", "y")
    _add_notes(data, data[detector], stacks)
    data.encoding["files"] = files
    return data


def images_text(path: PathLike) -> str:
    """Say what images `path` holds, as ``attrs["images"]`` of `open_images`; no pixel is read.

    Raises as `open_images` does.
    """
    files, _ = _image_files(path)
    stacks = [_stack(file, None, None) for file in files]
    _require_alike(files, stacks)
    return _said(_name_of(path, files), files, stacks, sum(one.n for one in stacks))


def open_mask(path: PathLike, **options: Any) -> NDArray[Any]:
    """Read the one image of a file as `open_images` does, shape (x, y), for a mask.

    Raises
    ------
    ValueError
        If there are several images.
    """
    data = open_images(path, detector="mask", **options)
    mask = data["mask"].values
    if len(mask) != 1:
        raise ValueError(f"the mask is {data.attrs['images']}, expected one image.")
    return np.asarray(mask[0])


def is_image_source(path: Any) -> bool:
    """Whether `path` names images in plain files, and not the folder or a file of a run.

    Other files count as images, too: `open_images` reports them.
    """
    if not isinstance(path, str | Path):
        return isinstance(path, Sequence) and all(isinstance(one, str | Path) for one in path)
    text = str(path)
    if is_pattern(text):
        return True
    if Path(text).is_file():
        return not _is_of_a_run(text)
    if not Path(text).is_dir():
        return is_plain_name(text)
    if is_spool(text):
        return True
    files = _files_of(text)
    return any(_known(file) for file in files) and not any(_is_of_a_run(file) for file in files)


def _files_of(folder: str) -> list[str]:
    try:
        return files_named(folder)
    except MissingDataError:
        return []


def _known(file: str) -> bool:
    try:
        return format_of(file) is not None
    except (OSError, ValueError):
        return False


def _is_of_a_run(file: str) -> bool:
    found = format_of(file) if _readable(file) else None
    if found is None or ".h5" not in found.suffixes:
        return is_run_name(file)
    try:
        return is_run_file(file)
    except OSError:
        return is_run_name(file)  # damaged


def _readable(file: str) -> bool:
    try:
        with open(file, "rb"):
            return True
    except OSError:
        return False


def _image_files(path: PathLike) -> tuple[list[str], list[str]]:
    """Files of images in their order, and files of a folder that are not images."""
    if isinstance(path, str | Path) and is_spool(str(path)):
        return [str(path)], []
    files = files_named(path)
    if not (isinstance(path, str | Path) and Path(path).is_dir()):
        return files, []
    formats: dict[str, list[str]] = {}
    for file in files:
        one = format_of(file)
        formats.setdefault(one.name if one else "", []).append(file)
    left_out = formats.pop("", [])
    if not formats:
        raise ValueError(f"{path} has no images in it: {unknown_text(files[0])}")
    if len(formats) > 1:
        listed = ", ".join(f"{len(those)} of {name}" for name, those in formats.items())
        raise ValueError(
            f"{path} holds images of several formats: {listed}. Give a pattern that matches only "
            f"those to read: '{Path(path) / ('*' + Path(files[0]).suffix)}'."
        )
    return next(iter(formats.values())), left_out


def _name_of(path: PathLike, files: Sequence[str]) -> str:
    """Name of images for texts, without their folders."""
    if isinstance(path, str | Path):
        return Path(path).name or str(path)
    return f"{Path(files[0]).name} ... {Path(files[-1]).name}"


def _whole_name(path: PathLike, files: Sequence[str]) -> str:
    """Name of images with full paths."""
    ends = [path] if isinstance(path, str | Path) else [files[0], files[-1]]
    return " ... ".join(os.path.abspath(end) for end in ends)


def _stack(file: str, dataset: str | None, stack_axis: int | None) -> Stack:
    found = format_of(file)
    if found is None:
        raise ValueError(unknown_text(file))
    try:
        stored = found.read(file, dataset)
    except ImportError as error:
        raise ImportError(f"{file}: {error}") from error
    except MemoryError:
        raise
    except Exception as error:
        raise _explained(file, found.name, error) from error
    return as_stack(file, stored, stack_axis)


def _explained(file: str, kind: str, error: Exception) -> Exception:
    """Keep errors of hrixs; add file and format to errors of libraries."""
    if isinstance(error, ValueError) and str(error).startswith(str(file)):
        return error
    why = str(error) or type(error).__name__
    return ValueError(f"{file} can't be read as {kind}: {why}. Is it damaged, or cut short?")


def _require_alike(files: Sequence[str], stacks: Sequence[Stack]) -> None:
    kinds: dict[str, list[str]] = {}
    for file, one in zip(files, stacks, strict=True):
        frame = f"{one.frame[0]} x {one.frame[1]} {native(one.stored.dtype)}"
        kinds.setdefault(frame, []).append(Path(file).name)
    if len(kinds) > 1:
        listed = "; ".join(
            f"{frame}: {', '.join(names[:3])}{f' and {len(names) - 3} more' if names[3:] else ''}"
            for frame, names in kinds.items()
        )
        raise ValueError(
            f"the images of {len(files)} files are not all alike: {listed}. Give those of one kind."
        )


def _pixels(files: Sequence[str], stacks: Sequence[Stack], n_images: int) -> NDArray[Any]:
    first = stacks[0]
    if len(stacks) == 1:
        return _read(files[0], first)
    pixels = np.empty((n_images, *first.frame), native(first.stored.dtype))
    begin = 0
    for file, one in zip(files, stacks, strict=True):
        pixels[begin : begin + one.n] = _read(file, one)
        begin += one.n
    return pixels


def _read(file: str, stack: Stack) -> NDArray[Any]:
    try:
        return stack.read()
    except (ImportError, MemoryError):
        raise
    except Exception as error:
        raise _explained(file, stack.stored.kind, error) from error


def _said(name: str, files: Sequence[str], stacks: Sequence[Stack], n_images: int) -> str:
    first = stacks[0]
    frame = f"{first.frame[0]} x {first.frame[1]} pixels"
    what = f"{n_images} image{'s' if n_images > 1 else ''} of {frame}"
    if len(files) > 1:
        each = "one" if n_images == len(files) else "several"
        ends = f"first {Path(files[0]).name}, last {Path(files[-1]).name}"
        return f"{what}, {each} per file of {name}: {ends}"
    inside = f", {first.stored.name}" if first.stored.name else ""
    axis = f" ({first.axis_text()})" if first.axis is not None else ""
    return f"{what} from {name}{inside}{axis}"


def _add_notes(data: xr.Dataset, images: xr.DataArray, stacks: Sequence[Stack]) -> None:
    """Add units, exposure and times, if all files have them."""
    units = {one.stored.units for one in stacks}
    if len(units) == 1 and "" not in units:
        images.attrs["units"] = units.pop()
    n = [one.n for one in stacks]
    exposure = one_an_image([one.stored.exposure for one in stacks], n)
    if exposure is not None and exposure.ndim == 0:
        images.attrs |= {"exposure": float(exposure), "exposure_units": "s"}
    elif exposure is not None and exposure.size == len(images):
        attrs = {"units": "s", "long_name": "exposure"}
        data.coords["exposure"] = ("trainId", exposure, attrs)
    time = one_an_image([one.stored.time for one in stacks], n)
    if time is not None and time.size == len(images):
        data.coords["time"] = ("trainId", time.reshape(-1), {"long_name": "time of the image"})
