"""The command ``hrixs``: argument parsing, and calls to the class.

Modules that need NumPy are imported by the command that runs: their import takes longer than to
report a typing error.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hrixs.cli import level_options, replay, report_option, scan_options, selection_options
from hrixs.cli.parser import METAVARS, READERS, Parser, Version, detector
from hrixs.runs.mnemonic_table import mnemonics
from hrixs.settings.table import DETECTOR_FIELDS, SETTINGS, Setting
from hrixs.spectra.methods import METHODS
from hrixs.utils.errors import DoubtWarning, HrixsWarning

_FEWEST_FRAMES = 24
_NUMBER = re.compile(r"-\.?\d[\d.:,eE+-]*")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status, 0 for success."""
    words = sys.argv[1:] if argv is None else argv
    arguments = _parser().parse_args(_join_negative_numbers(words))
    arguments.words = list(words)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", HrixsWarning)
            warnings.simplefilter("ignore", DoubtWarning)  # their lines stand with the counts
            warnings.showwarning = _print_warning
            return int(arguments.command(arguments) or 0)
    except (ValueError, LookupError, TypeError, OSError, ImportError, MemoryError) as error:
        print(f"hrixs: error: {error or 'there is not enough memory'}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("hrixs: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="hrixs", description="Make spectra from camera frames of RIXS.")
    parser.add_argument("--version", action=Version)
    commands = parser.add_commands()
    _add_demo(commands)
    _add_process(commands)
    _add_watch(commands)
    _add_view(commands)
    replay.add_command(commands)
    return parser


