"""Words that settings of the level may be."""

from __future__ import annotations

#: What of a dark may be fitted.
DARK_FITS = ("offset", "factor", "both")
