"""Photons found: none, those of noise, those beside the axis; thresholds and charge."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hrixs.doubt_rules.doubt import Doubt
from hrixs.utils.typing import Floats

# False hits of all hits: told, and from which on there is no light to speak of.
_FALSE, _ALL_FALSE = 0.05, 0.7
_LEAST_FALSE = 5.0
# Photons outside of the axis.
_OUTSIDE = 0.05
_LEAST_OUTSIDE = 10
# A threshold in parts of the charge of a photon: above it, photons in the corner of four pixels
# are lost.
_THRESHOLD_HIGH = 0.75
# Standard deviation of a frame's squares, light and all, in that of their noise: beyond, light or
# bad pixels set the threshold.
_SPREAD = 5.0
# Between these parts of a photon's charge lies a threshold that tells doubles.
_DOUBLE = 1.25, 1.9
# Charge of lone photons against what energy and gain make, and from which factor on it is grave.
_CHARGE, _GRAVE_CHARGE = 0.1, 1.5
# Rows of an integrated spectrum that a line can be told in, and how far it stands out.
_ROWS_OF_A_SPECTRUM, _LINE_ERRORS = 32, 4.0
# It is light if it scatters from image to image as charges of so many times a pixel's noise do; of
# so many images that is asked, and with so many errors of the scatter where it stands out clearly.
_LEAST_CHARGE, _IMAGES_FOR_SCATTER = 5.0, 3
_CLEARLY, _SCATTER_ERRORS = 6.0, 3.0


def no_line(spectra: Floats, *, n_columns: int = 0, noise: float = 0.0) -> list[Doubt]:
    """Doubt integrated spectra in which nothing stands out, or only what is the chip's.

    Photons make the rows they fall on scatter from image to image by their charge; hot pixels and
    steps of the chip are in all images the same.

    Parameters
    ----------
    spectra : numpy.ndarray, shape (images, rows)
        Mean of the columns, or of one image without that dimension.
    n_columns : int
        Columns of the crop; 0 where they are not in ADU a pixel.
    noise : float
        Of a pixel, in ADU.
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
            f"nothing stands out of the integrated spectrum: its highest row lies "
            f"{highest / max(scatter, 1e-300):.1f} standard deviations above the middle (expected "
            f"over {_LINE_ERRORS:g}). Is this a dark run, or were the images cut beside the lines?",
            {"highest": highest, "scatter": scatter},
        )
    ]


def _of_the_chip(
    spectra: Floats, stands: NDArray[np.bool_], n_columns: int, noise: float, errors: float
) -> list[Doubt]:
    """Doubt rows that stand out and scatter by less than photons would make them."""
    n_images = len(spectra)
    if n_images < _IMAGES_FOR_SCATTER or not n_columns or not noise > 0 or stands.all():
        return []
    own = spectra - np.median(spectra, axis=1, keepdims=True)
    light = own.mean(axis=0) - np.median(own.mean(axis=0)[~stands])
    variance = own.var(axis=0, ddof=1)
    usual = float(np.median(variance[~stands]))
    if not light[stands].sum() > 0 or not usual > 0:
        return []
    # Without a dark, pixels that are uneven make `noise`, and not that from image to image.
    n = n_images - 1
    middle = (1 - 2 / (9 * n)) ** 3  # median of chi squared in its mean
    noise = min(noise, float(np.sqrt(usual / middle * n_columns)))

    def charge(rows: NDArray[np.intp], errors: float) -> float:
        """What falls on rows together, in ADU: a photon, or electrons one by one."""
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
            f"what stands out of the integrated spectrum is the same in all {n_images} images, to "
            f"what charges of {max(most, 0.0):.2g} ADU scatter by (expected over {least:.2g} ADU, "
            f"{_LEAST_CHARGE:g} times the noise of a pixel): hot pixels and steps of the chip are "
            "so, and photons are not. Is this a dark run? Else subtract a dark, or mask bad pixels "
            "(find_bad_pixels).",
            {"most": most, "least": least, "n_rows": len(rows)},
        )
    ]


