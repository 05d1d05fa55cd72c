"""Groups of images: by values that jitter, in bins, by set-points, of several variables at once."""

from hrixs.groups.grouped import aggregate
from hrixs.groups.groups import Groups

__all__ = ["Groups", "aggregate"]
