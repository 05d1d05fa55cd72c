"""Results as files: netCDF, NeXus, and columns of text."""

from hrixs.output.writing import export

__all__ = ["export"]
