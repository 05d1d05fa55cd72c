"""Options of the command line that choose images."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr

_RANGE = re.compile(r"(\d+)-(\d+)")
_MOST = 10_000_000


@dataclass(frozen=True)
class Choice:
    """Which images of a run are used.

    Attributes
    ----------
    drop_first
        Number of first images that are left out.
    trains, index
        Ids of trains; numbers of trains in a run or of images in a stack, from 0; None: all.
    by
        Condition on the spectra's fields, or ``'auto'``; None: none.
    """

    drop_first: int = 0
    trains: tuple[int, ...] | None = None
    index: tuple[int, ...] | None = None
    by: str | None = None

    @property
    def of_run(self) -> dict[str, Any]:
        """Options of `hRIXS.process_run` for images that are not read."""
        index = None if self.index is None else list(self.index)
        return {"drop_first": self.drop_first, "trains": self.trains, "subset": index}

    def of_images(self, data: xr.Dataset) -> xr.Dataset:
        """Choose images of a stack."""
        from hrixs.selection.chosen_trains import chosen_images

        return chosen_images(data, **self.of_run)

    def of_spectra(self, spectra: xr.Dataset) -> xr.Dataset:
        """Choose images by the condition, and print how many are left out."""
        if self.by is None:
            return spectra
        from hrixs.selection.choose import select

        chosen = select(spectra, self.by)
        print(f"{chosen.attrs['n_left_out']} images left out; kept: {chosen.attrs['selected_by']}")
        return chosen


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options to a command."""
    add = command.add_argument
    add("--drop-first", nargs="?", type=_number, const=1, default=0, metavar="N",
        help="leave out the first image, or the first N images")  # fmt: skip
    add("--trains", type=_numbers("train ids"), metavar="IDS",
        help="use only these trains, by their ids: 1600000003,1600000010-1600000019")  # fmt: skip
    add("--index", type=_numbers("numbers"), metavar="NUMBERS",
        help="use only these trains of a run, or images of a stack, by their numbers from 0: "
        "0,5,10-19")  # fmt: skip
    add("--select", metavar="CONDITION",
        help="use the images for which CONDITION is true, such as 'n_photons > 50 and hRIXS_norm > "
        "0'; or the name of a field: its values are split into two groups, and the higher one "
        "is used; or auto: leave blanks out")  # fmt: skip


def choice_of(arguments: argparse.Namespace) -> Choice:
    """Read the options."""
    return Choice(arguments.drop_first, arguments.trains, arguments.index, arguments.select)


def _number(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} given, expected a number of images")
    return int(text)


def _numbers(what: str) -> Callable[[str], tuple[int, ...]]:
    def read(text: str) -> tuple[int, ...]:
        numbers: list[int] = []
        for word in text.split(","):
            match = _RANGE.fullmatch(word.strip())
            if match is not None and 0 <= int(match[2]) - int(match[1]) < _MOST:
                numbers += range(int(match[1]), int(match[2]) + 1)
            elif match is None and word.strip().isdigit():
                numbers.append(int(word))
            else:
                raise argparse.ArgumentTypeError(
                    f"{word.strip()!r} in {text!r} is neither a number nor a range; expected "
                    f"{what} such as 3,10-19"
                )
        return tuple(numbers)

    return read
