"""The incident intensity during an exposure, and spectra divided by it."""

from typing import TYPE_CHECKING

from hrixs.utils.on_demand import names_on_demand

if TYPE_CHECKING:
    from hrixs.i0.normalize import add_normalized
    from hrixs.i0.sums import with_ratio, without_useless
else:
    __getattr__ = names_on_demand(__name__)

__all__ = ["add_normalized", "with_ratio", "without_useless"]
