"""The class `hRIXS`: the settings of the spectrometer, and its methods on datasets."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs import aggregation, chip, spectra
from hrixs.analysis import Analysis, require_method
from hrixs.calibration import calibrate_energy
from hrixs.checks import number, whole_number
from hrixs.cloud import estimate_cloud
from hrixs.cloud_estimate import CloudEstimate
from hrixs.curvature import CurvatureFit, fit_curvature_image
from hrixs.energy_axis import EnergyCalibration
from hrixs.energy_loss import energy_loss
from hrixs.errors import MissingDataError, warn
from hrixs.faults import Faults
from hrixs.geometry import Number, parabola
from hrixs.histogram import photon_spectrum
from hrixs.hot_pixels import hot_pixels
from hrixs.lazy import concat_photons, is_lazy, lazy_reader, lazy_spectra, photon_parts
from hrixs.long_run import process_run
from hrixs.noise_report import NoiseReport, noise_report
from hrixs.photon_columns import with_attributes
from hrixs.photon_curvature import PhotonCurvatureFit, fit_curvature
from hrixs.photons import classify_photons, find_photons
from hrixs.provenance import provenance
from hrixs.run_images import index_images, load_run, sum_images
from hrixs.runs import Field, RunLike, open_run, run_name, trains_by_id
from hrixs.settings import Settings
from hrixs.threads import resolve_threads

if TYPE_CHECKING:
    from distributed import Client


class hRIXS(Settings):
    """The settings of the hRIXS spectrometer, and the analysis of its data.

    A drop-in replacement for ``toolbox_scs.detectors.hrixs.hRIXS``. An object holds settings and
    perhaps a dark image; the data stay in xarray datasets.

    Parameters
    ----------
    proposalNB : int or str, optional
        Number of the proposal. Not needed where runs are given by path.
    detector : {'MaranaX', 'hRIXS_det'}
        The camera whose images are analysed.

    Attributes
    ----------
    PROPOSAL : int or str or None
        Number of the proposal.
    DETECTOR : str
        Variable of the dataset that holds the images. Setting it exchanges the default `FIELDS`.
    X_RANGE, Y_RANGE : slice
        Pixels to use along the spectral line and along the energy, taken before everything else.
    THRESHOLD : float or None
        Sum of a 2x2 square above which a hit begins, in ADU; None: use `STD_THRESHOLD`.
    STD_THRESHOLD : float
        The same in standard deviations above the mean of the frame's 2x2 squares.
    DBL_THRESHOLD : float or None
        Charge of a spot above which a hit counts twice, in ADU; None: none does.
    POSITION : {'com', 'gaussian'}
        How photons are placed in their pixels: by the centre of mass of their spots, as the
        replaced class documents, or by a fit of their charge clouds, which is the better one; see
        `find_photons`.
    CLOUD_SIGMA : float or None
        For ``'gaussian'``: standard deviation of the charge cloud, in pixels; None: it is estimated
        from the first images. `estimate_cloud` sets it.
    READ_NOISE : float or array_like or None
        For ``'gaussian'``: noise of a pixel, in ADU, or an image of it, of the whole chip; None:
        estimated from each image.
    LOCAL_BACKGROUND, SPLIT_DOUBLES : bool
        For ``'gaussian'``: whether the level under each photon is fitted, and whether two photons
        in one spot are placed one by one.
    PIXEL_LIMIT, CHARGE_LIMIT : float or None
        A hit with a pixel, or with a charge, above this is a cosmic ray or the like and no photon,
        in ADU.
    BINS : int
        Bins of a spectrum made by centroiding.
    CURVE_A, CURVE_B : float
        A spectral line lies at ``y0 + (CURVE_B * x + CURVE_A) * x``, in pixels of the crop.
    USE_DARK : bool
        Whether to subtract the dark; `load_dark` switches it on.
    ENERGY_INTERCEPT, ENERGY_SLOPE : float
        Energy of a full-chip row: ``ENERGY_INTERCEPT + ENERGY_SLOPE * row``, in eV.
    FIELDS : list of str
        Mnemonics to load from a run. Add more if you like.
    EV_PER_PAIR, ELECTRONS_PER_ADU : float
        Photon energy to ADU, for `centroid_two`; the gain also for the noise of the electrons in
        ``POSITION = 'gaussian'``.
    CANDIDATE_LOW, CANDIDATE_HIGH, SINGLE_LOW, DOUBLE_LOW : float
        Fractions of a photon's charge, for `centroid_two`.
    MASK : array_like of bool or None
        True where a pixel of the chip is bad; it takes part in nothing.
    MAX_PHOTONS : int
        More hits than this in one frame are an error.
    THREADS : int or None
        Threads over frames; None: all that the CPU affinity and ``OMP_NUM_THREADS`` allow.
    aggregators : dict
        How `aggregate` treats each variable: ``{name: function(da, dim)}``. Extend it as needed.
    dark_image : numpy.ndarray or None
        Mean of the dark run's frames, the full chip.
    curvature_fit : CurvatureFit or PhotonCurvatureFit or None
        The last fit of `find_curvature`, with the uncertainties.

    Examples
    --------
    >>> from hrixs import hRIXS
    >>> h = hRIXS(3145)
    >>> h.Y_RANGE = slice(700, 900)
    >>> h.set_params(curve_a=0.0240845, curve_b=-3.6953e-7, std_threshold=3.5)
    >>> h.get_params("curve_a", "std_threshold")
    {'curve_a': 0.0240845, 'std_threshold': 3.5}
    """

    def __init__(self, proposalNB: int | str | None = None, detector: str = "MaranaX") -> None:
        super().__init__(proposalNB, detector)

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
        if isinstance(extra_fields, str | Mapping):
            extra_fields = [extra_fields]
        run = open_run(runNB, self.PROPOSAL if proposal is None else proposal)
        data = load_run(
            run,
            self.DETECTOR,
            [*self.FIELDS, *extra_fields],
            required=_names(extra_fields),
            subset=subset,
            read=lazy_reader(memory) if lazy else None,
        )
        data.attrs |= {"run": run_name(runNB), "proposal": str(proposal or self.PROPOSAL or "")}
        if drop_first:
            data = data.isel(trainId=slice(1, None))
            data.attrs |= {"n_images": data.sizes["trainId"], "n_first_images_dropped": 1}
        return data

    def process_run(
        self,
        run: RunLike,
        *,
        proposal: int | str | None = None,
        extra_fields: Sequence[Field] | Field = (),
        subset: Any = None,
        method: str = "auto",
        energy: float | None = None,
        memory: int | str | None = None,
        threads: int | None = None,
        progress: bool = True,
        photons: bool = False,
        strict: bool = False,
        checkpoint: str | os.PathLike[str] | None = None,
        client: Client | None = None,
    ) -> xr.Dataset:
        """Make the spectra of a run of any length, in bounded memory.

        The images are read part by part, the next part while the last one is worked on. Of a
        faulty run all is used that can be: see Notes.

        Parameters
        ----------
        run : int, path or extra_data.DataCollection
            A run number, a run's folder or file, or an open run.
        proposal : int or str, optional
            Where it is not `PROPOSAL`.
        extra_fields : str or dict, or sequence of them
            Mnemonics to load besides `FIELDS`.
        subset : slice or extra_data.by_index or extra_data.by_id, optional
            Trains to process.
        method : {'auto', 'manual', 'integrate'}
            As `centroid` with this method, or as `integrate`.
        energy : float, optional
            Photon energy in eV for ``'manual'``, in place of the run's own ``nrj``.
        memory : int or str, optional
            Peak memory above that of the import and beside the result, in bytes or as text; by
            default ``'512MB'``, or what the images need. With `client`: of each thread of a worker.
        threads : int, optional
            Where it is not `THREADS`. With `client`: of each task, by default 1.
        progress : bool
            Whether to show a bar, in a terminal or a notebook.
        photons : bool
            Whether to keep the photon table: see `hrixs.photon_table`.
        strict : bool
            Raise `FaultyRunError` for anything that is wrong with the run, in place of a warning.
        checkpoint : path, optional
            A folder for what is done so far: work that was broken off goes on from there when it
            is called again. Remove it when the result is saved.
        client : distributed.Client, optional
            Let the workers of this dask cluster read and reduce the images, in place of this
            process. They must see the files, under the same paths.

        Returns
        -------
        xarray.Dataset
            Over ``trainId``, ascending: ``spectrum (trainId, energy)`` as from `centroid` or
            `integrate`, the fields (NaN where a train has no value) and, where photons are counted,
            ``spectrum_err`` and ``n_photons``. ``attrs`` has ``n_trains, n_images, n_skipped,
            skipped_trains``, the text of all ``faults``, and ``missing_fields``, those of `FIELDS`
            that the run does not have, which is no fault.

        Raises
        ------
        MissingDataError
            No such run; no camera, image or extra field in it; an unknown mnemonic.
        FaultyRunError
            If something is wrong with the run and `strict` is set.
        TooManyPhotonsError, NonFinitePixelsError
            If no image at all can be used.
        ValueError
            If `memory` is too small for the images, or a setting is wrong.

        Warns
        -----
        HrixsWarning
            For files, images and trains that can't be used, and for what is doubtful.

        Notes
        -----
        An image is used when nothing contradicts its train id: not another train that claims it,
        not the id that is written beside it, not a second image of the same id in another place.

        Examples
        --------
        >>> spectra = h.process_run(145)  # doctest: +SKIP
        >>> spectra.spectrum.sum('trainId').plot()  # doctest: +SKIP
        """
        opened = open_run(run, self.PROPOSAL if proposal is None else proposal)
        if subset is not None:
            opened = opened.select_trains(subset)
        extra_fields = [extra_fields] if isinstance(extra_fields, str | Mapping) else extra_fields
        usual = self.THREADS if client is None else 1  # a worker's threads have a task each
        n_threads = resolve_threads(usual if threads is None else threads)

        def analyse(nx: int, ny: int) -> tuple[Analysis, chip.Crop]:
            crop = chip.Crop.of(self.X_RANGE, self.Y_RANGE, nx, ny)
            return self._analysis(method, crop).with_threads(n_threads), crop

        require_method(method)
        result, crop = process_run(
            opened,
            self.DETECTOR,
            [*self.FIELDS, *extra_fields],
            analyse,
            required=_names(extra_fields),
            energy=energy,
            memory=memory,
            threads=n_threads,
            progress=progress,
            photons=photons,
            strict=strict,
            checkpoint=checkpoint,
            client=client,
        )
        result.attrs |= {"run": run_name(run), "proposal": str(proposal or self.PROPOSAL or "")}
        spectrum = self._labelled(result["spectrum"], crop)
        return spectra.store_spectrum(
            with_attributes(result.drop_vars(["spectrum", "y"])), spectrum
        )

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
        chip.require_finite("the dark", total, self.MASK)
        self.dark_image = total / n_images
        self.dark_run = _name_of(runNB)
        self.dark_detector = self.DETECTOR
        self.USE_DARK = True

    def find_curvature(
        self,
        runNB: RunLike | xr.Dataset,
        proposal: int | str | None = None,
        plot: bool = True,
        args: tuple[float, float] | None = None,
        method: str = "image",
        **kwargs: Any,
    ) -> tuple[float, float]:
        """Fit the curvature of the spectral lines of a run, and set it.

        Parameters
        ----------
        runNB : int, path, extra_data.DataCollection or xarray.Dataset
            The run to use. A dataset is taken as loaded.
        proposal : int or str, optional
            Where it is not `PROPOSAL`.
        plot : bool
            Whether to draw the image, or the photons, with the curve on it.
        args : (float, float), optional
            ``(CURVE_A, CURVE_B)`` to start from. By default the start is searched for.
        method : {'image', 'photons'}
            ``'image'`` adds up the frames and fits the strongest line; ``'photons'`` finds photons
            as `centroid` does, and makes their spectrum as sharp as it gets, with all lines.
        **kwargs
            Handed on to `scipy.optimize.least_squares`, or to `hrixs.fit_curvature`.

        Returns
        -------
        curve_a, curve_b : float
            Also set as `CURVE_A` and `CURVE_B`; the fit with its uncertainties is kept as
            `curvature_fit`.

        Raises
        ------
        NoLineError
            There is no line in the run. Then the old values are kept.
        MissingDataError
            No such run, or no camera or image in it.
        ValueError
            For an unknown method, or a curve that is no parabola.

        Examples
        --------
        >>> h.find_curvature(155)  # doctest: +SKIP
        >>> h.find_curvature(155, method="photons")  # doctest: +SKIP
        """
        require_method(method, ("image", "photons"))
        fit: CurvatureFit | PhotonCurvatureFit
        if method == "image":
            image = self.mean_image(runNB, proposal)
            fit = fit_curvature_image(image, start=args, **kwargs)
        else:
            photons, crop = self._photons_of_run(runNB, proposal)
            fit = _parabola_fit(photons, {"start": args, "shape": crop.shape} | kwargs)
        self.curvature_fit = fit
        self.CURVE_A, self.CURVE_B = fit.curve_a, fit.curve_b
        if plot:
            from hrixs import plotting

            if isinstance(fit, CurvatureFit):
                plotting.plot_curvature(image, fit)
            else:
                plotting.plot_photon_curvature(photons, fit, first=(crop.x.start, crop.y.start))
        return fit.curve_a, fit.curve_b

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
        data = (
            runNB
            if isinstance(runNB, xr.Dataset)
            else self._first_images(runNB, proposal, n_images)
        )
        frames = chip.images_of(data, self.DETECTOR)
        crop = chip.Crop.of(self.X_RANGE, self.Y_RANGE, frames.sizes["x"], frames.sizes["y"])
        frames = frames.isel(x=crop.x, y=crop.y)
        first = frames[:n_images].compute() if frames.ndim > 2 else frames
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
        frames = chip.images_of(data, self.DETECTOR)
        if frames.ndim > 2:
            data = data.isel({frames.dims[0]: slice(n_images)})
            frames = frames[:n_images]
        crop = chip.Crop.of(self.X_RANGE, self.Y_RANGE, frames.sizes["x"], frames.sizes["y"])
        options = self._chip_options(crop)
        if dark is not None:
            if not self.USE_DARK:
                warn(
                    "a dark is given, but USE_DARK is not set: the thresholds are for frames with "
                    "a dark subtracted. Call load_dark before they are used."
                )
            if not isinstance(dark, xr.Dataset):
                dark = self._first_images(dark, proposal, n_images)
            darks = chip.images_of(dark, self.DETECTOR)
            if (darks.sizes["x"], darks.sizes["y"]) != crop.chip_shape:
                crop.of_chip("the dark", darks[(0,) * (darks.ndim - 2)])  # raises
            darks = darks[:n_images] if darks.ndim > 2 else darks
            options["dark"] = darks.isel(x=crop.x, y=crop.y).compute()
        if energy is None and "nrj" in data.variables:
            energies = np.asarray(data["nrj"].values, dtype=np.float64)
            usable = energies[np.isfinite(energies) & (energies > 0)]
            energy = float(np.median(usable)) if usable.size else None
        places = {"x": np.arange(crop.x.start, crop.x.stop)}
        places["y"] = np.arange(crop.y.start, crop.y.stop)
        frames = frames.isel(x=crop.x, y=crop.y).assign_coords(places).compute()
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
        frames = chip.images_of(run, self.DETECTOR)
        first = frames[:n_images].compute() if frames.ndim > 2 else frames
        whole_chip = chip.Crop.of(slice(None), slice(None), first.sizes["x"], first.sizes["y"])
        before = whole_chip.of_chip("MASK", self.MASK)
        mask = hot_pixels(first, **options)
        if before is not None:
            mask = mask.copy(data=mask.values | before.astype(bool))
        self.MASK = mask
        return mask

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
        crop = chip.Crop.of(self.X_RANGE, self.Y_RANGE, *total.shape)
        options = self._chip_options(crop)
        image = total[crop.x, crop.y] / n_images
        if options["dark"] is not None:
            image = image - options["dark"]
        if options["mask"] is not None:
            image = np.where(options["mask"], np.nan, image)
        pixels = {
            "x": np.arange(crop.x.start, crop.x.stop),
            "y": np.arange(crop.y.start, crop.y.stop),
        }
        return xr.DataArray(image, pixels, ("x", "y"), attrs={"units": "ADU"})

    def centroid_one(self, image: xr.DataArray | ArrayLike) -> list[tuple[float, float]]:
        """Photons of one image by a threshold on 2x2 squares, placed by a 4x4 centre of mass.

        The image is taken as given: crop it first with ``image[h.X_RANGE, h.Y_RANGE]``, as
        `centroid` does. The settings and the dark are those of the object.

        Parameters
        ----------
        image : array_like, shape (x, y)
            One frame, in ADU.

        Returns
        -------
        list of (float, float)
            ``(x, y)`` in pixels of the image, y corrected by the curvature. A double hit stands
            in it twice.

        See Also
        --------
        hrixs.find_photons : the same, as a table of facts.
        """
        pixels = chip.one_image(image)
        found = find_photons(pixels, **self._find_options() | self._image_options(pixels))
        x = np.repeat(found.x.values, 1 + found.double.values)
        y = np.repeat(found.y.values, 1 + found.double.values)
        return list(zip(x.tolist(), (y - self.parabola(x)).tolist(), strict=True))

    def centroid_two(
        self, image: xr.DataArray | ArrayLike, energy: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Single and double hits of one image by the photon energy, as the ESRF toolbox does.

        The image is taken as given: crop it first with ``image[h.X_RANGE, h.Y_RANGE]``, as
        `centroid` does. The settings and the dark are those of the object.

        Parameters
        ----------
        image : array_like, shape (x, y)
            One frame, in ADU.
        energy : float
            Photon energy in eV.

        Returns
        -------
        singles, doubles : numpy.ndarray, shape (n, 2)
            Columns ``x, y`` in pixels of the image, y corrected by the curvature.

        See Also
        --------
        hrixs.classify_photons : the same, as a table of facts.
        """
        pixels = chip.one_image(image)
        found = classify_photons(
            pixels, energy, **self._classify_options() | self._image_options(pixels)
        )
        x = found.x.values
        places = np.column_stack([x, found.y.values - self.parabola(x)])
        return places[~found.double.values], places[found.double.values]

    def centroid(
        self, data: xr.Dataset, bins: int | None = None, method: str = "auto"
    ) -> xr.Dataset:
        """Make spectra of all images by finding and placing single photons.

        Parameters
        ----------
        data : xarray.Dataset
            With the detector's images, as from `from_run`. ``spectrum (trainId, energy)``,
            ``spectrum_err`` and their energy axis are added to it, in place of earlier ones.
        bins : int, optional
            Bins of the spectrum over the crop's rows; by default `BINS`.
        method : {'auto', 'manual'}
            ``'auto'`` takes the threshold from the image (`centroid_one`), ``'manual'`` from the
            photon energy ``nrj`` in the dataset (`centroid_two`).

        Returns
        -------
        xarray.Dataset
            A shallow copy of `data`, with the spectrum. A double hit counts as two photons.
            ``spectrum_err`` is one standard deviation, the root of the number of photons.

        Raises
        ------
        TooManyPhotonsError, NonFinitePixelsError, MissingDataError, ValueError
            On an error `data` is as it was.

        Examples
        --------
        >>> h.centroid(data)  # doctest: +SKIP
        >>> data.spectrum[0, :].plot()  # doctest: +SKIP
        """
        require_method(method, ("auto", "manual"))
        return self._add_spectra(data, method, bins)

    def count(
        self, photons: xr.Dataset, data: xr.Dataset | None = None, *, bins: int | None = None
    ) -> xr.Dataset:
        """Make spectra of a photon table, with the present curvature and energy axis.

        After `process_run` with ``photons=True`` nothing needs to be read again when the curvature
        or the energy axis was refined, or the places were aligned or corrected.

        Parameters
        ----------
        photons : xarray.Dataset
            As from `hrixs.photon_table` of a result of this class, or aligned since.
        data : xarray.Dataset, optional
            Of the same trains, usually the result that the photons come from: its slow data are
            taken over.
        bins : int, optional
            Bins of the spectrum over the crop's rows; by default `BINS`.

        Returns
        -------
        xarray.Dataset
            As from `centroid`: ``spectrum (trainId, energy)`` and ``spectrum_err``, with what
            `data` has over the trains. Neither is changed.

        Raises
        ------
        ValueError
            If the table does not tell the rows of its crop, or `data` has other trains.

        Examples
        --------
        >>> result = h.process_run(145, photons=True)  # doctest: +SKIP
        >>> aligned = hrixs.align(hrixs.photon_table(result))  # doctest: +SKIP
        >>> h.count(aligned, result)  # doctest: +SKIP
        """
        rows = np.asarray(photons.attrs.get("range", ()), dtype=np.float64)
        first_row = str(photons.attrs.get("y_range", "")).partition(":")[0]
        if rows.shape != (2,) or "y_range" not in photons.attrs:
            raise ValueError(
                "the photon table does not tell the rows that it was made of; take it from a "
                "result of this class with photon_table(result). For other tables there is "
                "hrixs.photon_spectrum."
            )
        spectrum = photon_spectrum(
            photons,
            bins=self.BINS if bins is None else bins,
            range=(float(rows[0]), float(rows[1])),
            curvature=(self.CURVE_A, self.CURVE_B),
        )
        spectrum = self._over_energy(spectrum, int(first_row or 0))
        if data is None:
            return spectra.store_spectrum(xr.Dataset(attrs=dict(photons.attrs)), spectrum)
        if not np.array_equal(data["trainId"].values, spectrum["trainId"].values):
            raise ValueError(
                f"data has {data.sizes['trainId']} trains and the photons those of "
                f"{spectrum.sizes['trainId']}, expected the same. Give the result that the photons "
                "come from."
            )
        made = ["energy", "photon", "x", "y"]
        others = [name for name, v in data.variables.items() if not set(made) & set(v.dims)]
        return spectra.store_spectrum(data[others].copy(deep=False), spectrum)

    def parabola(self, x: Number) -> Number:
        """``(CURVE_B * x + CURVE_A) * x``: how far a line has moved at `x`, in pixels."""
        return parabola(x, self.CURVE_A, self.CURVE_B)

    def integrate(self, data: xr.Dataset) -> xr.Dataset:
        """Make spectra of all images by integrating intensity along the curved lines.

        Each pixel's intensity is shared between the two rows it overlaps, in proportion, and each
        row is normalised to one pixel.

        Parameters
        ----------
        data : xarray.Dataset
            With the detector's images, as from `from_run`. ``spectrum (trainId, energy)`` and its
            energy axis are added to it, in place of earlier ones.

        Returns
        -------
        xarray.Dataset
            A shallow copy of `data`, with the spectrum: mean intensity per pixel, in ADU. It has
            no ``spectrum_err``: its noise is not that of counted photons.

        Raises
        ------
        NonFinitePixelsError, MissingDataError, ValueError
            On an error `data` is as it was.

        Examples
        --------
        >>> h.integrate(data)  # doctest: +SKIP
        >>> data.spectrum[0, :].plot()  # doctest: +SKIP
        """
        return self._add_spectra(data, "integrate")

    def aggregator(self, da: xr.DataArray, dim: str) -> xr.DataArray | None:
        """Aggregate one variable over `dim` as `aggregators` says; None where it says nothing.

        Errors that are to add in quadrature are left out where what they belong to does not add.
        """
        name = str(da.name)
        aggregate = self.aggregators.get(name)
        of = self.aggregators.get(name.removesuffix("_err"))
        if aggregate is aggregation.add_in_quadrature and of is not aggregation.add:
            if of is not None:
                warn(
                    f"{name} is left out: aggregators[{name.removesuffix('_err')!r}] is no sum any "
                    f"more, so that its error does not add in quadrature. Give an "
                    f"aggregators[{name!r}] that belongs to it."
                )
            return None
        return None if aggregate is None else aggregate(da, dim)

    def aggregate(self, ds: xr.Dataset, var: str | None = None, dim: str = "trainId") -> xr.Dataset:
        """Add up all frames of a dataset, or those of each value of `var` separately.

        Parameters
        ----------
        ds : xarray.Dataset
            With RIXS data, usually with spectra.
        var : str, optional
            Variable to group by, for example ``'hRIXS_delay'``.
        dim : str
            Dimension to aggregate over.

        Returns
        -------
        xarray.Dataset
            The variables in `aggregators`, without `dim`, over the values of `var` where given.
            ``counts`` is the number of frames in each group. ``spectrum_err`` adds in quadrature.

        Raises
        ------
        MissingDataError
            If `ds` has no `dim` or no `var`.

        Warns
        -----
        HrixsWarning
            For frames without a value of `var`, and for an error that is left out since
            `aggregators` does not add up any more what it belongs to.

        Examples
        --------
        >>> agg = h.aggregate(data)  # doctest: +SKIP
        >>> by_delay = h.aggregate(data, 'hRIXS_delay')  # doctest: +SKIP
        """
        if var is None:
            return self.aggregate_ds(ds, dim)
        return aggregation.aggregate_groups(ds, var, self.aggregate_ds, dim)

    def aggregate_ds(self, ds: xr.Dataset, dim: str = "trainId") -> xr.Dataset:
        """Add up all frames of a dataset; see `aggregate`."""
        return aggregation.aggregate_all(ds, self.aggregator, dim)

    def normalize(self, data: xr.Dataset, which: str = "hRIXS_norm") -> xr.Dataset:
        """Add ``normalized``, the ratio of ``spectrum`` and `which`, to a dataset.

        Parameters
        ----------
        data : xarray.Dataset
            With spectra; ``normalized`` is added to it, in place of an earlier one, and
            ``normalized_err`` where the spectra have an error.
        which : str
            Variable to divide by, usually ``'hRIXS_norm'`` or ``'counts'``.

        Returns
        -------
        xarray.Dataset
            A shallow copy of `data`, with ``normalized``. Its error is ``spectrum_err / |which|``;
            where `data` has ``<which>_err``, one standard deviation of `which`, its part is added
            in quadrature. That part is common to all bins of a spectrum.

        Raises
        ------
        MissingDataError
            If `data` has no spectrum or no `which`.
        """
        ratio = aggregation.normalized(data, which)
        error = aggregation.normalized_error(data, which)
        data["normalized"] = ratio
        if error is not None:
            data["normalized_err"] = error
        elif "normalized_err" in data:
            del data["normalized_err"]
        return data.copy(deep=False)

    def calibrate_energy(
        self,
        runs: Sequence[RunLike | xr.Dataset | xr.DataArray],
        energies: ArrayLike,
        *,
        degree: int = 1,
        plot: bool = True,
        proposal: int | str | None = None,
        method: str = "auto",
        shape: str = "gaussian",
        region: tuple[float, float] | None = None,
    ) -> EnergyCalibration:
        """Fit the energy axis to runs with elastic lines at known energies, and set it.

        Parameters
        ----------
        runs : sequence of int, path, extra_data.DataCollection, xarray.Dataset or DataArray
            One for each energy. A run is processed as by `process_run`, and its spectra are added
            up. A dataset may hold spectra, images, or be a photon table.
        energies : array_like, shape (n,)
            Photon energies in eV.
        degree : {1, 2}
            Of the polynomial of the row. `ENERGY_INTERCEPT` and `ENERGY_SLOPE` are a straight line:
            with 2 they are the nearest one to the lines, and the result has the quadratic term.
        plot : bool
            Whether to draw the lines' energies over their rows, and the residuals.
        proposal : int or str, optional
            Where it is not `PROPOSAL`.
        method : {'auto', 'manual', 'integrate'}
            How to make spectra of runs and images. ``'integrate'`` also for datasets whose spectra
            were made so.
        shape, region
            As in `hrixs.line_width`, with the region in rows of the full chip. By default the
            tallest line is taken for the elastic one.

        Returns
        -------
        EnergyCalibration
            With uncertainties, covariance and residuals.

        Raises
        ------
        NoLineError
            A run has no line. Then the old values are kept, as on every error.
        ValueError
            As `hrixs.calibrate_energy`.
        MissingDataError
            No such run, or no camera or image in it.

        Warns
        -----
        HrixsWarning
            For a line that is wide or has another shape, as a wrong curvature makes them, or that
            the others contradict, lines that scatter by more than their uncertainties, and for
            degree 2, by how much the straight axis is off.

        Examples
        --------
        >>> h.calibrate_energy([150, 151, 152], [529.0, 530.0, 531.0])  # doctest: +SKIP
        """
        require_method(method)
        lines = [self._with_line(run, proposal, method) for run in runs]
        result = calibrate_energy(
            lines,
            energies,
            degree=degree,
            curvature=(self.CURVE_A, self.CURVE_B),
            first_row=self.Y_RANGE.start or 0,
            shape=shape,
            region=region,
            noise="gaussian" if method == "integrate" else "poisson",
        )
        self.ENERGY_INTERCEPT, self.ENERGY_SLOPE = result.axis
        if degree == 2:
            straight = result.axis[0] + result.axis[1] * result.rows
            off = float(np.abs(straight - result.energy(result.rows)).max())
            warn(
                f"ENERGY_INTERCEPT and ENERGY_SLOPE are a straight line, which is off by up to "
                f"{1e3 * off:.2g} meV at the lines; use the result's energy(row) for the curve."
            )
        if plot:
            from hrixs.calibration_plot import plot_calibration

            plot_calibration(result)
        return result

    def energy_loss(
        self, data: xr.Dataset, *, elastic: float | xr.DataArray | None = None
    ) -> xr.Dataset:
        """Give the spectra of a dataset an axis of energy loss, ``nrj - energy``.

        Parameters
        ----------
        data : xarray.Dataset
            With spectra on a calibrated axis; it is not changed.
        elastic : float or xarray.DataArray, optional
            Energy of the elastic line on the spectrum's own axis, in eV, in place of ``nrj``.

        Returns
        -------
        xarray.Dataset
            A new one, with the coordinate ``energy_loss``; see `hrixs.energy_loss`.

        Raises
        ------
        MissingDataError, ValueError
            As `hrixs.energy_loss`.

        Examples
        --------
        >>> loss = h.energy_loss(h.aggregate(data))  # doctest: +SKIP
        >>> loss.spectrum.plot(x="energy_loss")  # doctest: +SKIP
        """
        return energy_loss(data, elastic=elastic)

    def _with_line(
        self, run: RunLike | xr.Dataset | xr.DataArray, proposal: int | str | None, method: str
    ) -> xr.Dataset | xr.DataArray:
        """Something that `hrixs.calibrate_energy` takes for a line."""
        if isinstance(run, xr.DataArray):
            return run
        if not isinstance(run, xr.Dataset):
            return self.process_run(run, proposal=proposal, method=method)
        if "spectrum" in run or "photon" in run.dims:
            return run
        return self._add_spectra(run.copy(deep=False), method)

    def _add_spectra(self, data: xr.Dataset, method: str, bins: int | None = None) -> xr.Dataset:
        frames = chip.images_of(data, self.DETECTOR)
        crop = chip.Crop.of(self.X_RANGE, self.Y_RANGE, frames.sizes["x"], frames.sizes["y"])
        frames = frames.isel(x=crop.x, y=crop.y)
        analysis = self._analysis(method, crop, bins)
        energies = chip.energies_of(data, frames) if analysis.needs_energy else None
        spectra_of = lazy_spectra if is_lazy(frames) else spectra.spectra_of
        spectrum = spectra_of(frames, analysis, energies)
        return spectra.store_spectrum(data, self._labelled(spectrum, crop))

    def _analysis(
        self, method: str, crop: chip.Crop, bins: int | None = None, *, position: str | None = None
    ) -> Analysis:
        require_method(method)
        ways = {"auto": self._find_options, "manual": self._classify_options}
        options = ways[method](position) if method in ways else {}
        if "read_noise" in options and np.ndim(options["read_noise"]):
            options["read_noise"] = crop.of_chip("READ_NOISE", options["read_noise"])
        return Analysis(
            method,
            options,
            self._chip_options(crop),
            (self.CURVE_A, self.CURVE_B),
            self.BINS if bins is None else bins,
        )

    def _chip_options(self, crop: chip.Crop) -> dict[str, Any]:
        return {
            "dark": crop.of_chip("the dark", self._dark()),
            "mask": crop.of_chip("MASK", self.MASK),
            "threads": self.THREADS,
        }

    def _image_options(self, image: NDArray[Any]) -> dict[str, Any]:
        """As `_chip_options`, for an image of the whole chip or of the crop; with a noise map."""
        noise = {}
        map_of_noise = np.asarray(self.READ_NOISE)
        if self.POSITION == "gaussian" and map_of_noise.ndim:
            noise["read_noise"] = chip.fitting(
                "READ_NOISE", map_of_noise, image, self.X_RANGE, self.Y_RANGE
            )
        return noise | {
            "dark": chip.fitting("the dark", self._dark(), image, self.X_RANGE, self.Y_RANGE),
            "mask": chip.fitting("MASK", self.MASK, image, self.X_RANGE, self.Y_RANGE),
            "threads": self.THREADS,
        }

    def _dark(self) -> NDArray[np.float64] | None:
        if not self.USE_DARK:
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
        opened = open_run(run, self.PROPOSAL if proposal is None else proposal)
        trains = index_images(opened, self.DETECTOR, Faults(strict=False)).train_id[:n_images]
        fields = [self.DETECTOR, *fields]
        return load_run(opened, self.DETECTOR, fields, subset=trains_by_id(trains))

    def _photons_of_run(
        self, run: RunLike | xr.Dataset, proposal: int | str | None
    ) -> tuple[xr.Dataset, chip.Crop]:
        """Photons of all images, found as `centroid` does, and the crop they are counted in."""
        if isinstance(run, xr.Dataset):
            frames = chip.images_of(run, self.DETECTOR)
            crop = chip.Crop.of(self.X_RANGE, self.Y_RANGE, frames.sizes["x"], frames.sizes["y"])
            frames = frames.isel(x=crop.x, y=crop.y)
            analysis = self._analysis("auto", crop)
            analysis = spectra.with_cloud_of_first(analysis, frames, None)
            options = analysis.options | analysis.chip
            if is_lazy(frames):
                parts = photon_parts(frames, **options)
                return concat_photons([part.compute() for part in parts]), crop
            return find_photons(frames, **options), crop
        opened = open_run(run, self.PROPOSAL if proposal is None else proposal)

        def analyse(nx: int, ny: int) -> tuple[Analysis, chip.Crop]:
            crop = chip.Crop.of(self.X_RANGE, self.Y_RANGE, nx, ny)
            return self._analysis("auto", crop), crop

        threads = resolve_threads(self.THREADS)
        result, crop = process_run(
            opened, self.DETECTOR, [], analyse, threads=threads, photons=True
        )
        columns = {f"photon_{name}": name for name in ("x", "y", "double")}
        return result[list(columns)].rename(columns), crop

    def _sum_of_run(
        self, run: RunLike | xr.Dataset, proposal: int | str | None
    ) -> tuple[NDArray[np.float64], int]:
        if isinstance(run, xr.Dataset):
            return chip.sum_of_images(chip.images_of(run, self.DETECTOR))
        opened = open_run(run, self.PROPOSAL if proposal is None else proposal)
        return sum_images(opened, self.DETECTOR)

    def _over_energy(self, spectrum: xr.DataArray, first_row: int) -> xr.DataArray:
        return spectra.with_energy(
            spectrum,
            intercept=number("energy_intercept", self.ENERGY_INTERCEPT),
            slope=number("energy_slope", self.ENERGY_SLOPE),
            first_row=first_row,
        )

    def _labelled(self, spectrum: xr.DataArray, crop: chip.Crop) -> xr.DataArray:
        """`spectrum` over the energy, with the settings that made it."""
        spectrum = self._over_energy(spectrum, crop.y.start)
        spectrum.attrs |= provenance(
            spectrum.attrs["algorithm"],
            detector=self.DETECTOR,
            x_range=self.X_RANGE,
            y_range=self.Y_RANGE,
            use_dark=self.USE_DARK,
            dark_run=self.dark_run if self.USE_DARK else None,
            n_masked=0 if self.MASK is None else int(np.count_nonzero(self.MASK)),
        )
        return spectrum


def _parabola_fit(photons: xr.Dataset, options: dict[str, Any]) -> PhotonCurvatureFit:
    if options.get("degree", 2) > 2:
        raise ValueError(
            f"degree = {options['degree']}, but CURVE_A and CURVE_B are a parabola, of degree 2. "
            "Use hrixs.fit_curvature for other curves."
        )
    return fit_curvature(photons, **options)


def _name_of(run: RunLike | xr.Dataset) -> str:
    return str(run.attrs.get("run", "dataset")) if isinstance(run, xr.Dataset) else run_name(run)


def _names(fields: Sequence[Field]) -> list[str]:
    return [name for field in fields for name in ([field] if isinstance(field, str) else field)]
