"""Steps of the level between parts of the chip, by comparing the lines on both sides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hrixs.doubt_rules.chip import LOUD, quantiles
from hrixs.doubt_rules.doubt import Doubt
from hrixs.utils.typing import Floats

# Lines compared on each side; the least step in units of a pixel's noise, and in standard
# deviations.
_LINES, _LEAST_STEP, _ERRORS = 8, 1.0, 8.0
_MOST_NAMED = 4


def steps_of_level(
    sample: Floats, noise: float, known: Floats | None = None
) -> tuple[NDArray[np.int64], Floats]:
    """Find where the level of rows, or columns, steps.

    Parameters
    ----------
    sample : numpy.ndarray, shape (values, lines)
        Some pixels of each line, after the frame's level is subtracted, in ADU; NaN where masked.
    noise : float
        Noise of a pixel, in ADU.
    known : numpy.ndarray, optional
        The `quantiles` of the sample, if already computed.

    Returns
    -------
    first, step : numpy.ndarray, shape (steps,)
        First line after the step, and the height of the step, in ADU.
    """
    none = np.empty(0, np.int64), np.empty(0)
    n, n_lines = sample.shape
    if n < 8 or n_lines < 4 * _LINES or not noise > 0:
        return none
    _, lower, middle, upper, _ = quantiles(sample) if known is None else known
    quiet = (upper - lower) / 1.349 < LOUD * noise
    if not quiet.any():
        return none
    # A line with light takes the value of the nearest line without.
    numbers = np.arange(n_lines)
    filled = np.interp(numbers, numbers[quiet], middle[quiet])
    windows = np.lib.stride_tricks.sliding_window_view(filled, _LINES)
    middles = np.median(windows, axis=1)
    step = middles[_LINES:] - middles[:-_LINES]  # between the lines before and from _LINES on
    limit = max(_LEAST_STEP, _ERRORS * 1.2533 * 1.2533 * np.sqrt(2 / (n * _LINES))) * noise
    found = []
    size = np.abs(step)
    while size.size and size.max() > limit:
        # Medians change while the step is inside their lines; the step is in the middle.
        high = np.flatnonzero(size > 0.9 * size.max())
        high = high[: 1 + int(np.argmax(np.diff(high, append=len(size) + 2) > 1))]
        at = round(float(high.mean()))
        found.append((at + _LINES, float(step[at])))
        size[max(at - _LINES, 0) : at + _LINES + 1] = 0.0
    found.sort()
    return np.array([at for at, _ in found], np.int64), np.array([by for _, by in found])


def level_steps(name: str, first: NDArray[np.int64], step: Floats) -> list[Doubt]:
    """Return a doubt if parts of the chip have different levels.

    Parameters
    ----------
    name : str
        ``'row'`` or ``'column'``.
    first, step
        As from `steps_of_level`, counted on the full chip.
    """
    if not len(first):
        return []
    texts = [f"{by:+.1f} ADU at {name} {at}" for at, by in zip(first, step, strict=True)]
    more = f" and {len(texts) - _MOST_NAMED} more" if len(texts) > _MOST_NAMED else ""
    return [
        Doubt(
            f"{name}_steps",
            f"the level of the chip steps by {', '.join(texts[:_MOST_NAMED])}{more}: one "
            "threshold does not fit both sides, and intensities are wrong. Load a dark, or set "
            "THRESHOLD = '6 sigma', which removes the steps.",
            {"first": first[:100].tolist(), "step": step[:100].tolist()},
        )
    ]
