"""Helpers for dask arrays: recognise them, check their chunks, count threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import xarray as xr

if TYPE_CHECKING:
    pass


def is_lazy(array: xr.DataArray) -> bool:
    """Whether an array is a dask array."""
    return array.chunks is not None


def in_whole_frames(frames: xr.DataArray) -> xr.DataArray:
    """Require chunks of whole frames, along the first dimension only."""
    frames = frames.transpose(..., "x", "y")
    for dim, chunks in zip(frames.dims[-2:], frames.data.chunks[-2:], strict=True):
        if len(chunks) > 1:
            raise ValueError(
                f"the frames are chunked along {dim}, into {len(chunks)} chunks, expected whole "
                f"frames. Take data.chunk({dim}=-1), or load the run with from_run(..., lazy=True)."
            )
    within = {dim: -1 for dim in frames.dims[1:-2]}
    if any(len(frames.chunksizes[dim]) > 1 for dim in within):
        return frames.chunk(within)
    return frames


def as_task(work: Any) -> Any:
    """Make `work` one task, which dask sends once to each worker."""
    import dask

    return dask.delayed(work, pure=False, traverse=False)


def dask_threads() -> int:
    """Threads that dask uses for arrays in this process."""
    import dask
    from dask.system import CPU_COUNT

    return int(dask.config.get("num_workers", None) or CPU_COUNT)


def dask_array() -> Any:
    """Return the module `dask.array`, or say how to install it."""
    try:
        import dask.array
    except ImportError as error:
        raise ImportError(
            f"lazy arrays need dask, which can't be imported: {error}. Install it with "
            "pip install 'dask[array]', or leave lazy out."
        ) from error
    return dask.array
