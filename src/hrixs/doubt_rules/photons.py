"""Photons found: none, those of noise, those beside the axis; thresholds, the dark's level."""

from __future__ import annotations

import numpy as np

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
# Between these parts of a photon's charge lies a threshold that tells doubles.
_DOUBLE = 1.25, 1.9
# Charge of lone photons against what energy and gain make, and from which factor on it is grave.
_CHARGE, _GRAVE_CHARGE = 0.1, 1.5
# Level of the images above their dark, in parts of a pixel's noise, and at least in ADU; so many
# times that is grave.
_LEVEL_NOISES, _LEAST_LEVEL, _GRAVE_LEVEL = 0.5, 0.5, 2.0
_EXPOSURE = 0.01
# Rows of an integrated spectrum that a line can be told in, and how far it stands out.
_ROWS_OF_A_SPECTRUM, _LINE_ERRORS = 32, 4.0


def no_line(spectrum: Floats) -> list[Doubt]:
    """Doubt integrated spectra in which nothing stands out, as in those of a dark.

    Parameters
    ----------
    spectrum : numpy.ndarray, shape (rows,)
        Mean of all images.
    """
    if len(spectrum) < _ROWS_OF_A_SPECTRUM:
        return []
    smooth = np.convolve(spectrum, np.ones(3) / 3, mode="valid")
    height = smooth - np.median(smooth)
    scatter = 1.4826 * float(np.median(np.abs(height)))
    highest = float(height.max())
    if highest > _LINE_ERRORS * scatter or highest == 0:
        return []
    return [
        Doubt(
            "no_light",
            f"nothing stands out of the integrated spectrum: its highest row lies "
            f"{highest / max(scatter, 1e-300):.1f} standard deviations above the middle (expected "
            f"over {_LINE_ERRORS:g}). Is this a dark run, or were the images cut beside the lines?",
            {"highest": highest, "scatter": scatter},
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


def dark_level(level: float, noise: float) -> list[Doubt]:
    """Doubt a dark that is not at the images' level.

    Parameters
    ----------
    level : float
        Median of the images' pixels without light, less the dark, in ADU.
    noise : float
        Of a pixel, in ADU.
    """
    largest = max(_LEVEL_NOISES * noise, _LEAST_LEVEL)
    if abs(level) <= largest:
        return []
    return [
        Doubt(
            "dark_level",
            f"the images lie {level:+.2f} ADU off their dark (expected within {largest:.2f} ADU): "
            "intensity is off by that in every pixel. Load a dark of the same settings and night.",
            {"level": level, "noise": noise},
            grave=abs(level) > _GRAVE_LEVEL * largest,
        )
    ]


def dark_exposure(dark: float, images: float | None) -> list[Doubt]:
    """Doubt a dark of another exposure than the images have, in ms."""
    if images is None or abs(dark / images - 1) <= _EXPOSURE:
        return []
    return [
        Doubt(
            "dark_exposure",
            f"the dark was exposed for {dark:g} ms, the images for {images:g} ms (expected the "
            f"same within {_EXPOSURE:.0%}). Load a dark of the same exposure.",
            {"dark": dark, "images": images},
        )
    ]
