"""Find doubts about spectra, by the evidence of all images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
from hrixs.photons.resolve import ENTRIES_FOR_A_CHARGE
from hrixs.reduction.analysis import Analysis
from hrixs.reduction.evidence import Evidence
from hrixs.reduction.first_images import DENSEST
from hrixs.reduction.first_look import lines_in
from hrixs.reduction.losses import LARGEST_LOSS, crowded
from hrixs.spectra.density import lost_where_denser
from hrixs.utils.typing import Floats

# Least number of images for which one can differ from the others.
_LEAST_IMAGES = 4
# A true photon has at least this part of the charge of one.
_SURE = 0.6
# If the charge is not known: the noise of 4x4 pixels is 4 times that of one.
_SURE_NOISES = 20.0
# Later images with so many times the photons of the first ones, beyond their scatter, are told.
_CLEARLY_DENSER = 1.5
_SCATTER = 4.0
#: Doubts of first images without light, which are no measure of later ones.
WITHOUT_LIGHT = frozenset({"blank_images", "no_light", "no_photons"})


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


def denser(
    attrs: Mapping[Any, Any], spectra: NDArray[np.float64], *, are_all: bool = True
) -> list[Doubt]:
    """Return doubts if later images lose photons because they have more than the first ones.

    Parameters
    ----------
    attrs
        Attributes of the spectra.
    spectra : numpy.ndarray, shape (..., bins)
        Spectra of all images, or of some; the text then does not depend on which ones.
    """
    if not attrs.get("photons_of_first", 0) > 0:
        return []
    counts = spectra.sum(axis=-1)
    if attrs.get("algorithm") != "resolve":
        return _loses_more(attrs, counts, are_all=are_all)
    # Integrated faint light is partly hidden by noise; photons are not.
    of_first = attrs["photons_of_first"]
    if are_all:
        of_first = max(of_first, float(counts.reshape(-1)[:ENTRIES_FOR_A_CHARGE].mean()))
    density = attrs["photon_density"] * counts / of_first
    dense = density > DENSEST
    if attrs["photon_density"] > DENSEST or not dense.any():
        return []  # the first ones were reported already
    which, up_to = "some of the images", ""
    if are_all:
        which = f"{int(dense.sum())} of {dense.size} images"
        up_to = f", with up to {density.max():.2f} photons per pixel"
    return [
        Doubt(
            "denser",
            f"{which} have more photons than the first ones{up_to}. More than {DENSEST} per "
            "pixel cannot be separated, so photons are lost in these images. Use "
            "method='integrate' for them.",
            {"photons_a_pixel": float(density.max())},
        )
    ]


def _loses_more(
    attrs: Mapping[Any, Any], counts: NDArray[np.float64], *, are_all: bool = True
) -> list[Doubt]:
    """Return a doubt if images have more photons than the first ones, and lose more of them.

    Parameters
    ----------
    attrs
        Attributes with the values of `losses_of`.
    counts : numpy.ndarray
        Photons of each image; `are_all`: of all images.
    """
    first = attrs["photons_of_first"]
    usual = _CLEARLY_DENSER * first
    more = counts > usual + _SCATTER * np.sqrt(usual)
    if not more.any():
        return []
    # With the energy, doubles are always recognised.
    tells_doubles = attrs.get("dbl_threshold") != "none"
    times = counts[more].max() / first
    share = lost_where_denser(attrs["lost_share"], times, tells_doubles=tells_doubles)
    if share <= LARGEST_LOSS:
        return []
    which, up_to = "some of the images", ""
    if are_all:
        which, up_to = f"{int(more.sum())} of {counts.size} images", f", up to {share:.0%}"
    return [
        Doubt(
            "denser",
            f"{which} have more than {_CLEARLY_DENSER:g} times the photons of the first ones, "
            f"and more photons are lost in them{up_to}, because spots overlap. Use "
            "method='resolve', which separates them, or method='best'.",
            {"lost_share": share},
        )
    ]
