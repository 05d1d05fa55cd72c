"""Fit the curvature of a run to its mean image or its photons, check it, and set it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.crop import Crop
from hrixs.camera.dataset import image_parts
from hrixs.camera.frames import as_frames
from hrixs.camera.half_means import HalfMeans, HalvesAdder
from hrixs.camera.possible_pixels import refuse_impossible
from hrixs.curvature.chip_lines import ChipLines, along_rows, chip_lines, row_levels
from hrixs.curvature.doubts_of_line import (
    doubt_of_errors,
    doubt_of_hits,
    doubt_of_line,
    doubt_text,
)
from hrixs.curvature.image_fit import CurvatureFit, fit_curvature_image
from hrixs.curvature.photon_fit import PhotonCurvatureFit, fit_curvature
from hrixs.photons.find import find_photons
from hrixs.photons.lazy import photon_parts
from hrixs.photons.table import concat_photons
from hrixs.reduction.analysis import Analysis, require_method
from hrixs.reduction.run import photons_of_run
from hrixs.reduction.stack import settled_by_first
from hrixs.runs.images import iterate_images
from hrixs.settings.attributes import Settings
from hrixs.spectrometer.inputs import RunOrData, first_images, images_in, index, source_of
from hrixs.spectrometer.recipe import analysis_of, camera_options, crop_of, cropped
from hrixs.utils.checks import finite_number
from hrixs.utils.dask_arrays import is_lazy
from hrixs.utils.errors import DoubtfulCurvatureError, MissingDataError, NoLineError, warn
from hrixs.utils.threads import resolve_threads
from hrixs.utils.typing import Floats

# Number of images that show the patterns of the chip, before photons are found.
_FIRST_IMAGES = 32
# A masked row cuts a line within this number of its widths, and of pixels; share of the columns
# that may be left out.
_REACH, _LEAST_WIDTH, _MOST_CUT = 1.5, 3.0, 0.6
# Largest shift of lines of a calibrated axis by another curve, in rows.
_MOVED = 0.5


def find_curvature(
    h: Settings,
    run: RunOrData,
    proposal: int | str | None,
    *,
    plot: bool,
    start: tuple[float, float] | None,
    method: str,
    **options: Any,
) -> None:
    """Fit the curvature to the mean image or to the photons of a run, and set it."""
    from hrixs.curvature import plots

    require_method(method, ("image", "photons"))
    run = images_in(h, run)
    fit: CurvatureFit | PhotonCurvatureFit
    light: Light | None = None
    if method == "photons" and isinstance(run, xr.Dataset) and "photon" in run.dims:
        photons = run
        fit = _fit_table(photons, {"start": start} | options)
    elif method == "image":
        light = light_of(h, run, proposal)
        fit = fit_line(light, start, options)
        light.tell(fit)
    else:
        light = light_of(h, run, proposal, n_images=_FIRST_IMAGES)
        photons = photons_of(h, run, proposal, light)
        fit = _fit_photons(light, photons, {"start": start, "shape": light.crop.shape} | options)
        light.tell(fit)
    _tell_moved_energies(h, fit, light.crop if light is not None else None)
    h.curvature_fit, h.curvature = fit, fit.curvature
    if plot and isinstance(fit, CurvatureFit) and light is not None:
        plots.plot_curvature(light.image, fit)
    elif plot and isinstance(fit, PhotonCurvatureFit):
        plots.plot_photon_curvature(photons.assign_attrs(source_of(h, run, proposal)), fit)


def _tell_moved_energies(
    h: Settings, fit: CurvatureFit | PhotonCurvatureFit, crop: Crop | None
) -> None:
    """Warn if another curve shifts the lines of an axis calibrated with the previous one."""
    slope = finite_number("energy_slope", h.ENERGY_SLOPE)
    calibrated = (finite_number("energy_intercept", h.ENERGY_INTERCEPT), slope) != (0.0, 1.0)
    if crop is None or not calibrated or h.curvature_fit is None:
        return
    columns = np.arange(*crop.ranges["x_range"], dtype=np.float64)
    moved = float(np.mean(fit.curvature(columns) - h.curvature(columns)))
    if abs(moved) < _MOVED:
        return
    warn(
        f"this curve moves lines by {abs(moved):.2g} rows, {1e3 * abs(moved * slope):.2g} meV, "
        f"from those of the previous curve (mean of columns {columns[0]:.0f} to "
        f"{columns[-1]:.0f}). "
        "The energy axis holds at column 0, to which both curves are extrapolated. Calibrate it "
        "again with this curve (calibrate_energy), or keep the previous curve for all columns."
    )


@dataclass(frozen=True)
class Light:
    """Mean image of a run in the crop, without patterns of the chip; data to recognise light."""

    halves: HalfMeans
    chip: ChipLines
    crop: Crop
    difference: Floats
    source: Mapping[str, Any] = field(default_factory=dict)

    @property
    def clean(self) -> Floats:
        """The mean image without patterns of the chip; NaN at bad pixels."""
        return self.chip.clean

    @property
    def image(self) -> xr.DataArray:
        """The clean image, in pixels of the chip."""
        return self._image(self.clean)

    def without_levels(self) -> xr.DataArray:
        """The clean image minus the level of each row, for tilted lines."""
        return self._image(self.clean - row_levels(self.clean))

    def columns_with_rows_missing(self, fit: PhotonCurvatureFit) -> NDArray[np.bool_]:
        """Columns in which the line is on, or next to, rows that are masked as a whole."""
        x0, y0 = self.crop.origin
        centre = fit.centre(x0 + np.arange(len(self.clean), dtype=np.float64)) - y0
        missing = np.flatnonzero(~np.isfinite(self.clean).any(axis=0))
        reach = _REACH * max(fit.fwhm, _LEAST_WIDTH)
        found = np.zeros(len(centre), dtype=bool)
        for row in missing:
            found |= np.abs(centre - row) < reach
        return found

    def _image(self, pixels: Floats) -> xr.DataArray:
        attrs = {"units": "ADU", "long_name": "mean image"} | dict(self.source)
        return xr.DataArray(pixels, self.crop.pixels, ("x", "y"), attrs=attrs)

    def doubt(self, fit: CurvatureFit | PhotonCurvatureFit) -> str | None:
        """Text why the fitted line is probably not light; None if there is no reason."""
        columns = self.crop.origin[0] + np.linspace(0.0, len(self.clean) - 1.0, 64)
        doubt = doubt_of_errors(fit.curve_error(columns))
        return doubt or doubt_of_line(fit, self.clean, self.difference, self.crop.origin)

    def tell(self, fit: CurvatureFit | PhotonCurvatureFit) -> None:
        """Warn of data left out, and of a line that spectra of the crop would lose."""
        for text in [*self.halves.remarks(), *self.chip.remarks()]:
            warn(text)
        (low, high), row = self.crop.ranges["y_range"], float(fit.centre(np.zeros(1))[0])
        if not low <= row < high:
            warn(
                f"the line would lie at row {row:.0f} in column 0, outside of the rows {low} to "
                f"{high - 1}: spectra straightened to column 0 lose it. Take more rows (Y_RANGE), "
                f"or set h.curvature = h.curvature.about({self._middle:.0f}), the middle column."
            )

    @property
    def _middle(self) -> float:
        return self.crop.origin[0] + self.crop.shape[0] // 2


def fit_line(
    light: Light, start: tuple[float, float] | None = None, options: Mapping[str, Any] | None = None
) -> CurvatureFit:
    """Fit the image; if this fails or is doubtful, fit it without the levels of the rows."""
    first: CurvatureFit | None = None
    options = options or {}
    try:
        first = fit_curvature_image(light.image, start=start, **options)
    except NoLineError as error:
        none, doubt = error, None
    else:
        doubt = light.doubt(first)
        if doubt is None:
            return first
    try:
        second = fit_curvature_image(light.without_levels(), start=start, **options)
        if light.doubt(second) is None:
            return second
    except NoLineError:
        pass
    if first is None or doubt is None:
        raise none
    raise DoubtfulCurvatureError(doubt_text(doubt, first), first)


def _fit_photons(light: Light, photons: xr.Dataset, options: dict[str, Any]) -> PhotonCurvatureFit:
    """Fit the photons, without the columns in which masked rows cut the line.

    The rest of a line that is cut along a row would pull the fit to this row.
    """
    fit = fit_curvature(photons, **options)
    cut = light.columns_with_rows_missing(fit)
    if cut.any() and options.get("weights") is None:
        if cut.mean() > _MOST_CUT:
            doubt = f"rows that are masked cut it in {int(cut.sum())} of {len(cut)} columns"
            raise DoubtfulCurvatureError(doubt_text(doubt, fit), fit)
        column = np.rint(photons["x"].values - light.crop.origin[0])
        column = np.clip(np.nan_to_num(column), 0, len(cut) - 1).astype(np.int64)
        near = {"start": fit.curvature} | {k: v for k, v in options.items() if v is not None}
        fit = fit_curvature(photons.isel(photon=~cut[column]), **near)
    why = light.doubt(fit) or doubt_of_hits(fit, photons["x"].values, photons["y"].values)
    if why is not None:
        raise DoubtfulCurvatureError(doubt_text(why, fit), fit)
    return fit


def _fit_table(photons: xr.Dataset, options: dict[str, Any]) -> PhotonCurvatureFit:
    """Fit photons of a table; the size of frames is from its attributes."""
    x_range, y_range = photons.attrs.get("x_range"), photons.attrs.get("y_range")
    if x_range is not None and y_range is not None:
        shape = int(x_range[1] - x_range[0]), int(y_range[1] - y_range[0])
        options = {"shape": shape} | options
    fit = fit_curvature(photons, **options)
    why = doubt_of_hits(fit, photons["x"].values, photons["y"].values)
    if why is not None:
        raise DoubtfulCurvatureError(doubt_text(why, fit), fit)
    return fit


def light_of(
    h: Settings, run: RunOrData, proposal: int | str | None, *, n_images: int | None = None
) -> Light:
    """The mean image (`Light`) of a run, or of its first images."""
    halves, crop = _halves_of(h, run, proposal, n_images)
    options = camera_options(h, crop)
    mean = halves.mean if options["dark"] is None else halves.mean - options["dark"]
    if options["mask"] is not None:
        mean = np.where(options["mask"], np.nan, mean)
    difference, n_images = halves.difference, halves.n_images
    if difference is None or not np.any(difference[np.isfinite(difference)]):
        difference, n_images = along_rows(mean), 1  # of one frame, or of copies of one
    for image in (mean, difference):
        refuse_impossible(image)
    chip = chip_lines(mean, difference, n_images, threads=h.THREADS)
    source = source_of(h, run, proposal) | {"n_images": halves.n_images}
    return Light(halves, chip, crop, difference, source)


def _halves_of(
    h: Settings, run: RunOrData, proposal: int | str | None, n_images: int | None
) -> tuple[HalfMeans, Crop]:
    if not isinstance(run, xr.Dataset):
        indexed = index(h, run, proposal)
        if n_images is not None:
            indexed = indexed.first(n_images)
        crop = crop_of(h, *indexed.frame_shape)
        adder = HalvesAdder(word="train", threads=h.THREADS)
        entries, swapped = indexed.entries, indexed.swapped
        with closing(iterate_images(entries, indexed.faults, swapped=swapped)) as parts:
            for images, numbers in parts:
                adder.add(images[..., crop.x, crop.y], entries.train_id[numbers])
        if not adder.n_images:
            raise MissingDataError(indexed.faults.why_none(indexed.camera))
        return adder.result(), crop
    data = run if n_images is None else first_images(h, run, proposal, n_images)
    images_in_crop, crop = cropped(h, data)
    dims, coords = images_in_crop.dims, images_in_crop.coords
    named = len(dims) > 2 and dims[0] == "trainId" and "trainId" in coords
    adder = HalvesAdder(word="train" if named else "number", threads=h.THREADS)
    for part in image_parts(images_in_crop):
        adder.add(as_frames(part).pixels, part["trainId"].values if named else None)
    return adder.result(), crop


def photons_of(h: Settings, run: RunOrData, proposal: int | str | None, light: Light) -> xr.Dataset:
    """Photons of all images, found as in `centroid`, without patterns of the chip."""
    if not isinstance(run, xr.Dataset):
        indexed = index(h, run, proposal)
        analysis = _without_chip(analysis_of(h, "auto", light.crop), light.chip)
        threads = resolve_threads(h.THREADS)
        return photons_of_run(indexed, analysis, light.crop, threads=threads)
    frames, crop = cropped(h, run)
    analysis = _without_chip(analysis_of(h, "auto", crop), light.chip)
    analysis = settled_by_first(analysis, frames, None, losses=False, look=False)
    options = analysis.options | analysis.flat_camera
    if is_lazy(frames):
        parts = photon_parts(frames, **options)
        return concat_photons([part.compute() for part in parts])
    return find_photons(frames, **options)


def _without_chip(analysis: Analysis, chip: ChipLines) -> Analysis:
    """The analysis with pedestals of the chip in the dark, and its bad pixels in the mask."""
    if not chip.matters:
        return analysis
    dark, mask = analysis.camera["dark"], analysis.camera["mask"]
    camera = analysis.camera | {
        "dark": chip.pattern if dark is None else dark + chip.pattern,
        "mask": chip.bad if mask is None else mask.astype(bool) | chip.bad,
    }
    return replace(analysis, camera=camera)
