"""Images that are unlike the others of their run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hrixs.doubt_rules.doubt import Doubt
from hrixs.utils.typing import Floats

# Images with less than this share of the light of most have none; with so many times it, too much.
_BLANK, _BRIGHT = 0.1, 4.0
# Photons of most images from which on that is no chance.
_LEAST_PHOTONS = 25.0
# Standard deviations of chance by which an image is brighter.
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
    "at another level": "at another level than most",
    "noisy": "far noisier than most",
    "bright": f"with more than {_BRIGHT:.0f} times the light of most",
    "crossed": "crossed by a row that the others' spectra lack, as a cosmic ray makes it",
}


def kinds_by_light(light: Floats, kinds: Sequence[str]) -> list[str]:
    """Kind of each image, ``''`` for a usual one, where those known so far have another name.

    Parameters
    ----------
    light : numpy.ndarray, shape (images,)
        Photons of each image, without what noise makes; NaN where that is not known.
    kinds : sequence of str
        As known by level and noise.
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
    """What images are called by: ``'train'`` or ``'number'``, and one for each."""

    word: str
    numbers: Sequence[int]


def unlike_images(kinds: Sequence[str], names: Names) -> list[Doubt]:
    """Doubt images that are unlike most: one doubt for each kind.

    Parameters
    ----------
    kinds : sequence of str
        ``''`` for a usual one, ``'blank'``, ``'saturated'``, ``'at another level'``, ``'noisy'``,
        ``'bright'`` or ``'crossed'`` (by a track).
    names : Names
        Of the images.
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
                f"{n} of {len(kinds)} images are {_WHAT[kind]} ({word} {shown}{more}). They are in "
                "the result: leave them out, with hrixs.select(data) or "
                "data.drop_sel(trainId=[...]), before it is averaged.",
                {"n_images": n, "names": own[:100]},
                grave=n > len(kinds) / 2,
            )
        )
    return found
