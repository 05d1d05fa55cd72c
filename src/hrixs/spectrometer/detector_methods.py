"""Methods of `hRIXS` about the camera: its noise, its bad pixels, the clouds of its photons."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from hrixs.camera.crop import Crop
from hrixs.camera.dataset import images_of
from hrixs.noise.bad_pixels import hot_pixels
from hrixs.noise.report import NoiseReport, noise_report
from hrixs.photons.cloud import estimate_cloud
from hrixs.photons.cloud_width import CloudEstimate
from hrixs.runs.run import RunLike
from hrixs.spectrometer.spectrum_methods import SpectrumMethods
from hrixs.utils.checks import whole_number
from hrixs.utils.errors import warn


class DetectorMethods(SpectrumMethods):
    """Looks at the first images of a run for what the camera does."""

    def estimate_cloud(
        self, runNB: RunLike | xr.Dataset, proposal: int | str | None = None, *, n_images: int = 32
    ) -> CloudEstimate:
        """Estimate the width of the charge cloud from the first images of a run, and set it.

        Parameters
        ----------
        runNB : int, path, extra_data.DataCollection or xarray.Dataset
            The run. A dataset is taken as loaded.
        proposal : int or str, optional
            Where it is not `PROPOSAL`.
        n_images : int
            Images to use, at most.

        Returns
        -------
        CloudEstimate
            Its ``cloud_sigma`` is also set as `CLOUD_SIGMA`. Photons are found by the settings of
            `centroid_one`.

        Raises
        ------
        MissingDataError
            No such run, no camera or image in it, or too few isolated single photons. Then the old
            value is kept.

        Examples
        --------
        >>> h.estimate_cloud(145)  # doctest: +SKIP
        """
        n_images = whole_number("n_images", n_images)
        if not isinstance(runNB, xr.Dataset):
            runNB = self._first_images(runNB, proposal, n_images)
        frames, crop = self._cropped(runNB)
        first = _first(frames, n_images)
        analysis = self._analysis("auto", crop, position="gaussian")
        estimate = estimate_cloud(first, **analysis.options, **analysis.chip)
        self.CLOUD_SIGMA = estimate.cloud_sigma
        return estimate

    def noise_report(
        self,
        run: RunLike | xr.Dataset,
        proposal: int | str | None = None,
        *,
        n_images: int = 32,
        dark: RunLike | xr.Dataset | None = None,
        energy: float | None = None,
    ) -> NoiseReport:
        """Suggest thresholds by the noise and the photons of the first images of a run.

        Parameters
        ----------
        run : int, path, extra_data.DataCollection or xarray.Dataset
            The run, with light. A dataset is taken as loaded.
        proposal : int or str, optional
            Where it is not `PROPOSAL`.
        n_images : int
            Images to use, at most.
        dark : int, path, extra_data.DataCollection or xarray.Dataset, optional
            A dark run: the hits in its first images are counted, too. Their mean is subtracted in
            place of the object's dark.
        energy : float, optional
            Photon energy in eV, in place of the run's own ``nrj``, for the gain.

        Returns
        -------
        NoiseReport
            Of the images in the crop, without the pixels of `MASK`, and less the dark where
            `USE_DARK` is set. Nothing is set; its ``settings`` are for `set_params`. A `THRESHOLD`
            that is set already and does not fit the images is named in its text.

        Raises
        ------
        MissingDataError
            No such run, no camera or image in it, or `USE_DARK` without a dark.
        ValueError
            A dark of another shape, wrong settings, or images without any noise.

        Warns
        -----
        HrixsWarning
            If `dark` is given, but `USE_DARK` is not set; for a run without ``nrj``.

        Examples
        --------
        >>> report = h.noise_report(145)  # doctest: +SKIP
        >>> print(report)  # doctest: +SKIP
        >>> h.set_params(**report.settings)  # doctest: +SKIP
        """
        n_images = whole_number("n_images", n_images)
        if isinstance(run, xr.Dataset):
            data = run
        else:
            fields = [] if energy is not None else ["nrj"]
            data = self._first_images(run, proposal, n_images, fields)
        frames, crop = self._cropped(data)
        if frames.ndim > 2:
            data = data.isel({frames.dims[0]: slice(n_images)})
            frames = frames[:n_images]
        options = self._chip_options(crop)
        if dark is not None:
            if not self._uses_dark():
                warn(
                    "a dark is given, but USE_DARK is not set: the thresholds are for frames with "
                    "a dark subtracted. Call load_dark before they are used."
                )
            if not isinstance(dark, xr.Dataset):
                dark = self._first_images(dark, proposal, n_images)
            darks = images_of(dark, self.DETECTOR)
            if (darks.sizes["x"], darks.sizes["y"]) != crop.chip_shape:
                crop.of_chip("the dark", darks[(0,) * (darks.ndim - 2)])  # raises
            options["dark"] = _first(darks.isel(x=crop.x, y=crop.y), n_images)
        if energy is None and "nrj" in data.variables:
            energies = np.asarray(data["nrj"].values, dtype=np.float64)
            usable = energies[np.isfinite(energies) & (energies > 0)]
            energy = float(np.median(usable)) if usable.size else None
        frames = frames.assign_coords(crop.pixels).compute()
        report = noise_report(frames, energy=energy, max_frames=n_images, **options)
        if self.THRESHOLD is not None:
            report.attrs["threshold_in_use"] = float(self.THRESHOLD)
        return report

    def find_hot_pixels(
        self,
        run: RunLike | xr.Dataset,
        proposal: int | str | None = None,
        *,
        n_images: int = 32,
        **options: Any,
    ) -> xr.DataArray:
        """Find the bad pixels in the first images of a dark run, and mask them.

        Parameters
        ----------
        run : int, path, extra_data.DataCollection or xarray.Dataset
            The dark run. A dataset is taken as loaded.
        proposal : int or str, optional
            Where it is not `PROPOSAL`.
        n_images : int
            Images to use, at most.
        **options
            Handed on to `hrixs.hot_pixels`.

        Returns
        -------
        xarray.DataArray of bool, dims (x, y)
            Of the whole chip, also set as `MASK`: the bad pixels that were found, which ``attrs``
            count, and those of the `MASK` before.

        Raises
        ------
        MissingDataError
            No such run, or no camera or image in it.
        ValueError
            The `MASK` before has another shape, or the images NaN pixels. Then it is kept.

        Examples
        --------
        >>> h.find_hot_pixels(166).attrs["n_hot"]  # doctest: +SKIP
        """
        n_images = whole_number("n_images", n_images)
        if not isinstance(run, xr.Dataset):
            run = self._first_images(run, proposal, n_images)
        frames = images_of(run, self.DETECTOR)
        first = _first(frames, n_images)
        whole_chip = Crop.of(slice(None), slice(None), first.sizes["x"], first.sizes["y"])
        before = whole_chip.of_chip("MASK", self.MASK)
        mask = hot_pixels(first, **options)
        if before is not None:
            mask = mask.copy(data=mask.values | before.astype(bool))
        self.MASK = mask
        return mask


def _first(frames: xr.DataArray, n_images: int) -> xr.DataArray:
    """The first of several images, or the one that there is, in memory."""
    return (frames[:n_images] if frames.ndim > 2 else frames).compute()
