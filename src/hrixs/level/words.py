"""Words that settings of the level may have."""

from __future__ import annotations

#: Parameters of a dark that may be fitted.
DARK_FITS = ("offset", "factor", "both")
