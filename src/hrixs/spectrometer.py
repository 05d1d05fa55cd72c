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
from hrixs.curvature import fit_curvature_image
from hrixs.errors import MissingDataError
from hrixs.geometry import Number, parabola
from hrixs.lazy import is_lazy, lazy_reader, lazy_spectra
from hrixs.long_run import process_run
from hrixs.photon_columns import with_attributes
from hrixs.photons import classify_photons, find_photons
from hrixs.provenance import provenance
from hrixs.run_images import load_run, sum_images
from hrixs.runs import Field, RunLike, open_run, run_name
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
        Photon energy to ADU, for `centroid_two`.
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
    curvature_fit : CurvatureFit or None
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
            `integrate`, the fields (NaN where a train has no value), and ``n_photons``. ``attrs``
            has ``n_trains, n_images, n_skipped, skipped_trains``, the text of all ``faults``, and
            ``missing_fields``, those of `FIELDS` that the run does not have, which is no fault.

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
        **kwargs: Any,
    ) -> tuple[float, float]:
        """Fit the curvature of the strongest spectral line of a run, and set it.

        Parameters
        ----------
        runNB : int, path, extra_data.DataCollection or xarray.Dataset
            The run to use; its frames are added up. A dataset is taken as loaded.
        proposal : int or str, optional
            Where it is not `PROPOSAL`.
        plot : bool
            Whether to draw the image with the curve on it.
        args : (float, float), optional
            ``(CURVE_A, CURVE_B)`` to start from. By default the start is searched for.
        **kwargs
            Handed on to `scipy.optimize.least_squares`.

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

        Examples
        --------
        >>> h.find_curvature(155)  # doctest: +SKIP
        """
        image = self.mean_image(runNB, proposal)
        fit = fit_curvature_image(image, start=args, **kwargs)
        self.curvature_fit = fit
        self.CURVE_A, self.CURVE_B = fit.curve_a, fit.curve_b
        if plot:
            from hrixs.plotting import plot_curvature

            plot_curvature(image, fit)
        return fit.curve_a, fit.curve_b

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
        found = find_photons(pixels, **self._find_options(), **self._image_options(pixels))
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
            pixels, energy, **self._classify_options(), **self._image_options(pixels)
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
            With the detector's images, as from `from_run`. ``spectrum (trainId, energy)`` and its
            energy axis are added to it, in place of earlier ones.
        bins : int, optional
            Bins of the spectrum over the crop's rows; by default `BINS`.
        method : {'auto', 'manual'}
            ``'auto'`` takes the threshold from the image (`centroid_one`), ``'manual'`` from the
            photon energy ``nrj`` in the dataset (`centroid_two`).

        Returns
        -------
        xarray.Dataset
            A shallow copy of `data`, with the spectrum. A double hit counts as two photons.

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
            A shallow copy of `data`, with the spectrum: mean intensity per pixel, in ADU.

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
        """Aggregate one variable over `dim` as `aggregators` says; None where it says nothing."""
        aggregate = self.aggregators.get(str(da.name))
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
            ``counts`` is the number of frames in each group.

        Raises
        ------
        MissingDataError
            If `ds` has no `dim` or no `var`.

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
            With spectra; ``normalized`` is added to it, in place of an earlier one.
        which : str
            Variable to divide by, usually ``'hRIXS_norm'`` or ``'counts'``.

        Returns
        -------
        xarray.Dataset
            A shallow copy of `data`, with ``normalized``.

        Raises
        ------
        MissingDataError
            If `data` has no spectrum or no `which`.
        """
        data["normalized"] = aggregation.normalized(data, which)
        return data.copy(deep=False)

    def _add_spectra(self, data: xr.Dataset, method: str, bins: int | None = None) -> xr.Dataset:
        frames = chip.images_of(data, self.DETECTOR)
        crop = chip.Crop.of(self.X_RANGE, self.Y_RANGE, frames.sizes["x"], frames.sizes["y"])
        frames = frames.isel(x=crop.x, y=crop.y)
        analysis = self._analysis(method, crop, bins)
        energies = chip.energies_of(data, frames) if analysis.needs_energy else None
        spectra_of = lazy_spectra if is_lazy(frames) else spectra.spectra_of
        spectrum = spectra_of(frames, analysis, energies)
        return spectra.store_spectrum(data, self._labelled(spectrum, crop))

    def _analysis(self, method: str, crop: chip.Crop, bins: int | None = None) -> Analysis:
        require_method(method)
        options = {"auto": self._find_options, "manual": self._classify_options}.get(method, dict)()
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
        """As `_chip_options`, for an image of the whole chip or of the crop."""
        return {
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

    def _sum_of_run(
        self, run: RunLike | xr.Dataset, proposal: int | str | None
    ) -> tuple[NDArray[np.float64], int]:
        if isinstance(run, xr.Dataset):
            return chip.sum_of_images(chip.images_of(run, self.DETECTOR))
        opened = open_run(run, self.PROPOSAL if proposal is None else proposal)
        return sum_images(opened, self.DETECTOR)

    def _labelled(self, spectrum: xr.DataArray, crop: chip.Crop) -> xr.DataArray:
        """`spectrum` over the energy, with the settings that made it."""
        spectrum = spectra.with_energy(
            spectrum,
            intercept=self.ENERGY_INTERCEPT,
            slope=self.ENERGY_SLOPE,
            first_row=crop.y.start,
        )
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


def _name_of(run: RunLike | xr.Dataset) -> str:
    return str(run.attrs.get("run", "dataset")) if isinstance(run, xr.Dataset) else run_name(run)


def _names(fields: Sequence[Field]) -> list[str]:
    return [name for field in fields for name in ([field] if isinstance(field, str) else field)]
