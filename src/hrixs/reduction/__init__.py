"""Reduce stacks and runs of any length to spectra: in this process, lazily, or on a cluster."""

from typing import TYPE_CHECKING

from hrixs.utils.on_demand import names_on_demand

if TYPE_CHECKING:
    from hrixs.reduction.analysis import Analysis, require_method
    from hrixs.reduction.checkpoint import remove_checkpoint
    from hrixs.reduction.lazy import lazy_spectra
    from hrixs.reduction.run import photons_of_run, process_run
    from hrixs.reduction.stack import settled_by_first, spectra_of
else:
    __getattr__ = names_on_demand(__name__)

__all__ = [
    "Analysis",
    "lazy_spectra",
    "photons_of_run",
    "process_run",
    "remove_checkpoint",
    "require_method",
    "settled_by_first",
    "spectra_of",
]
