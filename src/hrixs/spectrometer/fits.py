"""Parameters that the class measures from runs: cloud, noise, bad pixels, energy axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from hrixs.camera.crop import Crop, first_row
from hrixs.camera.dataset import images_of, numbers_of_energy
from hrixs.camera.frames import first_pixel
from hrixs.energy.axis import EnergyCalibration
from hrixs.energy.calibration import calibrate_energy
from hrixs.noise.bad_pixels import bad_pixels
from hrixs.noise.report import NoiseReport, noise_report
from hrixs.photons.cloud import estimate_cloud
from hrixs.photons.cloud_width import CloudEstimate
from hrixs.reduction.analysis import require_method
from hrixs.settings.attributes import Settings
from hrixs.spectrometer.inputs import (
    RunOrData,
    first_images,
    frames_in_crop,
    images_in,
    source_of,
)
from hrixs.spectrometer.recipe import (
    add_spectra,
    analysis_of,
    camera_options,
    mask_of,
    uses_dark,
)
from hrixs.spectrometer.spectra import process_run
from hrixs.utils.checks import whole_number
from hrixs.utils.errors import warn


def set_cloud(
    h: Settings, run: RunOrData, proposal: int | str | None, n_images: int
) -> CloudEstimate:
    """Estimate the width of the charge cloud from the first images of a run, and set it."""
    data = first_images(h, run, proposal, whole_number("n_images", n_images))
    frames, crop = frames_in_crop(h, data)
    analysis = analysis_of(h, "auto", crop, position="gaussian")
    estimate = estimate_cloud(frames, **analysis.options, **analysis.camera)
    h.CLOUD_SIGMA = estimate.cloud_sigma
    return estimate


def report_noise(
    h: Settings,
    run: RunOrData,
    proposal: int | str | None,
    *,
    n_images: int,
    dark: RunOrData | None,
    energy: float | None,
) -> NoiseReport:
    """Suggest thresholds from the first images of a run; see `hrixs.hRIXS.noise_report`."""
    n_images = whole_number("n_images", n_images)
    run = images_in(h, run)
    data = first_images(h, run, proposal, n_images, [] if energy is not None else ["nrj"])
    frames, crop = frames_in_crop(h, data)
    options = camera_options(h, crop)
    if dark is not None:
        options["dark"] = _darks(h, dark, proposal, crop, n_images)
    if energy is None and "nrj" in data.variables:
        energies = numbers_of_energy(data["nrj"])
        usable = energies[np.isfinite(energies) & (energies > 0)]
        energy = float(np.median(usable)) if usable.size else None
    report = noise_report(frames, energy=energy, max_frames=n_images, **options)
    report.attrs.update(source_of(h, run, proposal))
    if h.THRESHOLD is not None and not isinstance(h.THRESHOLD, str):
        report.attrs["threshold_in_use"] = float(h.THRESHOLD)
    return report


def _darks(
    h: Settings, dark: RunOrData, proposal: int | str | None, crop: Crop, n_images: int
) -> xr.DataArray:
    """The first images of a dark run, in the crop."""
    if not uses_dark(h):
        warn(
            "a dark is given, but USE_DARK is not set: the thresholds are for frames with a dark "
            "subtracted. Call load_dark before they are used."
        )
    darks = images_of(first_images(h, dark, proposal, n_images), h.DETECTOR)
    crop.of_chip("the dark", darks[(0,) * (darks.ndim - 2)])  # of the same pixels, or raises
    return darks.isel(x=crop.x, y=crop.y).compute()


def mask_bad_pixels(
    h: Settings,
    run: RunOrData,
    proposal: int | str | None,
    n_images: int,
    *,
    plot: bool,
    **options: Any,
) -> xr.DataArray:
    """Find the bad pixels in the first images of a run, and add them to the mask."""
    run = images_in(h, run)
    data = first_images(h, run, proposal, whole_number("n_images", n_images))
    frames = images_of(data, h.DETECTOR).compute()
    whole_chip = Crop.of(slice(None), slice(None), frames.sizes["x"], frames.sizes["y"])
    whole_chip = replace(whole_chip, first=first_pixel(frames) or (0, 0))
    before = mask_of(whole_chip.of_chip("MASK", h.MASK))
    mask = bad_pixels(frames, **{"threads": h.THREADS} | options)
    if before is not None:
        mask = mask.copy(data=mask.values | before.astype(bool))
    h.MASK = mask
    if plot:
        from hrixs.camera.plots import plot_mask

        own = source_of(h, run, proposal) | {"n_images": len(frames)}
        plot_mask(mask.assign_attrs(own))
    return mask


def set_energy_axis(
    h: Settings,
    runs: Sequence[RunOrData | xr.DataArray],
    energies: ArrayLike,
    *,
    degree: int,
    plot: bool,
    proposal: int | str | None,
    method: str,
    **options: Any,
) -> EnergyCalibration:
    """Fit the energy axis to lines of known energies, and set it."""
    require_method(method)
    result = calibrate_energy(
        [_with_line(h, run, proposal, method) for run in runs],
        energies,
        degree=degree,
        curvature=h.curvature,
        first_row=first_row(h.Y_RANGE),
        noise="gaussian" if method == "integrate" else "poisson",
        **options,
    )
    h.ENERGY_INTERCEPT, h.ENERGY_SLOPE = result.axis
    h.calibrated = result.axis, (float(result.energies.min()), float(result.energies.max()))
    if degree == 2:
        straight = result.axis[0] + result.axis[1] * result.rows
        off = float(np.abs(straight - result.energy(result.rows)).max())
        warn(
            f"ENERGY_INTERCEPT and ENERGY_SLOPE give a straight line, which deviates by up to "
            f"{1e3 * off:.2g} meV at the lines. For the curved axis use energy(row) of the result."
        )
    if plot:
        from hrixs.energy.calibration_plot import plot_calibration

        plot_calibration(result)
    return result


def _with_line(
    h: Settings, run: RunOrData | xr.DataArray, proposal: int | str | None, method: str
) -> xr.Dataset | xr.DataArray:
    """Convert an argument to something that `hrixs.calibrate_energy` accepts as a line."""
    if isinstance(run, xr.DataArray):
        return run
    if not isinstance(run, xr.Dataset):
        return process_run(h, run, proposal=proposal, method=method)
    if "spectrum" in run or "photon" in run.dims:
        return run
    return add_spectra(h, run.copy(deep=False), method)
