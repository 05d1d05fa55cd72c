"""The incident intensity of an exposure, and spectra divided by it."""

from hrixs.i0.normalize import add_normalized
from hrixs.i0.sums import with_ratio, without_useless

__all__ = ["add_normalized", "with_ratio", "without_useless"]
