"""Photons that lie over each other: how many there are, by resolving those of some columns."""

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

#: So many spots of a frame tell a photon's charge where there are more.
SPOTS_OF_A_FRAME = 250
# The charge takes at least so many that stand alone.
_SPOTS_FOR_A_LOSS = 5
# So many photons of a frame are resolved, in so many parts of its columns, to count those lost;
# and columns beside these, whose light they share.
_SAMPLED_PHOTONS, _PARTS, _EDGE = 300, 2, 5
# One whose neighbours' clouds overlap its own by so much, in sparse places and in light, is of a
# track; and light of so many photons a pixel.
_TRACK, _TRACK_IN_LIGHT, _BRIGHTEST = 1.5, 6.0, 2.0
# And one whose chi square is so many times the usual one is of a hot pixel.
_NO_PHOTON = 5.0
_NAMES = ("x", "y", "chi2", "crowding")
# Photons resolved with too large a charge fit worse than this in the middle, by chi square.
_LARGEST_MISFIT = 3.0
# A cloud is unlike the first guess from such a part on, by spots of so nearly one photon's charge.
_OTHER_CLOUD, _SAME_CHARGE = 0.1, 0.4
# Where the threshold finds a smaller part of sparse photons, the columns tell how many they are.
_MOST_SEEN = 0.5
# Spots of further frames are not needed once so many stand alone; of all columns are, where fewer.
_ENOUGH_ALONE, _FEWEST_ALONE = 20, 10
# Photons of so many frames are resolved.
_MOST_FRAMES_SAMPLED = 4
# Photons resolved are between so many times those that the light makes; few ones scatter more.
_PHOTONS_OF_LIGHT = 0.5, 2.0
# A hit within so many pixels of a photon, in x and y, is that photon.
_SAME = 1.5


@dataclass(frozen=True)
class _Photon:
    """What one photon is like: its charge in ADU, and the width of its cloud in pixels."""

    charge: float
    cloud_sigma: float


@dataclass(frozen=True)
class Crowd:
    """Rows of a frame that are crowded, and the photons that were found in them.

    Attributes
    ----------
    frame : numpy.ndarray, shape (x, y)
        Pixels of these rows.
    one_photon : Analysis
        Fits spots, with dark and mask of these rows.
    part : slice
        Columns whose spots tell a photon's charge.
    light : LightMap
    photons
        Columns of the photons found, counted from the corner of `frame`.
    charge : float or None
        Of one photon in ADU, where the photon energy gives it.
    """

    frame: NDArray[Any]
    one_photon: Analysis
    part: slice
    light: LightMap
    photons: dict[str, NDArray[Any]]
    charge: float | None

    def spots(self, cloud_sigma: float) -> dict[str, NDArray[Any]]:
        """Columns of some spots above the noise, fitted with a width of the cloud."""
        analysis = replace(self.one_photon, camera=cut_camera(self.one_photon.camera, self.part))
        return analysis.spots(self.frame[self.part], cloud_sigma)

    def counts(self, photon: _Photon) -> _Counts:
        """What is found and what light there is, before any photon is resolved."""
        charge = photon.charge if self.charge is None else self.charge
        crowd = self.light.is_above(CROWD, charge)
        counted = 1.0 + self.photons["double"]
        dense = crowd[self.light.at(self.photons["x"], self.photons["y"])]
        # What is brighter is a track along the rows.
        light = np.minimum(self.light.light, _BRIGHTEST * charge * BLOCK)
        light = np.where(crowd, light, 0.0).sum(axis=1) / charge
        return _Counts(replace(photon, charge=charge), crowd, light, counted, dense)

    def sampled(self, counts: _Counts, wanted: float) -> _Sample:
        """Resolve about so many photons, in columns spread over the frame."""
        crowd, x, y = counts.crowd, self.photons["x"], self.photons["y"]
        sums, misfits = np.zeros(6), []
        for blocks in _sampled_blocks(counts, wanted):
            there = self._there(blocks, counts.photon)
            misfits.append(there["chi2"])
            # A hot pixel is resolved into photons, too, that do not fit.
            usual = max(1.0, float(np.median(there["chi2"]))) if len(there["chi2"]) else 1.0
            there = {name: there[name][there["chi2"] < _NO_PHOTON * usual] for name in _NAMES}
            inside = self.light.is_within(there["x"], blocks)
            own = self.light.is_within(x, blocks) & ~counts.dense
            dense = crowd[self.light.at(there["x"], there["y"])]
            dense_photon = dense & (there["crowding"] < _TRACK_IN_LIGHT)
            # A track of a cosmic ray is resolved into a heap of photons.
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
        """Columns of the photons in some blocks and at their edges, resolved."""
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
    """Photons that were found in a frame, and where it is dense by its light.

    Attributes
    ----------
    photon : _Photon
    crowd : numpy.ndarray of bool, shape (blocks, y)
        Where photons are not alone.
    light : numpy.ndarray, shape (blocks,)
        There, in photons.
    counted : numpy.ndarray, shape (hits,)
        Photons of each hit.
    dense : numpy.ndarray of bool, shape (hits,)
        Which are where photons are not alone.
    """

    photon: _Photon
    crowd: NDArray[np.bool_]
    light: NDArray[np.float64]
    counted: NDArray[np.float64]
    dense: NDArray[np.bool_]

    @property
    def sums(self) -> NDArray[np.float64]:
        """Light of the crowd, and photons found there and elsewhere."""
        of_dense = self.counted[self.dense].sum()
        return np.array([self.light.sum(), of_dense, self.counted.sum() - of_dense])


