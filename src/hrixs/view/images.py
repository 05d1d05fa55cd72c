"""The images of a run or a dataset for a page: single images, their mean, a crop of all.

One object serves all browsers; its memory is limited.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.crop import Crop
from hrixs.camera.dataset import images_of
from hrixs.camera.frames import first_pixel
from hrixs.runs.budget import MEMORY
from hrixs.runs.faults import named_trains
from hrixs.runs.indexed_run import IndexedRun
from hrixs.runs.parts import PartReader, plan_parts
from hrixs.runs.run import run_name
from hrixs.settings.attributes import Settings
from hrixs.spectrometer.inputs import RunOrData, images_in, index, with_fields
from hrixs.utils.checks import number_of_bytes
from hrixs.utils.dask_arrays import is_lazy
from hrixs.utils.errors import FaultyRunError, MissingDataError
from hrixs.utils.provenance import run_label, source_text
from hrixs.utils.threads import available_threads

# Number of images that are added up before a partial mean is shown.
_BYTES_AT_A_TIME = 64 * 2**20


class RunImages:
    """The images of a run, or of a dataset in memory.

    Parameters
    ----------
    h : Settings
        Settings with the camera and the proposal.
    run : run, path of images, or xarray.Dataset
    memory : int or str, optional
        Memory for frames, ``'512MB'`` by default, as for `hRIXS.process_run`.
    energy : float, optional
        Photon energy in eV, instead of ``nrj`` of the run.

    Attributes
    ----------
    source
        The given run, or dataset of images.
    name : str
        Name of the run, for display.
    train_ids : numpy.ndarray
        Train id of each entry; all images of a train have the same.
    chip_shape, first : (int, int)
        Pixels of the images along x and y, and the position of their first one on the chip.
    together : bool
        Whether these are images of a list of runs, which are processed together.
    """

    together = False

    def __init__(
        self,
        h: Settings,
        run: RunOrData,
        *,
        memory: int | str | None = None,
        energy: float | None = None,
    ) -> None:
        self.memory, self.energy = memory, energy
        self._most = number_of_bytes("memory", MEMORY if memory is None else memory)
        self.lock = threading.RLock()
        self._held: tuple[Crop, xr.Dataset] | None = None
        self._mean: NDArray[np.float64] | None = None
        self.source = images_in(h, run)
        self.detector = h.DETECTOR
        if isinstance(self.source, xr.Dataset):
            self._frames = images_of(self.source, h.DETECTOR)
            if self._frames.ndim == 2:
                self._frames = self._frames.expand_dims("frame")
            leading = self._frames.shape[:-2]
            self.chip_shape = (self._frames.sizes["x"], self._frames.sizes["y"])
            self.first = first_pixel(self._frames) or (0, 0)
            self.name = source_text(self.source) or "images in memory"
            ids = self._frames.coords.get("trainId")
            self.train_ids = np.arange(leading[0]) if ids is None else ids.values
            self._per_entry = math.prod(leading[1:])
            self.indexed: IndexedRun | None = None
            if energy is not None:
                raise ValueError(
                    f"energy = {energy!r} was given with a dataset, which has its own. Set it in "
                    "the dataset: data['nrj'] = energy."
                )
        else:
            indexed = index(h, self.source, None, **with_fields(h, ()))
            self.indexed = indexed
            self.chip_shape, self.first = indexed.frame_shape, (0, 0)
            self.name = run_label(run_name(self.source))
            self.train_ids = indexed.entries.train_id
            self._per_entry = math.prod(indexed.entries.shape[:-2])
        if not len(self.train_ids):
            raise MissingDataError(f"{self.name} has no image of {h.DETECTOR}.")

    @property
    def is_run(self) -> bool:
        """Whether the images come from the files of a run."""
        return self.indexed is not None

    @property
    def path(self) -> str | None:
        """Name of the run or file for the command line; None for images in memory."""
        if self.indexed is not None:
            return run_name(self.source)
        files = self.source.encoding.get("files") or []
        return os.fspath(files[0]) if len(files) == 1 else None

    @property
    def runs(self) -> dict[str, RunImages]:
        """The images of each run, by its name."""
        return {self.name: self}

    @property
    def n_images(self) -> int:
        """Number of single images; those of a train are counted one by one."""
        return len(self.train_ids) * self._per_entry

    def train_of(self, number: int) -> int:
        """Train id of an image, by the number of the image."""
        return int(self.train_ids[number // self._per_entry])

    def image(self, number: int) -> NDArray[Any]:
        """Return one whole image without corrections, shape (x, y).

        Raises
        ------
        FaultyRunError
            If it cannot be read.
        """
        entry, within = divmod(int(number), self._per_entry)
        if self.indexed is None:
            of_entry = self._frames[entry].values
        else:
            of_entry = self._read(np.array([entry]), (slice(None), slice(None)))[0][0]
        frames = of_entry.reshape(-1, *of_entry.shape[-2:])
        return np.array(frames[within])

    def means(self) -> Iterator[tuple[NDArray[np.float64], int]]:
        """Yield the mean of the images so far and their number, until all are added up."""
        if self._mean is None:
            total, n = np.zeros(self.chip_shape), 0
            for frames in self._parts():
                total += frames.sum(axis=0, dtype=np.float64)
                n += len(frames)
                if self._mean is not None:  # another browser made it first
                    break
                yield total / max(n, 1), n
            else:
                self._mean = total / max(n, 1)
        yield self._mean, self.n_images

    def mean(self) -> NDArray[np.float64]:
        """Mean of all images without corrections, shape (x, y)."""
        *_, (mean, _) = self.means()
        return mean

    def crop(self, h: Settings) -> Crop:
        """The part of the images that the settings use."""
        made = Crop.of(h.X_RANGE, h.Y_RANGE, *self.chip_shape)
        return Crop(made.x, made.y, made.chip_shape, self.first)

    def label(self, number: int) -> str:
        """Number and train of an image, as text."""
        return f"image {number}, train {self.train_of(number)}"

    def share_memory(self, n: int) -> None:
        """Use one part of n of the memory for frames."""
        self._most //= n

    @property
    def whole(self) -> Crop:
        """The crop that is the whole image."""
        nx, ny = self.chip_shape
        return Crop(slice(0, nx), slice(0, ny), self.chip_shape, self.first)

    def held(self, crop: Crop) -> xr.Dataset | None:
        """Images in a crop in memory, with the slow data.

        None if they need too much memory; the run is then reduced from its files.
        """
        if self.indexed is None:
            return self._of_dataset(crop)
        entries = self.indexed.entries
        per_image = math.prod(entries.shape[:-2]) * entries.dtype.itemsize
        with self.lock:
            if self._held is not None and _within(crop, self._held[0]):
                return _part(self._held[1], crop)
            for one in (self.whole, crop):
                if len(entries) * per_image * math.prod(one.shape) <= self._most:
                    self._held = None  # free the memory first
                    self._held = (one, self._loaded(one))
                    return _part(self._held[1], crop)
        return None

    def _of_dataset(self, crop: Crop) -> xr.Dataset | None:
        if is_lazy(self._frames):
            return None
        rest: xr.Dataset = self.source.drop_vars([self.detector, "x", "y"], errors="ignore")
        frames = self._frames[..., crop.x, crop.y].assign_coords(crop.pixels)
        return rest.assign({self.detector: frames})

    def _loaded(self, crop: Crop) -> xr.Dataset:
        indexed = self.indexed
        assert indexed is not None
        frames, read = self._read(np.arange(len(self.train_ids)), (crop.x, crop.y))
        ids = indexed.entries.train_id[read]
        slow: dict[str, Any] = {
            name: data.of_trains(ids) for name, data in indexed.slow_data().items()
        }
        if self.energy is not None:
            slow["nrj"] = ("trainId", np.full(len(ids), self.energy), {"units": "eV"})
        dims = ("trainId", *indexed.dims[:-2], "x", "y")
        return xr.Dataset(
            {self.detector: (dims, frames, {"units": "ADU"}), **slow},
            coords={"trainId": ids, **crop.pixels},
            attrs=indexed.source_attrs() | {"run": self.name, "n_images": len(ids)},
        )

    def _read(
        self, wanted: NDArray[np.int64], crop: tuple[slice, slice]
    ) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Read frames of some entries; return them, and the numbers of the readable ones."""
        indexed = self.indexed
        assert indexed is not None
        parts, failed = plan_parts(indexed.entries, _BYTES_AT_A_TIME, wanted)
        within = indexed.entries.shape[:-2]
        shape = [len(range(*one.indices(n))) for one, n in zip(crop, self.chip_shape, strict=True)]
        frames = np.empty((len(wanted), *within, *shape), indexed.entries.dtype)
        place = np.searchsorted(wanted, np.arange(len(self.train_ids)))
        good = np.zeros(len(wanted), dtype=bool)
        with PartReader(available_threads(), crop, swapped=indexed.swapped) as reader:
            for part in parts:
                read = reader.read(part)
                failed += read.failed
                frames[place[read.entries]] = read.frames
                good[place[read.entries]] = True
        if not good.any():
            why = failed[0][1] if failed else "it is missing"
            raise FaultyRunError(f"{named_trains(self.train_ids[wanted])} cannot be read: {why}.")
        return (frames, wanted) if good.all() else (frames[good], wanted[good])

    def _parts(self) -> Iterator[NDArray[Any]]:
        """Yield all whole images, part by part."""
        if self.indexed is None:
            size = math.prod(self._frames.shape[1:]) * self._frames.dtype.itemsize
            step = max(1, _BYTES_AT_A_TIME // max(size, 1))
            for begin in range(0, len(self._frames), step):
                values = self._frames[begin : begin + step].values
                yield values.reshape(-1, *values.shape[-2:])
            return
        parts, _ = plan_parts(self.indexed.entries, _BYTES_AT_A_TIME)
        with PartReader(available_threads(), swapped=self.indexed.swapped) as reader:
            for read in reader.read_ahead(parts):
                if len(read.entries):
                    yield read.frames.reshape(-1, *read.frames.shape[-2:])


def _within(crop: Crop, other: Crop) -> bool:
    return all(
        theirs.start <= own.start and own.stop <= theirs.stop
        for own, theirs in ((crop.x, other.x), (crop.y, other.y))
    )


def _part(data: xr.Dataset, crop: Crop) -> xr.Dataset:
    """Cut a crop out of the images of a dataset."""
    (x0, x1), (y0, y1) = crop.ranges["x_range"], crop.ranges["y_range"]
    first_x, first_y = int(data["x"][0]), int(data["y"][0])
    return data.isel(x=slice(x0 - first_x, x1 - first_x), y=slice(y0 - first_y, y1 - first_y))
