"""The class `hRIXS`: the settings of the spectrometer, and its methods on runs and datasets."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs.camera.curve import Number
from hrixs.energy.axis import EnergyCalibration
from hrixs.energy.loss import energy_loss
from hrixs.i0.normalize import add_normalized
from hrixs.i0.sums import AUTO
from hrixs.level.background import subtract_background
from hrixs.noise.report import NoiseReport
from hrixs.photons.cloud_width import CloudEstimate
from hrixs.reduction.analysis import require_method
from hrixs.replays.opened import Result
from hrixs.replays.set_by import set_by_result
from hrixs.runs.mnemonic_table import field_name
from hrixs.runs.run import RunLike
from hrixs.scans.maps import rixs_map
from hrixs.selection.choose import select
from hrixs.selection.criteria import Criterion
from hrixs.settings.attributes import Settings
from hrixs.settings.file import load_settings, save_settings
from hrixs.settings.recorded import recorded_dark, recorded_method
from hrixs.settings.table import described
from hrixs.spectra import aggregate as sums
from hrixs.spectra.methods import METHODS
from hrixs.spectrometer import (
    curve_fits,
    fits,
    inputs,
    many_runs,
    recipe,
    report_inputs,
    scans,
    spectra,
)
from hrixs.spectrometer.auto_range import FoundRange, find_range
from hrixs.spectrometer.inputs import Fields, RunOrData

if TYPE_CHECKING:
    from distributed import Client


class hRIXS(Settings):
    """The settings of the hRIXS spectrometer, and the analysis of its data.

    A drop-in replacement for ``toolbox_scs.detectors.hrixs.hRIXS``. An object holds settings and
    possibly a dark image; data are in xarray datasets. `x` and `y` are pixels of the whole chip,
    for any crop.

    Parameters
    ----------
    proposalNB : int or str, optional
        Number of the proposal. Not needed if runs are given by path.
    detector : {'MaranaX', 'hRIXS_det'}
        The camera whose images are analysed.

    Attributes
    ----------
    PROPOSAL, DETECTOR, FIELDS
        The proposal, the variable with the images, and the mnemonics to load from a run.
    curvature : Curvature
        The curve of the lines on the full chip, of any degree; `CURVE_A` and `CURVE_B` are its
        first two coefficients at column 0.
    aggregators : dict
        How `aggregate` treats each variable: ``{name: function(da, dim)}``. Add to it as needed.
    dark_image : numpy.ndarray or None
        Mean of the dark run's frames, for the full chip.
    curvature_fit : CurvatureFit or PhotonCurvatureFit or None
        The last fit of `find_curvature`, with uncertainties.

    Notes
    -----
    Arguments that many methods have:

    run, runNB
        A run number, the folder or a file of a run, or an open `extra_data.DataCollection`; if a
        dataset is allowed, its loaded images are used.
    proposal, data, trust
        Values to use instead of `PROPOSAL`, `DATA` (``'raw'``, ``'proc'`` or ``'all'``, for a run
        number or folder) and `TRUST` (``'index'`` or ``'records'``).
    method
        ``'auto'`` finds photons by a threshold from the image (`centroid_one`), ``'manual'`` by
        their energy ``nrj`` (`centroid_two`), ``'resolve'`` by their known charge, also if spots
        overlap (`hrixs.resolve_photons`), ``'integrate'`` adds up intensity. ``'best'`` uses
        ``'resolve'``, or ``'integrate'`` divided by the charge of a photon if photons are too
        dense; ``attrs`` of the result say which, and why.
    n_images
        Largest number of images to use.

    Errors that many methods raise: `MissingDataError` (no such run; no camera, image or field in
    it), `NonFinitePixelsError`, `TooManyPhotonsError`, `ValueError` (invalid setting). Datasets and
    settings are not changed then. The settings, with their defaults:

    {settings}

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

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the settings, with dark, mask and curvature, to a file that ends with ``.toml``.

        Images are written next to it, to a file that ends with ``.images.nc``; keep both together.
        """
        save_settings(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Load settings written by `save`, which may have been edited; see docs/hand-over.md."""
        h = cls()
        load_settings(h, path)
        return h

    @classmethod
    def from_result(cls, result: Result, *, moved: Mapping[str, str] | None = None) -> Self:
        """Make an object with the settings of a result, for other runs.

        Parameters
        ----------
        result : xarray.Dataset or path
            A result of this class or of the command ``hrixs``, or its file.
        moved : dict of str to str, optional
            New places of folders, as in `hrixs.replay`, for the dark run.

        Warns
        -----
        HrixsWarning
            If the dark run does not exist any more, or has changed: there is no dark then.
        """
        made: Self = set_by_result(cls, result, moved)
        return made

    @recorded_method
    def from_run(
        self,
        runNB: RunLike,
        proposal: int | str | None = None,
        extra_fields: Fields = (),
        drop_first: bool | int = False,
        subset: Any = None,
        *,
        trains: Iterable[int] | None = None,
        lazy: bool = False,
        memory: int | str | None = None,
        data: str | None = None,
        trust: str | None = None,
    ) -> xr.Dataset:
        """Load a run: the images of the camera, and the slow data of the same trains.

        Parameters
        ----------
        extra_fields : str or dict, or sequence of them
            Mnemonics, or ``("SOURCE", "KEY")``, to load in addition to `FIELDS`.
        drop_first : bool or int
            Leave out the first image (True), or this number of first images.
        subset : slice or list of int or extra_data.by_index or extra_data.by_id, optional
            Trains to load, by their numbers in the run, from 0.
        trains : iterable of int, optional
            Trains to load, by their ids.
        lazy : bool
            Do not read the images: they become a dask array in chunks of whole frames.
        memory : int or str, optional
            With `lazy`: memory for the images in work; default ``'512MB'``.

        Returns
        -------
        xarray.Dataset
            Over ``trainId``: images ``(trainId, x, y)`` in ADU, and fields. ``attrs`` counts them.

        Warns
        -----
        HrixsWarning
            For fields that the run does not have, and for images that cannot be used.
        """
        options: dict[str, Any] = {"subset": subset, "trains": trains, "drop_first": drop_first}
        run = inputs.chosen(self, runNB, proposal, data=data, trust=trust)
        return inputs.load(self, run, proposal, extra_fields, lazy=lazy, memory=memory, **options)

    @recorded_method
    def process_run(
        self,
        run: RunLike,
        *,
        proposal: int | str | None = None,
        extra_fields: Fields = (),
        subset: Any = None,
        trains: Iterable[int] | None = None,
        drop_first: bool | int = False,
        method: str = "auto",
        energy: float | None = None,
        memory: int | str | None = None,
        threads: int | None = None,
        progress: bool = True,
        photons: bool = False,
        strict: bool = False,
        checkpoint: str | os.PathLike[str] | None = None,
        client: Client | None = None,
        data: str | None = None,
        trust: str | None = None,
        **deconvolution: Any,
    ) -> xr.Dataset:
        """Make the spectra of a run of any length, in limited memory; see docs/long-runs.md.

        Parameters
        ----------
        extra_fields, subset, trains, drop_first, **deconvolution
            As in `from_run`; ``deconvolve`` and ``oversample`` as in `integrate`.
        energy : float, optional
            Photon energy in eV for ``'manual'``, instead of ``nrj`` of the run.
        memory : int or str, optional
            Peak memory without import and result, default ``'512MB'``; with `client` for a thread.
        threads : int, optional
            Threads, instead of `THREADS`. With `client`: of each task, default 1.
        progress, photons : bool
            Whether to show a progress bar, and to keep the photon table (`hrixs.photon_table`).
        strict : bool
            Raise `FaultyRunError` for faults of the run, and `DoubtError` for a result that is
            hardly usable, instead of warnings.
        checkpoint : path, optional
            A folder for finished parts: the same call continues from there; one process at a time.
        client : distributed.Client, optional
            Dask cluster whose workers read and reduce the images.

        Returns
        -------
        xarray.Dataset
            Over ``trainId``: ``spectrum`` as in `centroid` or `integrate`, the fields (NaN if there
            is no value), ``n_photons``. ``attrs`` has numbers of images, and ``faults`` as text.
        """
        options: dict[str, Any] = {"strict": strict, "checkpoint": checkpoint, "method": method}
        options |= {"energy": energy, "memory": memory, "threads": threads, "progress": progress}
        options |= {"photons": photons, "client": client, "proposal": proposal, **deconvolution}
        which = {"subset": subset, "trains": trains, "drop_first": drop_first}
        return spectra.process_run(self, run, (data, trust), which, extra_fields, **options)

    @recorded_method
    def process_runs(
        self, runs: Sequence[RunLike], *, align: str | None = None, **options: Any
    ) -> xr.Dataset:
        """Make the spectra of several runs, joined by `hrixs.concat`; runs that fail are reported.

        ``align='elastic'`` shifts the spectra of each run so that its elastic line is at the photon
        energy; `elastic`, `within`, `region` are as in `hrixs.align_elastic`. All other arguments
        are as in `process_run`; in `checkpoint`, each run gets a folder.
        """
        return many_runs.process_runs(self, runs, align=align, **options)

    @recorded_dark
    def load_dark(
        self,
        runNB: RunOrData,
        proposal: int | str | None = None,
        *,
        subset: Any = None,
        trains: Iterable[int] | None = None,
        drop_first: bool | int = False,
        data: str | None = None,
        trust: str | None = None,
    ) -> None:
        """Load a dark run; its mean image is subtracted from now on (`USE_DARK`).

        Outliers of a pixel (cosmic rays) and images that differ from the others are left out;
        results count them in ``attrs``, and a warning names the images. `subset`, `trains` (for
        example blanks of a run) and `drop_first` are as in `from_run`.

        Examples
        --------
        >>> h.load_dark(166)  # doctest: +SKIP
        >>> h.load_dark("dark.tif")  # as hrixs.open_images opens it  # doctest: +SKIP
        """
        run = inputs.chosen(self, runNB, proposal, data=data, trust=trust)
        which: dict[str, Any] = {"subset": subset, "trains": trains, "drop_first": drop_first}
        inputs.set_dark(self, run, proposal, **which)

    def mean_image(
        self,
        runNB: RunOrData,
        proposal: int | str | None = None,
        *,
        data: str | None = None,
        trust: str | None = None,
    ) -> xr.DataArray:
        """Average all images of a run in the crop, dark subtracted, in limited memory.

        Returns an xarray.DataArray (x, y) in ADU; NaN at pixels of `MASK`.
        """
        run = inputs.chosen(self, runNB, proposal, data=data, trust=trust)
        return inputs.mean_image(self, run, proposal)

    @recorded_method
    def centroid(
        self,
        data: xr.Dataset,
        bins: int | None = None,
        method: str = "auto",
        *,
        strict: bool = False,
    ) -> xr.Dataset:
        """Make spectra of all images by finding single photons.

        Parameters
        ----------
        data : xarray.Dataset
            From `from_run`. ``spectrum (trainId, energy)`` and its energy axis are added to it;
            they replace earlier ones.
        bins : int, optional
            Number of bins over the rows of the crop, instead of `BINS`.
        strict : bool
            Raise `DoubtError` for a grave doubt, instead of a warning.

        Returns
        -------
        xarray.Dataset
            A shallow copy of `data`. A double hit counts as two photons; ``data.hrixs.error()`` is
            one standard deviation, the root of the number of photons.

        Warns
        -----
        LostPhotonsWarning, ChargeBalanceWarning, DoubtWarning
            Photons are lost because spots overlap; the charge of the photons is not that of the
            frames; something else is doubtful (`hrixs.doubts` lists it, see docs/doubts.md).
        """
        require_method(method, tuple(one for one in METHODS if one != "integrate"))
        return recipe.add_spectra(self, data, method, bins, strict=strict)

    @recorded_method
    def integrate(self, data: xr.Dataset, *, strict: bool = False, **options: Any) -> xr.Dataset:
        """Make spectra of all images by integrating intensity along the curved lines.

        The intensity of a pixel is divided between the two rows that it overlaps.

        Parameters
        ----------
        data, strict
            As in `centroid`.
        **options
            ``deconvolve=True``: remove the blur by cloud and pixel, in one spectrum of all images
            in photons, with errors; ``oversample``: bins per row (3). See docs/deconvolution.md.

        Returns
        -------
        xarray.Dataset
            A shallow copy of `data`, with the mean intensity per pixel in ADU, without errors.
        """
        return recipe.integrated(self, data, strict=strict, **options)

    @recorded_method
    def count(
        self, photons: xr.Dataset, data: xr.Dataset | None = None, *, bins: int | None = None
    ) -> xr.Dataset:
        """Make spectra of a photon table with the present curvature and energy axis.

        Parameters
        ----------
        photons : xarray.Dataset
            From `hrixs.photon_table` of a result of this class, possibly aligned; or from
            `hrixs.photon_table_from` with the shape of the frames.
        data : xarray.Dataset, optional
            Data of the same trains, usually that result; its slow data are copied.
        bins : int, optional
            Number of bins over the rows of the crop, instead of `BINS`.

        Returns
        -------
        xarray.Dataset
            Like that of `centroid`. The arguments are not changed.
        """
        return spectra.count(self, photons, data, bins)

    def centroid_one(self, image: xr.DataArray | ArrayLike) -> list[tuple[float, float]]:
        """Photons of one image by a threshold on 2x2 squares; positions by a 4x4 centre of mass.

        Parameters
        ----------
        image : array_like, shape (x, y)
            In ADU: the whole chip, or the crop ``image[h.X_RANGE, h.Y_RANGE]``; coordinates `x` and
            `y`, if any, give its position.

        Returns
        -------
        list of (float, float)
            ``(x, y)`` on the whole chip, y corrected for the curvature; a double hit twice.

        See Also
        --------
        hrixs.find_photons : the same, as a table without curvature.
        """
        return spectra.centroid_one(self, image)

    def centroid_two(
        self, image: xr.DataArray | ArrayLike, energy: float
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Single and double hits of one image by the photon energy, as in the ESRF toolbox.

        Parameters
        ----------
        image : array_like, shape (x, y)
            As in `centroid_one`.
        energy : float
            Photon energy in eV.

        Returns
        -------
        singles, doubles : numpy.ndarray, shape (n, 2)
            Columns ``x, y`` on the whole chip, y corrected for the curvature.

        See Also
        --------
        hrixs.classify_photons : the same, as a table without curvature.
        """
        return spectra.centroid_two(self, image, energy)

    def parabola(self, x: Number) -> Number:
        """Shift of a line at column `x` of the chip by the curvature, in pixels."""
        moved: Number = self.curvature(x)
        return moved

    def find_curvature(
        self,
        runNB: RunOrData,
        proposal: int | str | None = None,
        plot: bool = True,
        args: tuple[float, float] | None = None,
        method: str = "image",
        *,
        data: str | None = None,
        trust: str | None = None,
        **kwargs: Any,
    ) -> tuple[float, float]:
        """Fit the curvature of the spectral lines of a run, and set it.

        Parameters
        ----------
        plot : bool
            Whether to draw the image, or the photons, with the curve on it.
        args : (float, float), optional
            Start values ``(CURVE_A, CURVE_B)``. Default: they are searched.
        method : {'image', 'photons'}
            ``'image'`` fits the strongest line of the mean image. ``'photons'`` makes the spectrum
            of the photons as sharp as possible, with all lines; it also accepts a photon table.
        **kwargs
            Passed to `scipy.optimize.least_squares`, or to `hrixs.fit_curvature`.

        Returns
        -------
        curve_a, curve_b : float
            Also set as `curvature`; the fit is kept as `curvature_fit`.

        Raises
        ------
        NoLineError
            If there is no line in the run. The old values are kept.
        DoubtfulCurvatureError
            If the fit is probably not a line, or uncertain by 2 px; it is the error's ``fit``.
        """
        options: dict[str, Any] = {"plot": plot, "start": args, "method": method}
        run = inputs.chosen(self, runNB, proposal, data=data, trust=trust)
        curve_fits.find_curvature(self, run, proposal, **options, **kwargs)
        return self.CURVE_A, self.CURVE_B

    def auto_range(
        self,
        runNB: RunOrData,
        proposal: int | str | None = None,
        *,
        set: bool = False,
        plot: bool = True,
        data: str | None = None,
        trust: str | None = None,
    ) -> FoundRange:
        """Find the rows and columns with light; see `hrixs.auto_range`.

        Parameters
        ----------
        set : bool
            Whether to set `Y_RANGE` and `X_RANGE`, after they are printed and drawn.
        plot : bool
            Whether to draw them on the mean image.

        Raises
        ------
        NoLineError
            If there is no line in the run. The old ranges are kept.
        """
        run = inputs.chosen(self, runNB, proposal, data=data, trust=trust)
        return find_range(self, run, proposal, set=set, plot=plot)

    def estimate_cloud(
        self,
        runNB: RunOrData,
        proposal: int | str | None = None,
        *,
        n_images: int = 32,
        data: str | None = None,
        trust: str | None = None,
    ) -> CloudEstimate:
        """Estimate the width of the charge cloud from the first images, and set `CLOUD_SIGMA`."""
        run = inputs.chosen(self, runNB, proposal, data=data, trust=trust)
        return fits.set_cloud(self, run, proposal, n_images)

    def noise_report(
        self,
        run: RunOrData,
        proposal: int | str | None = None,
        *,
        n_images: int = 32,
        dark: RunOrData | None = None,
        energy: float | None = None,
        data: str | None = None,
        trust: str | None = None,
    ) -> NoiseReport:
        """Suggest thresholds from noise and photons of the first images of a run.

        Parameters
        ----------
        dark : run or xarray.Dataset, optional
            Dark run: its first images give the dark, and hits in them are counted, too.
        energy : float, optional
            Photon energy in eV for the gain, instead of ``nrj`` of the run.

        Returns
        -------
        NoiseReport
            Report on the images in the crop. Nothing is set; give its ``settings`` to `set_params`.
        """
        which: dict[str, Any] = {"data": data, "trust": trust}
        run = inputs.chosen(self, run, proposal, **which)
        dark = dark if dark is None else inputs.chosen(self, dark, proposal, **which)
        options: dict[str, Any] = {"n_images": n_images, "dark": dark, "energy": energy}
        return fits.report_noise(self, run, proposal, **options)

    def find_bad_pixels(
        self,
        run: RunOrData,
        proposal: int | str | None = None,
        *,
        n_images: int = 32,
        plot: bool = False,
        data: str | None = None,
        trust: str | None = None,
        **options: Any,
    ) -> xr.DataArray:
        """Find bad pixels in the first images of a run (dark or not), and add them to `MASK`.

        Parameters
        ----------
        plot : bool
            Whether to draw the mask.
        **options
            Passed to `hrixs.bad_pixels`.

        Returns
        -------
        xarray.DataArray of bool, dims (x, y)
            Mask of the whole chip, also set as `MASK`; ``attrs`` has the number of each kind.
        """
        run = inputs.chosen(self, run, proposal, data=data, trust=trust)
        return fits.mask_bad_pixels(self, run, proposal, n_images, plot=plot, **options)

    def calibrate_energy(
        self,
        runs: Sequence[RunOrData | xr.DataArray],
        energies: ArrayLike,
        *,
        degree: int = 1,
        plot: bool = True,
        proposal: int | str | None = None,
        method: str = "auto",
        shape: str = "gaussian",
        region: tuple[float, float] | None = None,
        data: str | None = None,
        trust: str | None = None,
    ) -> EnergyCalibration:
        """Fit the energy axis to runs with elastic lines at known energies, and set it.

        Parameters
        ----------
        runs : sequence
            One per energy: runs, datasets of spectra or images, or photon tables.
        energies : array_like, shape (n,)
            Photon energies in eV.
        degree : {1, 2}
            Degree of the polynomial of the row; for 2 the best straight line is set.
        plot : bool
            Whether to draw the energies of the lines over their rows, and the residuals.
        shape, region
            As in `hrixs.line_width`; the region is in rows of the whole chip.

        Returns
        -------
        EnergyCalibration
            With uncertainties, covariance and residuals.

        Raises
        ------
        NoLineError
            If a run has no line. The old values are kept, as on every error.
        """
        options: dict[str, Any] = {"degree": degree, "plot": plot, "proposal": proposal}
        options |= {"method": method, "shape": shape, "region": region}
        which: dict[str, Any] = {"data": data, "trust": trust}
        runs = [inputs.chosen(self, run, proposal, **which) for run in runs]
        return fits.set_energy_axis(self, runs, energies, **options)

    def subtract_background(self, data: xr.Dataset, **options: Any) -> xr.Dataset:
        """Subtract a background from the spectra of a dataset; see `hrixs.subtract_background`."""
        return subtract_background(data, **options)

    def energy_loss(
        self, data: xr.Dataset, *, elastic: float | xr.DataArray | None = None
    ) -> xr.Dataset:
        """Convert the spectra of a dataset to an axis of energy loss; see `hrixs.energy_loss`."""
        return energy_loss(data, elastic=elastic)

    def aggregator(self, da: xr.DataArray, dim: str) -> xr.DataArray | None:
        """Aggregate a variable over `dim` by its entry in `aggregators`; None if there is none."""
        return sums.aggregate_variable(self.aggregators, da, dim)

    @recorded_method
    def aggregate(
        self,
        ds: xr.Dataset,
        var: Any = None,
        dim: str = "trainId",
        *,
        norm: str | None = AUTO,
        **options: Any,
    ) -> xr.Dataset:
        """Add up all frames of a dataset, or the frames of each group; see `hrixs.aggregate`.

        Parameters
        ----------
        var : str, sequence of str, or extra.components.Scan, optional
            Variable to group by, for example ``'hRIXS_delay'``, or several.
        dim : str
            Dimension to aggregate over.
        norm : str, optional
            Frames in which it is zero or not finite are left out, reported and counted. Default:
            the divisor of ``normalized``, or ``I0``, or ``hRIXS_norm``. None: all are added up.
        **options
            ``step``, ``tolerance``, ``edges``, ``setpoints`` or ``origin``, if values differ
            slightly.

        Returns
        -------
        xarray.Dataset
            The variables in `aggregators`, without `dim`, over the means of `var` if given.
            ``counts`` is the number of frames of each group; errors add in quadrature.
        """
        return scans.aggregate(self, ds, var, dim, norm, **options)

    @recorded_method
    def rixs_map(self, data: xr.Dataset | Sequence[xr.Dataset], **options: Any) -> xr.Dataset:
        """Make a RIXS map of a scan, or of several runs; see `hrixs.rixs_map`.

        Examples
        --------
        >>> scan = h.rixs_map(h.process_run(145), normalize="I0")  # doctest: +SKIP
        >>> scan.hrixs.plot()  # doctest: +SKIP
        """
        own = {**self.aggregators, **(options.pop("aggregators", None) or {})}
        return rixs_map(data, aggregators=own, **options)

    @recorded_method
    def aggregate_ds(
        self, ds: xr.Dataset, dim: str = "trainId", norm: str | None = AUTO
    ) -> xr.Dataset:
        """Add up all frames of a dataset; see `aggregate`."""
        return scans.aggregate_ds(self, ds, dim, norm)

    def report(
        self,
        data: xr.Dataset | str | os.PathLike[str],
        path: str | os.PathLike[str],
        run: RunOrData | None = None,
        **options: Any,
    ) -> Path:
        """Write a result as one page of HTML, with the mean image; see `hrixs.report`.

        Parameters
        ----------
        run : run or xarray.Dataset, optional
            Source of the images; default: those in `data`, or of the run that it names.
        """
        return report_inputs.report(self, data, path, run, **options)

    def view(self, run: RunOrData | Sequence[RunLike], **options: Any) -> Any:
        """Show a run, runs or a dataset in a notebook cell: a `hrixs.view.View` (docs/view.md)."""
        # The package `view` imports this class; it is imported only when it is used.
        return importlib.import_module("hrixs.view").View(self, run, **options)

    def select(self, data: xr.Dataset, by: Criterion | None = None, **options: Any) -> xr.Dataset:
        """Leave out blanks, weak or unstable images of a dataset; see `hrixs.select`.

        Examples
        --------
        >>> light = h.select(data)  # without blanks  # doctest: +SKIP
        >>> h.load_dark(h.select(data, blanks=True))  # doctest: +SKIP
        >>> steady = h.select(data, "n_photons > 50", outliers="I0")  # doctest: +SKIP
        """
        return select(data, by, **options)

    @recorded_method
    def normalize(
        self,
        data: xr.Dataset,
        which: str | xr.DataArray = "hRIXS_norm",
        *,
        error: xr.DataArray | float | None = None,
    ) -> xr.Dataset:
        """Add ``normalized``, the ratio of ``spectrum`` and `which`, to a dataset.

        Parameters
        ----------
        data : xarray.Dataset
            With spectra; ``normalized`` is added, and replaces an earlier one.
        which : str or xarray.DataArray
            The divisor: a variable, an expression of variables, ``'SCS_SA3 * transmission / 100'``
            (errors ``<name>_err`` are included; pulses are added up), or the values.
        error : xarray.DataArray or float, optional
            One standard deviation, if `which` is values.

        Returns
        -------
        xarray.Dataset
            A shallow copy of `data`; NaN, with a warning, if `which` is zero or not finite.
        """
        return add_normalized(data, field_name(which), error)


hRIXS.__doc__ = (hRIXS.__doc__ or "").replace("{settings}", described().lstrip())
