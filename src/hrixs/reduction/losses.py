"""Estimate how many photons the methods with a threshold lose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.frame_pedestals import frame_pedestals
from hrixs.camera.frames import Frames, as_frames
from hrixs.doubt_rules.doubt import Doubt
from hrixs.photons.cloud_width import FIRST_CLOUD_SIGMA
from hrixs.reduction.analysis import Analysis
from hrixs.reduction.crowd import SPOTS_OF_A_FRAME, Crowd, cut_camera, lost_in_crowds
from hrixs.spectra.density import LightMap, density_by_places, found_share
from hrixs.utils.errors import MissingDataError, NonFinitePixelsError, TooManyPhotonsError

#: Most frames for the estimate.
FRAMES_FOR_A_LOSS = 16
# Fewer are enough with this many photons; and the numbers if they have any.
_PHOTONS_FOR_A_LOSS = 500
_FEW_FRAMES, _FEW_PHOTONS = 4, 50
#: A smaller share is not reported.
LARGEST_LOSS = 0.05
_GRAVE_LOSS = 0.3
# If the photons' positions show a smaller loss than this, no photon is resolved.
_SPARSE = 0.02
# Rows are analysed if the positions there show more than this part of the loss; and rows around.
_LEAST_PART = 0.01
_ROWS_OF_A_PART = 32
# A threshold below this part of the lower quartile of the hits' charges hides no photon.
_LOW_THRESHOLD, _LOW_CHARGE, _LIKE_ONE = 0.5, 0.25, 0.25
_FEW_TOO_BRIGHT = 0.01


@dataclass(frozen=True)
class _Method:
    """How a method finds photons that are close together."""

    cloud_sigma: float | None
    tells_doubles: bool

    @staticmethod
    def of(analysis: Analysis) -> _Method:
        options = analysis.options
        tells_doubles = analysis.method == "manual" or options["dbl_threshold"] is not None
        return _Method(options.get("cloud_sigma"), tells_doubles)

    def lost_by_places(
        self, photons: Mapping[str, NDArray[Any]], shape: tuple[int, int], n_frames: int = 1
    ) -> NDArray[np.float64]:
        """Photons lost around each photon, by the positions of the others in `n_frames` frames."""
        density = density_by_places(photons, shape) / n_frames
        cloud_sigma = self.cloud_sigma or FIRST_CLOUD_SIGMA
        share = found_share(density, cloud_sigma, tells_doubles=self.tells_doubles)
        return np.asarray((1.0 + photons["double"]) * (1.0 / share - 1.0))


def losses_of(
    analysis: Analysis, first: Iterable[tuple[Any, Any]], photons: xr.Dataset | None = None
) -> dict[str, float]:
    """Estimate how many photons are lost because spots overlap or are below the threshold.

    A sample of the photons is resolved. If photons are sparse by their positions, and the threshold
    is low, the positions give the loss, and the frame is not analysed again.

    Parameters
    ----------
    analysis : Analysis
        Its method is ``'auto'`` or ``'manual'``.
    first
        Frames of the first entries, and their photon energies. They are used one by one until
        there are enough photons, so the division into parts does not matter.
    photons : xarray.Dataset, optional
        The photon table of the first part, if already made.

    Returns
    -------
    dict
        For ``attrs``: ``lost_share``; and per image ``lost_photons`` and the photons found,
        ``photons_of_first``. ``lost_at_least`` if more may be lost. Empty if the charge of one
        photon is not known.
    """
    method = _Method.of(analysis)
    n_frames, n_hits, found = 0, 0, 0.0
    sparse: list[dict[str, NDArray[Any]]] = []
    crowds: list[Crowd] = []
    for frame, energy, columns in _one_by_one(analysis, first, photons):
        n_frames, n_hits = n_frames + 1, n_hits + len(columns["x"])
        found += float(np.sum(1.0 + columns["double"]))
        crowd = _crowd_of(analysis.with_threads(1), method, frame, energy, columns)
        if crowd is None:
            sparse.append(columns)
        else:
            crowds.append(crowd)
        few = n_frames >= _FEW_FRAMES and n_hits >= _FEW_PHOTONS
        if few or n_hits >= _PHOTONS_FOR_A_LOSS or n_frames == FRAMES_FOR_A_LOSS:
            break
    try:
        lost, is_least = lost_in_crowds(crowds, method.cloud_sigma)
    except MissingDataError:
        return {}  # the charge of a photon is not known
    if sparse:
        # All together: few photons of one frame do not show the density.
        names = ("x", "y", "double")
        of_all = {name: np.concatenate([one[name] for one in sparse]) for name in names}
        lost += float(method.lost_by_places(of_all, frame.frame_shape, len(sparse)).sum())
    if not found + lost > 0:
        return {}
    told = {
        "lost_share": lost / (found + lost),
        "lost_photons": lost / n_frames,
        "photons_of_first": found / n_frames,
    }
    return told | {"lost_at_least": 1} if is_least else told


def crowded(attrs: Mapping[Any, Any]) -> list[Doubt]:
    """Return a doubt if more than 5 % of the photons are lost, by the values of `losses_of`."""
    share = attrs.get("lost_share", 0.0)
    if share <= LARGEST_LOSS:
        return []
    lost, found = attrs["lost_photons"], attrs["photons_of_first"]
    about = "at least" if attrs.get("lost_at_least") else "about"
    return [
        Doubt(
            "crowded",
            f"{about} {share:.0%} of the photons are lost, {lost:.0f} of {found + lost:.0f} in "
            "each of the first images, because spots overlap or are below the threshold. Use "
            "method='resolve', which separates them, or method='best'.",
            {"lost_share": share},
            grave=share > _GRAVE_LOSS,
        )
    ]


def _one_by_one(
    analysis: Analysis, first: Iterable[tuple[Any, Any]], photons: xr.Dataset | None
) -> Iterator[tuple[Frames, Any, dict[str, NDArray[Any]]]]:
    """Yield frames, energies and photons; unusable frames are reported when it is their turn."""
    for frames, energy in first:
        stack = replace(as_frames(frames), first_pixel=None)
        pixels = stack.pixels.reshape(-1, *stack.frame_shape)
        energies = None if energy is None else _of_each(energy, stack)
        for number in range(len(pixels)):
            frame = as_frames(pixels[number])
            own = None if energies is None else float(energies[number])
            if photons is not None:
                yield frame, own, _of_frame(photons, number)
                continue
            try:
                table = analysis.photons(frame, own)
            except (NonFinitePixelsError, TooManyPhotonsError):
                continue
            yield frame, own, _of_frame(table, 0)
        photons = None


def _of_each(energy: Any, stack: Frames) -> NDArray[np.float64]:
    """Energy of each frame of a stack, from one value, one per entry, or one per frame."""
    values = np.asarray(energy, dtype=np.float64)
    values = values.reshape(values.shape + (1,) * (len(stack.leading_shape) - values.ndim))
    return np.broadcast_to(values, stack.leading_shape).ravel()


def _of_frame(photons: xr.Dataset, number: int) -> dict[str, NDArray[Any]]:
    """Photon columns of one frame, its threshold, and the number of hits that are too bright."""
    begin, end = np.searchsorted(photons["frame"].values, [number, number + 1])
    columns = {name: photons[name].values[begin:end] for name in ("x", "y", "charge", "double")}
    of_frame = ("threshold", "n_cosmics")
    return columns | {name: photons[name].values[number : number + 1] for name in of_frame}


def _charge_by_energy(analysis: Analysis, frame: Frames, energy: float | None) -> float | None:
    """Charge of one photon if photons were found by it; None if it is learned from spots."""
    if analysis.method != "manual":
        return None
    charges = analysis.charges(frame, energy)
    return None if charges is None else float(charges[0])


def _hides_none(
    analysis: Analysis, columns: Mapping[str, NDArray[Any]], level: float, charge: float | None
) -> bool:
    """Whether the threshold is far below the photons' charge, and no hit is left out as too bright.

    With the energy, the brightest pixel of a photon matters, too: hits have the charge of one
    photon if the energy gives the right charge.
    """
    if not len(columns["charge"]):
        return False
    if columns["n_cosmics"][0] > _FEW_TOO_BRIGHT * len(columns["charge"]):
        return False  # several photons in one spot count as a cosmic ray
    # If most hits have several photons, the lower charges are nearer to that of one.
    lower = float(np.quantile(columns["charge"], _LOW_CHARGE))
    if charge is not None:
        return abs(lower / charge - 1.0) < _LIKE_ONE
    above = float(columns["threshold"][0]) - 4 * level
    return analysis.method == "auto" and above < _LOW_THRESHOLD * lower


def _crowded_rows(y: NDArray[np.float64], lost: NDArray[np.float64], n_rows: int) -> slice:
    """Rows with losses by the positions, with dark rows around them for the level."""
    part = np.clip(np.rint(y).astype(np.int64), 0, n_rows - 1) // _ROWS_OF_A_PART
    by_part = np.bincount(part, weights=lost)
    crowded = np.flatnonzero(by_part > _LEAST_PART * by_part.sum())
    begin = (int(crowded[0]) - 1) * _ROWS_OF_A_PART
    return slice(max(0, begin), min(n_rows, (int(crowded[-1]) + 2) * _ROWS_OF_A_PART))


def _crowd_of(
    analysis: Analysis,
    method: _Method,
    frame: Frames,
    energy: float | None,
    columns: Mapping[str, NDArray[Any]],
) -> Crowd | None:
    """Analyse the light of a frame in crowded rows; None if its photons are sparse."""
    camera = analysis.of_core(frame)
    mean, noise = (float(one[0]) for one in frame_pedestals(frame.pixels, camera))
    charge = _charge_by_energy(analysis, frame, energy)
    hides_none = _hides_none(analysis, columns, mean, charge)
    rows, part = slice(0, frame.frame_shape[1]), slice(None)
    if hides_none:
        lost = method.lost_by_places(columns, frame.frame_shape)
        if lost.sum() < _SPARSE * np.sum(1.0 + columns["double"]):
            return None
        rows = _crowded_rows(columns["y"], lost, frame.frame_shape[1])
    here = (columns["y"] >= rows.start - 0.5) & (columns["y"] < rows.stop - 0.5)
    photons = {name: columns[name][here] for name in ("x", "y", "double")}
    photons["y"] = photons["y"] - rows.start
    light = LightMap.of(frame.pixels[:, rows], cut_camera(camera, rows=rows), (mean, noise))
    if len(photons["x"]) > SPOTS_OF_A_FRAME:
        last = np.partition(photons["x"], SPOTS_OF_A_FRAME)[SPOTS_OF_A_FRAME]
        part = slice(0, max(_ROWS_OF_A_PART, int(last)))
    one_photon = replace(
        analysis,
        options={"electrons_per_adu": analysis.options["electrons_per_adu"], "read_noise": None},
        camera=cut_camera(analysis.flat_camera, rows=rows),
    )
    return Crowd(frame.pixels[:, rows], one_photon, part, light, photons, charge)
