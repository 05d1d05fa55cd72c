"""Join runs; delays, pumped trains, maps over incident energy and delay."""

from typing import TYPE_CHECKING

from hrixs.utils.on_demand import names_on_demand

if TYPE_CHECKING:
    from hrixs.scans.delays import delay_from_position
    from hrixs.scans.elastic import align_elastic
    from hrixs.scans.joining import concat
    from hrixs.scans.map_plot import plot_map
    from hrixs.scans.maps import cut, rixs_map
    from hrixs.scans.pumped import pumped_by
else:
    __getattr__ = names_on_demand(__name__)

__all__ = [
    "align_elastic",
    "concat",
    "cut",
    "delay_from_position",
    "plot_map",
    "pumped_by",
    "rixs_map",
]
