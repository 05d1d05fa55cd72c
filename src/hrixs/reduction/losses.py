"""Estimate how many photons methods with a threshold lose because spots overlap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.frame_pedestals import frame_pedestals
from hrixs.camera.frames import Frames, as_frames
from hrixs.doubt_rules.doubt import Doubt
from hrixs.photons.cloud_width import FIRST_CLOUD_SIGMA
from hrixs.photons.spots import single_charge
from hrixs.reduction.analysis import Analysis
from hrixs.spectra.density import (
    LightMap,
    density_by_places,
    found_share,
    lost_photons,
)
from hrixs.utils.errors import MissingDataError, NonFinitePixelsError, TooManyPhotonsError

#: Most frames for the estimate.
FRAMES_FOR_A_LOSS = 16
# Fewer are enough with this many photons; and the numbers if they have any.
_PHOTONS_FOR_A_LOSS = 500
_FEW_FRAMES, _FEW_PHOTONS = 4, 50
#: A smaller share is not reported.
LARGEST_LOSS = 0.05
_GRAVE_LOSS = 0.3
# Least spots for the charge of a photon.
_SPOTS_FOR_A_LOSS = 5
# Most photons used of a frame.
_SPOTS_OF_A_FRAME = 400
# Spots above the noise are used if their loss is larger by more than this part.
_CLEARLY_MORE = 0.2
# If the positions of the photons give a smaller loss, the light is not analysed.
_SPARSE = 0.01
# Light is analysed in rows with more than this part of the loss by positions, and around them.
_LEAST_PART = 0.01
_ROWS_OF_A_PART = 32
# A threshold below this part of the median charge hides no photon.
_LOW_THRESHOLD = 0.5
_FEW_TOO_BRIGHT = 0.01


@dataclass(frozen=True)
class _Method:
    """How a method with a threshold treats photons that are close together."""

    cloud_sigma: float
    tells_doubles: bool
    too_bright: float  # ADU from which a hit counts as a cosmic ray

    @staticmethod
    def of(analysis: Analysis) -> _Method:
        options = analysis.options
        tells_doubles = analysis.method == "manual" or options["dbl_threshold"] is not None
        limits = [options[name] for name in ("max_charge", "max_pixel")]
        too_bright = min((float(one) for one in limits if one is not None), default=0.0)
        cloud_sigma = options.get("cloud_sigma") or FIRST_CLOUD_SIGMA
        return _Method(cloud_sigma, tells_doubles, too_bright)

    def lost_by_places(
        self, photons: Mapping[str, NDArray[Any]], shape: tuple[int, int], n_frames: int = 1
    ) -> NDArray[np.float64]:
        """Photons lost around each photon, by the positions of the others in `n_frames` frames."""
        density = density_by_places(photons, shape) / n_frames
        share = found_share(density, self.cloud_sigma, tells_doubles=self.tells_doubles)
        return np.asarray((1.0 + photons["double"]) * (1.0 / share - 1.0))


@dataclass(frozen=True)
class _Crowd:
    """Crowded rows of a frame, their photons, and spots above the noise in them.

    If no photon is hidden below the threshold, the spots are only used for a photon's charge.
    """

    light: LightMap
    photons: dict[str, NDArray[Any]]
    spots: dict[str, NDArray[Any]]
    charge: float | None
    hides_none: bool
    n_too_bright: int

    def lost(self, charge: float, method: _Method) -> NDArray[Any]:
        """Photons lost, photons in crowds, and photons in crowds by the spots."""
        charge = charge if self.charge is None else self.charge
        cloud = method.cloud_sigma
        _, lost, in_crowds = lost_photons(
            self.light, self.photons, charge, cloud, tells_doubles=method.tells_doubles
        )
        if self.hides_none:
            return np.array([lost, in_crowds, in_crowds])
        one_each = self.spots | {"double": np.zeros_like(self.spots["double"])}
        _, _, by_spots = lost_photons(self.light, one_each, charge, cloud, tells_doubles=False)
        return np.array([lost, in_crowds, by_spots])


def losses_of(
    analysis: Analysis, first: Iterable[tuple[Any, Any]], photons: xr.Dataset | None = None
) -> dict[str, float]:
    """Estimate how many photons are lost because spots overlap.

    In crowded frames a threshold in standard deviations of the frame may be higher than a single
    photon. So spots above the noise are found separately, to estimate that loss. If photons are
    sparse by their positions, and the threshold is low, the frame is not analysed again.

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
        ``photons_of_first``. Empty if the charge of one photon is not known.
    """
    method = _Method.of(analysis)
    n_frames, n_hits, found = 0, 0, 0.0
    sparse: list[dict[str, NDArray[Any]]] = []
    crowds: list[_Crowd] = []
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
        lost = _lost_in_crowds(crowds, method)
    except MissingDataError:
        return {}  # the charge of a photon is not known
    if sparse:
        # All together: few photons of one frame do not show the density.
        names = ("x", "y", "double")
        of_all = {name: np.concatenate([one[name] for one in sparse]) for name in names}
        lost += float(method.lost_by_places(of_all, frame.frame_shape, len(sparse)).sum())
    if not found + lost > 0:
        return {}
    return {
        "lost_share": lost / (found + lost),
        "lost_photons": lost / n_frames,
        "photons_of_first": found / n_frames,
    }


def crowded(attrs: Mapping[Any, Any]) -> list[Doubt]:
    """Return a doubt if more than 5 % of the photons are lost, by the values of `losses_of`."""
    share = attrs.get("lost_share", 0.0)
    if share <= LARGEST_LOSS:
        return []
    lost, found = attrs["lost_photons"], attrs["photons_of_first"]
    return [
        Doubt(
            "crowded",
            f"about {share:.0%} of the photons are lost, {lost:.0f} of {found + lost:.0f} in "
            "each of the first images, because spots overlap. Use method='resolve', which "
            "separates them, or method='best'.",
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


def _hides_none(analysis: Analysis, columns: Mapping[str, NDArray[Any]], level: float) -> bool:
    """Whether the threshold is far below the photons' charge, and no hit is left out as too bright.

    With the energy the brightest pixel matters, too; for hidden photons it is not known.
    """
    if analysis.method != "auto" or not len(columns["charge"]):
        return False
    if columns["n_cosmics"][0] > _FEW_TOO_BRIGHT * len(columns["charge"]):
        return False  # several photons in one spot count as a cosmic ray
    above = float(columns["threshold"][0]) - 4 * level
    return above < _LOW_THRESHOLD * float(np.median(columns["charge"]))


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
) -> _Crowd | None:
    """Analyse the light of a frame in crowded rows; None if its photons are sparse."""
    camera = analysis.of_core(frame)
    mean, noise = (float(one[0]) for one in frame_pedestals(frame.pixels, camera))
    hides_none = _hides_none(analysis, columns, mean)
    rows, part = slice(0, frame.frame_shape[1]), slice(None)
    if hides_none:
        lost = method.lost_by_places(columns, frame.frame_shape)
        if lost.sum() < _SPARSE * np.sum(1.0 + columns["double"]):
            return None
        rows = _crowded_rows(columns["y"], lost, frame.frame_shape[1])
    here = (columns["y"] >= rows.start - 0.5) & (columns["y"] < rows.stop - 0.5)
    photons = {name: columns[name][here] for name in ("x", "y", "double")}
    photons["y"] = photons["y"] - rows.start
    light = LightMap.of(frame.pixels[:, rows], _cut(camera, rows=rows), (mean, noise))
    if hides_none and len(photons["x"]) > _SPOTS_OF_A_FRAME:
        last = np.partition(photons["x"], _SPOTS_OF_A_FRAME)[_SPOTS_OF_A_FRAME]
        part = slice(0, max(_ROWS_OF_A_PART, int(last)))
    gain = analysis.options["electrons_per_adu"]
    one_photon = replace(
        analysis,
        options={"electrons_per_adu": gain, "read_noise": None},
        camera=_cut(analysis.camera, part, rows),
    )
    spots = one_photon.spots(frame.pixels[part, rows], method.cloud_sigma)
    charge = _charge_by_energy(analysis, frame, energy)
    n_too_bright = int(columns["n_cosmics"][0])
    return _Crowd(light, photons, spots, charge, hides_none, n_too_bright)


def _lost_in_crowds(crowds: Sequence[_Crowd], method: _Method) -> float:
    """Photons lost in all frames together, with the same bytes for any division.

    Raises
    ------
    MissingDataError
        If the charge of one photon is not known.
    """
    if not crowds:
        return 0.0
    names = ("charge", "flag", "chi2")
    spots = {name: np.concatenate([one.spots[name] for one in crowds]) for name in names}
    charge = single_charge(spots, at_least=_SPOTS_FOR_A_LOSS).charge
    lost, in_crowds, by_spots = np.sum([one.lost(charge, method) for one in crowds], axis=0)
    missed = by_spots - in_crowds
    left_out = 0.0
    if in_crowds + lost > 0 and (n_too_bright := sum(one.n_too_bright for one in crowds)):
        # Cosmic rays are everywhere; spots of several photons only where photons are dense.
        n_photons = sum(float(np.sum(1.0 + one.photons["double"])) for one in crowds) + lost
        photons_each = max(1.0, method.too_bright / charge)
        left_out = n_too_bright * photons_each * min(1.0, in_crowds / n_photons)
    return float(lost + max(missed if missed > _CLEARLY_MORE * in_crowds else 0.0, left_out))


def _cut(
    camera: Mapping[str, Any], columns: slice = slice(None), rows: slice = slice(None)
) -> dict[str, Any]:
    """Cut dark and mask to a part of the frame."""
    parts = {name: camera[name] for name in ("dark", "mask")}
    parts = {name: one if one is None else one[columns, rows] for name, one in parts.items()}
    return {**camera, **parts}
