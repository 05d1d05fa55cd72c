"""Two settings side by side: what differs, and which photons of the same images both have."""

from hrixs.comparisons.compared import Comparison
from hrixs.comparisons.comparison import compare

__all__ = ["Comparison", "compare"]
