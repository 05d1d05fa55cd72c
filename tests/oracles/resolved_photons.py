"""Photons of one known charge in a crowd, in plain NumPy on the whole frame: clear and slow.

A frame is the sum of a level, noise, and clouds: Gaussians of one width and one charge, integrated
over pixels and seen in a window of 5x5 pixels (7x7 for clouds wider than 0.65 px). What is left of
the frame without the clouds found so far is searched for one more, in rounds. A round takes the 2x2
squares that are local maxima, the brightest of 32 rows first; fits the place of a cloud of the
known charge to each, and keeps it if its amplitude says so. Then photons near a change are fitted
together, by damped Gauss-Newton steps of all their places, until no move matters to a neighbour;
and clouds whose amplitude fell below 0.55 are taken out.
When nothing more is found, rounds look at squares of 4x4 pixels. Where half a charge and more was
taken that is not there, the cloud with the least amplitude goes; where so much is left over, one
comes. At the end all that have neighbours are fitted once more, until they stand still.
Masked pixels have no weight.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

PAD = 12
#: Amplitudes in photons: of a new one, of one where light is left over, of one that is to stay.
FAINT, FAINTEST, LEAST = 0.4, 0.1, 0.55
LEFT_OVER = 0.5
#: Rows that are worked on one after the other.
BAND = 32
DAMPING, BELIEF = 0.2, 0.5
#: Moves, in pixels, that neighbours are fitted again for, and rounds of fits.
COARSE, FINE = (0.3, 3), (0.025, 12)


def shares(place: float, sigma: float, reach: int) -> tuple[NDArray, NDArray]:
    """Of a cloud at `place` in the pixels -reach ... reach, and their slopes."""
    edges = (np.arange(-reach, reach + 2) - 0.5 - place) / sigma
    below = np.array([0.5 * math.erfc(-edge / math.sqrt(2)) for edge in edges])
    density = np.exp(-0.5 * edges**2) / (math.sqrt(2 * math.pi) * sigma)
    return np.diff(below), -np.diff(density)


@dataclass
class Resolver:
    """One frame, above its level."""

    rest: NDArray
    charge: float
    sigma: float
    noise: float
    adu_per_electron: float
    mask: NDArray | None = None
    places: list[tuple[float, float] | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.shape = self.rest.shape
        self.reach = 3 if self.sigma > 0.65 else 2
        self.near_by = 4.2 * math.sqrt(self.sigma**2 + 1 / 12)
        bad = np.zeros(self.shape, bool) if self.mask is None else self.mask
        bad = np.pad(bad, PAD, constant_values=True)
        self.rest = np.where(bad, 0.0, np.pad(self.rest, PAD))
        self.variance = np.where(bad, np.inf, self.noise**2)

    def window(self, x: float, y: float) -> tuple[tuple[slice, slice], int, int]:
        """Pixels around a place, and the middle one."""
        i, j = _nearest(x), _nearest(y)
        size = slice(-self.reach, self.reach + 1)
        rows = slice(i + PAD + size.start, i + PAD + size.stop)
        columns = slice(j + PAD + size.start, j + PAD + size.stop)
        return (rows, columns), i, j

    def cloud(self, x: float, y: float, i: int, j: int) -> tuple[NDArray, NDArray, NDArray]:
        """A cloud of one photon in the window around pixel (i, j), and its slopes."""
        along_x, slope_x = shares(x - i, self.sigma, self.reach)
        along_y, slope_y = shares(y - j, self.sigma, self.reach)
        return np.outer(along_x, along_y), np.outer(slope_x, along_y), np.outer(along_x, slope_y)

    def subtract(self, x: float, y: float, photons: float) -> None:
        """Take clouds out of what is left; -1 puts one back."""
        at, i, j = self.window(x, y)
        part = photons * self.charge * self.cloud(x, y, i, j)[0]
        self.rest[at] -= part
        self.variance[at] += self.adu_per_electron * part

    def fit(self, x: float, y: float, steps: int) -> tuple[float, float]:
        """Place of a cloud that is not subtracted, by Gauss-Newton steps in one window."""
        at, i, j = self.window(x, y)
        for _ in range(steps):
            cloud, by_x, by_y = (self.charge * part for part in self.cloud(x, y, i, j))
            weight = 1 / (self.variance[at] + self.adu_per_electron * cloud)
            left = weight * np.where(np.isinf(self.variance[at]), 0, self.rest[at] - cloud)
            matrix = np.array(
                [
                    [0.5 + (weight * by_x * by_x).sum(), (weight * by_x * by_y).sum()],
                    [(weight * by_x * by_y).sum(), 0.5 + (weight * by_y * by_y).sum()],
                ]
            )
            step = np.linalg.solve(matrix, [(left * by_x).sum(), (left * by_y).sum()])
            step = np.clip(step, -0.5, 0.5)
            x = i + float(np.clip(x + step[0] - i, -1, 1))
            y = j + float(np.clip(y + step[1] - j, -1, 1))
            if np.abs(step).sum() < 0.02:
                break
        return x, y

    def amplitude(
        self, x: float, y: float, i: int | None = None, j: int | None = None
    ) -> tuple[float, float, float]:
        """Of a cloud that is not subtracted: photons, their variance, part that is seen."""
        at, own_i, own_j = self.window(x, y) if i is None else self.window(i, j)
        cloud = self.cloud(x, y, own_i, own_j)[0]
        weight = 1 / self.variance[at]
        power = (weight * cloud**2).sum()
        if power == 0:
            return 0.0, np.inf, 0.0
        value = (weight * cloud * self.rest[at]).sum() / power / self.charge
        return value, 1 / (power * self.charge**2), cloud[weight > 0].sum()

    def near(self, x: float, y: float) -> list[int]:
        """Photons around a place."""
        return [
            k
            for k, at in enumerate(self.places)
            if at is not None and max(abs(at[0] - x), abs(at[1] - y)) < self.near_by
        ]

    def squares(
        self, size: int, sign: int, limit: float
    ) -> list[tuple[float, float, float, tuple[slice, slice]]]:
        """Squares above a limit that are local maxima: sum and place, the brightest first."""
        padded = sign * np.where(np.isinf(self.variance), 0, self.rest)
        n_x, n_y = padded.shape[0] - size + 1, padded.shape[1] - size + 1
        sums = sum(padded[a : a + n_x, b : b + n_y] for a in range(size) for b in range(size))
        middle = sums[1:-1, 1:-1]
        is_maximum = middle > limit
        for a in (-1, 0, 1):
            for b in (-1, 0, 1):
                other = sums[1 + a : n_x - 1 + a, 1 + b : n_y - 1 + b]
                if (a, b) < (0, 0):
                    is_maximum &= middle >= other
                elif (a, b) > (0, 0):
                    is_maximum &= middle > other
        found = []
        for a, b in np.argwhere(is_maximum) + 1:
            pixels = padded[a : a + size, b : b + size]
            steps = np.arange(size)
            x = np.clip((pixels.sum(1) * steps).sum() / sums[a, b], 0, size - 1)
            y = np.clip((pixels.sum(0) * steps).sum() / sums[a, b], 0, size - 1)
            at = slice(a, a + size), slice(b, b + size)
            found.append((float(sums[a, b]), float(a + x - PAD), float(b + y - PAD), at))
        return sorted(
            found,
            key=lambda one: (
                int((one[3][0].start - PAD) / BAND),
                -one[0],
                one[3][0].start,
                one[3][1].start,
            ),
        )

    def left_in(self, at: tuple[slice, slice]) -> float:
        """What is left in some pixels, in photons."""
        return self.rest[at][np.isfinite(self.variance[at])].sum() / self.charge

    def inside(self, x: float, y: float) -> tuple[float, float]:
        """The place, not beyond the frame."""
        return (
            float(np.clip(x, -0.49, self.shape[0] - 0.51)),
            float(np.clip(y, -0.49, self.shape[1] - 0.51)),
        )

    def try_one(self, x: float, y: float, limit: float, left_over: bool) -> bool:
        """Add a photon near a place, if it is one."""
        x, y = self.inside(x, y)
        for tries in range(2):
            i, j = _nearest(x), _nearest(y)
            x, y = self.inside(*self.fit(x, y, 3))
            value, variance, seen = self.amplitude(x, y, i, j)
            if tries == 0 and (_nearest(x), _nearest(y)) == (i, j):
                break
        widths = 6.0 if not self.near(x, y) else 0.0 if left_over else 4.0
        if not (value > limit and seen > 0.4 and value**2 > widths**2 * variance):
            return False
        self.places.append((x, y))
        self.subtract(x, y, 1)
        return True

    def settle(self, waiting: set[int], change: float, rounds: int) -> None:
        """Fit photons together, and those that their moves matter to, until none does."""
        for _ in range(rounds):
            together = sorted(k for k in waiting if self.places[k] is not None)
            if not together:
                return
            steps = self.joint_step(together)
            moves = []
            for k, step in zip(together, steps, strict=True):
                x, y = self.places[k]
                new = self.inside(x + np.clip(step[0], -0.5, 0.5), y + np.clip(step[1], -0.5, 0.5))
                moved = max(abs(new[0] - x), abs(new[1] - y))
                if moved >= 1e-3:
                    self.subtract(x, y, -1)
                    self.places[k] = new
                    self.subtract(*new, 1)
                    moves.append((k, moved))
            waiting = set()
            for k, moved in moves:
                for other in self.near(*self.places[k]) if moved > change else []:
                    apart = math.dist(self.places[k], self.places[other]) / self.near_by
                    if apart < 1 and moved * (1 - apart**2) ** 3 >= change:
                        waiting.add(other)

    def joint_step(self, together: list[int]) -> NDArray:
        """Step of the places of some photons, with all others where they are."""
        slopes = np.zeros((len(together), 2, *self.rest.shape))
        for a, k in enumerate(together):
            at, i, j = self.window(*self.places[k])
            _, by_x, by_y = self.cloud(*self.places[k], i, j)
            slopes[a, 0][at], slopes[a, 1][at] = self.charge * by_x, self.charge * by_y
        flat = slopes.reshape(2 * len(together), -1)
        weighed = flat / self.variance.ravel()
        matrix = weighed @ flat.T
        places = np.array([self.places[k] for k in together])
        distance = np.linalg.norm(places[:, None] - places[None], axis=2)
        matrix *= np.repeat(np.repeat(distance <= self.near_by, 2, 0), 2, 1)
        matrix += np.diag(DAMPING * np.diag(matrix) + BELIEF)
        return np.linalg.solve(matrix, weighed @ self.rest.ravel()).reshape(-1, 2)

    def remove(self, k: int) -> set[int]:
        """Take photon k out; gives those near to it."""
        x, y = self.places[k]
        self.subtract(x, y, -1)
        self.places[k] = None
        return set(self.near(x, y))

    def amplitude_without(self, k: int) -> float:
        """Amplitude of photon k, with all others subtracted."""
        self.subtract(*self.places[k], -1)
        value = self.amplitude(*self.places[k])[0]
        self.subtract(*self.places[k], 1)
        return value

    def empty_overfull(self, squares: list) -> int:
        """Take out photons where more light was taken than there is."""
        waiting: set[int] = set()
        removed = 0
        for _, x, y, at in squares:
            if -self.left_in(at) <= LEFT_OVER:
                continue
            near = [
                k
                for k, place in enumerate(self.places)
                if place is not None and max(abs(place[0] - x), abs(place[1] - y)) < 2.5
            ]
            if near:
                waiting |= self.remove(min(near, key=self.amplitude_without))
                removed += 1
        self.settle(waiting, *COARSE)
        return removed

    def round(self, left_over: bool) -> int:
        """Take out, add, settle, take out: gives how many came and went first."""
        if left_over:
            squares = self.squares(4, 1, LEFT_OVER * self.charge)
            removed = self.empty_overfull(self.squares(4, -1, LEFT_OVER * self.charge))
        else:
            squares = self.squares(2, 1, 0.7 * FAINT * _square_share(self.sigma) * self.charge)
            removed = 0
        first = len(self.places)
        for _, x, y, at in squares:
            if not left_over or self.left_in(at) > LEFT_OVER:
                self.try_one(x, y, FAINTEST if left_over else FAINT, left_over)
        waiting: set[int] = set()
        for k in range(first, len(self.places)):
            others = self.near(*self.places[k])
            waiting |= set(others) if len(others) > 1 else set()
        self.settle(waiting, *COARSE)
        waiting = set()
        for k, at in enumerate(self.places):
            if at is not None and self.amplitude_without(k) < LEAST:
                waiting |= self.remove(k)
        self.settle(waiting, *COARSE)
        return removed + len(self.places) - first

    def run(self) -> NDArray:
        """Places of all photons, shape (photons, 2), by x."""
        for _ in range(10):
            if self.round(left_over=False) == 0:
                break
        for _ in range(6):
            if self.round(left_over=True) == 0:
                break
        crowded = {
            k for k, at in enumerate(self.places) if at is not None and len(self.near(*at)) > 1
        }
        self.settle(crowded, *FINE)
        return np.array(sorted(at for at in self.places if at is not None)).reshape(-1, 2)


def _nearest(place: float) -> int:
    return math.floor(place + 0.5) if place >= 0 else -math.floor(0.5 - place)


def _square_share(sigma: float) -> float:
    pair = 0.5 * (math.erf(1.5 / sigma / math.sqrt(2)) + math.erf(0.5 / sigma / math.sqrt(2)))
    return pair**2


def resolve(
    frame: NDArray,
    level: float,
    charge: float,
    sigma: float,
    noise: float,
    electrons_per_adu: float,
    mask: NDArray | None = None,
) -> NDArray:
    """Places of the photons in a frame, shape (photons, 2)."""
    above = np.asarray(frame, float) - level
    return Resolver(above, charge, sigma, noise, 1 / electrons_per_adu, mask).run()
