"""Check the first images for structure that is not light, and for the charge of one photon."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.camera.frames import Frames, as_frames
from hrixs.camera.level_and_noise import level_and_noise
from hrixs.camera.sampled_lines import sampled_lines
from hrixs.doubt_rules.chip import bad_lines, lines_that_stand_out, quantiles
from hrixs.doubt_rules.doubt import Doubt, new_ones
from hrixs.doubt_rules.lines import lines_of
from hrixs.doubt_rules.photons import charge_of_one
from hrixs.doubt_rules.steps import level_steps, steps_of_level
from hrixs.photons.cloud_width import FIRST_CLOUD_SIGMA
from hrixs.photons.noise_threshold import noise_beside
from hrixs.photons.spots import n_alone, single_charge
from hrixs.reduction.analysis import Analysis
from hrixs.utils.errors import MissingDataError, NonFinitePixelsError, TooManyPhotonsError
from hrixs.utils.typing import Floats

# Pixels of each row and column that are checked.
_N_PIXELS = 24
# Least isolated spots for the charge of one photon, and the number that is enough.
_LEAST_SPOTS, _ENOUGH_SPOTS = 12, 300


def looked_at(analysis: Analysis, first: Iterable[tuple[Any, Any]]) -> tuple[Analysis, list[Doubt]]:
    """Check the first images; return `analysis` with their doubts, and the new doubts.

    Parameters
    ----------
    analysis : Analysis
        The analysis of all images.
    first : iterable of (frames, energy)
        The first images, part by part, and their photon energies.
    """
    sample = ChipSample(analysis.origin)
    plain = replace(analysis, options={"electrons_per_adu": None, "read_noise": None})
    cloud_sigma = analysis.options.get("cloud_sigma") or FIRST_CLOUD_SIGMA
    spots: list[dict[str, NDArray[Any]]] = []
    expected: list[float] = []
    shape = (0, 0)
    n_lone = 0
    for frames, energy in first:
        stack = replace(as_frames(frames), first_pixel=None)
        shape = stack.frame_shape
        # For resolved photons the charge was already compared.
        charges = analysis.charges(stack, energy) if analysis.needs_energy else None
        try:
            sample.add(stack, analysis.of_core(stack))
            for number, frame in enumerate(stack.pixels.reshape(-1, *shape)):
                if n_lone >= _ENOUGH_SPOTS and analysis.counts_photons:
                    break  # for intensity more positions are useful
                spots.append(plain.spots(frame, cloud_sigma))
                n_lone += n_alone(spots[-1])
                if charges is not None:
                    expected.append(float(charges[number]))
        except (NonFinitePixelsError, TooManyPhotonsError):
            continue  # reported when it is their turn
    found = sample.doubts()
    if spots:
        joined = {name: np.concatenate([one[name] for one in spots]) for name in spots[0]}
        try:
            charge = single_charge(joined, at_least=_LEAST_SPOTS).charge
        except MissingDataError:
            pass  # too few are isolated
        else:
            analysis = analysis.with_attrs(spot_charge=charge)
            # Energies of frames may differ, and their spots are used together; invalid energies
            # are refused when it is their turn.
            usable = np.isfinite(expected).all() and min(expected, default=0.0) > 0
            if usable and max(expected) < 1.01 * min(expected):
                found += charge_of_one(charge, float(np.mean(expected)))
        if not analysis.counts_photons:
            found += lines_in(analysis, joined["x"], joined["y"], shape)
    found = new_ones(found, analysis.doubts)
    return analysis.with_doubts(found), found


class ChipSample:
    """Some columns and rows of frames, with each frame's level subtracted.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.camera import as_frames
    >>> from hrixs.reduction.first_look import ChipSample
    >>> frames = np.random.default_rng(1).normal(100, 2, (2, 64, 96)).round()
    >>> frames[:, :, 40] += 8
    >>> sample = ChipSample((0, 0))
    >>> sample.add(as_frames(frames), {"dark": None, "mask": None, "threads": 1})
    >>> [doubt.figures["rows"] for doubt in sample.doubts()]
    [[40]]
    """

    def __init__(self, origin: tuple[int, int]) -> None:
        self._origin = origin
        self._rows: list[Floats] = []
        self._columns: list[Floats] = []
        self._noises: list[float] = []

    def add(self, frames: Frames, camera: Mapping[str, Any]) -> None:
        """Add some frames; `camera` has the arguments of the core."""
        pixels = frames.pixels.reshape(-1, *frames.frame_shape)
        level, noise = level_and_noise(frames, camera)
        for image, own_level, own_noise in zip(pixels, level, noise, strict=True):
            if not own_noise > 0:
                continue  # blank or saturated: reported as such
            self._rows.append(sampled_lines(image, 1, _N_PIXELS, own_level, camera))
            self._columns.append(sampled_lines(image, 0, _N_PIXELS, own_level, camera))
            self._noises.append(noise_beside(image[None]))

    def doubts(self) -> list[Doubt]:
        """Doubts about rows, columns and steps, in pixels of the full chip."""
        if not self._noises:
            return []
        noise = float(np.median(self._noises))
        found: list[Doubt] = []
        bad = []
        for name, lines, first in (
            ("row", np.concatenate(self._rows), self._origin[1]),
            ("column", np.concatenate(self._columns), self._origin[0]),
        ):
            known = quantiles(lines)
            bad.append(lines_that_stand_out(lines, noise, known) + first)
            places, steps = steps_of_level(lines, noise, known)
            alone = ~np.isin(places + first, bad[-1])
            found += level_steps(name, places[alone] + first, steps[alone])
        return [*bad_lines(*bad), *found]


def lines_in(analysis: Analysis, x: Floats, y: Floats, shape: tuple[int, int]) -> list[Doubt]:
    """Return doubts about lines from positions of photons in the crop."""
    curve = analysis.curvature.counted_from(analysis.origin[0])
    return lines_of(
        x,
        y,
        np.asarray(curve(x), dtype=np.float64),
        shape=shape,
        curve_ends=np.asarray(curve(np.linspace(0, shape[0] - 1, 65)), dtype=np.float64),
        rows_per_bin=shape[1] / analysis.bins if analysis.gives_photons else None,
    )
