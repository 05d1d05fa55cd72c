"""The method of `hRIXS` that finds the curvature of the spectral lines."""

from __future__ import annotations

from typing import Any

import xarray as xr

from hrixs.camera.crop import Crop
from hrixs.curvature.image_fit import CurvatureFit, fit_curvature_image
from hrixs.curvature.photon_fit import PhotonCurvatureFit, fit_curvature
from hrixs.photons.find import find_photons
from hrixs.photons.lazy import photon_parts
from hrixs.photons.table import concat_photons
from hrixs.reduction.analysis import Analysis, require_method
from hrixs.reduction.run import process_run
from hrixs.reduction.stack import with_cloud_of_first
from hrixs.runs.run import RunLike
from hrixs.spectrometer.spectrum_methods import SpectrumMethods
from hrixs.utils.dask_arrays import is_lazy
from hrixs.utils.threads import resolve_threads


class CurvatureMethods(SpectrumMethods):
    """Finds the curvature, and sets it."""

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
            from hrixs.curvature.plots import plot_curvature, plot_photon_curvature

            if isinstance(fit, CurvatureFit):
                plot_curvature(image, fit)
            else:
                plot_photon_curvature(photons, fit, first=(crop.x.start, crop.y.start))
        return fit.curve_a, fit.curve_b

    def _photons_of_run(
        self, run: RunLike | xr.Dataset, proposal: int | str | None
    ) -> tuple[xr.Dataset, Crop]:
        """Photons of all images, found as `centroid` does, and the crop they are counted in."""
        if isinstance(run, xr.Dataset):
            frames, crop = self._cropped(run)
            analysis = self._analysis("auto", crop)
            analysis = with_cloud_of_first(analysis, frames, None)
            options = analysis.options | analysis.chip
            if is_lazy(frames):
                parts = photon_parts(frames, **options)
                return concat_photons([part.compute() for part in parts]), crop
            return find_photons(frames, **options), crop

        def analyse(nx: int, ny: int) -> tuple[Analysis, Crop]:
            crop = self._crop(nx, ny)
            return self._analysis("auto", crop), crop

        opened, threads = self._open(run, proposal), resolve_threads(self.THREADS)
        result, crop = process_run(
            opened, self.DETECTOR, [], analyse, threads=threads, photons=True
        )
        columns = {f"photon_{name}": name for name in ("x", "y", "double")}
        return result[list(columns)].rename(columns), crop


def _parabola_fit(photons: xr.Dataset, options: dict[str, Any]) -> PhotonCurvatureFit:
    if options.get("degree", 2) > 2:
        raise ValueError(
            f"degree = {options['degree']}, but CURVE_A and CURVE_B are a parabola, of degree 2. "
            "Use hrixs.fit_curvature for other curves."
        )
    return fit_curvature(photons, **options)
