"""Groups of images, runs put together, maps over incident energy and delay."""

from hrixs.scans.elastic import align_elastic
from hrixs.scans.grouped import aggregate
from hrixs.scans.groups import Groups
from hrixs.scans.joining import concat

__all__ = ["Groups", "aggregate", "align_elastic", "concat"]
