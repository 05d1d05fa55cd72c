"""What the first images decide once, for all: one photon's cloud and charge, and the way."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs.camera.frames import Frames, as_dark, as_frames, as_mask
from hrixs.photons.charge_balance import report_gap
from hrixs.photons.cloud_width import (
    FIRST_CLOUD_SIGMA,
    CloudEstimate,
    cloud_of_first,
    mean_cloud,
)
from hrixs.photons.columns import COLUMNS
from hrixs.photons.flat_level import uneven_level
from hrixs.photons.resolve import ENOUGH_FOR_A_CLOUD, ENTRIES_FOR_A_CHARGE
from hrixs.photons.spots import cloud_of_spots, single_charge
from hrixs.photons.table import table_columns
from hrixs.reduction.analysis import Analysis
from hrixs.reduction.density import LightMap, lost_photons
from hrixs.reduction.first_look import looked_at
from hrixs.utils.errors import (
    FaultyRunError,
    LostPhotonsWarning,
    MissingDataError,
    NonFinitePixelsError,
    TooManyPhotonsError,
    warn,
)
from hrixs.utils.threads import resolve_threads

#: Frames of so many first entries, and the photon energies of these.
FirstParts = Callable[[int], Iterable[tuple[Any, Any]]]

#: Photons a pixel, as a photon of the line sees them, up to which they are resolved: 4 % are lost.
DENSEST = 0.45

# So many entries tell how many photons are lost.
_ENTRIES_FOR_A_LOSS = 4
# So many tell which parts of the chip are at another level.
_ENTRIES_FOR_A_LEVEL = 4
# So many are looked at for what does not belong to light, and one of so many.
_MOST_LOOKED_AT, _LOOKED_AT_ONE_OF = 4, 8
# So many spots tell a charge well enough for that.
_SPOTS_FOR_A_LOSS = 5
_LARGEST_LOSS = 0.05
# Spots above the noise tell what a threshold loses where they make more than this part more.
_CLEARLY_MORE = 0.2
# Charges by the energy and by the spots that differ by more than this are told.
_LARGEST_MISMATCH = 0.1


def settled(
    analysis: Analysis,
    n_entries: int,
    parts: FirstParts,
    *,
    losses: bool = True,
    look: bool = True,
) -> Analysis:
    """Return the same with what the first of `n_entries` entries decide.

    Parameters
    ----------
    analysis : Analysis
        As the settings make it.
    n_entries : int
        Trains that there are.
    parts : callable
        Gives the frames of so many first entries, part by part, and their photon energies. What is
        decided does not depend on how they are divided.
    losses : bool
        Whether to estimate how many photons are lost, which costs a look at four entries.
    look : bool
        Whether to look for what does not belong to light, which costs a look at as many.

    Raises
    ------
    MissingDataError
        If there are too few photons to tell the cloud or the charge of one.

    Warns
    -----
    LostPhotonsWarning
        More than 5 % of the photons are lost, or they are too dense to be resolved.
    HrixsWarning
        The charge of isolated photons is another one than their energy makes.
    """
    if analysis.flattens:
        analysis = _flattened(analysis, parts(min(_ENTRIES_FOR_A_LEVEL, n_entries)))
    if analysis.resolves:
        analysis = _of_one_photon(analysis, n_entries, parts)
    elif analysis.needs_cloud:
        analysis = _with_cloud(analysis, n_entries, parts)
    if losses and analysis.method in ("auto", "manual"):
        analysis = with_losses(analysis, parts(min(_ENTRIES_FOR_A_LOSS, n_entries)))
    if look:
        n_looked_at = min(_MOST_LOOKED_AT, -(-n_entries // _LOOKED_AT_ONE_OF))
        # Lazy images that can't be read are told when it is their turn.
        with contextlib.suppress(FaultyRunError):
            analysis = looked_at(analysis, parts(n_looked_at))
    return analysis


def _flattened(analysis: Analysis, first: Iterable[tuple[Any, Any]]) -> Analysis:
    """Learn which rows, columns and parts of the chip are at another level."""
    stacks = [as_frames(frames) for frames, _ in first]
    if not stacks:
        return analysis
    pixels = np.concatenate([one.pixels.reshape(-1, *one.frame_shape) for one in stacks])
    camera = analysis.core_camera(as_frames(pixels))
    uneven = uneven_level(as_frames(pixels), **camera)
    analysis = replace(analysis, uneven=uneven).with_options(flatten=False)
    n_uneven = 0 if uneven is None else int(np.count_nonzero(uneven))
    return analysis.with_attrs(n_uneven_pixels=n_uneven)


def _of_one_photon(analysis: Analysis, n_entries: int, parts: FirstParts) -> Analysis:
    """Learn what one photon is like, and how dense they lie; of `'best'`, choose the way."""
    first = list(parts(min(ENTRIES_FOR_A_CHARGE, n_entries)))
    if not first:
        raise MissingDataError("none of the first images can be used.")
    try:
        if analysis.needs_cloud:
            analysis = _with_cloud(analysis, n_entries, parts)
    except MissingDataError:
        # Where no photon stands alone, they are perhaps too dense to be resolved anyway.
        if analysis.method != "best":
            raise
        dense = _with_density(_with_charge(analysis, first, compare=False), first)
        if dense.method == "integrate":
            return dense
        raise
    return _with_density(_with_charge(analysis, first), first)


def _with_cloud(analysis: Analysis, n_entries: int, parts: FirstParts) -> Analysis:
    electrons = analysis.options.get("electrons_per_adu") is not None

    def fit_first(n: int, cloud_sigma: float) -> CloudEstimate:
        if analysis.resolves:
            found = [analysis.spots(frames, cloud_sigma) for frames, _ in parts(n)]
            sizes = [(spots, len(spots["base"])) for spots in found]
            return cloud_of_spots(_joined(sizes), cloud_sigma)
        fitting = analysis.with_options(cloud_sigma=cloud_sigma)
        tables = [fitting.photons(frames, energy) for frames, energy in parts(n)]
        columns = [(table_columns(table), table.sizes["frames"]) for table in tables]
        return mean_cloud(_joined(columns), cloud_sigma, electrons=electrons)

    enough = {"enough": ENOUGH_FOR_A_CLOUD} if analysis.resolves else {}
    estimate = cloud_of_first(n_entries, fit_first, **enough)
    known = analysis.with_options(cloud_sigma=estimate.cloud_sigma)
    return known.with_attrs(cloud_sigma_estimated=1)


def _joined(parts: Sequence[tuple[dict[str, NDArray[Any]], int]]) -> dict[str, NDArray[Any]]:
    """Columns of the photons of several parts, ``frame`` counting on from part to part."""
    if not parts:
        raise MissingDataError("none of the first images can be used.")
    names = [name for name in ("frame", *COLUMNS) if name in parts[0][0]]
    columns = {name: np.concatenate([part[name] for part, _ in parts]) for name in names}
    begins = np.cumsum([0, *(n_frames for _, n_frames in parts)])[:-1]
    counts = [len(part["frame"]) for part, _ in parts]
    return columns | {"frame": columns["frame"] + np.repeat(begins, counts)}


def _with_charge(
    analysis: Analysis, first: Sequence[tuple[Any, Any]], *, compare: bool = True
) -> Analysis:
    """Learn the charge of one photon where nothing gives it, else compare it with that given."""
    cloud_sigma = analysis.options["cloud_sigma"] or FIRST_CLOUD_SIGMA
    charges = [analysis.charges(as_frames(frames), energy) for frames, energy in first]
    learns = charges[0] is None
    if not learns and not compare:
        return analysis
    # Charges of spots in those of one photon, where they are given: energies may differ.
    columns = []
    for (frames, _), given in zip(first, charges, strict=True):
        spots = analysis.spots(frames, cloud_sigma)
        if given is not None:
            spots["charge"] = spots["charge"] / given[spots["frame"]]
        columns.append((spots, len(spots["base"])))
    try:
        seen = single_charge(_joined(columns))
    except MissingDataError:
        if learns:
            raise
        return analysis
    if learns:
        return analysis.with_options(photon_charge=seen).with_attrs(photon_charge_learned=1)
    if abs(seen - 1) > _LARGEST_MISMATCH:
        warn(
            f"photons that stand alone have {seen:.2f} times the charge that was expected of one. "
            "Set ELECTRONS_PER_ADU (or EV_PER_PAIR) to the camera's, or PHOTON_CHARGE: what is "
            "counted is as wrong as the charge."
        )
    return analysis.with_attrs(photon_charge_seen=seen)


def _with_density(analysis: Analysis, first: Sequence[tuple[Any, Any]]) -> Analysis:
    """Measure how close together photons lie; of `'best'`, choose the way."""
    sums = np.zeros(2)
    noises: list[float] = []
    n_frames = 0
    for frames, energy in first:
        stack, camera = _of_core(analysis, frames)
        charges = analysis.charges(stack, energy)
        assert charges is not None
        for number in range(len(stack)):
            light = LightMap.of(stack, number, camera)
            sums += light.line_density(float(charges[number]))
            noises.append(light.noise)
        n_frames += len(stack)
    density = float(sums[1] / sums[0]) if sums[0] > 0 else 0.0
    analysis = analysis.with_attrs(
        photon_density=density, photons_of_first=float(sums[0] / max(n_frames, 1))
    )
    too_dense = density > DENSEST
    seen = f"{density:.2f} photons a pixel in the first images"
    if analysis.method != "best":
        if too_dense:
            warn(
                f"{seen}, where more than {DENSEST} can't be told apart: many are lost. Take "
                "method='integrate', or 'best', which turns intensity into photons.",
                LostPhotonsWarning,
            )
        return analysis
    if not too_dense:
        why = f"resolve: {seen}, and up to {DENSEST} are told apart"
        return replace(analysis, method="resolve").with_attrs(best=why)
    why = f"integrate: {seen}, and more than {DENSEST} are not told apart"
    return replace(analysis, method="integrate", noise=float(np.mean(noises))).with_attrs(best=why)


def with_losses(
    analysis: Analysis, first: Iterable[tuple[Any, Any]], photons: xr.Dataset | None = None
) -> Analysis:
    """Estimate how many photons are lost where spots run into each other, and tell it.

    There a threshold in standard deviations of the frame may lie above single photons: spots above
    the noise, which are looked for by themselves, tell what is lost so. `photons` are those of a
    single part, where they have been found already.
    """
    tells_doubles = analysis.method == "manual" or analysis.options["dbl_threshold"] is not None
    cloud_sigma = analysis.options.get("cloud_sigma") or FIRST_CLOUD_SIGMA
    gain = analysis.options["electrons_per_adu"]
    one_photon = replace(analysis, options={"electrons_per_adu": gain, "read_noise": None})
    looked_at = []
    for frames, energy in first:
        stack, camera = _of_core(analysis, frames)
        try:
            table = analysis.photons(stack, energy) if photons is None else photons
            spots = one_photon.spots(stack, cloud_sigma)
        except (NonFinitePixelsError, TooManyPhotonsError):
            continue  # told when it is their turn
        looked_at.append((stack, camera, table, spots, energy))
    try:
        charge = single_charge(
            _joined([(spots, len(stack)) for stack, _, _, spots, _ in looked_at]),
            at_least=_SPOTS_FOR_A_LOSS,
        )
    except MissingDataError:
        return analysis  # nothing to tell a photon by
    by_table, by_spots = [], []
    for stack, camera, table, spots, energy in looked_at:
        # Where the energy tells the charge, photons were found by it.
        known = analysis.charges(stack, energy) if analysis.method == "manual" else None
        charges = np.full(len(stack), charge) if known is None else known
        one_each = spots | {"double": np.zeros_like(spots["double"])}
        for number in range(len(stack)):
            light = LightMap.of(stack, number, camera)
            given = (float(charges[number]), cloud_sigma)
            found_here = _of_frame(table_columns(table), number)
            spots_here = _of_frame(one_each, number)
            by_table.append(lost_photons(light, found_here, *given, tells_doubles=tells_doubles))
            by_spots.append(lost_photons(light, spots_here, *given, tells_doubles=False))
    # Of all frames at once: the same bytes however they are divided.
    found, lost, in_crowds = np.sum(by_table, axis=0)
    missed = np.sum(by_spots, axis=0)[2] - in_crowds
    lost += missed if missed > _CLEARLY_MORE * in_crowds else 0.0
    share = float(lost / (found + lost)) if found + lost > 0 else 0.0
    n_frames = sum(len(stack) for stack, *_ in looked_at)
    if share > _LARGEST_LOSS:
        warn(
            f"about {share:.0%} of the photons are lost, {lost / n_frames:.0f} of "
            f"{(found + lost) / n_frames:.0f} in each of the first images, where spots run into "
            "each other. Take method='resolve', which tells them apart, or method='best'.",
            LostPhotonsWarning,
        )
    return analysis.with_attrs(lost_share=share, lost_photons=float(lost / n_frames))


def _of_frame(columns: dict[str, NDArray[Any]], number: int) -> dict[str, NDArray[Any]]:
    own = columns["frame"] == number
    return {name: columns[name][own] for name in ("x", "y", "double")}


def report_losses(
    analysis: Analysis,
    frames: NDArray[Any],
    energy: NDArray[np.float64] | None,
    photons: xr.Dataset,
) -> None:
    """Warn of what is lost in the first of some frames, shape (..., x, y), with their photons."""
    if frames.ndim == 2:
        frames = frames[None]
    few = slice(_ENTRIES_FOR_A_LOSS)
    of_few = energy[few] if energy is not None and energy.ndim else energy
    with_losses(analysis, [(frames[few], of_few)], photons)


def _of_core(analysis: Analysis, frames: ArrayLike) -> tuple[Frames, dict[str, Any]]:
    """Frames, and dark, mask and threads as the core takes them."""
    stack = replace(as_frames(frames), first_pixel=None)
    return stack, {
        "dark": as_dark(analysis.camera["dark"], stack),
        "mask": as_mask(analysis.camera["mask"], stack),
        "threads": resolve_threads(analysis.camera["threads"]),
    }


def report_doubts(attrs: Mapping[Any, Any], spectra: NDArray[np.float64]) -> None:
    """Warn of a count that misses the charge, and of images too dense to be resolved.

    Parameters
    ----------
    attrs
        Of the spectra.
    spectra : numpy.ndarray, shape (..., bins)
        Of all images.
    """
    report_gap(attrs)
    _report_denser(attrs, spectra.sum(axis=-1))


def _report_denser(attrs: Mapping[Any, Any], counts: NDArray[np.float64]) -> None:
    """Warn of later images that are too dense to be resolved, by the photons of each."""
    if attrs.get("algorithm") != "resolve" or not attrs.get("photons_of_first", 0) > 0:
        return
    # Faint light is not all seen above the noise, and photons are.
    of_first = max(attrs["photons_of_first"], float(counts[:ENTRIES_FOR_A_CHARGE].mean()))
    density = attrs["photon_density"] * counts / of_first
    denser = density > DENSEST
    if attrs["photon_density"] > DENSEST or not denser.any():
        return  # the first ones were told already
    warn(
        f"{int(denser.sum())} of {denser.size} images are denser than the first ones, with up to "
        f"{density.max():.2f} photons a pixel, where more than {DENSEST} can't be told apart: "
        "photons are lost in these. Take method='integrate' for them.",
        LostPhotonsWarning,
    )
