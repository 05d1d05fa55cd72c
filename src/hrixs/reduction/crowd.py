"""Estimate the number of overlapping photons, by resolving those of some columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hrixs.photons.cloud_width import FIRST_CLOUD_SIGMA
from hrixs.photons.columns import COLUMNS
from hrixs.photons.resolve import resolved_in
from hrixs.photons.spots import cloud_of_spots, n_alone, single_charge
from hrixs.reduction.analysis import Analysis
from hrixs.spectra.density import BLOCK, CROWD, LightMap
from hrixs.utils.errors import MissingDataError

#: Number of spots of a frame that is enough for the charge of one photon.
SPOTS_OF_A_FRAME = 250
# Fewest isolated spots for the charge.
_SPOTS_FOR_A_LOSS = 5
# Photons of a frame that are resolved to count those lost, in this many parts of its columns; and
# columns added on both sides, because they share light.
_SAMPLED_PHOTONS, _PARTS, _EDGE = 300, 2, 5
# A photon is part of a track if its neighbours' clouds overlap it by more than this (where photons
# are sparse; in light), or if there are more photons per pixel than this.
_TRACK, _TRACK_IN_LIGHT, _BRIGHTEST = 1.5, 6.0, 2.0
# A photon whose chi square is this many times the usual one is a hot pixel.
_NO_PHOTON = 5.0
_NAMES = ("x", "y", "chi2", "crowding")
# If photons are resolved with too large a charge, the median of their chi square is above this.
_LARGEST_MISFIT = 3.0
# A cloud width differs from the first guess if by more than this share; it is that of spots whose
# charge is that of one photon within the second share.
_OTHER_CLOUD, _SAME_CHARGE = 0.1, 0.4
# If the threshold finds a smaller share of sparse photons, their number follows from the columns.
_MOST_SEEN = 0.5
# This many isolated spots are enough, and no further frame is used; with fewer than the second
# number, all columns are used.
_ENOUGH_ALONE, _FEWEST_ALONE = 20, 10
# Most frames in which photons are resolved.
_MOST_FRAMES_SAMPLED = 4
# Resolved photons over those that the light gives: few photons scatter more than this.
_PHOTONS_OF_LIGHT = 0.5, 2.0
# A hit within this many pixels of a photon, in x and y, is that photon.
_SAME = 1.5


@dataclass(frozen=True)
class _Photon:
    """Charge of one photon in ADU, and the width of its cloud in pixels."""

    charge: float
    cloud_sigma: float


@dataclass(frozen=True)
class Crowd:
    """Crowded rows of a frame, and the photons found in them.

    Attributes
    ----------
    frame : numpy.ndarray, shape (x, y)
        Pixels of these rows.
    one_photon : Analysis
        Fits spots; it has dark and mask of these rows.
    part : slice
        Columns whose spots give the charge of one photon.
    light : LightMap
    photons
        Columns of the table of the photons found; positions from the corner of `frame`.
    charge : float or None
        Charge of one photon in ADU, if the photon energy gives it.
    """

    frame: NDArray[Any]
    one_photon: Analysis
    part: slice
    light: LightMap
    photons: dict[str, NDArray[Any]]
    charge: float | None

    def spots(self, cloud_sigma: float) -> dict[str, NDArray[Any]]:
        """Fit some spots above the noise with this width of the cloud."""
        analysis = replace(self.one_photon, camera=cut_camera(self.one_photon.camera, self.part))
        return analysis.spots(self.frame[self.part], cloud_sigma)

    def counts(self, photon: _Photon) -> _Counts:
        """Count the photons found, and the light, before any photon is resolved."""
        charge = photon.charge if self.charge is None else self.charge
        crowd = self.light.is_above(CROWD, charge)
        counted = 1.0 + self.photons["double"]
        dense = crowd[self.light.at(self.photons["x"], self.photons["y"])]
        # Brighter light is a track along the rows.
        light = np.minimum(self.light.light, _BRIGHTEST * charge * BLOCK)
        light = np.where(crowd, light, 0.0).sum(axis=1) / charge
        return _Counts(replace(photon, charge=charge), crowd, light, counted, dense)

    def sampled(self, counts: _Counts, wanted: float) -> _Sample:
        """Resolve about `wanted` photons, in columns spread over the frame."""
        crowd, x, y = counts.crowd, self.photons["x"], self.photons["y"]
        sums, misfits = np.zeros(6), []
        for blocks in _sampled_blocks(counts, wanted):
            there = self._there(blocks, counts.photon)
            misfits.append(there["chi2"])
            # A hot pixel is resolved into photons, too, but they do not fit.
            usual = max(1.0, float(np.median(there["chi2"]))) if len(there["chi2"]) else 1.0
            there = {name: there[name][there["chi2"] < _NO_PHOTON * usual] for name in _NAMES}
            inside = self.light.is_within(there["x"], blocks)
            own = self.light.is_within(x, blocks) & ~counts.dense
            dense = crowd[self.light.at(there["x"], there["y"])]
            dense_photon = dense & (there["crowding"] < _TRACK_IN_LIGHT)
            # The track of a cosmic ray is resolved into many photons close together.
            lone = ~dense & (there["crowding"] < _TRACK)
            is_one = dense_photon | lone
            near = _near_one(x[own], y[own], there["x"][is_one], there["y"][is_one])
            found = counts.counted[own]
            sums += (
                blocks.stop - blocks.start,
                counts.light[blocks].sum(),
                np.count_nonzero(inside & dense_photon),
                np.count_nonzero(inside & lone),
                found.sum(),
                found[near].sum(),
            )
        return _Sample(sums, np.concatenate(misfits))

    def _there(self, blocks: slice, photon: _Photon) -> dict[str, NDArray[Any]]:
        """Resolve the photons in these blocks and at their edges."""
        begin = max(0, blocks.start * BLOCK - _EDGE)
        columns = slice(begin, min(len(self.frame), blocks.stop * BLOCK + _EDGE))
        found = resolved_in(
            self.frame[columns],
            photon.charge,
            photon.cloud_sigma,
            cut_camera(self.one_photon.camera, columns),
            electrons_per_adu=self.one_photon.options["electrons_per_adu"] or 1.0,
        )
        return found | {"x": found["x"] + begin}


@dataclass(frozen=True)
class _Counts:
    """Photons found in a frame, and where its light shows that it is dense.

    Attributes
    ----------
    photon : _Photon
    crowd : numpy.ndarray of bool, shape (blocks, y)
        Where photons are not isolated.
    light : numpy.ndarray, shape (blocks,)
        Light there, in photons.
    counted : numpy.ndarray, shape (hits,)
        Photons of each hit.
    dense : numpy.ndarray of bool, shape (hits,)
        Whether a hit is where photons are not isolated.
    """

    photon: _Photon
    crowd: NDArray[np.bool_]
    light: NDArray[np.float64]
    counted: NDArray[np.float64]
    dense: NDArray[np.bool_]

    @property
    def sums(self) -> NDArray[np.float64]:
        """Light of the crowd, photons found in it, and photons found elsewhere."""
        of_dense = self.counted[self.dense].sum()
        return np.array([self.light.sum(), of_dense, self.counted.sum() - of_dense])


class _Sample(NamedTuple):
    """Photons of some blocks of columns.

    `sums` has six values. The number of blocks. Where photons are not isolated: the light in
    photons, and the photons resolved. Elsewhere: the photons resolved, the hits of the threshold,
    and the hits that are photons. `misfits` are chi squares.
    """

    sums: NDArray[np.float64]
    misfits: NDArray[np.float64]


def _sampled_blocks(counts: _Counts, wanted: float) -> list[slice]:
    """Choose columns with about `wanted` photons: all, or parts spread over the frame."""
    n_blocks = len(counts.light)
    light, _, elsewhere = counts.sums
    width = max(1, round(n_blocks * wanted / max(light + elsewhere, 1.0) / _PARTS))
    if 1.5 * width * _PARTS > n_blocks:
        return [slice(0, n_blocks)]
    begins = [(2 * part + 1) * n_blocks // (2 * _PARTS) - width // 2 for part in range(_PARTS)]
    return [slice(begin, begin + width) for begin in begins]


def lost_in_crowds(crowds: Sequence[Crowd], cloud_sigma: float | None) -> tuple[float, bool]:
    """Estimate the photons that a threshold loses, and whether more may be lost.

    A sample of the photons of all frames is resolved. Where photons are dense, it gives the photons
    per light; elsewhere, the share of the photons that the threshold finds.

    Parameters
    ----------
    crowds
        One for each frame.
    cloud_sigma : float, optional
        Width of the charge cloud, in pixels; None: taken from the spots.

    Returns
    -------
    lost : float
        Photons lost in all frames.
    is_least : bool
        Whether the charge was too large, so that too few photons were resolved.

    Raises
    ------
    MissingDataError
        If the charge of one photon is not known.
    """
    if not crowds:
        return 0.0, False
    photon = _photon_of(crowds, cloud_sigma)
    counts = [one.counts(photon) for one in crowds]
    light, found_dense, elsewhere = np.sum([one.sums for one in counts], axis=0)
    samples: list[_Sample] = []
    n_sampled = 0.0
    chosen = range(0, len(crowds), -(-len(crowds) // _MOST_FRAMES_SAMPLED))
    for left, number in zip(range(len(chosen), 0, -1), chosen, strict=True):
        wanted = max(0.0, _SAMPLED_PHOTONS - n_sampled) / left
        samples.append(crowds[number].sampled(counts[number], wanted))
        n_sampled += float(samples[-1].sums[2:4].sum())
    n_blocks, of_light, dense, sparse, found, seen = np.sum([one.sums for one in samples], axis=0)
    lost = 0.0
    if of_light > 0:
        lost += light * float(np.clip(dense / of_light, *_PHOTONS_OF_LIGHT)) - found_dense
    if seen > _MOST_SEEN * sparse:
        lost += (sparse - seen) * elsewhere / found
    elif sparse > 0:
        lost += sparse * sum(len(one.light) for one in counts) / n_blocks - elsewhere
    # If spots of several photons count as one, too few photons are resolved.
    misfits = np.concatenate([one.misfits for one in samples])
    is_least = len(misfits) > 0 and float(np.median(misfits)) > _LARGEST_MISFIT
    return max(0.0, float(lost)), is_least


def _photon_of(crowds: Sequence[Crowd], cloud_sigma: float | None) -> _Photon:
    """Charge and cloud of one photon from isolated spots; again if the clouds are different.

    Raises
    ------
    MissingDataError
        If too few spots are isolated.
    """
    first = cloud_sigma or FIRST_CLOUD_SIGMA
    given = [one.charge for one in crowds if one.charge is not None]
    if len(given) == len(crowds):
        return _Photon(given[0], first)
    spots = _spots_of(crowds, first)
    charge = single_charge(spots, at_least=_SPOTS_FOR_A_LOSS).charge
    if cloud_sigma is not None:
        return _Photon(charge, first)
    alone = (spots["flag"] == 0) & (np.abs(spots["charge"] / charge - 1.0) < _SAME_CHARGE)
    widths = spots["own_cloud_sigma"][alone & np.isfinite(spots["own_cloud_sigma"])]
    if not len(widths) or abs(float(np.median(widths)) / first - 1.0) < _OTHER_CLOUD:
        return _Photon(charge, first)
    try:
        seen = cloud_of_spots(spots, first).cloud_sigma
        spots = _spots_of(crowds, seen)
        return _Photon(single_charge(spots, at_least=_SPOTS_FOR_A_LOSS).charge, seen)
    except MissingDataError:
        return _Photon(charge, first)


def _spots_of(crowds: Sequence[Crowd], cloud_sigma: float) -> dict[str, NDArray[Any]]:
    """Spots of the frames, until enough of them are isolated."""
    spots = _first_spots(crowds, cloud_sigma)
    if n_alone(spots) >= _FEWEST_ALONE or all(one.part == slice(None) for one in crowds):
        return spots
    return _first_spots([replace(one, part=slice(None)) for one in crowds], cloud_sigma)


def _first_spots(crowds: Sequence[Crowd], cloud_sigma: float) -> dict[str, NDArray[Any]]:
    of_each: list[dict[str, NDArray[Any]]] = []
    joined: dict[str, NDArray[Any]] = {}
    for number, one in enumerate(crowds):
        spots = one.spots(cloud_sigma)
        of_each.append(spots | {"frame": np.full(len(spots["x"]), number)})
        names = [name for name in ("frame", *COLUMNS) if name in spots]
        joined = {name: np.concatenate([spots[name] for spots in of_each]) for name in names}
        if len(joined["x"]) >= SPOTS_OF_A_FRAME and n_alone(joined) >= _ENOUGH_ALONE:
            break
    return joined


def _near_one(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    others_x: NDArray[np.float64],
    others_y: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Whether each position has another one within `_SAME` pixels in x and y."""
    order = np.argsort(others_x, kind="stable")
    others_x, others_y = others_x[order], others_y[order]
    begin, end = (np.searchsorted(others_x, x + step) for step in (-_SAME, _SAME))
    near = np.zeros(len(x), dtype=bool)
    for step in range(int((end - begin).max(initial=0))):
        at = np.minimum(begin + step, len(others_x) - 1)
        near |= (begin + step < end) & (np.abs(others_y[at] - y) < _SAME)
    return near


def cut_camera(
    camera: Mapping[str, Any], columns: slice = slice(None), rows: slice = slice(None)
) -> dict[str, Any]:
    """Cut dark and mask to a part of the frame."""
    parts = {name: camera[name] for name in ("dark", "mask")}
    parts = {name: one if one is None else one[columns, rows] for name, one in parts.items()}
    return {**camera, **parts}
