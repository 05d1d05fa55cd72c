"""General tools without physics: errors, checks of arguments, threads, memory, files.

Used by every other package; imports none of them.
"""

from typing import TYPE_CHECKING

from hrixs.utils.on_demand import names_on_demand

if TYPE_CHECKING:
    from hrixs.utils.atomic_files import replaced_at_once, write_netcdf
    from hrixs.utils.checks import (
        number,
        number_of_bytes,
        positive_energies,
        require_dataset,
        whole_number,
        yes_or_no,
    )
    from hrixs.utils.dask_arrays import as_task, dask_array, dask_threads, in_whole_frames, is_lazy
    from hrixs.utils.errors import (
        FaultyRunError,
        HrixsWarning,
        MissingDataError,
        NoLineError,
        NonFinitePixelsError,
        NoPhaseCorrectionError,
        TooManyPhotonsError,
        no_extra_data,
        unknown_name,
        warn,
    )
    from hrixs.utils.figures import new_axes, new_figure
    from hrixs.utils.folder_lock import working_in
    from hrixs.utils.likelihood import errors_of, most_likely, slopes_of
    from hrixs.utils.memory import require_memory
    from hrixs.utils.progress import Progress
    from hrixs.utils.provenance import (
        digest,
        first_pixel_of,
        frames_attrs,
        frames_of_attrs,
        rows_of_crop,
        slice_text,
    )
    from hrixs.utils.statistics import FWHM, with_error
    from hrixs.utils.threads import available_threads, resolve_threads
    from hrixs.utils.typing import Floats
else:
    __getattr__ = names_on_demand(__name__)

__all__ = [
    "FWHM",
    "FaultyRunError",
    "Floats",
    "HrixsWarning",
    "MissingDataError",
    "NoLineError",
    "NoPhaseCorrectionError",
    "NonFinitePixelsError",
    "Progress",
    "TooManyPhotonsError",
    "as_task",
    "available_threads",
    "dask_array",
    "dask_threads",
    "digest",
    "errors_of",
    "first_pixel_of",
    "frames_attrs",
    "frames_of_attrs",
    "in_whole_frames",
    "is_lazy",
    "most_likely",
    "new_axes",
    "new_figure",
    "no_extra_data",
    "number",
    "number_of_bytes",
    "positive_energies",
    "replaced_at_once",
    "require_dataset",
    "require_memory",
    "resolve_threads",
    "rows_of_crop",
    "slice_text",
    "slopes_of",
    "unknown_name",
    "warn",
    "whole_number",
    "with_error",
    "working_in",
    "write_netcdf",
    "yes_or_no",
]
