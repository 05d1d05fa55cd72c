"""Check the photons found: none, false hits, outside the axis; thresholds and charge."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hrixs.doubt_rules.doubt import Doubt
from hrixs.utils.typing import Floats

# Share of false hits from which on it is reported, and from which on there is hardly any light.
_FALSE, _ALL_FALSE = 0.05, 0.7
_LEAST_FALSE = 5.0
# Share of photons outside the axis, and their least number.
_OUTSIDE = 0.05
_LEAST_OUTSIDE = 10
# Highest threshold, in units of a photon's charge: above it, photons at the corner of four pixels
# are lost.
_THRESHOLD_HIGH = 0.75
# Standard deviation of a frame's squares, with light, in units of that of their noise: if it is
# larger, light or bad pixels set the threshold.
_SPREAD = 5.0
# Limits of a threshold for double hits, in units of a photon's charge.
_DOUBLE = 1.25, 1.9
# Largest relative difference of the charge of isolated photons from that of energy and gain; the
# factor from which on it is grave.
_CHARGE, _GRAVE_CHARGE = 0.1, 1.5
# Least rows of an integrated spectrum in which a line can be found, and how far it stands out.
_ROWS_OF_A_SPECTRUM, _LINE_ERRORS = 32, 4.0
# It is light if it varies from image to image as charges of this many times a pixel's noise do.
# This needs this many images; a line that stands out clearly is allowed this many errors of the
# scatter.
_LEAST_CHARGE, _IMAGES_FOR_SCATTER = 5.0, 3
_CLEARLY, _SCATTER_ERRORS = 6.0, 3.0


def no_line(spectra: Floats, *, n_columns: int = 0, noise: float = 0.0) -> list[Doubt]:
    """Return a doubt if integrated spectra have no line, or only structure of the chip.

    Rows with photons vary from image to image by the charge of the photons. Hot pixels and steps
    of the level are the same in all images.

    Parameters
    ----------
    spectra : numpy.ndarray, shape (images, rows)
        Mean over the columns; shape (rows,) for one image.
    n_columns : int
        Number of columns of the crop; 0 if the spectra are not in ADU per pixel.
    noise : float
        Noise of a pixel, in ADU.
    """
    spectra = np.atleast_2d(spectra)
    spectrum = spectra.mean(axis=0)
    if len(spectrum) < _ROWS_OF_A_SPECTRUM:
        return []
    smooth = np.convolve(spectrum, np.ones(3) / 3, mode="valid")
    height = smooth - np.median(smooth)
    scatter = 1.4826 * float(np.median(np.abs(height)))
    highest = float(height.max())
    if highest == 0:
        return []
    if highest > _LINE_ERRORS * scatter:
        stands = np.convolve(height > _LINE_ERRORS * scatter, np.ones(3)) > 0
        errors = _SCATTER_ERRORS if highest > _CLEARLY * scatter else 0.0
        return _of_the_chip(spectra, stands, n_columns, noise, errors)
    return [
        Doubt(
            "no_light",
            "the integrated spectrum has no line: its highest row is "
            f"{highest / max(scatter, 1e-300):.1f} standard deviations above the median "
            f"(expected over {_LINE_ERRORS:g}). Check that this is not a dark run, and that "
            "X_RANGE and Y_RANGE contain the lines.",
            {"highest": highest, "scatter": scatter},
        )
    ]


def _of_the_chip(
    spectra: Floats, stands: NDArray[np.bool_], n_columns: int, noise: float, errors: float
) -> list[Doubt]:
    """Return a doubt if rows stand out, but vary from image to image less than with photons."""
    n_images = len(spectra)
    if n_images < _IMAGES_FOR_SCATTER or not n_columns or not noise > 0 or stands.all():
        return []
    own = spectra - np.median(spectra, axis=1, keepdims=True)
    light = own.mean(axis=0) - np.median(own.mean(axis=0)[~stands])
    variance = own.var(axis=0, ddof=1)
    usual = float(np.median(variance[~stands]))
    if not light[stands].sum() > 0 or not usual > 0:
        return []
    # Without a dark, uneven pixels raise `noise`, but not the noise from image to image.
    n = n_images - 1
    middle = (1 - 2 / (9 * n)) ** 3  # median of chi squared over its mean
    noise = min(noise, float(np.sqrt(usual / middle * n_columns)))

    def charge(rows: NDArray[np.intp], errors: float) -> float:
        """Charge by which these rows vary, in ADU: that of a photon, or of an electron."""
        error = usual * float(np.sqrt(2 * len(rows) / (n_images - 1)))
        excess = float((variance[rows] - usual).sum()) + errors * error
        return excess * n_columns / max(float(light[rows].sum()), 1e-300)

    rows = np.flatnonzero(stands)
    most = charge(rows, errors)
    least = _LEAST_CHARGE * noise
    lines = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)
    if most >= least or any(charge(line, -_SCATTER_ERRORS) >= least for line in lines):
        return []
    return [
        Doubt(
            "no_light",
            f"the lines of the integrated spectrum are the same in all {n_images} images: they "
            f"vary as if by charges of {max(most, 0.0):.2g} ADU (expected over {least:.2g} ADU, "
            f"{_LEAST_CHARGE:g} times the noise of a pixel). They come from hot pixels or steps "
            "of the level, not from photons. Check that this is not a dark run; if it is not, "
            "subtract a dark, or mask bad pixels (find_bad_pixels).",
            {"most": most, "least": least, "n_rows": len(rows)},
        )
    ]


def no_photons(n_photons: float, n_images: int) -> list[Doubt]:
    """Return a doubt if a result has no photon."""
    if n_photons > 0 or not n_images:
        return []
    return [
        Doubt(
            "no_photons",
            f"no photon was found in {n_images} images. Check that there was light. If there "
            "was, the threshold is too high: noise_report(run) suggests one.",
            {"n_images": n_images},
            grave=True,
        )
    ]


def false_hits(expected: float, n_hits: float) -> list[Doubt]:
    """Return a doubt if noise makes more than 5 % of the hits, or most of them, as in a dark run.

    Parameters
    ----------
    expected : float
        Hits that noise alone makes above the thresholds in use, in all images.
    n_hits : float
        Hits in all images.
    """
    if not n_hits or expected < _LEAST_FALSE or expected < _FALSE * n_hits:
        return []
    figures = {"expected": expected, "n_hits": n_hits}
    if expected > _ALL_FALSE * n_hits:
        return [
            Doubt(
                "no_light",
                f"{n_hits:.0f} hits were found, and noise alone makes {expected:.0f} above the "
                "threshold: there is hardly any light. Check that this is not a dark run; if it "
                "is not, use a threshold from noise_report(run).",
                figures,
                grave=True,
            )
        ]
    return [
        Doubt(
            "false_hits",
            f"noise alone makes about {expected:.0f} of the {n_hits:.0f} hits "
            f"({expected / n_hits:.0%}, expected under {_FALSE:.0%}). Raise the threshold: "
            "noise_report(run) suggests one.",
            figures,
        )
    ]


def outside_of_axis(n_outside: float, n_photons: float) -> list[Doubt]:
    """Return a doubt if more than 5 % of the photons are outside the axis."""
    n_all = n_outside + n_photons
    if n_outside < _LEAST_OUTSIDE or n_outside < _OUTSIDE * n_all:
        return []
    return [
        Doubt(
            "outside",
            f"{n_outside:.0f} of {n_all:.0f} photons are outside the axis after the curvature is "
            f"corrected (expected under {_OUTSIDE:.0%}). Widen Y_RANGE, or check CURVE_A and "
            "CURVE_B.",
            {"n_outside": n_outside, "n_photons": n_photons},
        )
    ]


def thresholds(
    charge: float, *, threshold: float | None = None, dbl_threshold: float | None = None
) -> list[Doubt]:
    """Return doubts if thresholds do not match the charge of one photon.

    Parameters
    ----------
    charge : float
        Charge of isolated photons, in ADU.
    threshold : float, optional
        Threshold of a hit, above four times the level, in ADU.
    dbl_threshold : float, optional
        Threshold of a double hit, in ADU.
    """
    found = []
    if threshold is not None and threshold > _THRESHOLD_HIGH * charge:
        found.append(
            Doubt(
                "threshold_high",
                f"the threshold is {threshold:.0f} ADU above the level, {threshold / charge:.2f} "
                f"times the charge of one photon ({charge:.0f} ADU; expected under "
                f"{_THRESHOLD_HIGH} times). Photons that share their charge between pixels are "
                "lost. Set THRESHOLD to the value that noise_report(run) suggests, mask bad "
                "pixels (find_bad_pixels), or use method='best'.",
                {"threshold": threshold, "charge": charge},
                grave=threshold > charge,
            )
        )
    if dbl_threshold is not None and not (
        _DOUBLE[0] * charge < dbl_threshold < _DOUBLE[1] * charge
    ):
        found.append(
            Doubt(
                "double_threshold",
                f"DBL_THRESHOLD = {dbl_threshold:.0f} ADU is {dbl_threshold / charge:.2f} times "
                f"the charge of one photon ({charge:.0f} ADU; expected about 1.5 times). Single "
                "photons are counted as two, or two as one. Set DBL_THRESHOLD = "
                f"{1.5 * charge:.0f}.",
                {"dbl_threshold": dbl_threshold, "charge": charge},
                grave=dbl_threshold < charge,
            )
        )
    return found


def spread(times: float) -> list[Doubt]:
    """Return a doubt if a threshold comes from a standard deviation far above the noise.

    Parameters
    ----------
    times : float
        Standard deviation of all 2x2 squares, divided by that of their noise.
    """
    if not times > _SPREAD:
        return []
    return [
        Doubt(
            "spread",
            "the threshold (STD_THRESHOLD) comes from the standard deviation of each frame's 2x2 "
            f"squares, which is {times:.1f} times that of their noise (expected under "
            f"{_SPREAD:g}). Stuck rows, steps of the level or much light raise it, and photons "
            "below it are lost. Set THRESHOLD = '6 sigma', which uses the noise alone, or mask "
            "bad pixels.",
            {"times": times},
            grave=times > 4 * _SPREAD,
        )
    ]


def charge_of_one(seen: float, expected: float) -> list[Doubt]:
    """Return a doubt if isolated photons have a charge 10 % off that of energy and gain."""
    ratio = seen / expected
    if abs(ratio - 1) <= _CHARGE:
        return []
    return [
        Doubt(
            "charge",
            f"isolated photons have a charge of {seen:.0f} ADU, {ratio:.2f} times the expected "
            f"{expected:.0f} ADU. The number of photons is wrong by a similar factor. Set "
            "ELECTRONS_PER_ADU (or EV_PER_PAIR) to the value of the camera, or set PHOTON_CHARGE.",
            {"seen": seen, "expected": expected},
            grave=not 1 / _GRAVE_CHARGE < ratio < _GRAVE_CHARGE,
        )
    ]
