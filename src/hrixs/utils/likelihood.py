"""Maximum-likelihood fits of a model to bins, and the errors of the parameters.

All fits to histograms and spectra use this; the models are in the packages of their physics.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hrixs.utils.typing import Floats

Model = Callable[[Floats], Floats]

_NOTHING = 1e-12
# Smallest distance of start values from the limits, in units of `scale`.
_MARGIN = 1e-6


def most_likely(
    model: Model,
    values: ArrayLike,
    start: ArrayLike,
    *,
    sigma: ArrayLike | None = None,
    scale: ArrayLike = 1.0,
    limits: tuple[ArrayLike, ArrayLike] = (-np.inf, np.inf),
    tolerance: float = 1e-8,
) -> Floats:
    """Fit a model to bins by their likelihood.

    Parameters
    ----------
    model : callable
        Expected value of each bin, shape (n,), for parameters of shape (k,).
    values : array_like, shape (n,)
        Values of the bins.
    start : array_like, shape (k,)
        Start values of the parameters.
    sigma : array_like, shape (n,), optional
        Gaussian noise of each bin; None: the bins are Poisson counts.
    scale : array_like, shape (k,)
        Typical size of a change of each parameter.
    limits : tuple of array_like
        Lowest and highest parameters.
    tolerance : float
        The fit ends when its relative steps, or relative gains, are smaller than this.

    Returns
    -------
    ndarray, shape (k,)

    Notes
    -----
    Least squares (`scipy.optimize.least_squares`) of numbers whose squares add up to minus twice
    the logarithm of the likelihood. This needs only first derivatives and about ten evaluations,
    and respects the limits.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.utils.likelihood import errors_of, most_likely
    >>> counts = np.array([9, 12, 8, 11])
    >>> def level(p): return np.full(4, p[0])
    >>> best = most_likely(level, counts, [5.0])
    >>> err = errors_of(level, best, variance=level(best), steps=1e-5)
    >>> best.round(2).tolist(), err.round(2).tolist()  # 10, and the root of 10 / 4
    ([10.0], [[2.5]])
    """
    from scipy.optimize import least_squares

    data, unit = np.asarray(values), np.asarray(scale, dtype=np.float64)
    low, high = (
        np.broadcast_to(np.asarray(one, dtype=np.float64) / unit, np.shape(start)) for one in limits
    )

    def residuals(p: Floats) -> Floats:
        expected = model(p * unit)
        if sigma is not None:
            return np.asarray((data - expected) / np.asarray(sigma, dtype=np.float64))
        mean = np.maximum(expected, _NOTHING)
        ratio = np.where(data > 0, data, mean) / mean
        deviance = 2.0 * (mean - data + data * np.log(ratio))
        return np.asarray(np.sign(data - mean) * np.sqrt(np.maximum(deviance, 0.0)))

    begin = np.clip(np.asarray(start) / unit, low + _MARGIN, high - _MARGIN)
    bounded = bool(np.isfinite(low).any() or np.isfinite(high).any())
    with np.errstate(under="ignore"):  # what is tiny is 0, also where NumPy is told to raise
        fit = least_squares(
            residuals,
            begin,
            bounds=(low, high),
            method="trf" if bounded else "lm",  # which is faster, and knows no limits
            **dict.fromkeys(("xtol", "ftol", "gtol"), tolerance),
        )
    return np.asarray(fit.x * unit)


@np.errstate(under="ignore")
def errors_of(
    model: Model,
    best: Floats,
    *,
    variance: Floats,
    steps: ArrayLike,
    free: NDArray[np.bool_] | None = None,
) -> Floats:
    """Covariance of fitted parameters: the inverse of the Fisher information.

    Parameters
    ----------
    model, best
        The model of `most_likely`, and its result.
    variance : ndarray, shape (n,)
        Variance of each bin if the model is right.
    steps : array_like, shape (k,)
        Change of each parameter for the derivatives of the model.
    free : ndarray of bool, shape (k,), optional
        False for a parameter that is fixed or at its limit: it has no uncertainty and adds none to
        the others.

    Returns
    -------
    ndarray, shape (k, k)
    """
    moved = np.ones(len(best), dtype=bool) if free is None else free
    slopes = slopes_of(model, best, steps)[:, moved]
    # Parameters have different scales: pinv would ignore small ones.
    norm = np.sqrt((slopes**2 / variance[:, None]).sum(axis=0))
    norm[norm == 0] = 1.0
    slopes = slopes / norm
    covariance = np.zeros((len(best), len(best)))
    inverse = np.linalg.pinv((slopes.T / variance) @ slopes)
    covariance[np.ix_(moved, moved)] = inverse / np.outer(norm, norm)
    return covariance


@np.errstate(under="ignore")
def slopes_of(model: Model, at: Floats, steps: ArrayLike) -> Floats:
    """Derivatives of a model, shape (n, k), from a step to both sides."""
    moves = np.diag(np.broadcast_to(np.asarray(steps, dtype=np.float64), np.shape(at)))
    columns = [(model(at + move) - model(at - move)) / (2 * move.sum()) for move in moves]
    return np.stack(columns, axis=1)
