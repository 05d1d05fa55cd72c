"""Texts of the page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import xarray as xr

from hrixs.doubt_rules.doubt import Doubt
from hrixs.energy.line import LineFit
from hrixs.utils.statistics import with_error
from hrixs.view.session import Session


def error_text(error: Exception) -> str:
    """An error as text; errors from outside the library with their type."""
    text = str(error) or type(error).__name__
    known = isinstance(error, ValueError | LookupError | TypeError | OSError | AttributeError)
    return escape(text if known else f"{type(error).__name__}: {text}")


def spectrum_text(spectra: xr.Dataset, session: Session) -> str:
    """Number of images and photons in the spectrum."""
    attrs, n = spectra["spectrum"].attrs, spectra["spectrum"][..., 0].size
    crop = session.crop.ranges
    where = "rows {}:{}, columns {}:{}".format(*crop["y_range"], *crop["x_range"])
    if "n_photons" not in attrs:
        return f"intensity of {n} images, {where}"
    photons, outside = float(attrs["n_photons"]), float(attrs.get("n_outside", 0))
    beside = f", {outside:.0f} outside the axis" if outside else ""
    return f"{photons:.0f} photons in {n} images, {photons / n:.1f} per image{beside}; {where}"


def doubts_in_short(doubts: Sequence[Doubt]) -> str:
    """Number of doubts, for the status line."""
    if not doubts:
        return "no doubts"
    grave = sum(one.grave for one in doubts)
    n = f"{len(doubts)} doubt{'s' if len(doubts) > 1 else ''}"
    return f"<b>{n}</b>" + (f", <b>{grave} grave</b>" if grave else "")


def doubts_text(doubts: Sequence[Doubt]) -> str:
    """Doubts as a list, the grave ones first."""
    if not doubts:
        return "<p>No doubts: nothing unusual was found.</p>"
    ordered = sorted(doubts, key=lambda one: (not one.grave, one.code))
    items = "".join(
        f"<li><b>{escape(one.code)}{' (grave)' if one.grave else ''}</b>: {escape(one.text)}</li>"
        for one in ordered
    )
    return f"<ul style='padding-left: 18px; margin: 4px 0'>{items}</ul>"


def width_text(fit: LineFit, counted: bool) -> str:
    """Width, position and photons of a line, with errors."""
    # Energies in eV, widths in meV, as is usual.
    if fit.units == "eV":
        width = f"{with_error(1e3 * fit.fwhm, 1e3 * fit.fwhm_err)} meV"
    else:
        width = f"{with_error(fit.fwhm, fit.fwhm_err)} {fit.units}"
    place = f"{with_error(fit.centre, fit.centre_err)} {fit.units}"
    area = f", {with_error(fit.area, fit.area_err)} photons" if counted else ""
    return f"<b>FWHM {width}</b> at {place}{area}; chi² {fit.chi2:.2f}"
