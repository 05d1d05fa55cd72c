"""Write runs in the EuXFEL HDF5 format, for demonstrations and tests.

The mock files of extra-data are used, which are part of that package.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hrixs.runs.extra_data_access import mock_files
from hrixs.runs.mnemonic_table import mnemonics

FIRST_TRAIN = 1_600_000_000


def write_run(
    root: str | os.PathLike[str],
    images: ArrayLike,
    *,
    proposal: int = 900999,
    run: int = 1,
    camera: str = "MaranaX",
    slow: Mapping[str, ArrayLike] | None = None,
    trains_without_image: Sequence[int] = (),
    n_sequence_files: int = 2,
    first_train: int = FIRST_TRAIN,
) -> Path:
    """Write a run that `extra_data.open_run` and `extra_data.RunDirectory` can open.

    Parameters
    ----------
    root : path
        Folder to be used as ``EXTRA_DATA_DATA_ROOT``: the run is written to
        ``root/SCS/202601/pPROPOSAL/raw/rRUN``.
    images : array_like, shape (n_images, ..., x, y)
        The images of the camera, one in each train (an image may have several cells); one image is
        stored in each chunk.
    proposal, run : int
        Numbers of the proposal and the run.
    camera : str
        Mnemonic of the camera.
    slow : dict of str to array_like, shape (n_trains, ...)
        Slow data by mnemonic: one value per train or per pulse, also for trains without an image.
    trains_without_image : sequence of int
        Positions (from 0) of the trains without an image; these are added to those with images.
    n_sequence_files : int
        Number of files among which the trains are divided, for the camera and for the slow data.
    first_train : int
        Id of the first train.

    Returns
    -------
    pathlib.Path
        The run's folder.

    Raises
    ------
    FileExistsError
        If there are files in the run's folder.
    ValueError
        If the slow data do not have one value for each train, or trains are fewer than files.
    ImportError
        If extra-data can't be imported, as on Windows.
    """
    mock_files()  # are they there?
    pixels = np.asarray(images)
    n_trains = len(pixels) + len(set(trains_without_image))
    has_image = np.ones(n_trains, dtype=bool)
    has_image[list(trains_without_image)] = False
    if n_trains < n_sequence_files:
        raise ValueError(f"{n_trains} trains can't fill {n_sequence_files} sequence files.")
    values = {name: np.asarray(v) for name, v in (slow or {}).items()}
    for name, one in values.items():
        if one.shape[:1] != (n_trains,):
            raise ValueError(
                f"slow data {name!r} have shape {one.shape}, expected one value for each of the "
                f"{n_trains} trains."
            )
    folder = run_folder(root, proposal, run)
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(f"there are files in {folder}; remove them or choose another folder.")
    image_of_train = np.cumsum(has_image) - 1
    for sequence, trains in enumerate(np.array_split(np.arange(n_trains), n_sequence_files)):
        with_image = trains[has_image[trains]]
        part = pixels[image_of_train[with_image]]
        for aggregator, devices in (
            ("DA01", _control_devices(_of_trains(values, trains, fast=False))),
            ("DA02", [_camera_device(camera, part, has_image[trains])]),
            # The control source of the same device has the same name; the file would have it twice.
            ("DA03", _instrument_devices(_of_trains(values, trains, fast=True))),
        ):
            if devices:
                path = folder / f"RAW-R{run:04d}-{aggregator}-S{sequence:05d}.h5"
                _write_file(path, devices, len(trains), first_train + int(trains[0]), proposal)
    return folder


def run_folder(root: str | os.PathLike[str], proposal: int, run: int) -> Path:
    """Return the folder under `root` in which extra-data looks for the raw data of a run."""
    return Path(root) / "SCS" / "202601" / f"p{proposal:06d}" / "raw" / f"r{run:04d}"


def _write_file(
    path: Path, devices: Sequence[Any], n_trains: int, first_train: int, proposal: int
) -> None:
    import h5py

    write_file, _ = mock_files()
    write_file(path, devices, n_trains, first_train, chunksize=1, format_version="1.2")
    with h5py.File(path, "r+") as file:
        file["METADATA/proposalNumber"][:] = proposal


def _camera_device(camera: str, images: NDArray[Any], has_image: NDArray[np.bool_]) -> Any:
    device_base: Any = mock_files()[1]

    device_id, channel = mnemonics[camera]["source"].split(":")
    group, _, dataset = mnemonics[camera]["key"].partition(".")
    channel = f"{channel}/{group}"
    path = dataset.replace(".", "/")

    class Camera(device_base):  # type: ignore[misc]  # extra-data ships no types
        output_channels = (channel,)

        def write_instrument(self, file: Any) -> None:
            super().write_instrument(file)
            # Images in exactly these trains; the base class would distribute them evenly.
            index = file[f"INDEX/{self.device_id}:{channel}"]
            index["count"][:] = has_image.astype(np.uint64)
            index["first"][:] = np.concatenate([[0], np.cumsum(has_image)[:-1]])
            data = file[f"INSTRUMENT/{self.device_id}:{channel}"]
            data["trainId"][: len(images)] = self.firsttrain + np.flatnonzero(has_image)
            # One image in a chunk; the base class has no option for it.
            data.create_dataset(
                path,
                data=images,
                maxshape=(None, *images.shape[1:]),
                chunks=(1, *images.shape[1:]),
            )

        def datasource_ids(self) -> Any:
            yield f"INSTRUMENT/{self.device_id}:{channel}"

    return Camera(device_id, nsamples=len(images))


def _of_trains(
    values: Mapping[str, NDArray[Any]], trains: NDArray[np.int64], *, fast: bool
) -> dict[str, NDArray[Any]]:
    """Values of some trains: of instrument sources (with a colon in the name), or of the others."""
    return {
        name: one[trains]
        for name, one in values.items()
        if (":" in mnemonics[name]["source"]) == fast
    }


def _instrument_devices(values: Mapping[str, NDArray[Any]]) -> list[Any]:
    return [_camera_device(name, v, np.ones(len(v), dtype=bool)) for name, v in values.items()]


def _control_devices(values: Mapping[str, NDArray[Any]]) -> list[Any]:
    device_base: Any = mock_files()[1]

    by_source: dict[str, dict[str, NDArray[Any]]] = {}
    for name, one in values.items():
        entry = mnemonics[name]
        key = entry["key"].removesuffix(".value").replace(".", "/")
        by_source.setdefault(entry["source"], {})[key] = one

    class Control(device_base):  # type: ignore[misc]  # extra-data ships no types
        def __init__(self, device_id: str, data: dict[str, NDArray[Any]]) -> None:
            super().__init__(device_id)
            self.data = data
            self.control_keys = [(key, one.dtype, one.shape[1:]) for key, one in data.items()]

        def write_control(self, file: Any) -> None:
            super().write_control(file)
            for key, one in self.data.items():
                file[f"CONTROL/{self.device_id}/{key}/value"][:] = one

    return [Control(source, data) for source, data in by_source.items()]
