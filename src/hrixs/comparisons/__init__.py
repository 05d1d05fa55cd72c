"""Compare two settings: what differs, and which photons of the same images both find."""

from typing import TYPE_CHECKING

from hrixs.utils.on_demand import names_on_demand

if TYPE_CHECKING:
    from hrixs.comparisons.compared import Comparison
    from hrixs.comparisons.comparison import compare
else:
    __getattr__ = names_on_demand(__name__)

__all__ = ["Comparison", "compare"]
