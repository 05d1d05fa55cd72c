"""Find doubts about spectra, by the evidence of all images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hrixs.camera.unlike_frames import odd_frames
from hrixs.doubt_rules.chip import hot_pixels
from hrixs.doubt_rules.dark import dark_level, dark_noise
from hrixs.doubt_rules.doubt import Doubt, first_of_each
from hrixs.doubt_rules.images import Names, kinds_by_light, unlike_images
from hrixs.doubt_rules.over_time import known_bins, level_drifts, tracks
from hrixs.doubt_rules.photons import (
    false_hits,
    no_line,
    no_photons,
    outside_of_axis,
    spread,
    thresholds,
)
from hrixs.noise.false_hits import expected_false_hits
from hrixs.photons.charge_balance import charge_gap
from hrixs.reduction.analysis import Analysis
from hrixs.reduction.denser import WITHOUT_LIGHT, denser
from hrixs.reduction.evidence import Evidence
from hrixs.reduction.first_look import lines_in
from hrixs.reduction.losses import crowded
from hrixs.utils.typing import Floats

# Least number of images for which one can differ from the others.
_LEAST_IMAGES = 4
# A true photon has at least this part of the charge of one.
_SURE = 0.6
# If the charge is not known: the noise of 4x4 pixels is 4 times that of one.
_SURE_NOISES = 20.0


@dataclass(frozen=True)
class Seen:
    """Evidence from images, and the analysis that they were used in.

    Attributes
    ----------
    analysis : Analysis
        The analysis, with what was learned from the first images.
    evidence : Evidence
        Evidence of all images.
    shape : (int, int)
        Pixels of the crop.
    """

    analysis: Analysis
    evidence: Evidence
    shape: tuple[int, int]

    @staticmethod
    def joined(parts: Sequence[Seen]) -> Seen:
        """Join all, with the analysis of the last one."""
        return replace(parts[-1], evidence=Evidence.joined([vars(one.evidence) for one in parts]))


def judged(seen: Seen, attrs: Mapping[Any, Any], spectra: Floats, *, names: Names) -> list[Doubt]:
    """Return the doubts about a result.

    Parameters
    ----------
    seen : Seen
    attrs
        Attributes of the spectra, with the counts.
    spectra : numpy.ndarray, shape (frames, bins)
    names : Names
        Names of the images.
    """
    analysis, evidence, shape = seen.analysis, seen.evidence, seen.shape
    spectra = known_bins(spectra)
    charge = analysis.attrs.get("spot_charge")
    found = list(analysis.doubts)
    found += _of_images(analysis, evidence, spectra, shape, charge, names)
    found += _of_level(analysis, evidence)
    if analysis.counts_photons:
        n_photons, n_outside = (float(attrs.get(name, 0)) for name in ("n_photons", "n_outside"))
        found += no_photons(n_photons + n_outside, len(evidence.level))
        found += outside_of_axis(n_outside, n_photons)
        found += _of_thresholds(analysis, evidence, charge, shape)
        found += hot_pixels(
            evidence.x + analysis.origin[0], evidence.y + analysis.origin[1], len(evidence.level)
        )
        found += lines_in(analysis, evidence.x, evidence.y, shape)
    elif len(spectra):
        in_adu = not analysis.gives_photons
        noise = float(np.median(evidence.noise))
        found += no_line(spectra, n_columns=shape[0] if in_adu else 0, noise=noise)
        found += level_drifts(evidence.level, noise)
    found += crowded(attrs) + charge_gap(attrs)
    if not WITHOUT_LIGHT & {doubt.code for doubt in found}:
        found += denser(attrs, spectra)
    return first_of_each(found)


def _of_images(
    analysis: Analysis,
    evidence: Evidence,
    spectra: Floats,
    shape: tuple[int, int],
    charge: float | None,
    names: Names,
) -> list[Doubt]:
    if len(evidence.level) < _LEAST_IMAGES:
        return []
    kinds = list(odd_frames(evidence.level, evidence.noise).kinds)
    if analysis.counts_photons:
        usual_noise = float(np.median(evidence.noise))
        sure = _SURE_NOISES * usual_noise if charge is None else _SURE * charge
        light = evidence.photons_above(sure)
    elif charge is None:
        light = np.full(len(kinds), np.nan)
    else:
        light = _light_of_intensity(evidence, spectra, shape, charge, analysis.gives_photons)
    kinds = kinds_by_light(light, kinds)
    if not analysis.counts_photons:
        usual = [number for number, kind in enumerate(kinds) if not kind]
        for image in tracks(spectra[usual]):
            kinds[usual[image]] = "crossed"
    return unlike_images(kinds, names)


def _light_of_intensity(
    evidence: Evidence, spectra: Floats, shape: tuple[int, int], charge: float, in_photons: bool
) -> Floats:
    """Photons of each image by its intensity; NaN if noise hides a tenth of the usual number."""
    light = (spectra - np.median(spectra, axis=1, keepdims=True)).sum(axis=1)
    if not in_photons:
        light = light * shape[0] / charge
    error = 2 * float(np.median(evidence.noise)) * np.sqrt(shape[0] * shape[1]) / charge
    if 0.1 * float(np.percentile(light, 75)) < 6 * error:
        return np.full(len(light), np.nan)
    return np.asarray(light)


def _of_level(analysis: Analysis, evidence: Evidence) -> list[Doubt]:
    if not analysis.has_dark:
        return []
    level, noise = float(np.median(evidence.level)), float(np.median(evidence.noise))
    return dark_level(level, noise) + dark_noise(analysis.dark_noise, noise)


def _of_thresholds(
    analysis: Analysis, evidence: Evidence, charge: float | None, shape: tuple[int, int]
) -> list[Doubt]:
    known = np.isfinite(evidence.threshold) & (evidence.noise > 0)
    if analysis.method != "auto" or not known.any():
        return []
    found = []
    middle = float(np.median(evidence.threshold[known]))
    if analysis.options.get("threshold") is None:
        squares = 2 * evidence.noise[known] * float(analysis.options["std_threshold"])
        found += spread(float(np.median(evidence.threshold[known] / squares)))
    if charge is not None:
        double = analysis.options.get("dbl_threshold")
        found += thresholds(charge, threshold=middle, dbl_threshold=double)
    widths = evidence.threshold[known] / (2 * evidence.noise[known])
    expected = expected_false_hits(widths, level=0.0, noise=1.0, shape=shape)
    return found + false_hits(float(expected.sum()), float(evidence.charges[known].sum()))
