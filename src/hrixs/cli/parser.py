"""A parser that helps with misspelt options, and readers for the values of settings."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from hrixs.photons.defaults import threshold_options
from hrixs.settings.table import DETECTOR_FIELDS, camera_name
from hrixs.utils.errors import near_match, unknown_name


class Parser(argparse.ArgumentParser):
    """An ArgumentParser with short errors that suggest the option that was meant.

    Unknown options are looked for first: a misspelt ``--output`` is reported as misspelt, and not
    as a missing ``--output``. The commands have parsers of this class, too.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False} | kwargs)
        self.commands: dict[str, Parser] = {}

    def add_commands(self) -> Any:
        """Return the object whose `add_parser` makes commands."""
        action = self.add_subparsers(required=True, metavar="COMMAND")
        self.commands = action.choices
        return action

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse known options like argparse, which calls it for a command with its words."""
        words = sys.argv[1:] if args is None else args
        for word in self._own_words(words):
            option = word.partition("=")[0]
            if option not in self._option_string_actions:
                self.error(self._unknown(option))
        return super().parse_known_args(words, namespace)

    def error(self, message: str) -> NoReturn:
        """Print the error without the usage, which is a page long, and exit like argparse."""
        self.exit(2, f"{self.prog}: error: {message}\n{self.prog} --help lists all options.\n")

    def _own_words(self, words: Sequence[str]) -> Iterable[str]:
        """Words that argparse takes for names of options, up to the name of a command."""
        for word in words:
            if word == "--" or (self.commands and not word.startswith("-")):
                return
            if " " in word or not word.startswith("-") or not word.lstrip("-")[:1].isalpha():
                continue  # a value, also as -3 or -, as argparse sees it
            # The value of -o may follow without a space: -oa.nc is no unknown option, -output is.
            known = self._option_string_actions
            if word.startswith("--") or f"-{word}" in known or word[:2] not in known:
                yield word

    def _unknown(self, option: str) -> str:
        known = [name for name in self._option_string_actions if name.startswith("--")]
        close = _near_option(option, known)
        if close is not None:
            return f"unknown option {option}, did you mean {close}?"
        for name, command in self.commands.items():
            if option in command._option_string_actions:
                return f"option {option} belongs behind the command: {self.prog} {name} {option}"
        return f"unknown option {option}."

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            what = "command" if action.choices is self.commands else "value"
            raise argparse.ArgumentError(action, unknown_name(what, value, action.choices))


class Version(argparse.Action):
    """The option --version; the version is looked up only when it is asked for."""

    def __init__(self, option_strings: Sequence[str], dest: str, **_: Any) -> None:
        text = "show program's version number and exit"
        super().__init__(option_strings, argparse.SUPPRESS, 0, help=text)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Print the version and exit."""
        from importlib.metadata import version

        print(f"hrixs {version('hrixs')}")
        parser.exit()


def _near_option(option: str, known: Sequence[str]) -> str | None:
    """The option that was probably meant, also if it is typed like a setting of the class."""
    names = {name.lstrip("-"): name for name in known}
    given = option.lstrip("-").replace("_", "-").casefold()
    # Do not suggest the opposite of what was typed.
    same_sense = [name for name in names if name.startswith("no-") == given.startswith("no-")]
    close = near_match(given, same_sense)
    return None if close is None else names[close]


def _yes_or_no(text: str) -> bool:
    if text not in ("yes", "no"):
        raise argparse.ArgumentTypeError(f"{text!r} given, expected yes or no")
    return text == "yes"


def _slice(text: str) -> slice:
    ends = text.split(":")
    try:
        start, stop = (int(end) if end else None for end in ends)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a range of pixels, expected for example 700:900, 700: or :900"
        ) from None
    return slice(start, stop)


def detector(text: str) -> str:
    """Name of a camera; a source with its key becomes known under this name."""
    name = camera_name(text)
    if name not in DETECTOR_FIELDS:
        raise argparse.ArgumentTypeError(unknown_name("detector", text, DETECTOR_FIELDS))
    return name


def _threshold(text: str) -> float | str:
    """Read a number, or a text such as ``6 sigma``."""
    try:
        return float(text)
    except ValueError:
        threshold_options(text)
        return text


def _pedestal(text: str) -> str | slice:
    """Read ``image`` or a range of rows."""
    return text if text == "image" else _slice(text)


#: Readers of the text of a setting, by its kind.
READERS = {
    "number": float,
    "threshold": _threshold,
    "pedestal": _pedestal,
    "whole number": int,
    "text": str,
    "yes or no": _yes_or_no,
    "range": _slice,
}
#: Placeholder of a value in the help, by the kind of the setting.
METAVARS = {
    "number": "N",
    "threshold": "N",
    "pedestal": "image|A:B",
    "whole number": "N",
    "text": "TEXT",
    "yes or no": "yes|no",
    "range": "A:B",
}
