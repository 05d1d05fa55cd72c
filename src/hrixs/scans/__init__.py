"""Groups of images, runs put together, maps over incident energy and delay."""

from hrixs.scans.delays import delay_from_position
from hrixs.scans.elastic import align_elastic
from hrixs.scans.grouped import aggregate
from hrixs.scans.groups import Groups
from hrixs.scans.joining import concat
from hrixs.scans.pumped import pumped_by

__all__ = [
    "Groups",
    "aggregate",
    "align_elastic",
    "concat",
    "delay_from_position",
    "pumped_by",
]
