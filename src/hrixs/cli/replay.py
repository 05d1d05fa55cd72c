"""The work of ``hrixs replay``: reproduce a result, and compare."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from hrixs.files.names import OF_RESULT, no_file
from hrixs.output.suffixes import checked_suffix
from hrixs.utils.errors import MissingDataError


def add_command(commands: Any) -> None:
    """Add the command."""
    replay = commands.add_parser(
        "replay",
        help="reproduce a result from the steps in its file, and compare",
        description="Prints how a result was made, reproduces it from its runs or images by the "
        "settings and steps in its file, and compares both. The same version of hrixs gives the "
        "same bytes. The exit status is 1 if the results differ.",
        allow_abbrev=False,
    )
    add = replay.add_argument
    add("result", metavar="RESULT.nc", help="result of hrixs process, or of a notebook")
    add("-o", "--output", type=Path, metavar="OUT.nc", help="file to write the new result to")
    add("--moved", action="append", default=[], type=_moved, metavar="OLD=NEW",
        help="new place of a folder, or of a run number; may be repeated")  # fmt: skip
    add("--show", action="store_true", help="only print how the result was made, as Python")
    replay.set_defaults(command=_replay)


def _replay(arguments: argparse.Namespace) -> int:
    if not Path(arguments.result).is_file():
        raise no_file(Path(arguments.result), OF_RESULT)
    checked_suffix(arguments.result)
    output: Path | None = None if arguments.show else arguments.output
    if output is not None:
        checked_suffix(output)  # before any work is done
        if not output.parent.is_dir():
            raise MissingDataError(f"there is no folder {output.parent} to write {output.name} to.")
    from hrixs.output.writing import export
    from hrixs.replays.differences import same_bytes
    from hrixs.replays.python_text import how_made
    from hrixs.spectrometer.replay import done_again, said_of_differences

    text = how_made(arguments.result)
    if not text:
        raise MissingDataError(
            f"{arguments.result} does not list its steps, expected a result of hrixs process or "
            f"of the class hRIXS. Results of hrixs watch store only the settings."
        )
    print(text)
    if arguments.show:
        return 0
    made = done_again(arguments.result, dict(arguments.moved))
    if output is not None:
        export(made.result, output)
        print(f"wrote {output}")
    if made.taken:
        print(f"taken from the file as they are: {', '.join(made.taken)}")
    if not made.compared:
        print("reproduced; only netCDF is compared")
        return 0
    if made.differences:
        print(f"reproduced, but it differs: {said_of_differences(made)}")
        return 1
    same = same_bytes(made.result, arguments.result)
    print(f"reproduced: the same{', to the last byte' if same else ' values'}")
    return 0


def _moved(text: str) -> tuple[str, str]:
    old, equals, new = text.partition("=")
    if not (old and equals and new):
        raise argparse.ArgumentTypeError(
            f"{text!r} given, expected the old folder and the new one: /old/raw=/new/raw; or a "
            "run's number and its folder: 145=/new/r0145"
        )
    return old, new
