"""Fit a dark to each image: ``factor * dark + offset``, on pixels without light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hrixs.level.unlit import unlit_level
from hrixs.utils.typing import Floats

# Rounds of choosing pixels without light by the last fit, and rounds of the fit.
_CHOICES, _ROUNDS = 2, 12
# Number of pixels that is enough for a factor.
_ENOUGH = 32_768
_N_SIGMA = 3.0
# Shares of the pixels with the highest dark that may give the start value.
_HIGHEST = (0.5, 0.1, 0.03, 0.01, 0.003)
# A factor with a larger error is not used.
LARGEST_ERROR = 0.02


@dataclass(frozen=True)
class DarkFit:
    """Factor and offset of a dark for one image.

    Attributes
    ----------
    factor, offset : float
        Factor, and offset in ADU.
    factor_err : float
        One standard deviation; 0 if no factor is fitted. Above 0.02 the dark is too flat to
        determine a factor; the factor is 1 then.
    lit : bool
        Whether so many pixels have light that the offset may be too high.
    """

    factor: float
    offset: float
    factor_err: float = 0.0
    lit: bool = False

    @property
    def flat(self) -> bool:
        """Whether the dark has too little structure for a factor."""
        return not self.factor_err <= LARGEST_ERROR


def fit_dark(strips: Floats, dark: Floats, kind: str, *, dark_error: float = 0.0) -> DarkFit:
    """Fit a dark to one frame.

    Parameters
    ----------
    strips, dark : numpy.ndarray, shape (strips, columns, y)
        Pixels of the frame and of the dark, from `Sample.of`, in ADU; NaN if masked.
    kind : {'offset', 'factor', 'both'}
    dark_error : float
        Error of a pixel of the dark, in ADU, one standard deviation. Its scatter is not structure
        of the dark, and would make the factor too small.

    Notes
    -----
    Least squares within three standard deviations, on pixels that have no light according to their
    neighbours (`unlit_level`). A constant dark cannot determine both a factor and an offset.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.level.dark_fit import fit_dark
    >>> from hrixs.level.unlit import Sample
    >>> rng = np.random.default_rng(1)
    >>> dark = 100 + 20 * rng.random((256, 256))
    >>> frame = 1.1 * dark + 5 + rng.normal(0, 2, dark.shape)
    >>> sample = Sample(dark.shape)
    >>> found = fit_dark(sample.of(frame), sample.of(dark), "both")
    >>> abs(found.factor - 1.1) < 4 * found.factor_err, abs(found.offset - 5) < 1
    (True, True)
    """
    if kind == "offset":
        found = unlit_level(strips - dark)
        return DarkFit(1.0, found.level, 0.0, found.lit)
    fit, inner = DarkFit(1.0, 0.0), (slice(None), slice(1, -1), slice(1, -1))
    for _ in range(_CHOICES):
        # A neighbourhood has no light if it is low relative to the dark as fitted so far.
        found = unlit_level(strips - np.float32(fit.factor) * dark)
        x, y = dark[inner][found.used], strips[inner][found.used]
        if len(x) < 3:
            return DarkFit(1.0, found.level, np.inf, found.lit)
        some = slice(None, None, max(1, len(x) // _ENOUGH))
        x, y = x[some].astype(np.float64), y[some].astype(np.float64)
        fit = _line(x, y, found.noise, kind, dark_error)
    rest = unlit_level(strips - np.float32(fit.factor) * dark)
    if kind == "both":
        return DarkFit(fit.factor, rest.level, fit.factor_err, rest.lit)
    if fit.flat:
        return DarkFit(1.0, 0.0, fit.factor_err, rest.lit)
    return DarkFit(fit.factor, 0.0, fit.factor_err, rest.lit)


def _line(x: Floats, y: Floats, noise: float, kind: str, dark_error: float) -> DarkFit:
    """Least squares of the pixels near the fitted line, repeated as the line changes."""
    factor = _start(x, y, kind)
    middle = 0.0 if kind == "factor" else float(x.mean())
    scale = max(noise, 1e-9)
    kept = np.ones(len(x), dtype=bool)
    for _ in range(_ROUNDS):
        rest = y - factor * x
        offset = 0.0 if kind == "factor" else float(np.median(rest))
        near = np.abs(rest - offset) <= _N_SIGMA * scale
        if not near.any():
            break
        mean_x = middle if kind == "factor" else float(x[near].mean())
        mean_y = 0.0 if kind == "factor" else float(y[near].mean())
        own_x = x[near] - mean_x
        scatter = len(own_x) * dark_error**2
        # Not `@`: its last digits depend on the threads of a library.
        structure = float((own_x * own_x).sum()) - scatter
        if not structure > 0:
            return DarkFit(1.0, 0.0, np.inf)
        factor = float((own_x * (y[near] - mean_y)).sum()) / structure
        rest = y[near] - mean_y - factor * own_x
        scale = max(float(rest.std()) / 0.98657, 1e-9)
        if (near == kept).all():
            break
        kept = near
    if not near.any():
        return DarkFit(1.0, 0.0, np.inf)
    # The scatter of the dark itself is known only within its statistics.
    error = scale / np.sqrt(structure) * (1 + scatter / structure)
    if error > LARGEST_ERROR:
        return DarkFit(1.0, 0.0, float(error))
    return DarkFit(factor, 0.0, float(error))


def _start(x: Floats, y: Floats, kind: str) -> float:
    """Start value of the factor: medians of the pixels with the highest dark and of the others.

    Light adds equally to both. The share of high pixels is the most precise one: from half of all
    to a few hot ones.
    """
    if kind == "factor":
        return float(np.median(y) / np.median(x)) if np.median(x) else 1.0
    order = np.argsort(x, kind="stable")
    low = order[: len(order) // 2]
    best, factor = 0.0, 1.0
    for part in _HIGHEST:
        high = order[len(order) - max(2, int(part * len(order))) :]
        step = float(np.median(x[high]) - np.median(x[low]))
        if step * np.sqrt(len(high)) > best:
            best = step * np.sqrt(len(high))
            factor = float(np.median(y[high]) - np.median(y[low])) / step
    return factor
