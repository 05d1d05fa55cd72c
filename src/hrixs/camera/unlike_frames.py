"""Frames that differ from others of their run: blank, saturated, at another level, or noisy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hrixs.utils.typing import Floats

# A frame with less than this share of the usual noise has no picture.
_NO_NOISE = 0.25
# A frame with more than this times the usual noise is noisy.
_MUCH_NOISE = 4.0
# Allowed deviation of the level: times the noise, and times the usual deviation of levels.
_LEVEL_NOISE, _LEVEL_SPREAD = 20.0, 6.0
# Largest number of frames that a text names.
_MOST_NAMED = 8


@dataclass(frozen=True)
class OddFrames:
    """Kinds of frames: good, or how they differ from the others.

    Attributes
    ----------
    kinds : tuple of str
        One for each frame: ``''`` for a good one, ``'blank'``, ``'saturated'``, ``'at another
        level'`` or ``'noisy'``.
    """

    kinds: tuple[str, ...]

    @property
    def good(self) -> list[int]:
        """Numbers of the good frames."""
        return [number for number, kind in enumerate(self.kinds) if not kind]

    @property
    def n_odd(self) -> int:
        """How many are not."""
        return len(self.kinds) - len(self.good)


def odd_frames(
    level: Floats,
    noise: Floats,
    typical: tuple[Sequence[float] | Floats, float] | None = None,
) -> OddFrames:
    """Find frames that differ from the others.

    Parameters
    ----------
    level, noise : numpy.ndarray, shape (frames,)
        Median and noise of the pixels of each frame, in ADU, from `count_frames`.
    typical : (array_like, float), optional
        Levels and noise of good frames, in ADU. Default: those of the given frames, most of which
        must be good.

    Notes
    -----
    Blank, or saturated if its level is high: less than a quarter of the usual noise. Noisy: more
    than four times the usual noise. At another level: further from the median of all levels than 20
    times the noise, and than 6 times the usual deviation of levels. If no frame has noise, none is
    judged.
    """
    if typical is None:
        pictures = noise[noise > 0]
        if not pictures.size:
            return OddFrames(("",) * len(noise))
        # Up to half of the frames may be blank.
        usual_noise = float(np.median(pictures))
        levels = level[noise >= _NO_NOISE * usual_noise]
    else:
        levels, usual_noise = np.asarray(typical[0], dtype=np.float64), typical[1]
    usual = float(np.median(levels))
    spread = 1.4826 * float(np.median(np.abs(levels - usual)))
    reach = max(_LEVEL_NOISE * usual_noise, _LEVEL_SPREAD * spread)
    kinds = []
    for own_level, own_noise in zip(level, noise, strict=True):
        if own_noise < _NO_NOISE * usual_noise:
            kinds.append("saturated" if own_level > usual + reach else "blank")
        elif abs(own_level - usual) > reach:
            kinds.append("at another level")
        else:
            kinds.append("noisy" if own_noise > _MUCH_NOISE * usual_noise else "")
    return OddFrames(tuple(kinds))


def named_frames(numbers: Sequence[int], kinds: Sequence[str], word: str = "number") -> str:
    """Text that names frames by kind, ``'number 3 (blank)'``; `word` replaces 'number'.

    Examples
    --------
    >>> from hrixs.camera.unlike_frames import named_frames
    >>> named_frames([3, 4, 9], ["blank", "blank", "saturated"])
    'numbers 3, 4 (blank), number 9 (saturated)'
    """
    texts = []
    for kind in dict.fromkeys(kinds):
        own = [number for number, other in zip(numbers, kinds, strict=True) if other == kind]
        shown = ", ".join(str(number) for number in own[:_MOST_NAMED])
        more = f" and {len(own) - _MOST_NAMED} more" if len(own) > _MOST_NAMED else ""
        texts.append(f"{word}{'s' if len(own) > 1 else ''} {shown}{more} ({kind})")
    return ", ".join(texts)
