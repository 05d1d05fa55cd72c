"""Groups of images, runs put together, maps over incident energy and delay."""

from hrixs.scans.grouped import aggregate
from hrixs.scans.groups import Groups

__all__ = ["Groups", "aggregate"]
