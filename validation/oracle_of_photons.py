"""Compare photon tables with those of the finders in plain NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs import classify_photons, find_photons
from validation.figures import power
from validation.hard_frames import Stack, stacks
from validation.plain import reference

PLACE_LIMIT, CHARGE_LIMIT = 1e-9, 1e-12
ENERGY = 530.0
#: Hits of both that are closer than this in x and y are the same hit (px).
SAME_HIT = 1e-3
#: Charge of a photon in steps of the few values; limits in photons, whole numbers of steps.
FEW_PHOTON = 4.0
FEW_LIMITS = {"candidate_low": 0.25, "candidate_high": 0.75, "single_low": 0.5, "double_low": 1.5}

TEXT = (
    f"**Photon tables.** Two hits closer than {SAME_HIT} px are the same hit. 'Found by one only': "
    "hits without a partner in the other table. The difference of the charges is divided by the "
    "sum of the charge and the brightest pixel. 'Classified differently': hits that one counts as "
    "single and the other as double, and frames in which a different number of spots is dropped."
)

FloatArray = NDArray[np.float64]


@dataclass
class Row:
    """One algorithm compared with its oracle on one kind of frames."""

    algorithm: str
    frames: str
    dtype: str
    n_frames: int = 0
    n_photons: int = 0
    one_only: int = 0
    place: float = 0.0
    charge: float = 0.0
    otherwise: int = 0
    same_bytes: bool = True

    @property
    def short(self) -> bool:
        """Whether a limit is missed, or nothing was compared."""
        exact = self.one_only == self.otherwise == 0 and self.same_bytes and self.n_photons > 0
        return not (exact and self.place <= PLACE_LIMIT and self.charge <= CHARGE_LIMIT)

    def add(self, table: xr.Dataset, expected: list[Any], brightest: float) -> None:
        """Compare a table with the oracle's photons of each of its frames."""
        whole = {
            name: np.concatenate([getattr(photons, name) for photons in expected])
            for name in ("x", "y", "charge", "double")
        }
        frame = np.repeat(np.arange(len(expected)), [len(photons.x) for photons in expected])
        ours, theirs = _matched(table, frame, whole)
        self.n_frames += len(expected)
        self.n_photons += len(ours)
        self.one_only += table.sizes["photon"] + len(frame) - 2 * len(ours)
        for name in ("x", "y"):
            off = np.abs(table[name].values[ours] - whole[name][theirs])
            self.place = max(self.place, float(off.max(initial=0.0)))
        charge = whole["charge"][theirs]
        off = np.abs(table["charge"].values[ours] - charge) / (np.abs(charge) + brightest)
        self.charge = max(self.charge, float(off.max(initial=0.0)))
        self.otherwise += int((table["double"].values[ours] != whole["double"][theirs]).sum())
        dropped = np.array([photons.n_dropped for photons in expected])
        self.otherwise += int((table["n_dropped"].values != dropped).sum())


def _matched(
    table: xr.Dataset, frame: NDArray[np.int64], expected: dict[str, FloatArray]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of the hits that both have: in the table, and in what is expected."""
    same_number = table.sizes["photon"] == len(frame)
    if same_number and np.array_equal(table["frame"].values, frame):
        near = np.ones(len(frame), dtype=bool)
        for name in ("x", "y"):
            near &= np.abs(table[name].values - expected[name]) < SAME_HIT
        both = np.flatnonzero(near)
        return both, both
    from scipy.sparse.csgraph import maximum_bipartite_matching
    from scipy.spatial import cKDTree

    one, other = (
        cKDTree(np.column_stack([1e5 * of, x, y]))
        for of, x, y in (
            (table["frame"].values, table["x"].values, table["y"].values),
            (frame, expected["x"], expected["y"]),
        )
    )
    near = one.sparse_distance_matrix(other, SAME_HIT, output_type="coo_matrix")
    near.data[:] = 1.0  # a distance of 0 would be no pair
    match = maximum_bipartite_matching(near.tocsr(), perm_type="column")
    return np.flatnonzero(match >= 0), match[match >= 0]


def _finders(stack: Stack) -> Iterator[tuple[str, Callable[..., Any], Any, dict[str, Any]]]:
    """Name, function, oracle and settings; for few values, settings equal to some of them."""
    unit, level = stack.unit, 4 * stack.level
    given: dict[str, Any] = {"threshold": level + 60.0, "dbl_threshold": 210.0}
    of_frame: dict[str, Any] = {"dbl_threshold": 210.0}
    photon: dict[str, Any] = {"energy": ENERGY}
    if unit:
        given = {"threshold": level + 2 * unit, "dbl_threshold": 4 * unit}
        of_frame = {"std_threshold": 1.1}
        gain = {"ev_per_pair": 1.0, "electrons_per_adu": 1.0}
        photon = {"energy": FEW_PHOTON * unit} | gain | FEW_LIMITS
    finder = find_photons, reference.find_photons
    yield "`find_photons`, threshold from the frame", *finder, of_frame
    yield "`find_photons`, threshold given", *finder, given
    yield "`classify_photons`", classify_photons, reference.classify_photons, photon


@cache
def rows(quick: bool) -> list[Row]:
    """Find photons in every kind of frames, in every way."""
    result: dict[tuple[str, str, str], Row] = {}
    for kind, dtype, made in stacks(quick):
        for stack in made:
            for name, find, oracle, options in _finders(stack):
                row = result.setdefault((name, kind, dtype), Row(name, kind, dtype))
                table = find(stack.pixels, **options, **stack.chip, threads=1)
                expected = [oracle(image, **options, **stack.chip) for image in stack.pixels]
                row.add(table, expected, stack.brightest)
                again = stack if stack.dark is not None else stack.as_float64()
                other = find(again.pixels, **options, **stack.chip, threads=2)
                row.same_bytes &= _bytes(table) == _bytes(other)
    return sorted(result.values(), key=lambda row: (row.algorithm, row.frames))


def table(quick: bool) -> str:
    """All rows, as Markdown."""
    lines = [
        "| algorithm | frames | pixel type | number of frames | photons found by both "
        "| found by one only | wanted | largest difference of x, y / px | wanted "
        "| of the charge, relative | wanted | classified differently | wanted | same bytes | |",
        "|---" * 15 + "|",
    ]
    lines += [
        f"| {row.algorithm} | {row.frames} | {row.dtype} | {row.n_frames} | {row.n_photons} "
        f"| {row.one_only} | 0 | {power(row.place)} | {power(PLACE_LIMIT)} | {power(row.charge)} "
        f"| {power(CHARGE_LIMIT)} | {row.otherwise} | 0 | {'yes' if row.same_bytes else 'no'} "
        f"| {'missed' if row.short else ''} |"
        for row in rows(quick)
    ]
    return "\n".join(lines)


def _bytes(table: xr.Dataset) -> dict[str, bytes]:
    return {str(name): one.values.tobytes() for name, one in table.variables.items()}
