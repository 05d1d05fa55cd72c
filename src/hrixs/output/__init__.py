"""Results as files: netCDF, NeXus, and columns of text."""

from typing import TYPE_CHECKING

from hrixs.utils.on_demand import names_on_demand

if TYPE_CHECKING:
    from hrixs.output.writing import export
else:
    __getattr__ = names_on_demand(__name__)

__all__ = ["export"]
