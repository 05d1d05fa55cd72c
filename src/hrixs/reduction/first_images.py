"""Decide from the first images, for all: cloud and charge of one photon, and the method."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.frame_pedestals import frame_pedestals
from hrixs.camera.frames import as_frames
from hrixs.doubt_rules.doubt import Doubt, tell
from hrixs.level.cosmic_limits import MOST_IMAGES
from hrixs.photons.cloud_width import (
    FIRST_CLOUD_SIGMA,
    LEAST_PHOTONS,
    CloudEstimate,
    cloud_of_first,
    mean_cloud,
)
from hrixs.photons.columns import COLUMNS
from hrixs.photons.noise_threshold import uneven_level
from hrixs.photons.resolve import (
    ENOUGH_FOR_A_CHARGE,
    ENOUGH_FOR_A_CLOUD,
    ENTRIES_FOR_A_CHARGE,
    MOST_ENTRIES_FOR_A_CHARGE,
)
from hrixs.photons.spots import (
    ENOUGH_TO_COMPARE,
    cloud_of_spots,
    mismatch,
    n_alone,
    single_charge,
)
from hrixs.photons.table import table_columns
from hrixs.reduction.analysis import Analysis
from hrixs.reduction.first_look import looked_at
from hrixs.reduction.losses import FRAMES_FOR_A_LOSS, crowded, losses_of
from hrixs.spectra.density import LightMap
from hrixs.utils.errors import MissingDataError

#: Returns the frames of the first n entries, and their photon energies.
FirstParts = Callable[[int], Iterable[tuple[Any, Any]]]

#: Highest density at which photons are resolved (4 % are lost), in photons per pixel around a
#: photon of the line.
DENSEST = 0.45

# Images from which levels of parts of the chip are learned.
_ENTRIES_FOR_A_LEVEL = 4
# Images that are checked for structure that is not light, and one of how many.
_MOST_LOOKED_AT, _LOOKED_AT_ONE_OF = 4, 8


def settled(
    analysis: Analysis,
    n_entries: int,
    parts: FirstParts,
    *,
    losses: bool = True,
    look: bool = True,
    photons: xr.Dataset | None = None,
    tell: Callable[[list[Doubt]], None] = tell,
) -> Analysis:
    """Return the analysis with what the first of `n_entries` entries decide.

    Parameters
    ----------
    analysis : Analysis
        The analysis according to the settings.
    n_entries : int
        Number of trains.
    parts : callable
        Returns the frames of the first n entries, part by part, and their photon energies. The
        decision does not depend on the parts.
    losses : bool
        Whether to estimate how many photons a threshold loses, from a few entries.
    look : bool
        Whether to search for structure that is not light, in four entries.
    photons : xarray.Dataset, optional
        The photon table of the first part, if already made.
    tell : callable
        Called with the doubts, instead of warnings.

    Raises
    ------
    MissingDataError
        If there are too few photons to learn the cloud or the charge of one.

    Warns
    -----
    LostPhotonsWarning
        More than 5 % of the photons are lost, or they are too dense to be resolved.
    HrixsWarning
        The charge of isolated photons differs from that calculated from their energy.
    """
    if analysis.mending is not None:
        analysis, parts = _mended(analysis, n_entries, parts)
    if analysis.flattens:
        analysis = _flattened(analysis, parts(min(_ENTRIES_FOR_A_LEVEL, n_entries)))
    if analysis.deconvolution is not None:
        analysis = _for_deconvolution(analysis, n_entries, parts)
    elif analysis.resolves:
        analysis = _of_one_photon(analysis, n_entries, parts)
    elif analysis.needs_cloud:
        analysis = _with_cloud(analysis, n_entries, parts)
    if losses and analysis.takes_thresholds:
        lost = losses_of(analysis, parts(min(FRAMES_FOR_A_LOSS, n_entries)), photons)
        found = crowded(lost)
        tell(found)
        analysis = analysis.with_attrs(**lost).with_doubts(found)
    if look:
        n_looked_at = min(_MOST_LOOKED_AT, -(-n_entries // _LOOKED_AT_ONE_OF))
        analysis, found = looked_at(analysis, parts(n_looked_at))
        tell(found)
    return analysis


def _mended(analysis: Analysis, n_entries: int, parts: FirstParts) -> tuple[Analysis, FirstParts]:
    """Learn the usual light, to recognise tracks; and correct the first images."""
    assert analysis.mending is not None
    if analysis.mending.cosmics:
        first = (frames for frames, _ in parts(min(MOST_IMAGES, n_entries)))
        analysis = replace(analysis, mending=analysis.mending.learned(first))

    def mended(n: int) -> Iterator[tuple[Any, Any]]:
        return ((analysis.mended(frames)[0], energy) for frames, energy in parts(n))

    return analysis, mended


def _flattened(analysis: Analysis, first: Iterable[tuple[Any, Any]]) -> Analysis:
    """Learn which rows, columns and parts of the chip have a different level."""
    stacks = [as_frames(frames) for frames, _ in first]
    if not stacks:
        return analysis
    pixels = np.concatenate([one.pixels.reshape(-1, *one.frame_shape) for one in stacks])
    camera = analysis.of_core(as_frames(pixels))
    uneven = uneven_level(as_frames(pixels), **camera)
    analysis = replace(analysis, uneven=uneven).with_options(flatten=False)
    n_uneven = 0 if uneven is None else int(np.count_nonzero(uneven))
    return analysis.with_attrs(n_uneven_pixels=n_uneven)


def _first_with_a_charge(
    n_entries: int, parts: FirstParts
) -> list[tuple[NDArray[Any], float | None]]:
    """The images that show the charge of a photon."""
    first = list(parts(min(ENTRIES_FOR_A_CHARGE, n_entries)))
    if not first:
        raise MissingDataError("none of the first images can be used.")
    return first


def _of_one_photon(analysis: Analysis, n_entries: int, parts: FirstParts) -> Analysis:
    """Learn charge, cloud and density of photons; choose the method of `'best'`."""
    first = _first_with_a_charge(n_entries, parts)
    try:
        if analysis.needs_cloud:
            analysis = _with_cloud(analysis, n_entries, parts)
    except MissingDataError:
        # If no photon is isolated, they may be too dense to be resolved anyway.
        if analysis.method != "best":
            raise
        dense = _with_density(_with_charge(analysis, n_entries, parts, compare=False), first)
        if dense.method == "integrate":
            return dense
        raise
    return _with_density(_with_charge(analysis, n_entries, parts), first)


def _for_deconvolution(analysis: Analysis, n_entries: int, parts: FirstParts) -> Analysis:
    """Learn charge and cloud of one photon, and the noise of a pixel."""
    wanted = analysis.deconvolution
    assert wanted is not None
    first = _first_with_a_charge(n_entries, parts)
    try:
        if analysis.needs_cloud:
            analysis = _with_cloud(analysis, n_entries, parts)
        analysis = _with_charge(analysis, n_entries, parts, compare=False)
    except MissingDataError as error:
        raise MissingDataError(
            "deconvolution needs the charge cloud of one photon, but these images are too dense "
            "to show it. Set CLOUD_SIGMA, and PHOTON_CHARGE if there is no nrj. Images with few "
            "photons give CLOUD_SIGMA: h.estimate_cloud(run)."
        ) from error
    of_pixels, charges = [], []
    for frames, energy in first:
        stack = replace(as_frames(frames), first_pixel=None)
        own = analysis.charges(stack, energy)
        assert own is not None
        of_pixels.append(frame_pedestals(stack.pixels, analysis.of_core(stack))[1] / own)
        charges.append(own)
    gain = float(analysis.options["electrons_per_adu"])
    known = replace(
        wanted,
        pixel_noise=float(np.sqrt(np.mean(np.concatenate(of_pixels) ** 2))),
        electrons=float(np.mean(np.concatenate(charges))) * gain,
    )
    return replace(analysis, deconvolution=known)


def _with_cloud(analysis: Analysis, n_entries: int, parts: FirstParts) -> Analysis:
    electrons = analysis.options.get("electrons_per_adu") is not None

    def fit_first(n: int, cloud_sigma: float) -> CloudEstimate:
        if analysis.fits_spots:
            found = [analysis.spots(frames, cloud_sigma) for frames, _ in parts(n)]
            sizes = [(spots, len(spots["base"])) for spots in found]
            return cloud_of_spots(_joined(sizes), cloud_sigma)
        fitting = analysis.with_options(cloud_sigma=cloud_sigma)
        tables = [fitting.photons(frames, energy) for frames, energy in parts(n)]
        columns = [(table_columns(table), table.sizes["frames"]) for table in tables]
        return mean_cloud(_joined(columns), cloud_sigma, electrons=electrons)

    enough = {"enough": ENOUGH_FOR_A_CLOUD} if analysis.fits_spots else {}
    estimate = cloud_of_first(n_entries, fit_first, **enough)
    known = analysis.with_options(cloud_sigma=estimate.cloud_sigma)
    return known.with_attrs(cloud_sigma_estimated=1)


def _joined(parts: Sequence[tuple[dict[str, NDArray[Any]], int]]) -> dict[str, NDArray[Any]]:
    """Join the photon columns of several parts; ``frame`` counts on from part to part."""
    if not parts:
        raise MissingDataError("none of the first images can be used.")
    names = [name for name in ("frame", *COLUMNS) if name in parts[0][0]]
    columns = {name: np.concatenate([part[name] for part, _ in parts]) for name in names}
    begins = np.cumsum([0, *(n_frames for _, n_frames in parts)])[:-1]
    counts = [len(part["frame"]) for part, _ in parts]
    return columns | {"frame": columns["frame"] + np.repeat(begins, counts)}


def _with_charge(
    analysis: Analysis, n_entries: int, parts: FirstParts, *, compare: bool = True
) -> Analysis:
    """Learn the charge of one photon, or compare it with the given one.

    If few spots are isolated, more entries are used.
    """
    frames, energy = next(iter(parts(1)))
    learns = analysis.charges(as_frames(frames), energy) is None
    if not learns and not compare:
        return analysis
    enough = ENOUGH_FOR_A_CHARGE if learns else LEAST_PHOTONS
    n = ENTRIES_FOR_A_CHARGE
    spots = _single_spots(analysis, parts(min(n, n_entries)))
    while n < min(n_entries, MOST_ENTRIES_FOR_A_CHARGE) and n_alone(spots) < enough:
        n *= 2
        spots = _single_spots(analysis, parts(min(n, n_entries)))
    if learns:
        learned = single_charge(spots)
        tell(learned.doubts())
        known = analysis.with_doubts(learned.doubts()).with_options(photon_charge=learned.charge)
        return known.with_attrs(photon_charge_learned=1, photon_charge_err=learned.error)
    try:
        seen = single_charge(spots, at_least=ENOUGH_TO_COMPARE)
    except MissingDataError:
        return analysis
    found = mismatch(seen)
    tell(found)
    return analysis.with_doubts(found).with_attrs(photon_charge_seen=seen.charge)


def _single_spots(analysis: Analysis, first: Iterable[tuple[Any, Any]]) -> dict[str, NDArray[Any]]:
    """Find spots; charges are in units of the given photon charge, since energies may differ."""
    cloud_sigma = analysis.options["cloud_sigma"] or FIRST_CLOUD_SIGMA
    columns = []
    for frames, energy in first:
        spots = analysis.spots(frames, cloud_sigma)
        given = analysis.charges(as_frames(frames), energy)
        if given is not None:
            spots["charge"] = spots["charge"] / given[spots["frame"]]
        columns.append((spots, len(spots["base"])))
    return _joined(columns)


def _with_density(analysis: Analysis, first: Sequence[tuple[Any, Any]]) -> Analysis:
    """Measure the density of photons; choose the method of `'best'`."""
    sums = np.zeros(2)
    noises: list[float] = []
    n_frames = 0
    for frames, energy in first:
        stack = replace(as_frames(frames), first_pixel=None)
        camera = analysis.of_core(stack)
        charges = analysis.charges(stack, energy)
        assert charges is not None
        pedestals = frame_pedestals(stack.pixels, camera)
        pixels = stack.pixels.reshape(-1, *stack.frame_shape)
        for number, (mean, noise) in enumerate(zip(*pedestals, strict=True)):
            light = LightMap.of(pixels[number], camera, (float(mean), float(noise)))
            sums += light.line_density(float(charges[number]))
            noises.append(light.noise)
        n_frames += len(stack)
    density = float(sums[1] / sums[0]) if sums[0] > 0 else 0.0
    analysis = analysis.with_attrs(
        photon_density=density, photons_of_first=float(sums[0] / max(n_frames, 1))
    )
    too_dense = density > DENSEST
    seen = f"{density:.2f} photons per pixel in the first images"
    if analysis.method != "best":
        if too_dense:
            found = [
                Doubt(
                    "crowded",
                    f"{seen}; more than {DENSEST} cannot be separated, so many photons are lost. "
                    "Use method='integrate', or 'best', which converts intensity to photons.",
                    {"photons_a_pixel": density},
                )
            ]
            tell(found)
            analysis = analysis.with_doubts(found)
        return analysis
    if not too_dense:
        why = f"resolve: {seen}, and up to {DENSEST} can be separated"
        return replace(analysis, method="resolve").with_attrs(best=why)
    why = f"integrate: {seen}, and more than {DENSEST} cannot be separated"
    return replace(analysis, method="integrate", noise=float(np.mean(noises))).with_attrs(best=why)
