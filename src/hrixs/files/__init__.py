"""Readers of files other than runs, one for each format: images of any camera, lists of photons."""

from typing import TYPE_CHECKING

from hrixs.utils.on_demand import names_on_demand

if TYPE_CHECKING:
    from hrixs.files.event_list import is_event_list, read_events
    from hrixs.files.images import is_image_source, open_images, open_mask
    from hrixs.files.table_from import photon_table_from
else:
    __getattr__ = names_on_demand(__name__)

__all__ = [
    "is_event_list",
    "is_image_source",
    "open_images",
    "open_mask",
    "photon_table_from",
    "read_events",
]
