"""Small facts of statistics, and how a value is written with its error."""

from __future__ import annotations

import numpy as np

#: Full width at half maximum of a Gaussian, in standard deviations.
FWHM = 2.0 * np.sqrt(2.0 * np.log(2.0))


def with_error(value: float, error: float) -> str:
    """`value` ± `error`, to two digits of the error.

    Examples
    --------
    >>> with_error(530.12345, 0.0123)
    '530.123 ± 0.012'
    """
    if not (np.isfinite(error) and error > 0):
        return f"{value:.6g}"
    digits = max(0, 1 - int(np.floor(np.log10(error))))
    return f"{value:.{digits}f} ± {error:.{digits}f}"
