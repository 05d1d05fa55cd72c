"""Options of ``hrixs process`` for scans: how images are grouped, and runs taken together."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

_PER_VARIABLE = "; with several --aggregate VAR=..., for each of them"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options; `grouping`, `map_of` and `together` read them."""
    add = parser.add_argument
    add("--aggregate", action="append", default=[], metavar="VAR",
        help="add up the trains with equal VAR, e.g. hRIXS_delay or SOURCE,KEY; may be repeated, "
        "for all combinations")  # fmt: skip
    add("--step", action="append", default=[], type=_by_name(_number), metavar="WIDTH",
        help=f"with --aggregate: in bins of this width{_PER_VARIABLE}")  # fmt: skip
    add("--tolerance", action="append", default=[], type=_by_name(_number_or_auto), metavar="T",
        help="with --aggregate: trains whose values, sorted, differ by no more are together; auto "
        f"takes it from the values{_PER_VARIABLE}")  # fmt: skip
    add("--edges", action="append", default=[], type=_by_name(_numbers), metavar="A,B,...",
        help=f"with --aggregate: in bins between these{_PER_VARIABLE}")  # fmt: skip
    add("--setpoints", action="append", default=[], type=_by_name(_numbers), metavar="A,B,...",
        help=f"with --aggregate: each train with the nearest of these{_PER_VARIABLE}")  # fmt: skip
    add("--map", nargs="?", const="nrj", metavar="VAR",
        help="make a RIXS map over VAR (default: nrj) and the energy loss, which --plot draws; its "
        "steps are found automatically, or as --step and the like say")  # fmt: skip
    add("--map-axis", choices=["energy_loss", "energy"], default="energy_loss",
        help="with --map: what it lies over (default: %(default)s)")  # fmt: skip
    add("--together", action="store_true",
        help="several runs: all into one output, with the run of each train")  # fmt: skip
    add("--align", choices=["elastic"],
        help="with --together: move each run's spectra so that its elastic line lies at the photon "
        "energy")  # fmt: skip
    add("--within", type=float, metavar="EV",
        help="with --align: how far off the line is looked for (default: 15 rows)")  # fmt: skip


def grouping(arguments: argparse.Namespace) -> dict[str, Any]:
    """How images are grouped, as options of `hrixs.aggregate`.

    Raises
    ------
    ValueError
        If there is nothing to group by, or an option is given twice.
    """
    chosen: dict[str, Any] = {}
    for option in ("step", "tolerance", "edges", "setpoints"):
        given: Sequence[tuple[str | None, Any]] = getattr(arguments, option)
        if not given:
            continue
        if not (arguments.aggregate or arguments.map):
            raise ValueError(
                f"--{option} was given without --aggregate VAR or --map, what to group by."
            )
        names = [name for name, _ in given]
        if len(set(names)) < len(names) or (None in names and len(names) > 1):
            raise ValueError(
                f"--{option} was given {len(names)} times, expected once, or once for each "
                f"variable: --{option} {(arguments.aggregate or [arguments.map])[0]}=..."
            )
        chosen[option] = given[0][1] if names == [None] else dict(given)
    return chosen


def map_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Whether a map is made, and over what, as options of a job.

    Raises
    ------
    ValueError
        If spectra are to be aggregated, too.
    """
    if arguments.map is not None and arguments.aggregate:
        raise ValueError(
            f"--map and --aggregate {arguments.aggregate[0]} were given: a map adds up the images "
            "of each step by itself. Leave one out."
        )
    return {"map": arguments.map, "map_axis": arguments.map_axis}


def together(arguments: argparse.Namespace) -> dict[str, Any]:
    """Whether runs are taken together, and how they are aligned, as options of a job.

    Raises
    ------
    ValueError
        If an option lacks the one that it belongs to.
    """
    if arguments.align is not None and not arguments.together:
        raise ValueError("--align was given without --together: one run has nothing to align to.")
    if arguments.within is not None and arguments.align is None:
        raise ValueError("--within was given without --align elastic.")
    return {name: getattr(arguments, name) for name in ("together", "align", "within")}


def _by_name(read: Callable[[str], Any]) -> Callable[[str], tuple[str | None, Any]]:
    """Reader of ``VALUE``, or of ``VAR=VALUE``."""

    def reader(text: str) -> tuple[str | None, Any]:
        name, equals, value = text.rpartition("=")
        return (name if equals else None), read(value)

    return reader


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number, expected for example 0.05, or hRIXS_delay=0.05"
        ) from None


def _number_or_auto(text: str) -> float | str:
    return text if text == "auto" else _number(text)


def _numbers(text: str) -> list[float]:
    return [_number(one) for one in text.split(",")]
