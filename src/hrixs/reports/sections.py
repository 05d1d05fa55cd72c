"""The sections of a page, in their order."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.curve import Curvature, CurveLike
from hrixs.camera.frames import along_x_y, first_pixel
from hrixs.reports.contents import Section
from hrixs.reports.elastic import Elastic, elastic_line
from hrixs.reports.facts import numbers, run_labels
from hrixs.reports.faults import faults_section
from hrixs.reports.image_plot import crop_figure, whole_figure
from hrixs.reports.over_trains import over_trains
from hrixs.reports.scan_plot import scan_figure
from hrixs.reports.spectra_of import Spectra, one_energy
from hrixs.reports.spectrum_plot import line_figure, spectrum_figure
from hrixs.reports.trains_plot import trains_figure

_NO_IMAGE = (
    "No image was given. `h.report(result, path, run)` draws the mean image of the run, or give "
    "`hrixs.report(..., image=h.mean_image(run))`."
)


def sections_of(
    spectra: Spectra, trains: Spectra | None, *, image: Any, curvature: CurveLike | None,
    mask: Any, why_no_image: str,
) -> list[Section]:  # fmt: skip
    """Make all sections; `trains` has the single images, if spectra were summed."""
    slope = spectra.attrs.get("energy_slope")
    line = elastic_line(spectra.total, spectra.error, None if slope is None else float(slope))
    made = [spectrum_section(spectra, line)]
    if spectra.groups:
        made.append(Section(f"Over {', '.join(spectra.groups)}", [scan_figure(spectra)]))
    made.append(image_section(spectra, line, image, curvature, mask, why_no_image))
    images = spectra if spectra.images else trains
    made.append(trains_section(images, line, grouped=bool(spectra.groups)))
    made.append(faults_section(spectra.attrs))
    made.append(Section("Numbers", rows=numbers(spectra)))
    return made


def spectrum_section(spectra: Spectra, line: Elastic) -> Section:
    """The sum of the spectra and its elastic line."""
    section = Section("Spectrum", [spectrum_figure(spectra)])
    number = spectra.n_images
    of = "" if number is None else f" of {number} image{'' if number == 1 else 's'}"
    if spectra.counted:
        n_photons = float(np.nansum(spectra.total.values))
        text = f"Sum{of}: {n_photons:.0f} photons. Errors are one standard deviation."
        if spectra.error is None:
            text = (
                f"Total: {n_photons:.6g} photons, as in the result. Errors are not drawn: they "
                "cannot be known after the changes made to the result."
            )
    else:
        text = (
            f"Mean{of}, in {spectra.total.attrs.get('units', 'the units of the result')}: "
            "integrated intensity. Its errors are not known and not drawn."
        )
    section.texts += [text, line.text]
    section.texts += [spectra.why_no_loss] if spectra.why_no_loss else []
    if line.fit is not None:
        section.figures.append(line_figure(spectra.summed, line.fit))
    return section


def trains_section(trains: Spectra | None, line: Elastic, *, grouped: bool) -> Section:
    """Section on changes from image to image; `grouped`: images differ by more than chance."""
    section = Section("Over the run")
    if trains is None or trains.images is None:
        section.texts.append(
            "The images were summed, so changes from one to the next are not in this result."
        )
        return section
    if not trains.data.sizes[trains.images]:
        section.texts.append("There are no images.")
        return section
    of_one_kind = one_energy(trains.data) and len(run_labels(trains.data)) < 2
    alike = not grouped and of_one_kind and trains.error is not None
    values = over_trains(trains, line.fit, elastic=line.is_elastic, alike=alike)
    section.figures.append(trains_figure(values))
    if values.expected is not None:
        mean, scatter = values.expected
        ratio = (values.intensity - mean) / np.where(scatter > 0, scatter, np.nan)
        section.texts.append(
            f"From image to image the photons scatter {np.sqrt(np.nanmean(ratio**2)):.2g} times "
            "as much as expected from counting alone (the band)."
        )
    if values.incident is None:
        section.texts.append("The incident intensity (`I0`) is not in the result.")
    section.texts.append(values.drift.text)
    return section


def image_section(
    spectra: Spectra, line: Elastic, image: Any, curvature: CurveLike | None, mask: Any,
    why_no_image: str,
) -> Section:  # fmt: skip
    """Section with the image, crop, curve and mask."""
    section = Section("Image")
    if image is None:
        section.texts.append(why_no_image or _NO_IMAGE)
        return section
    picture = _as_image(image)
    attrs = spectra.attrs
    curve = Curvature.of(curvature) if curvature is not None else _curve_of(attrs)
    bad = _mask_of_chip(picture, mask)
    crop = _crop_of(attrs, picture)
    row = _row_of_line(spectra, line, crop)
    section.figures.append(whole_figure(picture, crop, curve, row, bad))
    if crop != _extent(picture):
        section.side_by_side = True
        section.figures.append(crop_figure(picture, crop, curve, row, bad))
    (left, right), (low, high) = crop
    through = "the fitted line" if line.fit is not None else "the middle of the crop"
    n_bad = int(bad[left:right, low:high].sum())
    what = str(picture.attrs.get("long_name", "mean image"))
    texts = [f"The {what}. The crop is X {left}:{right}, Y {low}:{high}."]
    if curve is None:
        texts.append("The curve of the lines is not known.")
    elif not np.any(curve.coefficients):
        texts.append("The curve is 0: the lines are taken as straight (dashed).")
    else:
        texts.append(f"The dashed curve goes through {through}.")
    are = "pixel in it is" if n_bad == 1 else "pixels in it are"
    texts.append(f"{n_bad} {are} masked, in magenta." if n_bad else "No pixel in it is masked.")
    texts += [str(picture.attrs["comment"])] if "comment" in picture.attrs else []
    section.texts.append(" ".join(texts))
    return section


def _as_image(image: Any) -> xr.DataArray:
    picture = along_x_y(image)
    if not isinstance(picture, xr.DataArray):
        picture = xr.DataArray(np.asarray(picture), dims=("x", "y"))
    if picture.ndim != 2:
        raise ValueError(f"image has {picture.ndim} dimensions, expected one of (x, y).")
    return picture.astype(np.float64)


def _extent(picture: xr.DataArray) -> tuple[tuple[int, int], tuple[int, int]]:
    x0, y0 = first_pixel(picture) or (0, 0)
    return (x0, x0 + picture.sizes["x"]), (y0, y0 + picture.sizes["y"])


def _crop_of(attrs: Any, picture: xr.DataArray) -> tuple[tuple[int, int], tuple[int, int]]:
    """The crop, as far as the result has it."""
    ends = []
    for name, (first, last) in zip(("x_range", "y_range"), _extent(picture), strict=True):
        told = np.asarray(attrs.get(name, (first, last)))
        low, high = (int(told[0]), int(told[1])) if told.shape == (2,) else (first, last)
        low, high = max(low, first), min(high, last)
        ends.append((low, high) if low < high else (first, last))
    return ends[0], ends[1]


def _mask_of_chip(picture: xr.DataArray, mask: Any) -> NDArray[np.bool_]:
    """The bad pixels of the chip that are in the image."""
    (left, right), (low, high) = _extent(picture)
    bad = np.zeros((right, high), dtype=bool)
    bad[left:, low:] = np.isnan(picture.values)
    if mask is None:
        return bad
    given = np.asarray(along_x_y(mask), dtype=bool)
    x0, y0 = first_pixel(mask) or ((left, low) if given.shape == picture.shape else (0, 0))
    covers = x0 <= left and y0 <= low and x0 + given.shape[0] >= right
    if given.ndim != 2 or not (covers and y0 + given.shape[1] >= high):
        raise ValueError(
            f"mask has shape {given.shape}, expected the shape of the chip or of the image, "
            f"{picture.shape}."
        )
    bad[left:, low:] |= given[left - x0 : right - x0, low - y0 : high - y0]
    return bad


def _curve_of(attrs: Any) -> Curvature | None:
    try:
        return Curvature.of_attrs(attrs)
    except ValueError:
        return None


def _row_of_line(
    spectra: Spectra, line: Elastic, crop: tuple[tuple[int, int], tuple[int, int]]
) -> float:
    """Row of the chip in which the fitted line crosses the curve's reference column."""
    middle = (crop[1][0] + crop[1][1]) / 2
    attrs = spectra.attrs
    if line.fit is None or "energy_slope" not in attrs or not float(attrs["energy_slope"]):
        return middle
    energy = line.fit.centre
    if spectra.total.dims == ("energy_loss",):
        total = spectra.total
        if "energy" not in total.coords or total["energy"].ndim != 1:
            energy = float(attrs.get("zero_loss", np.nan)) - energy
        else:
            energy = float(total["energy"][0] + total["energy_loss"][0]) - energy
    row = (energy - float(attrs["energy_intercept"])) / float(attrs["energy_slope"])
    return row if np.isfinite(row) else middle