def _add_demo(commands: Any) -> None:
    demo = commands.add_parser(
        "demo",
        help="simulate a run, analyse it, and compare the result with the truth",
        description="Simulates a dark run and a data run in the EuXFEL file format, analyses them, "
        "and prints the results next to the true values. Writes about 10 MB per frame.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    demo.add_argument("--out", default="hrixs-demo", metavar="DIR", help="folder to write to")
    demo.add_argument(
        "--frames", type=int, default=48, help="number of frames of the data run, 24 or more"
    )
    demo.add_argument("--seed", type=int, default=1, help="seed of the simulation")
    demo.set_defaults(command=_demo)


def _demo(arguments: argparse.Namespace) -> int:
    if arguments.frames < _FEWEST_FRAMES:
        raise ValueError(f"n_frames = {arguments.frames}, expected {_FEWEST_FRAMES} or more.")
    from hrixs.cli.demo import run_demo

    rows = run_demo(Path(arguments.out), n_frames=arguments.frames, seed=arguments.seed)
    return 0 if all(row.agrees for row in rows) else 1


def _add_process(commands: Any) -> None:
    process = commands.add_parser(
        "process",
        help="make spectra from runs, image files or event lists",
        description="Makes spectra from runs (folders or numbers), image files of any camera "
        "(TIFF, HDF5, NumPy, EDF, CBF, FITS, SIF, SPE), or event lists of ADRESS (.h5). Each run "
        "gives one output file. A long run needs no more memory than a short one.",
    )
    add = process.add_argument
    add("runs", metavar="RUN", nargs="+",
        help="a run: its folder, its number, or a range of numbers such as 145-150 (numbers need "
        "--proposal); or an image file; or a folder or a quoted pattern ('scan_*.tif') of image "
        "files that make one stack")  # fmt: skip
    add("-o", "--output", required=True, metavar="OUT.nc",
        help="file to write: .nc for netCDF; .nxs or .h5 for NeXus; .dat, .txt or .csv for columns "
        "of text. For several runs: a folder, or a name that contains {run}")  # fmt: skip
    add("--plot", metavar="OUT.png",
        help="also draw image, spectrum and photons per train; for several runs named like the "
        "output")  # fmt: skip
    report_option.add_option(process)
    add(
        "--resume",
        action="store_true",
        help="continue an interrupted command: type the same command with --resume; finished "
        "outputs are not recomputed",
    )
    add("--photons", action="store_true", help="for runs: also write the photon table")
    add(
        "--strict",
        action="store_true",
        help="for runs: stop with an error if the files of a run are faulty",
    )
    add("--memory", metavar="512MB", help="for runs: peak memory (default: 512MB)")
    add("--no-progress", action="store_true", help="show no progress bar")
    add("--find-curvature", nargs="?", const="", metavar="RUN",
        help="fit the curvature to RUN; without RUN to the run that is processed")  # fmt: skip
    add("--field", action="append", default=[], metavar="NAME",
        help="slow data to load in addition to the usual ones: a mnemonic, or SOURCE,KEY; may be "
        "repeated")  # fmt: skip
    scan_options.add_options(process)
    add("--normalize", metavar="VAR",
        help="also divide the spectra by VAR, e.g. hRIXS_norm, I0 (see --i0), or an expression of "
        "such names")  # fmt: skip
    level_options.add_options(process)
    add(
        "--transpose",
        action="store_true",
        help="for image files: the spectral line runs along the second axis",
    )
    add("--dataset", metavar="NAME",
        help="for image files: what to read in a file: dataset, group or pattern of an HDF5 file; "
        "array of an .npz file; extension of a FITS file; number of a TIFF series")  # fmt: skip
    add("--stack-axis", type=int, metavar="N",
        help="for image files: the axis that counts the images, from 0; needed if the shape does "
        "not show it")  # fmt: skip
    add("--deconvolve", action="store_true",
        help="with --method integrate: remove the blur by charge cloud and pixel; gives one "
        "spectrum of all images, or one of each group")  # fmt: skip
    add("--oversample", type=int, metavar="N",
        help="with --deconvolve: number of bins in a row of the camera (default: 3)")  # fmt: skip
    add("--stack", action="store_true",
        help="for image files: all files given make one stack, in the order given")  # fmt: skip
    selection_options.add_options(process)
    _add_analysis(process)
    process.set_defaults(command=_process)


def _add_analysis(command: argparse.ArgumentParser) -> None:
    """Add the options of every command that makes spectra, and the settings."""
    add = command.add_argument
    add("--method", choices=METHODS, default="auto",
        help="how spectra are made. Counted photons: by a threshold from the image (auto, the "
        "default), by the photon energy (manual), or by their charge, for spots that overlap "
        "(resolve). Sums of pixel values: integrate. best: resolve if photons are sparse enough, "
        "otherwise integrate, in photons")  # fmt: skip
    add("--proposal", help="number of the proposal; needed for run numbers")
    add("--settings", metavar="FILE",
        help="settings: a .toml file of hRIXS.save, or a result of hrixs. Other options take "
        "precedence over it")  # fmt: skip
    add("--detector", type=detector, metavar="NAME",
        help=f"camera: {', '.join(sorted(DETECTOR_FIELDS))}, or its SOURCE,KEY (default: "
        "MaranaX)")  # fmt: skip
    add("--dark", metavar="RUN", help="dark run or dark image file, subtracted from every image")
    add("--mask", metavar="MASK",
        help="image file, such as .npy or .tif, that is not 0 at bad pixels")  # fmt: skip
    add(
        "--energy",
        type=float,
        metavar="EV",
        help="photon energy in eV, instead of the one in the data",
    )
    add("--mnemonics", metavar="FILE.json",
        help="sources and keys of your cameras and slow data: "
        '{"MaranaX": {"source": ..., "key": ..., "dim": ["x", "y"]}, ...}')  # fmt: skip
    group = command.add_argument_group("settings (the attributes of the class hRIXS)")
    for setting in SETTINGS:
        if setting.is_option:
            _add_setting(group, setting)


def _add_setting(group: Any, setting: Setting) -> None:
    words = isinstance(setting.kind, tuple)
    unit = f", in {setting.unit}" if setting.unit else ""
    group.add_argument(
        f"--{setting.name.lower().replace('_', '-')}",
        dest=f"set_{setting.name}",
        type=str if words else READERS[str(setting.kind)],
        choices=setting.kind if words else None,
        metavar=None if words else METAVARS[str(setting.kind)],
        help=f"{setting.help}{unit} (default: {_default_text(setting)})",
    )


def _job_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Make a job of the options of `_add_analysis` and of --find-curvature."""
    names = (
        "method",
        "proposal",
        "detector",
        "settings",
        "dark",
        "mask",
        "find_curvature",
        "energy",
    )
    chosen = {
        name.removeprefix("set_"): value
        for name, value in vars(arguments).items()
        if name.startswith("set_") and value is not None
    }
    return {name: getattr(arguments, name) for name in names} | {"params": chosen}


def _process(arguments: argparse.Namespace) -> int:
    from hrixs.cli.batch import process_all
    from hrixs.cli.job import Job

    job = Job(
        **_job_options(arguments),
        fields=arguments.field,
        aggregate=arguments.aggregate,
        grouping=scan_options.grouping(arguments),
        **scan_options.together(arguments),
        **scan_options.map_of(arguments),
        normalize=arguments.normalize,
        background=arguments.background,
        transpose=arguments.transpose,
        dataset=arguments.dataset,
        stack_axis=arguments.stack_axis,
        stack=arguments.stack,
        deconvolve=arguments.deconvolve,
        oversample=arguments.oversample,
        photons=arguments.photons,
        strict=arguments.strict,
        memory=arguments.memory,
        progress=not arguments.no_progress,
        resume=arguments.resume,
        choice=selection_options.choice_of(arguments),
    )
    failed = process_all(
        arguments.runs,
        arguments.output,
        job,
        plot=arguments.plot,
        report=report_option.asked(arguments),
        mnemonics_file=arguments.mnemonics,
    )
    return 1 if failed else 0


def _add_watch(commands: Any) -> None:
    watch = commands.add_parser(
        "watch",
        help="show live spectra of the trains that a Karabo bridge sends",
        description="Analyses trains from a Karabo bridge as they arrive, shows the spectrum of "
        "the last trains and of all, and saves both, until Ctrl-C. Needs: "
        "pip install 'hrixs[bridge]'.",
    )
    add = watch.add_argument
    add("endpoint", metavar="tcp://HOST:PORT", help="address of the bridge's server")
    add("-o", "--output", type=Path, metavar="OUT.nc",
        help="netCDF file, saved every 5 seconds (default: hrixs-watch-DATE-TIME.nc)")  # fmt: skip
    add("--window", type=int, default=100, metavar="N",
        help="number of last trains that are shown and saved one by one, in addition to the sum "
        "of all (default: %(default)s)")  # fmt: skip
    add("--every-train", action="store_true",
        help="analyse every train: the server waits, as when it sends a run from files. "
        "Otherwise the newest image is used, and skipped trains are counted")  # fmt: skip
    add("--timeout", type=float, default=10.0, metavar="SECONDS",
        help="stop with an error if no train arrives in this time "
        "(default: %(default)g)")  # fmt: skip
    add("--until-silent", type=float, metavar="SECONDS",
        help="save and stop if no train arrives for this time (default: wait for "
        "Ctrl-C)")  # fmt: skip
    add("--refresh", type=float, metavar="SECONDS",
        help="time between two drawings (default: 0.5, and 10 if the output is no "
        "terminal)")  # fmt: skip
    add("--find-curvature", metavar="RUN", help="fit the curvature to RUN first")
    add("--socket", choices=["REQ", "SUB", "PULL"], default="REQ",
        help="type of the socket: REQ for a server of type REP (default), SUB for PUB, PULL for "
        "PUSH")  # fmt: skip
    add("--web", action="store_true",
        help="show a page in the browser instead of the terminal, with the last image and its "
        "photons, and save every few seconds. Needs: pip install 'hrixs[bridge,view]'")  # fmt: skip
    _add_address(watch)
    _add_analysis(watch)
    watch.set_defaults(command=_watch)


def _watch(arguments: argparse.Namespace) -> None:
    from hrixs.cli.job import Job
    from hrixs.cli.there import require_folder, require_there
    from hrixs.live.endpoint import require_endpoint

    job = Job(**_job_options(arguments))
    require_folder(arguments.output or Path())
    require_there(job)
    require_endpoint(arguments.endpoint)
    how = {name: getattr(arguments, name) for name in
           ("window", "every_train", "socket", "until_silent")}  # fmt: skip
    how["mnemonics_file"] = arguments.mnemonics
    if arguments.web:
        from hrixs.cli.watch import watch_in_browser

        page = {"port": arguments.port, "origins": arguments.origin}
        watch_in_browser(arguments.endpoint, arguments.output, job, **how, **page)
        return
    if arguments.port or arguments.origin:
        raise ValueError("--port and --origin are for the page in the browser. Add --web.")
    from hrixs.cli.watch import watch

    how |= {"timeout": arguments.timeout, "refresh": arguments.refresh}
    watch(arguments.endpoint, arguments.output, job, **how)


def _add_view(commands: Any) -> None:
    view = commands.add_parser(
        "view",
        help="show a run in the browser: images, photons, spectrum",
        description="Shows a run on a page in the browser. Only this machine can open the page, at "
        "an address with a token. The page starts with the settings that are given. Needs: pip "
        "install 'hrixs[view]'.",
    )
    add = view.add_argument
    add("runs", metavar="RUN", nargs="+",
        help="a run's folder or number, or a file of images; several runs, or a range such as "
        "145-148 (with --proposal), are shown together")  # fmt: skip
    _add_address(view)
    add(
        "--memory",
        metavar="512MB",
        help="memory for the frames that the page holds (default: 512MB)",
    )
    _add_analysis(view)
    view.set_defaults(command=_view, find_curvature=None)


def _add_address(page: Any) -> None:
    add = page.add_argument
    add("--port", type=int, default=0, metavar="N",
        help="port of the page (default: a free one)")  # fmt: skip
    add("--origin", action="append", default=[], metavar="URL",
        help="address of the Jupyter server that forwards the page, such as "
        "https://hub.example.org; may be repeated")  # fmt: skip


def _view(arguments: argparse.Namespace) -> None:
    from hrixs.cli.batch import expanded
    from hrixs.cli.job import Job
    from hrixs.cli.there import require_there

    job = Job(**_job_options(arguments))
    names = expanded(arguments.runs)
    require_there(job, names[0] if len(names) == 1 else None)
    from hrixs.view.viewer import View

    if arguments.mnemonics is not None:
        mnemonics.update(json.loads(Path(arguments.mnemonics).read_text(encoding="utf8")))
    how = {name: getattr(arguments, name) for name in ("method", "energy", "memory")}
    sources = [job.source(name) for name in names]
    h = job.spectrometer()
    view = View(h, sources[0] if len(sources) == 1 else sources, **how)
    view.serve(port=arguments.port, origins=arguments.origin)


def _default_text(setting: Setting) -> str:
    default = setting.default
    if default is None:
        return setting.if_none.replace("STD_THRESHOLD", "--std-threshold")
    if isinstance(default, bool):
        return "yes" if default else "no"
    return "all" if default == slice(None) else str(default)


def _join_negative_numbers(argv: Sequence[str]) -> list[str]:
    """Join ``--curve-b -3.7e-7`` to one word: argparse takes the number for an option."""
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
