"""The errors and warnings of hrixs, and how they help with a misspelt name."""

from __future__ import annotations

import difflib
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from hrixs._core import NonFinitePixelsError, TooManyPhotonsError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "ChargeBalanceWarning",
    "DoubtError",
    "DoubtWarning",
    "DoubtfulCurvatureError",
    "FaultyRunError",
    "HrixsWarning",
    "LostPhotonsWarning",
    "MissingDataError",
    "NoLineError",
    "NoPhaseCorrectionError",
    "NonFinitePixelsError",
    "TooManyPhotonsError",
    "UnknownUncertaintyError",
    "heard",
    "heard_alike",
    "named_trains",
    "near_match",
    "no_extra_data",
    "no_run_at",
    "run_without_proposal",
    "unknown_name",
    "warn",
]

P = ParamSpec("P")
T = TypeVar("T")

# Trains that a text names, at most.
_MOST_NAMED = 8
# Takes warnings in place of showing them. Filters of `warnings` belong to the whole process, and
# threads that change them side by side leave wrong ones behind.
_HEARD: ContextVar[list[Warning] | None] = ContextVar("_HEARD", default=None)


class HrixsWarning(UserWarning):
    """Something was left out, or looks wrong, and the work goes on."""


class ChargeBalanceWarning(HrixsWarning):
    """The photons found do not make the charge that is there."""


class DoubtWarning(HrixsWarning):
    """A result is doubtful; the text begins with the doubt's code."""


class LostPhotonsWarning(HrixsWarning):
    """Photons lie so close together that the way to find them loses some, or could not hold."""


class MissingDataError(LookupError):
    """A run or a dataset lacks what was asked for."""


class FaultyRunError(ValueError):
    """A run has a fault, and ``strict=True`` asked for an error in place of a warning."""


class DoubtError(ValueError):
    """A result is hardly usable, and ``strict=True`` asked for an error instead of a warning.

    Attributes
    ----------
    doubts : tuple of Doubt
        Why.
    """

    def __init__(self, text: str, doubts: Iterable[object] = ()) -> None:
        super().__init__(text)
        self.doubts = tuple(doubts)


class NoLineError(ValueError):
    """There is no spectral line to fit the curvature to."""


class DoubtfulCurvatureError(NoLineError):
    """A curvature was fitted, and what it was fitted to is hardly a spectral line.

    Attributes
    ----------
    fit : CurvatureFit or PhotonCurvatureFit
        The fit, which was not set.
    """

    def __init__(self, text: str, fit: object = None) -> None:
        super().__init__(text)
        self.fit = fit

    def __reduce__(self) -> tuple[type, tuple[str, object]]:
        return type(self), (str(self), self.fit)


class NoPhaseCorrectionError(ValueError):
    """The photons do not show how positions are biased inside the pixel."""


class UnknownUncertaintyError(ValueError):
    """The error of a variable can't be known, after what was done to it."""


def warn(text: str, kind: type[HrixsWarning] = HrixsWarning) -> None:
    """Warn with `text`, at the line of the user's code that called the package."""
    taken = _HEARD.get()
    if taken is not None:
        taken.append(kind(text))
        return
    level = 2
    while sys._getframe(level - 1).f_globals.get("__name__", "").startswith("hrixs."):
        level += 1
    warnings.warn(text, kind, stacklevel=level)


@contextmanager
def heard() -> Iterator[list[Warning]]:
    """Take the package's warnings as a list, in this thread and those that `heard_alike` serves.

    Examples
    --------
    >>> from hrixs.utils.errors import heard, warn
    >>> with heard() as warnings:
    ...     warn("the image is dark")
    >>> [str(one) for one in warnings]
    ['the image is dark']
    """
    warnings: list[Warning] = []
    token = _HEARD.set(warnings)
    try:
        yield warnings
    finally:
        _HEARD.reset(token)


def heard_alike(work: Callable[P, T]) -> Callable[P, T]:
    """`work` for another thread, whose warnings are taken as those of this one."""
    context = copy_context()

    def of_context(*args: P.args, **options: P.kwargs) -> T:
        return context.copy().run(work, *args, **options)

    return of_context


def no_extra_data(cause: ImportError) -> ImportError:
    """The error where runs can't be read, since extra-data can't be imported."""
    return ImportError(
        f"runs of the European XFEL are read through extra-data, which can't be imported: {cause}. "
        "It needs Linux or macOS; on Windows use the Windows Subsystem for Linux. Images in TIFF, "
        "NumPy or HDF5 files, and arrays, need no extra-data."
    )


def no_run_at(path: object) -> MissingDataError:
    """The error where nothing is at a run's path."""
    return MissingDataError(
        f"there is no run at {path}; expected a run's folder or HDF5 file, or an image file "
        "(.tif, .npy, .h5) on the command line."
    )


def run_without_proposal(number: int) -> ValueError:
    """The error where a run's number was given, and not of which proposal."""
    return ValueError(
        f"run {number} was given without a proposal; expected hRIXS(proposal), proposal= "
        "(on the command line --proposal), or the path of the run's folder."
    )


def near_match(given: object, known: Iterable[str]) -> str | None:
    """The one of the known names that `given` was meant to be; None where none is near."""
    by_folded = {name.casefold(): name for name in sorted(known)}
    close = difflib.get_close_matches(str(given).casefold(), by_folded, n=1)
    return by_folded[close[0]] if close else None


def unknown_name(what: str, given: object, known: Iterable[str]) -> str:
    """Text for an unknown name: what was given, the near match, what is known."""
    names = sorted(str(name) for name in known)
    close = near_match(given, names)
    hint = "" if close is None else f" Did you mean {close!r}?"
    return f"unknown {what} {given!r}.{hint} Known: {', '.join(names) or 'none'}."


def named_trains(train_ids: Iterable[int] | NDArray[Any]) -> str:
    """Text that names trains, all of them where they are few: ``train 17``, ``trains 1, 3``."""
    ids = sorted({int(train_id) for train_id in train_ids})
    if not ids:
        return "no train"
    if len(ids) > 2 and ids[-1] - ids[0] == len(ids) - 1:
        return f"trains {ids[0]} to {ids[-1]}"
    more = f" and {len(ids) - _MOST_NAMED} more" if len(ids) > _MOST_NAMED else ""
    return f"train{'s' * (len(ids) > 1)} {', '.join(map(str, ids[:_MOST_NAMED]))}{more}"
