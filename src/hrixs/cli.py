"""The command ``hrixs``: argument parsing, and calls to the class."""

from __future__ import annotations

import argparse
import re
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hrixs import settings
from hrixs.errors import HrixsWarning
from hrixs.provenance import __version__

_NUMBER = re.compile(r"-\.?\d[\d.:eE+-]*")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is 0 where all went well."""
    words = sys.argv[1:] if argv is None else argv
    arguments = _parser().parse_args(_join_negative_numbers(words))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", HrixsWarning)
            warnings.showwarning = _print_warning
            return int(arguments.command(arguments) or 0)
    except (ValueError, LookupError, TypeError, OSError, ImportError) as error:
        print(f"hrixs: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("hrixs: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hrixs", description="RIXS camera frames to spectra.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"hrixs {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_process(commands)
    return parser


def _add_demo(commands: Any) -> None:
    demo = commands.add_parser(
        "demo",
        help="simulate a run, do the main job on it, and compare with the truth",
        description="Simulates a dark and a data run in the EuXFEL file format, does the main job "
        "on them and prints what it found beside the simulated truth. Writes about 10 MB a frame.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    demo.add_argument("--out", default="hrixs-demo", metavar="DIR", help="folder to write to")
    demo.add_argument("--frames", type=int, default=48, help="frames of the data run, 24 or more")
    demo.add_argument("--seed", type=int, default=1, help="of the simulation")
    demo.set_defaults(command=_demo)


def _demo(arguments: argparse.Namespace) -> int:
    from hrixs.demo import run_demo

    rows = run_demo(Path(arguments.out), n_frames=arguments.frames, seed=arguments.seed)
    return 0 if all(row.agrees for row in rows) else 1


def _add_process(commands: Any) -> None:
    process = commands.add_parser(
        "process",
        help="make spectra from a run or an image stack",
        description="Makes spectra from a run's folder, a run number, or a .tif, .npy or .h5 image "
        "stack, and writes them to a netCDF file.",
        allow_abbrev=False,
    )
    add = process.add_argument
    add(
        "run",
        metavar="RUN",
        help="a run's folder, a run number (with --proposal), or an image file",
    )
    add("-o", "--output", required=True, metavar="OUT.nc", help="netCDF file to write")
    add("--method", choices=["auto", "manual", "integrate"], default="auto",
        help="photons by a threshold from the image (auto, the default), by the photon energy "
        "(manual), or integrated intensity")  # fmt: skip
    add("--plot", metavar="OUT.png", help="also draw image, spectrum and photons per train")
    add("--proposal", help="number of the proposal, with run numbers")
    add("--detector", choices=sorted(settings.DETECTOR_FIELDS), default="MaranaX")
    add("--dark", metavar="RUN", help="dark run or dark image file, subtracted from every image")
    add("--mask", metavar="MASK.npy", help="image that is not 0 where a pixel is bad")
    add("--find-curvature", nargs="?", const="", metavar="RUN",
        help="fit the curvature to RUN, or to the run that is processed")  # fmt: skip
    add("--energy", type=float, metavar="EV", help="photon energy, in place of the run's own")
    add("--field", action="append", default=[], metavar="NAME",
        help="mnemonic of slow data to load besides the usual ones; may be repeated")  # fmt: skip
    add("--mnemonics", metavar="FILE.json",
        help="where your cameras and slow data lie in a run's files: "
        '{"MaranaX": {"source": ..., "key": ..., "dim": ["x", "y"]}, ...}')  # fmt: skip
    add("--aggregate", metavar="VAR", help="add up the trains with equal VAR, e.g. hRIXS_delay")
    add("--normalize", metavar="VAR", help="also divide the spectra by VAR, e.g. hRIXS_norm")
    add("--transpose", action="store_true", help="image files: the line lies along the second axis")
    add("--dataset", help="image files: dataset in an HDF5 file")
    group = process.add_argument_group("settings, named as the attributes of the class hRIXS")
    for name, default in settings.DEFAULTS.items():
        if name not in ("MASK", "USE_DARK"):
            group.add_argument(
                f"--{name.lower().replace('_', '-')}",
                dest=f"set_{name}",
                type=_value_type(name),
                metavar="A:B" if isinstance(default, slice) else "N",
                help=f"{settings.HELP[name]} (default: {_default_text(name)})",
            )
    process.set_defaults(command=_process)


def _process(arguments: argparse.Namespace) -> None:
    from hrixs.processing import process

    chosen = {
        name.removeprefix("set_"): value
        for name, value in vars(arguments).items()
        if name.startswith("set_") and value is not None
    }
    process(
        arguments.run,
        Path(arguments.output),
        method=arguments.method,
        plot=arguments.plot,
        proposal=arguments.proposal,
        detector=arguments.detector,
        dark=arguments.dark,
        mask=arguments.mask,
        find_curvature=arguments.find_curvature,
        energy=arguments.energy,
        fields=arguments.field,
        mnemonics_file=arguments.mnemonics,
        aggregate=arguments.aggregate,
        normalize=arguments.normalize,
        transpose=arguments.transpose,
        dataset=arguments.dataset,
        params=chosen,
    )


def _default_text(name: str) -> str:
    default = settings.DEFAULTS[name]
    if default is None:
        return {"THRESHOLD": "from --std-threshold", "DBL_THRESHOLD": "none"}.get(name, "all")
    return "all" if default == slice(None) else str(default)


def _value_type(name: str) -> Any:
    default = settings.DEFAULTS[name]
    if isinstance(default, slice):
        return _slice
    return int if isinstance(default, int) or name == "THREADS" else float


def _slice(text: str) -> slice:
    ends = text.split(":")
    try:
        start, stop = (int(end) if end else None for end in ends)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a range of pixels, expected for example 700:900, 700: or :900"
        ) from None
    return slice(start, stop)


def _join_negative_numbers(argv: Sequence[str]) -> list[str]:
    """Join ``--curve-b -3.7e-7`` to one word: argparse takes such a number for an option."""
    words: list[str] = []
    for word in argv:
        if (
            words
            and words[-1].startswith("--")
            and "=" not in words[-1]
            and _NUMBER.fullmatch(word)
        ):
            words[-1] += f"={word}"
        else:
            words.append(word)
    return words


def _print_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"hrixs: warning: {message}", file=sys.stderr)
