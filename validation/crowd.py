"""Dense photons by `resolve_photons`: how many are found, where, and with wrong settings."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import ndtr

from hrixs import find_photons, hRIXS, resolve_photons
from hrixs.photons.defaults import EV_PER_PAIR

TITLE = "Dense photons"

FloatArray = NDArray[np.float64]

CHARGE, LEVEL = 150.0, 200.0
LINE_WIDTH, TILT, MIDDLE = 1.3, 0.024, 50.0
SHAPE = (1024, 128)
DENSITIES = (0.02, 0.05, 0.1, 0.2, 0.4)
CAMERAS = tuple((cloud, noise) for cloud in (0.45, 0.55, 0.8) for noise in (1.6, 4.0))
#: Wanted: smallest and largest found / true, and largest relative error of the width.
WANTED = {0.02: (0.99, 1.01, 0.01), 0.05: (0.99, 1.01, 0.01), 0.1: (0.99, 1.01, 0.01),
          0.2: (0.98, 1.02, 0.01), 0.4: (0.96, 1.02, 0.02)}  # fmt: skip
_REACH = np.arange(-8, 9)


@dataclass(frozen=True)
class Camera:
    """Settings of the simulated frames of one line.

    Attributes
    ----------
    density : float
        Photons per pixel in the line: photons / (columns x 2 sqrt(pi) sigma of the line).
    disturb
        Changes a frame (float64, ADU), given its number and a random generator.
    charges, clouds
        Functions of the number of photons and a random generator; they return the charge and
        the cloud of each photon. None: all photons are equal.
    """

    density: float = 0.1
    cloud: float = 0.55
    noise: float = 1.6
    shape: tuple[int, int] = SHAPE
    disturb: Callable[[FloatArray, int, np.random.Generator], None] | None = None
    charges: Callable[[int, np.random.Generator], FloatArray] | None = None
    clouds: Callable[[int, np.random.Generator], FloatArray] | None = None

    @property
    def per_frame(self) -> float:
        """Photons in a frame, on average."""
        return self.density * self.shape[0] * 2 * np.sqrt(np.pi) * LINE_WIDTH


def add_clouds(
    image: FloatArray, places: FloatArray, charge: Any, cloud: Any, rng: np.random.Generator
) -> None:
    """Add photons with the statistics of their electrons, 1 electron per ADU."""
    pixel = np.rint(places).astype(int)
    cloud = np.broadcast_to(cloud, len(places))[:, None]
    axes = []
    for axis in (0, 1):
        edge = np.append(_REACH, _REACH[-1] + 1) - 0.5
        offset = (places - pixel)[:, axis, None]
        axes.append(np.diff(ndtr((edge - offset) / cloud), axis=1))
    charge = np.broadcast_to(charge, len(places))[:, None, None]
    electrons = rng.poisson(charge * axes[0][:, :, None] * axes[1][:, None, :])
    i = pixel[:, 0, None, None] + _REACH[None, :, None]
    j = pixel[:, 1, None, None] + _REACH[None, None, :]
    inside = (i >= 0) & (j >= 0) & (i < image.shape[0]) & (j < image.shape[1])
    i, j = np.broadcast_arrays(i, j)
    np.add.at(image, (i[inside], j[inside]), electrons[inside])


def counts(image: FloatArray) -> NDArray[np.uint16]:
    """Whole ADU, as cameras give them."""
    return np.clip(np.round(image), 0, 65535).astype(np.uint16)


def line_frames(camera: Camera, photons: int, seed: int) -> tuple[NDArray[np.uint16], FloatArray]:
    """Frames with one line of at least `photons` photons in all; the true positions."""
    rng = np.random.default_rng(seed)
    frames, true = [], []
    for number in range(int(np.ceil(photons / camera.per_frame))):
        image = rng.normal(LEVEL, camera.noise, camera.shape)
        n = rng.poisson(camera.per_frame)
        x = rng.uniform(6, camera.shape[0] - 7, n)
        places = np.stack([x, MIDDLE + TILT * x + rng.normal(0, LINE_WIDTH, n)], 1)
        charge = CHARGE if camera.charges is None else camera.charges(n, rng)
        cloud = camera.cloud if camera.clouds is None else camera.clouds(n, rng)
        add_clouds(image, places, charge, cloud, rng)
        if camera.disturb is not None:
            camera.disturb(image, number, rng)
        frames.append(counts(image))
        true.append(places)
    return np.stack(frames), np.concatenate(true)


def resolve(frames: NDArray[Any], **options: Any) -> Any:
    """Photons of known charge, without warnings."""
    known = {"photon_charge": CHARGE, "cloud_sigma": 0.55, "electrons_per_adu": 1.0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return resolve_photons(frames, **known | {"max_photons": 1_000_000} | options)


def width(x: FloatArray, y: FloatArray) -> float:
    """Rms distance from the line, of photons within 8 px of it."""
    distance = y - TILT * x - MIDDLE
    return float(np.sqrt(np.mean(distance[np.abs(distance) < 8] ** 2)))


def section(*, quick: bool) -> str:
    """Measure numbers, positions and errors of photons in bright lines, as Markdown."""
    photons = 2000 if quick else 30_000
    return "\n\n".join(
        [
            _reach(photons),
            _losses(photons // 6),
            _isolated(quick),
            _pairs(quick),
            _triples(quick),
            _pulls(photons),
            _wrong(photons // 3),
        ]
    )


def _reach(photons: int) -> str:
    lines = [
        "`resolve_photons` (`method='resolve'`) on a bright line of simulated frames: "
        f"{LINE_WIDTH} px rms, tilt {TILT}, {CHARGE:.0f} ADU per photon at 1 electron per ADU, at "
        f"least {photons} photons per row. 'found / true': number of photons. 'width / px': rms of "
        "the photons found within 8 px of the line. 'error of the width': compared with the true "
        "positions of the same photons. 'photons / charge': the attribute `charge_ratio`. Wanted "
        "for found / true and for the error of the width: 0.99 to 1.01 and 1 % up to 0.1 photons "
        "a pixel, 0.98 to 1.02 and 1 % at 0.2, 0.96 to 1.02 and 2 % at 0.4.",
        "",
        "| cloud / px | noise / ADU | photons per pixel | found / true | width / px | "
        "error of the width | photons / charge | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for cloud, noise in CAMERAS:
        for density in DENSITIES:
            frames, true = line_frames(
                Camera(density, cloud, noise), photons, seed=int(1000 * density)
            )
            found = resolve(frames, cloud_sigma=cloud)
            ratio = found.sizes["photon"] / len(true)
            measured, wanted = width(found.x.values, found.y.values), width(*true.T)
            least, most, off = WANTED[density]
            short = not (least <= ratio <= most and abs(measured / wanted - 1) <= off)
            lines.append(
                f"| {cloud} | {noise} | {density} | {ratio:.4f} | {measured:.3f} | "
                f"{measured / wanted - 1:+.2%} | {found.attrs['charge_ratio']:.3f} ± "
                f"{found.attrs['charge_ratio_err']:.3f} | {'missed' if short else ''} |"
            )
    return "\n".join(lines)


def _losses(photons: int) -> str:
    lines = [
        "**Methods with a threshold** on such frames: share of photons that are really lost / "
        f"share that hrixs estimates (`lost_share`); at least {photons} photons per row. Wanted: "
        "the estimate is within 20 % of the real loss, or within 0.03.",
        "",
        "| cloud / px | noise / ADU | photons per pixel | `'auto'` | `'manual'` | |",
        "|---|---|---|---|---|---|",
    ]
    for cloud, noise in CAMERAS:
        for density in DENSITIES:
            frames, true = line_frames(Camera(density, cloud, noise), photons, seed=5)
            told, short = [], False
            for method in ("auto", "manual"):
                lost, estimate = _lost(frames, len(true), method)
                told.append(f"{lost:.3f} / {estimate:.3f}")
                if abs(estimate - lost) > max(0.2 * lost, 0.03):
                    short = True
            mark = "missed" if short else ""
            lines.append(f"| {cloud} | {noise} | {density} | {' | '.join(told)} | {mark} |")
    return "\n".join(lines)


def _lost(frames: NDArray[Any], n_true: int, method: str) -> tuple[float, float]:
    """Share of the photons that the class loses, and its own estimate of it."""
    energy = np.full(len(frames), CHARGE * EV_PER_PAIR)
    data = xr.Dataset(
        {"MaranaX": (("trainId", "x", "y"), frames), "nrj": ("trainId", energy)},
        {"trainId": np.arange(len(frames))},
    )
    h = hRIXS()
    h.ELECTRONS_PER_ADU = 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spectrum = h.centroid(data, method=method).spectrum
    return 1 - float(spectrum.sum()) / n_true, float(spectrum.attrs.get("lost_share", np.nan))


def _isolated(quick: bool) -> str:
    lines = [
        "**Isolated photons**: rms error of a position and its Cramér-Rao bound (wanted: ratio at "
        "most 1.05); false photons in an empty frame of 2048 x 2048 pixels (wanted: at most 0.1).",
        "",
        "| cloud / px | noise / ADU | rms error / px | bound / px | error / bound | "
        "false photons in an empty frame | |",
        "|---|---|---|---|---|---|---|",
    ]
    side, empty = (10, 2) if quick else (60, 20)
    for cloud, noise in CAMERAS:
        rng = np.random.default_rng(5)
        cells = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"), -1)
        places = 24 * (cells.reshape(-1, 2) + 0.5) + rng.uniform(-0.5, 0.5, (side * side, 2))
        image = rng.normal(LEVEL, noise, (24 * side, 24 * side))
        add_clouds(image, places, CHARGE, cloud, rng)
        found = resolve(counts(image), cloud_sigma=cloud)
        near = np.stack([found.x.values, found.y.values], 1)
        distance = np.abs(near[:, None] - places[None]).max(2)
        good = distance.min(1) < 3 * (0.1 + cloud)
        error = float(np.sqrt(np.mean((near - places[distance.argmin(1)])[good] ** 2)))
        bound = float(np.sqrt(np.mean([_bound(place, cloud, noise) for place in places])))
        false = 0
        for _ in range(empty):
            dark = rng.normal(LEVEL, noise, (2048, 2048)).astype(np.float32)
            false += resolve(dark, cloud_sigma=cloud).sizes["photon"]
        short = error > 1.05 * bound or false > 0.1 * empty
        lines.append(
            f"| {cloud} | {noise} | {error:.4f} | {bound:.4f} | {error / bound:.3f} | "
            f"{false / empty:.2f} | {'missed' if short else ''} |"
        )
    return "\n".join(lines)


def _bound(place: FloatArray, cloud: float, noise: float) -> float:
    """Smallest variance of x for a photon of known charge; that of y is the same on average."""
    edge = np.arange(-4, 6) - 0.5
    axes = []
    for one in place - np.rint(place):
        z = (edge - one) / cloud
        density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi) / cloud
        axes.append((np.diff(ndtr(z)), -np.diff(density)))
    (p_x, d_x), (p_y, d_y) = axes
    variance = noise**2 + 1 / 12 + CHARGE * np.outer(p_x, p_y)
    by_x, by_y = CHARGE * np.outer(d_x, p_y), CHARGE * np.outer(p_x, d_y)
    matrix = [[(a * b / variance).sum() for a in (by_x, by_y)] for b in (by_x, by_y)]
    return float(np.linalg.inv(matrix)[0, 0])


def _pairs(quick: bool) -> str:
    side = 10 if quick else 40
    lines = [
        f"**Pairs of photons** at a given distance, {side * side} pairs a row, cloud 0.55 px. 'two "
        "found': two photons are found; the rms error of x and y is that of these pairs. The same "
        "for `find_photons` with `split_doubles`; wanted: `resolve_photons` finds two at least as "
        "often. At 0 px both photons have the same position; where only one is found, one is lost.",
        "",
        "| noise / ADU | distance / px | two found | error / px | two found by `split_doubles` | "
        "error / px | |",
        "|---|---|---|---|---|---|---|",
    ]
    for noise in (1.6, 4.0):
        for distance in (0.0, 0.3, 0.6, 0.9, 1.2, 1.5, 2.0, 2.5, 3.0):
            new, old = (_pair(noise, distance, side, way) for way in (_by_resolve, _by_split))
            sigma = np.sqrt(max(old[0] * (1 - old[0]), 1e-3)) / side
            short = "missed" if new[0] < old[0] - 2 * sigma else ""
            lines.append(
                f"| {noise} | {distance:g} | {new[0]:.1%} | {new[1]:.3f} | {old[0]:.1%} | "
                f"{old[1]:.3f} | {short} |"
            )
    singles = [_pair(noise, None, side, way)[0] for noise in (1.6, 4.0)
               for way in (_by_resolve, _by_split)]  # fmt: skip
    lines += [
        "",
        "Single photons that are found as two: {:.2%} at a noise of 1.6 ADU ({:.2%} by "
        "`split_doubles`), {:.2%} at 4 ADU ({:.2%}).".format(*singles),
    ]
    return "\n".join(lines)


def _triples(quick: bool) -> str:
    side = 10 if quick else 30
    lines = [
        f"**Triples of photons**, {side * side} a row, scattered around a point: how often three "
        "photons are found, and the rms error of x and y then. The same for `find_photons` with "
        "`split_doubles`; wanted: `resolve_photons` finds three at least as often.",
        "",
        "| noise / ADU | scatter / px | three found | error / px | "
        "three found by `split_doubles` | |",
        "|---|---|---|---|---|---|",
    ]
    for noise in (1.6, 4.0):
        for spread in (0.3, 0.6, 1.0, 1.5):
            (new, error), (old, _) = (
                _triple(noise, spread, side, way) for way in (_by_resolve, _by_split)
            )
            short = "missed" if new < old else ""
            lines.append(
                f"| {noise} | {spread:g} | {new:.1%} | {error:.3f} | {old:.1%} | {short} |"
            )
    return "\n".join(lines)


def _triple(
    noise: float, spread: float, side: int, find: Callable[..., FloatArray]
) -> tuple[float, float]:
    """Share of triples found as three photons, and the rms error of their positions."""
    rng = np.random.default_rng(11 + int(1000 * spread))
    cells = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"), -1)
    middles = 24 * (cells.reshape(-1, 2) + 0.5) + rng.uniform(-0.5, 0.5, (side * side, 2))
    true = middles[:, None] + rng.normal(0, spread, (len(middles), 3, 2))
    image = rng.normal(LEVEL, noise, (24 * side, 24 * side))
    add_clouds(image, true.reshape(-1, 2), CHARGE, 0.55, rng)
    places = find(counts(image), noise)
    three, squares = 0, []
    for middle, triple in zip(middles, true, strict=True):
        near = places[np.hypot(*(places - middle).T) < 8]
        if len(near) == 3:
            three += 1
            ways = [
                float(np.sum((near[list(order)] - triple) ** 2)) for order in permutations(range(3))
            ]
            squares.append(min(ways) / 6)
    return three / len(middles), float(np.sqrt(np.mean(squares))) if squares else np.nan


def _pair(
    noise: float, distance: float | None, side: int, find: Callable[..., FloatArray]
) -> tuple[float, float]:
    """Share of pairs found as two (None: single photons found as two); rms error of these."""
    rng = np.random.default_rng(7 + int(1000 * (distance or 0)))
    cells = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"), -1)
    middles = 24 * (cells.reshape(-1, 2) + 0.5) + rng.uniform(-0.5, 0.5, (side * side, 2))
    angle = rng.uniform(0, 2 * np.pi, len(middles))
    half = 0.5 * (distance or 0) * np.stack([np.cos(angle), np.sin(angle)], -1)
    true = np.stack([middles - half, middles + half], 1)
    image = rng.normal(LEVEL, noise, (24 * side, 24 * side))
    add_clouds(image, middles if distance is None else true.reshape(-1, 2), CHARGE, 0.55, rng)
    places = find(counts(image), noise)
    two, squares = 0, []
    for middle, pair in zip(middles, true, strict=True):
        near = places[np.hypot(*(places - middle).T) < 4]
        if len(near) == 2:
            two += 1
            ways = [float(np.sum((near[order] - pair) ** 2)) for order in ([0, 1], [1, 0])]
            squares.append(min(ways) / 4)
    return two / len(middles), float(np.sqrt(np.mean(squares))) if squares else np.nan


def _by_resolve(frame: NDArray[Any], noise: float) -> FloatArray:
    found = resolve(frame)
    return np.stack([found.x.values, found.y.values], -1)


def _by_split(frame: NDArray[Any], noise: float) -> FloatArray:
    found = find_photons(
        frame, threshold=4 * LEVEL + 12 * noise, dbl_threshold=1.6 * CHARGE,
        position="gaussian", cloud_sigma=0.55, split_doubles=True, electrons_per_adu=1.0,
    )  # fmt: skip
    return np.stack([found.x.values, found.y.values], -1)


def _pulls(photons: int) -> str:
    lines = [
        "**Stated errors of dense photons**: the pull is the distance to the matched true "
        "position, divided by `sigma_x` or `sigma_y`. The table gives half the width of the middle "
        "two thirds of the pulls, 1 if the stated errors are right (wanted at 0.1 photons per "
        "pixel: 0.9 to 1.15).",
        "",
        "| cloud / px | noise / ADU | photons per pixel | pulls of x | pulls of y | |",
        "|---|---|---|---|---|---|",
    ]
    for cloud, noise in CAMERAS:
        for density in (0.02, 0.1, 0.2):
            pulls = _pulls_of(Camera(density, cloud, noise), photons // 3)
            short = density == 0.1 and not all(0.9 <= pull <= 1.15 for pull in pulls)
            lines.append(
                f"| {cloud} | {noise} | {density} | {pulls[0]:.2f} | {pulls[1]:.2f} | "
                f"{'missed' if short else ''} |"
            )
    return "\n".join(lines)


def _pulls_of(camera: Camera, photons: int) -> tuple[float, float]:
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    pulls: list[FloatArray] = []
    done, seed = 0, 100
    while done < photons:
        frames, true = line_frames(camera, 1, seed)
        found = resolve(frames, cloud_sigma=camera.cloud)
        places = np.stack([found.x.values, found.y.values], -1)
        sigma = np.stack([found.sigma_x.values, found.sigma_y.values], -1)
        one, other = linear_sum_assignment(np.minimum(cdist(places, true), 2.0))
        pulls.append((places[one] - true[other]) / sigma[one])
        done, seed = done + len(true), seed + 1
    low, high = np.quantile(np.concatenate(pulls), [1 / 6, 5 / 6], axis=0)
    x, y = (high - low) / (2 * 0.9674)
    return float(x), float(y)


def _wrong(photons: int) -> str:
    lines = [
        "**Wrong settings and faults of the camera**: cloud 0.55 px, noise 1.6 ADU, at least "
        f"{photons} photons per row.",
        "",
        "| what is wrong | photons per pixel | found / true | error of the width "
        "| photons / charge |",
        "|---|---|---|---|---|",
    ]
    for name, (change, options) in _faults().items():
        for density in (0.02, 0.1, 0.2):
            camera = replace(change, density=density)
            frames, true = line_frames(camera, photons, seed=21)
            found = resolve(frames, **options)
            on_line = np.abs(found.y.values - TILT * found.x.values - MIDDLE) < 8
            ratio = on_line.sum() / len(true)
            off = width(found.x.values, found.y.values) / width(*true.T) - 1
            lines.append(
                f"| {name} | {density} | {ratio:.3f} | {off:+.1%} | "
                f"{found.attrs['charge_ratio']:.3f} ± {found.attrs['charge_ratio_err']:.3f} |"
            )
    return "\n".join(lines)


def _faults() -> dict[str, tuple[Camera, dict[str, Any]]]:
    """The frames with each fault, and the options of `resolve_photons` for them."""
    plain = Camera()
    dead = np.zeros(SHAPE, bool)
    dead[100::100] = True
    dead[:, int(MIDDLE) + 8] = True
    hot = np.random.default_rng(2).random(SHAPE) < 1e-3

    def gradient(image: FloatArray, number: int, _: np.random.Generator) -> None:
        image += np.linspace(-1, 1, image.shape[0])[:, None] + 0.5 * (number % 5)

    def hot_pixels(image: FloatArray, number: int, rng: np.random.Generator) -> None:
        image[hot] += 60 * (1 + np.arange(hot.sum()) % 5)

    def tracks(image: FloatArray, number: int, rng: np.random.Generator) -> None:
        for _ in range(2):
            x, y = rng.uniform(20, image.shape[0] - 20), rng.uniform(20, image.shape[1] - 20)
            angle, length = rng.uniform(0, np.pi), rng.uniform(5, 20)
            for step in np.arange(0, length, 0.5):
                i, j = int(x + step * np.cos(angle)), int(y + step * np.sin(angle))
                if 0 <= i < image.shape[0] and 0 <= j < image.shape[1]:
                    image[i, j] += rng.exponential(1000)

    def dead_columns(image: FloatArray, number: int, _: np.random.Generator) -> None:
        image[dead] = 0

    def partial(n: int, rng: np.random.Generator) -> FloatArray:
        return np.where(rng.random(n) < 0.02, rng.uniform(0.2, 0.8, n), 1.0) * CHARGE

    def second_order(n: int, rng: np.random.Generator) -> FloatArray:
        return np.where(rng.random(n) < 0.02, 2.0, 1.0) * CHARGE

    def mixed(n: int, rng: np.random.Generator) -> FloatArray:
        return np.clip(rng.normal(0.55, 0.08, n), 0.3, 0.9)

    return {
        "nothing": (plain, {}),
        "`cloud_sigma` 20 % too large": (plain, {"cloud_sigma": 0.66}),
        "`cloud_sigma` 20 % too small": (plain, {"cloud_sigma": 0.44}),
        "real clouds vary, 0.55 ± 0.08 px": (replace(plain, clouds=mixed), {}),
        "`photon_charge` 5 % too high": (plain, {"photon_charge": 1.05 * CHARGE}),
        "`photon_charge` 5 % too low": (plain, {"photon_charge": 0.95 * CHARGE}),
        "level 1 ADU higher near the line": (replace(plain, disturb=_near_line), {}),
        "the same, with `local_background`": (
            replace(plain, disturb=_near_line), {"local_background": True}),
        "level drifts by 2 ADU": (replace(plain, disturb=gradient), {}),
        "the same drift, with `local_background`": (
            replace(plain, disturb=gradient), {"local_background": True}),
        "2 % of the photons leave 20 to 80 % of the charge": (replace(plain, charges=partial), {}),
        "2 % of the photons leave twice the charge": (replace(plain, charges=second_order), {}),
        "hot pixels, 0.1 %, 60 to 300 ADU": (replace(plain, disturb=hot_pixels), {}),
        "the same, masked": (replace(plain, disturb=hot_pixels), {"mask": hot}),
        "2 cosmic tracks per frame": (replace(plain, disturb=tracks), {}),
        "the same, with `max_pixel` 1000 ADU": (
            replace(plain, disturb=tracks), {"max_pixel": 1000.0}),
        "dead columns, masked": (replace(plain, disturb=dead_columns), {"mask": dead}),
    }  # fmt: skip


def _near_line(image: FloatArray, number: int, _: np.random.Generator) -> None:
    """A level that is 1 ADU higher within 12 px of the line."""
    x, y = np.indices(image.shape)
    image += np.abs(y - TILT * x - MIDDLE) < 12
