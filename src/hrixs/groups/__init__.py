"""Groups of images: by values that jitter, in bins, by set-points, of several variables at once."""

from typing import TYPE_CHECKING

from hrixs.utils.on_demand import names_on_demand

if TYPE_CHECKING:
    from hrixs.groups.grouped import aggregate
    from hrixs.groups.groups import Groups
else:
    __getattr__ = names_on_demand(__name__)

__all__ = ["Groups", "aggregate"]
