"""Make a result again, and compare it with the original."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import xarray as xr

from hrixs.replays.differences import differences
from hrixs.replays.executor import Replay
from hrixs.replays.opened import Result, opened, steps_told
from hrixs.steps.record import STEPS
from hrixs.steps.values import is_recorded
from hrixs.utils.errors import MissingDataError
from hrixs.utils.provenance import __version__


@dataclass(frozen=True)
class MadeAgain:
    """A result made again.

    Attributes
    ----------
    result : xarray.Dataset
        The new result.
    differences : list of str
        Differences from the original, one line each.
    compared : bool
        Whether a comparison was possible: not for text and NeXus files.
    version : str
        Version of hrixs that made the original.
    taken : list of str
        Own variables of the user, whose stored values are used.
    """

    result: xr.Dataset
    differences: list[str] = field(default_factory=list)
    compared: bool = True
    version: str = __version__
    taken: list[str] = field(default_factory=list)


def made_again(
    spectrometer: Callable[..., Any],
    result: Result,
    moved: Mapping[str, str] | None = None,
    of_h: Mapping[str, Callable[..., Any]] | None = None,
) -> MadeAgain:
    """Repeat the steps of a result, as `hrixs.replay` documents."""
    was = opened(result)
    steps = steps_told(result, was)
    if not steps:
        raise MissingDataError(
            "the result has no attribute 'steps', so its steps are not known. Results of the "
            "class hRIXS and of the command hrixs process have it. A file of hrixs watch was made "
            "from a stream of trains and cannot be made again; type hRIXS.from_result to read its "
            "settings."
        )
    again = Replay(spectrometer, moved, of_h).result(steps)
    if not isinstance(again, xr.Dataset):
        raise MissingDataError(f"the steps make {type(again).__name__}, expected a result.")
    if was is not None:
        again = _with_texts_of(was, _with_lost_of(was, again, steps[-1]))
    own = [name for step in steps if step["call"] == "assign"
           for name, _ in step["args"]["variables"]["of"]]  # fmt: skip
    own += [name for step in steps if step["call"] == "assign_attrs"
            for name, _ in step["args"]["attrs"]["of"]]  # fmt: skip
    if any(one.chunks is not None for one in again.variables.values()):
        again = _computed(again)
    if was is None:
        return MadeAgain(again, compared=False, taken=own)
    version = next((str(v.attrs["hrixs_version"]) for v in was.data_vars.values()
                    if "hrixs_version" in v.attrs), __version__)  # fmt: skip
    return MadeAgain(again, differences(was, again, moved), version=version, taken=own)


def _with_lost_of(was: xr.Dataset, again: xr.Dataset, last: Mapping[str, Any]) -> xr.Dataset:
    """Add variables that were added last and not recorded; the original has them."""
    if last["call"] != "assign":
        return again
    pairs = last["args"]["variables"]["of"]
    lost = [name for name, one in pairs if not is_recorded(one) and name in was.variables]
    coords = last["args"]["coords"]
    again = again.assign({name: was.variables[name] for name in lost if name not in coords})
    return again.assign_coords({name: was.variables[name] for name in lost if name in coords})


def _computed(again: xr.Dataset) -> xr.Dataset:
    """Load the spectra of a lazy result, but not its images."""
    small = {n: v.compute() for n, v in again.variables.items() if not {"x", "y"} <= set(v.dims)}
    coords = {name: v for name, v in small.items() if name in again.coords and v.chunks is not None}
    data = {name: v for name, v in small.items() if name not in again.coords}
    return again.assign(data).assign_coords(coords)


def _with_texts_of(was: xr.Dataset, again: xr.Dataset) -> xr.Dataset:
    """Give the result the recorded steps as written, and the key of its task."""
    again = again.copy(deep=False)
    pairs = [(was.attrs, again.attrs)]
    pairs += [(v.attrs, again[name].attrs) for name, v in was.data_vars.items() if name in again]
    for old, new in pairs:
        for text in ("task", STEPS):
            if text in old:
                new[text] = old[text]  # in its order among the others, which the file keeps
            else:
                new.pop(text, None)
    return again
