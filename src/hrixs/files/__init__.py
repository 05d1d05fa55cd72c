"""Readers and writers of other files, one a format."""

from hrixs.files.event_list import is_event_list, read_events
from hrixs.files.table_from import photon_table_from
from hrixs.files.writing import export

__all__ = ["export", "is_event_list", "photon_table_from", "read_events"]
