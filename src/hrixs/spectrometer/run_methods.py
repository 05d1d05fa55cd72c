"""Methods of `hRIXS` that read a run: its images and slow data, its dark, its mean image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.crop import Crop, fitting, pixels_of
from hrixs.camera.dataset import images_of, require_finite, sum_of_images
from hrixs.runs.faults import Faults
from hrixs.runs.images import index_images, load_run, sum_images
from hrixs.runs.lazy_images import lazy_reader
from hrixs.runs.run import Field, Run, RunLike, open_run, run_name, trains_by_id
from hrixs.spectrometer.settings import Settings
from hrixs.utils.errors import MissingDataError


class RunMethods(Settings):
    """Loads runs, and gives images their crop, dark and mask."""

    def from_run(
        self,
        runNB: RunLike,
        proposal: int | str | None = None,
        extra_fields: Sequence[Field] | Field = (),
        drop_first: bool = False,
        subset: Any = None,
        *,
        lazy: bool = False,
        memory: int | str | None = None,
    ) -> xr.Dataset:
        """Load a run: the camera's images and the slow data of the same trains.

        Parameters
        ----------
        runNB : int, path or extra_data.DataCollection
            A run number, a run's folder or file, or an open run.
        proposal : int or str, optional
            Where it is not `PROPOSAL`.
        extra_fields : str or dict, or sequence of them
            Mnemonics to load besides `FIELDS`.
        drop_first : bool
            Leave out the first image of the run.
        subset : slice or extra_data.by_index or extra_data.by_id, optional
            Trains to load.
        lazy : bool
            Leave the images in their files until they are needed: they become an array of dask, in
            chunks of whole frames along ``trainId``. `centroid`, `integrate`, `aggregate` and
            `normalize` then are lazy, too. The slow data are loaded.
        memory : int or str, optional
            With `lazy`: memory for the images that dask's threads work on together, in bytes or as
            text; by default ``'512MB'``, or more where many threads need it.

        Returns
        -------
        xarray.Dataset
            Over ``trainId``: the images under the detector's name, dims ``(trainId, x, y)``, in
            ADU, and the fields. ``attrs`` counts trains and images.

        Raises
        ------
        MissingDataError
            No such run; no camera, image or extra field in it; an unknown mnemonic.
        FaultyRunError
            When lazy images are computed, for one that can't be read: it can't be left out then.
        ValueError
            If `memory` is too small for the images, or given without `lazy`.

        Warns
        -----
        HrixsWarning
            For fields that are not in the run, images that are dropped for lack of slow data,
            and trains with several images.

        Examples
        --------
        >>> data = h.from_run(145)  # doctest: +SKIP
        """
        if memory is not None and not lazy:
            raise ValueError(
                f"memory = {memory!r} was given without lazy=True, and all images are loaded then. "
                "Give lazy=True, or use process_run."
            )
        fields, required = self._fields(extra_fields)
        data = load_run(
            self._open(runNB, proposal),
            self.DETECTOR,
            fields,
            required=required,
            subset=subset,
            read=lazy_reader(memory) if lazy else None,
        )
        data.attrs |= self._source(runNB, proposal)
        if drop_first:
            data = data.isel(trainId=slice(1, None))
            data.attrs |= {"n_images": data.sizes["trainId"], "n_first_images_dropped": 1}
        return data

    def load_dark(self, runNB: RunLike | xr.Dataset, proposal: int | str | None = None) -> None:
        """Load a dark run: its mean image is subtracted from now on (`USE_DARK`).

        Parameters
        ----------
        runNB : int, path, extra_data.DataCollection or xarray.Dataset
            The dark run, taken with the same camera. A dataset is taken as loaded.
        proposal : int or str, optional
            Where it is not `PROPOSAL`.

        Raises
        ------
        MissingDataError
            No such run, or no camera or image in it. Then the dark stays as it was.

        Examples
        --------
        >>> h.load_dark(166)  # doctest: +SKIP
        """
        total, n_images = self._sum_of_run(runNB, proposal)
        require_finite("the dark", total, self.MASK)
        self.dark_image = total / n_images
        self.dark_run = _name_of(runNB)
        self.dark_detector = self.DETECTOR
        self.USE_DARK = True

    def mean_image(
        self, runNB: RunLike | xr.Dataset, proposal: int | str | None = None
    ) -> xr.DataArray:
        """Average all images of a run or a dataset, in the crop and dark subtracted.

        Parameters
        ----------
        runNB : int, path, extra_data.DataCollection or xarray.Dataset
            The run. Memory does not grow with its length.
        proposal : int or str, optional
            Where it is not `PROPOSAL`.

        Returns
        -------
        xarray.DataArray, dims (x, y)
            In ADU, NaN where `MASK` is set; ``x`` and ``y`` are pixels of the whole chip.
        """
        total, n_images = self._sum_of_run(runNB, proposal)
        crop = self._crop(*total.shape)
        options = self._chip_options(crop)
        image = total[crop.x, crop.y] / n_images
        if options["dark"] is not None:
            image = image - options["dark"]
        if options["mask"] is not None:
            image = np.where(options["mask"], np.nan, image)
        return xr.DataArray(image, crop.pixels, ("x", "y"), attrs={"units": "ADU"})

    def _chip_options(self, crop: Crop) -> dict[str, Any]:
        return {
            "dark": crop.of_chip("the dark", self._dark()),
            "mask": crop.of_chip("MASK", self.MASK),
            "threads": self.THREADS,
        }

    def _image_options(self, image: NDArray[Any]) -> dict[str, Any]:
        """As `_chip_options`, for an image of the whole chip or of the crop; with a noise map."""
        noise = {}
        map_of_noise = pixels_of("READ_NOISE", self.READ_NOISE)
        if self.POSITION == "gaussian" and map_of_noise.ndim:
            noise["read_noise"] = fitting(
                "READ_NOISE", map_of_noise, image, self.X_RANGE, self.Y_RANGE
            )
        return noise | {
            "dark": fitting("the dark", self._dark(), image, self.X_RANGE, self.Y_RANGE),
            "mask": fitting("MASK", self.MASK, image, self.X_RANGE, self.Y_RANGE),
            "threads": self.THREADS,
        }

    def _dark(self) -> NDArray[np.float64] | None:
        if not self._uses_dark():
            return None
        if self.dark_image is None:
            raise MissingDataError(
                "USE_DARK is set, but there is no dark; load one with load_dark(run), or set "
                "USE_DARK = False."
            )
        if self.dark_detector != self.DETECTOR:
            raise ValueError(
                f"the dark is of {self.dark_detector}, but DETECTOR is {self.DETECTOR}. Load a "
                "dark of the same camera, or set USE_DARK = False."
            )
        return self.dark_image

    def _first_images(
        self, run: RunLike, proposal: int | str | None, n_images: int, fields: Sequence[Field] = ()
    ) -> xr.Dataset:
        opened = self._open(run, proposal)
        trains = index_images(opened, self.DETECTOR, Faults(strict=False)).train_id[:n_images]
        fields = [self.DETECTOR, *fields]
        return load_run(opened, self.DETECTOR, fields, subset=trains_by_id(trains))

    def _sum_of_run(
        self, run: RunLike | xr.Dataset, proposal: int | str | None
    ) -> tuple[NDArray[np.float64], int]:
        if isinstance(run, xr.Dataset):
            return sum_of_images(images_of(run, self.DETECTOR))
        return sum_images(self._open(run, proposal), self.DETECTOR)

    def _open(self, run: RunLike, proposal: int | str | None) -> Run:
        return open_run(run, self.PROPOSAL if proposal is None else proposal)

    def _source(self, run: RunLike, proposal: int | str | None) -> dict[str, str]:
        """What `attrs` say of where the images come from."""
        return {"run": run_name(run), "proposal": str(proposal or self.PROPOSAL or "")}

    def _fields(self, extra: Sequence[Field] | Field) -> tuple[list[Field], list[str]]:
        """All fields to load, and the names of those that must be there."""
        extra = [extra] if isinstance(extra, str | Mapping) else extra
        groups = ([field] if isinstance(field, str) else field for field in extra)
        return [*self.FIELDS, *extra], [name for group in groups for name in group]

    def _cropped(self, data: xr.Dataset) -> tuple[xr.DataArray, Crop]:
        """The images of a dataset in the crop, and the crop."""
        frames = images_of(data, self.DETECTOR)
        crop = self._crop(frames.sizes["x"], frames.sizes["y"])
        return frames.isel(x=crop.x, y=crop.y), crop

    def _crop(self, nx: int, ny: int) -> Crop:
        return Crop.of(self.X_RANGE, self.Y_RANGE, nx, ny)


def _name_of(run: RunLike | xr.Dataset) -> str:
    return str(run.attrs.get("run", "dataset")) if isinstance(run, xr.Dataset) else run_name(run)