def no_photons(n_photons: float, n_images: int) -> list[Doubt]:
    """Doubt a result without any photon."""
    if n_photons > 0 or not n_images:
        return []
    return [
        Doubt(
            "no_photons",
            f"not one photon was found in {n_images} images. Is there light, and does the "
            "threshold suit the camera? noise_report suggests one.",
            {"n_images": n_images},
            grave=True,
        )
    ]


def false_hits(expected: float, n_hits: float) -> list[Doubt]:
    """Doubt hits of which noise makes more than 5 %; most, and the images look like a dark.

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
                "threshold: there is hardly any light. Is this a dark run? Else take "
                "noise_report(run) for a threshold.",
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
    """Doubt an axis that leaves more than 5 % of the photons beside it."""
    n_all = n_outside + n_photons
    if n_outside < _LEAST_OUTSIDE or n_outside < _OUTSIDE * n_all:
        return []
    return [
        Doubt(
            "outside",
            f"{n_outside:.0f} of {n_all:.0f} photons lie beside the axis once the curvature is "
            f"corrected (expected under {_OUTSIDE:.0%}). Widen Y_RANGE, or check CURVE_A and "
            "CURVE_B.",
            {"n_outside": n_outside, "n_photons": n_photons},
        )
    ]


def thresholds(
    charge: float, *, threshold: float | None = None, dbl_threshold: float | None = None
) -> list[Doubt]:
    """Doubt thresholds that do not suit the charge of one photon.

    Parameters
    ----------
    charge : float
        Of lone photons, in ADU.
    threshold : float, optional
        Of a hit, above four times the level, in ADU.
    dbl_threshold : float, optional
        Of a double hit, in ADU.
    """
    found = []
    if threshold is not None and threshold > _THRESHOLD_HIGH * charge:
        found.append(
            Doubt(
                "threshold_high",
                f"the threshold lies {threshold:.0f} ADU above the level, {threshold / charge:.2f} "
                f"times the {charge:.0f} ADU of a lone photon: photons that share their charge "
                f"between pixels are lost (expected under {_THRESHOLD_HIGH}). Set THRESHOLD as "
                "noise_report(run) suggests, mask bad pixels (find_bad_pixels), or take "
                "method='best'.",
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
                f"the {charge:.0f} ADU of a lone photon, expected about 1.5 times: singles count "
                f"as doubles, or the other way round. Set DBL_THRESHOLD = {1.5 * charge:.0f}.",
                {"dbl_threshold": dbl_threshold, "charge": charge},
                grave=dbl_threshold < charge,
            )
        )
    return found


def spread(times: float) -> list[Doubt]:
    """Doubt a threshold that is taken from a frame's own standard deviation, far above its noise.

    Parameters
    ----------
    times : float
        The standard deviation of all 2x2 squares in that of their noise.
    """
    if not times > _SPREAD:
        return []
    return [
        Doubt(
            "spread",
            f"the threshold is taken from the standard deviation of each frame's squares, which is "
            f"{times:.1f} times that of their noise (expected under {_SPREAD:g}): stuck rows, "
            "steps of the level or much light set it, and photons below it are lost. Set "
            "THRESHOLD = '6 sigma', which takes the noise alone, or mask bad pixels.",
            {"times": times},
            grave=times > 4 * _SPREAD,
        )
    ]


def charge_of_one(seen: float, expected: float) -> list[Doubt]:
    """Doubt an energy or a gain that makes another charge than lone photons have, by 10 %."""
    ratio = seen / expected
    if abs(ratio - 1) <= _CHARGE:
        return []
    return [
        Doubt(
            "charge",
            f"photons that stand alone have {seen:.0f} ADU, {ratio:.2f} times the {expected:.0f} "
            "ADU that was expected of one. Set ELECTRONS_PER_ADU (or EV_PER_PAIR) to the camera's, "
            "or PHOTON_CHARGE: what is counted is as wrong as the charge.",
            {"seen": seen, "expected": expected},
            grave=not 1 / _GRAVE_CHARGE < ratio < _GRAVE_CHARGE,
        )
    ]
