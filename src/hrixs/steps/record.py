"""Record the calls that make results in the ``attrs`` of the results."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, wraps
from typing import Any, TypeVar, cast

import xarray as xr

from hrixs.steps.changes import changes_since, made_of
from hrixs.steps.values import KIND, plain_argument

F = TypeVar("F", bound=Callable[..., Any])
Step = dict[str, Any]

#: Attribute of results: the calls as JSON text, in the order in which they were made.
STEPS = "steps"
#: Variables that calls add to a dataset. Their steps are in the encoding, which is not written to
#: files, so that spectra of all methods have the same attributes.
_IN_PLACE = ("spectrum", "normalized")
# Arguments on which results do not depend, not even in the last byte.
_OF_THE_WAY = frozenset(
    ("memory", "threads", "progress", "client", "checkpoint", "plot", "strict", "ax")
)
# If several of these follow each other on the same images, the last one replaces the others.
_REPLACE = ("centroid", "integrate", "normalize")

_recording: ContextVar[bool] = ContextVar("recording", default=False)


def recorded(function: F) -> F:
    """Decorate a function that makes a dataset: its call is recorded in the attrs of the result.

    Not recorded: calls within such a call, and calls on data that no recorded call has made.
    """

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if _recording.get():
            return function(*args, **kwargs)
        before = taken(function, args, kwargs)
        with nothing_recorded():
            result = function(*args, **kwargs)
        if is_of_known(before):
            note(result, function.__name__, before)
        elif isinstance(result, xr.Dataset):
            result.attrs.pop(STEPS, None)  # of a part of the data
        return result

    return cast(F, call)


@contextmanager
def nothing_recorded() -> Iterator[None]:
    """Record no calls inside a with block."""
    token = _recording.set(True)
    try:
        yield
    finally:
        _recording.reset(token)


def is_recording() -> bool:
    """Whether a recorded call is running; calls within it are not recorded."""
    return _recording.get()


def taken(
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    plain: Callable[[str, Any], Any] = plain_argument,
) -> tuple[list[Step], Step]:
    """Steps of the dataset that is the first argument; the other arguments as plain values."""
    try:
        given = _signature(function).bind(*args, **kwargs).arguments
    except TypeError:  # the call itself says what is wrong
        return [], {}
    arguments: dict[str, Any] = {}
    for name, parameter in _signature(function).parameters.items():
        if name not in given or name in ("self", "h"):
            continue
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            arguments |= given[name]
        else:
            arguments[name] = given[name]
    steps: list[Step] = []
    plain_ones: Step = {}
    for number, (name, value) in enumerate(arguments.items()):
        if number == 0 and isinstance(value, xr.Dataset):
            steps = steps_now(value)
        elif name not in _OF_THE_WAY and not _is_default(function, name, value):
            plain_ones[name] = _argument(name, value, plain)
    return steps, plain_ones


def note(result: Any, name: str, before: tuple[list[Step], Step], **more: Any) -> None:
    """Write a call into the attributes of its result, if that is a dataset.

    If the call added a spectrum to the given dataset, the attributes of the spectrum hold the
    steps.
    """
    if not isinstance(result, xr.Dataset):
        return
    steps, arguments = before
    done = [*steps, {"call": name, "args": arguments, **more}]
    write_steps(result, done)


def is_of_known(before: tuple[list[Step], Step]) -> bool:
    """Whether all data in the arguments of a call were made by recorded calls, or by itself."""
    return '"call": "given"' not in json.dumps(before)


def without_replaced(steps: list[Step], name: str) -> list[Step]:
    """Steps before a call, without steps at the end that it replaces."""
    if name in _REPLACE[:2]:
        while steps and steps[-1]["call"] in _REPLACE:
            steps = steps[:-1]
    return steps


def write_steps(result: xr.Dataset, steps: Sequence[Step]) -> None:
    """Write steps into the attributes of a result, with its state after them."""
    last = {**steps[-1], "made": made_of(result)}
    result.attrs[STEPS] = json.dumps([*map(_without_made, steps[:-1]), last])
    for variable in _IN_PLACE:
        if variable in result.data_vars:
            result.variables[variable].encoding.pop(STEPS, None)


def steps_of(data: xr.Dataset) -> list[Step]:
    """The recorded steps of a dataset; empty if there are none."""
    texts = [data.attrs.get(STEPS)]
    texts += [
        data.variables[name].encoding.get(STEPS) for name in _IN_PLACE if name in data.variables
    ]
    found = [_steps_of_text(text) for text in texts if isinstance(text, str)]
    return max(found, key=len, default=[])


def steps_now(data: xr.Dataset) -> list[Step]:
    """The steps of a dataset, with the known changes after the last one."""
    steps = steps_of(data)
    if not steps:
        return [{"call": "given", "args": {}}]
    return [*steps, *changes_since(steps[-1].get("made", {}), data)]


def _steps_of_text(text: str) -> list[Step]:
    try:
        steps = json.loads(text)
    except ValueError:
        return []
    return steps if isinstance(steps, list) else []


def _argument(name: str, value: Any, plain: Callable[[str, Any], Any]) -> Any:
    """An argument as a plain value; a dataset is represented by its steps."""
    if isinstance(value, xr.Dataset):
        return {KIND: "result", "steps": [_without_made(step) for step in steps_now(value)]}
    if isinstance(value, Mapping) and any(isinstance(v, xr.Dataset) for v in value.values()):
        return {KIND: "dict", "of": [[k, _argument("", v, plain)] for k, v in value.items()]}
    if isinstance(value, list | tuple) and any(isinstance(v, xr.Dataset) for v in value):
        return [_argument("", one, plain) for one in value]
    return plain(name, value)


def _without_made(step: Step) -> Step:
    return {key: value for key, value in step.items() if key != "made"}


def _is_default(function: Callable[..., Any], name: str, value: Any) -> bool:
    parameter = _signature(function).parameters.get(name)
    if parameter is None or parameter.default is inspect.Parameter.empty:
        return False
    default = parameter.default
    if isinstance(value, list | tuple) and isinstance(default, list | tuple):
        return not value and not default
    return value is default or (
        isinstance(value, bool | int | float | str)
        and isinstance(default, bool | int | float | str)
        and value == default
    )


@cache
def _signature(function: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(function)
