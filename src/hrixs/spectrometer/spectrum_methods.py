"""Methods of `hRIXS` that make spectra: of images, of a long run, of a photon table."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs.camera.crop import Crop, pixels_of
from hrixs.camera.dataset import energies_of, one_image
from hrixs.camera.parabola import Number, parabola
from hrixs.photons.classify import classify_photons
from hrixs.photons.find import find_photons
from hrixs.photons.table import with_attributes
from hrixs.reduction.analysis import Analysis, require_method
from hrixs.reduction.lazy import lazy_spectra
from hrixs.reduction.run import process_run
from hrixs.reduction.stack import spectra_of
from hrixs.runs.run import Field, RunLike
from hrixs.spectra.counted import photon_spectrum
from hrixs.spectra.dataset import store_spectrum, with_energy
from hrixs.spectrometer.run_methods import RunMethods
from hrixs.utils.checks import curvature_pair, number, require_dataset
from hrixs.utils.dask_arrays import is_lazy
from hrixs.utils.provenance import provenance, rows_of_crop
from hrixs.utils.threads import resolve_threads

if TYPE_CHECKING:
    from distributed import Client


class SpectrumMethods(RunMethods):
    """Finds photons and makes spectra by the settings."""

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
        opened = self._open(run, proposal)
        if subset is not None:
            opened = opened.select_trains(subset)
        fields, required = self._fields(extra_fields)
        usual = self.THREADS if client is None else 1  # a worker's threads have a task each
        n_threads = resolve_threads(usual if threads is None else threads)

        def analyse(nx: int, ny: int) -> tuple[Analysis, Crop]:
            crop = self._crop(nx, ny)
            return self._analysis(method, crop).with_threads(n_threads), crop

        require_method(method)
        result, crop = process_run(
            opened,
            self.DETECTOR,
            fields,
            analyse,
            required=required,
            energy=energy,
            memory=memory,
            threads=n_threads,
            progress=progress,
            photons=photons,
            strict=strict,
            checkpoint=checkpoint,
            client=client,
        )
        result.attrs |= self._source(run, proposal)
        spectrum = self._labelled(result["spectrum"], crop)
        return store_spectrum(with_attributes(result.drop_vars(["spectrum", "y"])), spectrum)

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
        TypeError
            If one is no dataset.

        Examples
        --------
        >>> result = h.process_run(145, photons=True)  # doctest: +SKIP
        >>> aligned = hrixs.align(hrixs.photon_table(result))  # doctest: +SKIP
        >>> h.count(aligned, result)  # doctest: +SKIP
        """
        require_dataset(photons, "a photon table")
        ends = np.asarray(photons.attrs.get("range", ()), dtype=np.float64)
        rows = rows_of_crop(photons.attrs)
        if ends.shape != (2,) or rows is None:
            raise ValueError(
                "the photon table does not tell the rows that it was made of; take it from a "
                "result of this class with photon_table(result). For other tables there is "
                "hrixs.photon_spectrum."
            )
        spectrum = photon_spectrum(
            photons,
            bins=self.BINS if bins is None else bins,
            range=(float(ends[0]), float(ends[1])),
            curvature=(self.CURVE_A, self.CURVE_B),
        )
        spectrum = self._over_energy(spectrum, rows[0])
        if data is None:
            return store_spectrum(xr.Dataset(attrs=dict(photons.attrs)), spectrum)
        require_dataset(data, "the result that the photons come from")
        if not np.array_equal(data.get("trainId", ()), spectrum["trainId"]):
            raise ValueError(
                f"data has {data.get('trainId', np.empty(0)).size} trains and the photons those of "
                f"{spectrum.sizes['trainId']}, expected the same. Give the result that the photons "
                "come from."
            )
        made = ["energy", "photon", "x", "y"]
        others = [name for name, v in data.variables.items() if not set(made) & set(v.dims)]
        return store_spectrum(data[others].copy(deep=False), spectrum)

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
        pixels = one_image(image)
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
        pixels = one_image(image)
        found = classify_photons(
            pixels, energy, **self._classify_options() | self._image_options(pixels)
        )
        x = found.x.values
        places = np.column_stack([x, found.y.values - self.parabola(x)])
        return places[~found.double.values], places[found.double.values]

    def parabola(self, x: Number) -> Number:
        """``(CURVE_B * x + CURVE_A) * x``: how far a line has moved at `x`, in pixels."""
        return parabola(x, *curvature_pair((self.CURVE_A, self.CURVE_B)))

    def _add_spectra(self, data: xr.Dataset, method: str, bins: int | None = None) -> xr.Dataset:
        frames, crop = self._cropped(data)
        analysis = self._analysis(method, crop, bins)
        energies = energies_of(data, frames) if analysis.needs_energy else None
        make = lazy_spectra if is_lazy(frames) else spectra_of
        spectrum = make(frames, analysis, energies)
        return store_spectrum(data, self._labelled(spectrum, crop))

    def _analysis(
        self, method: str, crop: Crop, bins: int | None = None, *, position: str | None = None
    ) -> Analysis:
        require_method(method)
        ways = {"auto": self._find_options, "manual": self._classify_options}
        options = ways[method](position) if method in ways else {}
        if pixels_of("READ_NOISE", options.get("read_noise")).ndim:
            options["read_noise"] = crop.of_chip("READ_NOISE", options["read_noise"])
        return Analysis(
            method,
            options,
            self._chip_options(crop),
            (self.CURVE_A, self.CURVE_B),
            self.BINS if bins is None else bins,
        )

    def _over_energy(self, spectrum: xr.DataArray, first_row: int) -> xr.DataArray:
        return with_energy(
            spectrum,
            intercept=number("energy_intercept", self.ENERGY_INTERCEPT),
            slope=number("energy_slope", self.ENERGY_SLOPE),
            first_row=first_row,
        )

    def _labelled(self, spectrum: xr.DataArray, crop: Crop) -> xr.DataArray:
        """`spectrum` over the energy, with the settings that made it."""
        spectrum = self._over_energy(spectrum, crop.y.start)
        spectrum.attrs |= provenance(
            spectrum.attrs["algorithm"],
            detector=self.DETECTOR,
            x_range=crop.x,
            y_range=crop.y,
            use_dark=self._uses_dark(),
            dark_run=self.dark_run if self._uses_dark() else None,
            n_masked=0 if self.MASK is None else int(np.count_nonzero(self.MASK)),
        )
        return spectrum
