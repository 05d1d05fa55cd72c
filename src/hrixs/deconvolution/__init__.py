"""Deconvolved integrated spectra: the blur of charge cloud and pixel is removed."""

from typing import TYPE_CHECKING

from hrixs.utils.on_demand import names_on_demand

if TYPE_CHECKING:
    from hrixs.deconvolution.bins import add_bins, sum_between
    from hrixs.deconvolution.result import deconvolve
else:
    __getattr__ = names_on_demand(__name__)

__all__ = ["add_bins", "deconvolve", "sum_between"]
