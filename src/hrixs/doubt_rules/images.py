"""Images that differ from the others of their run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hrixs.doubt_rules.doubt import Doubt
from hrixs.utils.typing import Floats

# Images with less than this share of the usual light have none; with this many times it, too much.
_BLANK, _BRIGHT = 0.1, 4.0
# Usual number of photons from which on this is not chance.
_LEAST_PHOTONS = 25.0
# By how many standard deviations an image must be brighter.
_BRIGHT_ERRORS = 8.0
_MOST_NAMED = 8
_CODES = {
    "blank": "blank_images",
    "saturated": "saturated_images",
    "at another level": "level_images",
    "noisy": "noisy_images",
    "bright": "bright_images",
    "crossed": "track_images",
}
_WHAT = {
    "blank": "without light: the shutter was closed, or the beam was off",
    "saturated": "saturated",
    "at another level": "at a level far from the usual one",
    "noisy": "far noisier than usual",
    "bright": f"with more than {_BRIGHT:.0f} times the usual light",
    "crossed": "crossed by a track, probably a cosmic ray: a bright row that others do not have",
}


def kinds_by_light(light: Floats, kinds: Sequence[str]) -> list[str]:
    """Find blank and bright images by their photons; ``''`` is a usual image, known kinds are kept.

    Parameters
    ----------
    light : numpy.ndarray, shape (images,)
        Photons of each image, without false hits; NaN if not known.
    kinds : sequence of str
        Kind of each image, by level and noise.
    """
    judged = np.array([not kind for kind in kinds], dtype=bool) & np.isfinite(light)
    result = list(kinds)
    if judged.sum() < 2:
        return result
    most = float(np.percentile(light[judged], 75))
    if most < _LEAST_PHOTONS:
        return result
    usual = float(np.median(light[judged & (light >= _BLANK * most)]))
    limit = _BRIGHT * usual + _BRIGHT_ERRORS * np.sqrt(_BRIGHT * usual)
    for number in np.flatnonzero(judged):
        if light[number] < _BLANK * usual:
            result[number] = "blank"
        elif light[number] > limit:
            result[number] = "bright"
    return result


@dataclass(frozen=True)
class Names:
    """How images are named: ``'train'`` or ``'number'``, and the number of each."""

    word: str
    numbers: Sequence[int]


def unlike_images(kinds: Sequence[str], names: Names) -> list[Doubt]:
    """Return doubts for images that differ from the others, one doubt for each kind.

    Parameters
    ----------
    kinds : sequence of str
        Kind of each image: ``''`` (usual), ``'blank'``, ``'saturated'``, ``'at another level'``,
        ``'noisy'``, ``'bright'`` or ``'crossed'`` (by a track).
    names : Names
        Names of the images.
    """
    found = []
    for kind, code in _CODES.items():
        own = [int(name) for name, other in zip(names.numbers, kinds, strict=True) if other == kind]
        own = list(dict.fromkeys(own))
        if not own:
            continue
        word = names.word + ("s" if len(own) > 1 else "")
        n = sum(other == kind for other in kinds)
        shown = ", ".join(map(str, own[:_MOST_NAMED]))
        more = f" and {len(own) - _MOST_NAMED} more" if len(own) > _MOST_NAMED else ""
        found.append(
            Doubt(
                code,
                f"{n} of {len(kinds)} images are {_WHAT[kind]} ({word} {shown}{more}). They are "
                "still in the result. Leave them out with hrixs.select(data) or "
                "data.drop_sel(trainId=[...]) before you average it.",
                {"n_images": n, "names": own[:100]},
                grave=n > len(kinds) / 2,
            )
        )
    return found