class _Sample(NamedTuple):
    """Photons of some blocks of columns.

    `sums` are the number of blocks; of places where photons are not alone, the light in photons
    and the photons resolved; and elsewhere, the photons resolved, those found by the threshold,
    and those found that are photons. `misfits` are chi squares.
    """

    sums: NDArray[np.float64]
    misfits: NDArray[np.float64]


def _sampled_blocks(counts: _Counts, wanted: float) -> list[slice]:
    """Blocks of columns with as many photons: all, or parts spread over the frame."""
    n_blocks = len(counts.light)
    light, _, elsewhere = counts.sums
    width = max(1, round(n_blocks * wanted / max(light + elsewhere, 1.0) / _PARTS))
    if 1.5 * width * _PARTS > n_blocks:
        return [slice(0, n_blocks)]
    begins = [(2 * part + 1) * n_blocks // (2 * _PARTS) - width // 2 for part in range(_PARTS)]
    return [slice(begin, begin + width) for begin in begins]


def lost_in_crowds(crowds: Sequence[Crowd], cloud_sigma: float | None) -> tuple[float, bool]:
    """Estimate the photons that a threshold loses, and whether more may be lost.

    A sample of all frames' photons is resolved. Where photons are dense, it tells how many make
    the light there; elsewhere, how many of them the threshold finds.

    Parameters
    ----------
    crowds
        Of each frame that is looked at.
    cloud_sigma : float, optional
        Width of the charge cloud, in pixels; None: by the spots.

    Returns
    -------
    lost : float
        Photons of all frames.
    is_least : bool
        Whether the photons' charge was taken for too large, so that too few were resolved.

    Raises
    ------
    MissingDataError
        If nothing tells what one photon is like.
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
    # Where spots of several photons are taken for one, too few photons are resolved.
    misfits = np.concatenate([one.misfits for one in samples])
    is_least = len(misfits) > 0 and float(np.median(misfits)) > _LARGEST_MISFIT
    return max(0.0, float(lost)), is_least


def _photon_of(crowds: Sequence[Crowd], cloud_sigma: float | None) -> _Photon:
    """What one photon is like, by spots that stand alone; once more if clouds are unlike.

    Raises
    ------
    MissingDataError
        If too few do.
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
    """Columns of the spots of crowds, each of which is a frame, until enough stand alone."""
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
    """Which places have one of the others within `_SAME` pixels in x and y."""
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
    """Dark and mask of a part of the frame."""
    parts = {name: camera[name] for name in ("dark", "mask")}
    parts = {name: one if one is None else one[columns, rows] for name, one in parts.items()}
    return {**camera, **parts}
