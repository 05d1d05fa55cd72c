"""Scans on the page: groups and maps over the incident energy, delay or another variable."""

from typing import TYPE_CHECKING

from hrixs.utils.on_demand import names_on_demand

if TYPE_CHECKING:
    from hrixs.view.scans.map_tab import MapTab
else:
    __getattr__ = names_on_demand(__name__)

__all__ = ["MapTab"]
