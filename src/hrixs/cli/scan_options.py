"""Options of ``hrixs process`` for scans: groups of images, and several runs in one output."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

_PER_VARIABLE = "; with several --aggregate give it for each: VAR=..."


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options; `grouping`, `map_of` and `together` read them."""
    add = parser.add_argument
    add("--aggregate", action="append", default=[], metavar="VAR",
        help="add up the trains with equal VAR, e.g. hRIXS_delay or SOURCE,KEY; repeated: one "
        "spectrum for each combination of values")  # fmt: skip
    add("--step", action="append", default=[], type=_by_name(_number), metavar="WIDTH",
        help="with --aggregate: add up the trains in bins of this width"
        f"{_PER_VARIABLE}")  # fmt: skip
    add("--tolerance", action="append", default=[], type=_by_name(_number_or_auto), metavar="T",
        help="with --aggregate: in the sorted values, neighbours that differ by at most T belong "
        f"together; auto: find T from the values{_PER_VARIABLE}")  # fmt: skip
    add("--edges", action="append", default=[], type=_by_name(_numbers), metavar="A,B,...",
        help="with --aggregate: add up the trains in bins with these edges"
        f"{_PER_VARIABLE}")  # fmt: skip
    add("--setpoints", action="append", default=[], type=_by_name(_numbers), metavar="A,B,...",
        help="with --aggregate: add each train to the nearest of these values"
        f"{_PER_VARIABLE}")  # fmt: skip
    add("--map", nargs="?", const="nrj", metavar="VAR",
        help="make a RIXS map over VAR (default: nrj) and the energy loss; --plot draws it. The "
        "steps of VAR are found automatically, or are those of --step, --edges, ...")  # fmt: skip
    add("--map-axis", choices=["energy_loss", "energy"], default="energy_loss",
        help="with --map: axis of the spectra (default: %(default)s)")  # fmt: skip
    add("--together", action="store_true",
        help="for several runs: write all into one output, with the run of each train")  # fmt: skip
    add("--align", choices=["elastic"],
        help="with --together: shift the spectra of each run so that its elastic line is at the "
        "photon energy")  # fmt: skip
    add("--within", type=float, metavar="EV",
        help="with --align: search the line within this distance of the photon energy (default: 15 "
        "rows)")  # fmt: skip


def grouping(arguments: argparse.Namespace) -> dict[str, Any]:
    """Options of `hrixs.aggregate`: how images are grouped.

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
                f"--{option} was given without --aggregate VAR or --map. Add one of them."
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
    """Options of a job for a map.

    Raises
    ------
    ValueError
        If --aggregate is given, too.
    """
    if arguments.map is not None and arguments.aggregate:
        raise ValueError(
            f"--map and --aggregate {arguments.aggregate[0]} were given: a map already adds up "
            "the images of each step. Leave one of them out."
        )
    return {"map": arguments.map, "map_axis": arguments.map_axis}


def together(arguments: argparse.Namespace) -> dict[str, Any]:
    """Options of a job for several runs in one output, and their alignment.

    Raises
    ------
    ValueError
        If an option is given without the one that it needs.
    """
    if arguments.align is not None and not arguments.together:
        raise ValueError(
            "--align was given without --together. Add --together: runs are aligned in one output."
        )
    if arguments.within is not None and arguments.align is None:
        raise ValueError(
            "--within was given without --align elastic. Add --align elastic, or leave it out."
        )
    return {name: getattr(arguments, name) for name in ("together", "align", "within")}


def _by_name(read: Callable[[str], Any]) -> Callable[[str], tuple[str | None, Any]]:
    """Make a reader of ``VALUE`` or ``VAR=VALUE``."""

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
