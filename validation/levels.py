"""Levels of images and tracks of cosmic rays; part of the section `experiment`."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from hrixs.camera.frames import as_frames
from hrixs.level import Mending, Sample, unlit_level

Floats = NDArray[np.float64]
Frames = NDArray[np.uint16]

SHAPE = (512, 512)
CHARGE, CHARGE_SIGMA, NOISE, ZERO = 140.0, 4.0, 2.0, 100.0
CLOUDS = (0.55, 0.3)
#: Charge of tracks, in ADU per pixel.
WEAK, ALL = (300.0, 600.0), (300.0, 20_000.0)
N_TRACKS = 12


def pedestals(n_images: int) -> str:
    """Error of the level by `PEDESTAL='image'` with light in every pixel, as Markdown."""
    rows = [
        "| photons per pixel | cloud / px | noise / ADU | level too high / noise: mean, largest "
        "| wanted | reported as lit | |",
        "|---" * 7 + "|",
    ]
    for photons in (0.0, 0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6):
        for cloud in CLOUDS:
            for noise in (2.0, 6.0):
                rows.append(_pedestal_row(photons, cloud, noise, n_images))
    return "\n".join(rows)


def _pedestal_row(photons: float, cloud: float, noise: float, n_images: int) -> str:
    off, lit = [], 0
    for rng in np.random.default_rng(31).spawn(n_images):
        image = _digitised(ZERO + light(rng, photons, cloud) + rng.normal(0, noise, SHAPE))
        found = unlit_level(Sample(SHAPE).of(image))
        off.append((found.level - ZERO) / noise)
        lit += found.lit
    worst = float(max(off, key=abs))
    wanted = photons <= 0.3
    return (
        f"| {photons:g} | {cloud} | {noise:g} | {np.mean(off):+.2f}, {worst:+.2f} | "
        f"{'0.1' if wanted else '0.1, or reported'} | {lit} of {n_images} | "
        f"{_verdict(abs(worst) <= 0.1 or (not wanted and lit == n_images))} |"
    )


def cosmics(n_images: int) -> str:
    """Light lost, and the charge of tracks that is removed, by `REMOVE_COSMICS`."""
    rows = [
        "| light | photons per pixel | cloud / px | light lost | wanted | charge removed | "
        "wanted | charge removed, tracks of 300 to 600 ADU | |",
        "|---" * 9 + "|",
    ]
    places = np.arange(SHAPE[1]) - 0.024 * np.arange(SHAPE[0])[:, None]
    lines = np.exp(-0.5 * ((places - 250) / 1.5) ** 2)
    lines += 0.3 * np.exp(-0.5 * ((places - 200) / 15) ** 2)
    even = np.ones(SHAPE)
    for name, shape, densities in (
        ("lines", lines, (0.02, 0.1, 0.4, 2.0, 5.0)),
        ("even", even, (0.02, 0.1, 0.4)),
    ):
        for density in densities:
            for cloud in CLOUDS:
                lost, removed, weak = _removed(density * shape, cloud, n_images)
                good = lost < 1e-3 and abs(removed - 1) < 0.03
                rows.append(
                    f"| {name} | {density:g} | {cloud} | {_percent(lost, 3)} | 0.1 % | "
                    f"{_percent(removed)} | 97 % to 103 % | {_percent(weak)} | {_verdict(good)} |"
                )
    return "\n".join(rows)


def _removed(density: Floats, cloud: float, n_images: int) -> tuple[float, float, float]:
    """Shares that are removed: of the light of clean images, and of the charge of tracks."""
    rng = np.random.default_rng(32)
    first = [_exposed(rng, density, cloud) + tracks(rng, 1, *ALL) for _ in range(8)]
    mending = _mending(cosmics=True).learned([np.array([_digitised(one) for one in first])])
    bare = [_exposed(rng, density, cloud) for _ in range(n_images)]
    clean = np.array([_digitised(one) for one in bare])
    kept = _mended(mending, clean)
    lost = np.abs(clean - kept).sum() / (clean - ZERO).sum()
    parts = []
    for low, high in (ALL, WEAK):
        hit = np.array([_digitised(one + tracks(rng, N_TRACKS, low, high)) for one in bare])
        put_in = (hit.astype(float) - clean).sum()
        parts.append(1 - (_mended(mending, hit) - kept).sum() / put_in)
    return float(lost), float(parts[0]), float(parts[1])


def costs(rounds: int, side: int) -> str:
    """Time of each correction for an image, and memory of `REMOVE_COSMICS`, as Markdown."""
    rng = np.random.default_rng(33)
    shape = (side, side)
    place = np.arange(side) - 0.024 * np.arange(side)[:, None]
    density = 0.1 * np.exp(-0.5 * ((place - side / 2) / 1.5) ** 2)
    dark = ZERO + rng.normal(0, 1, shape)
    dark += np.where(rng.random(shape) < 0.01, rng.exponential(300, shape), 0)
    frames = np.array(
        [
            _digitised(dark + light(rng, density, 0.55) + rng.normal(0, NOISE, shape))
            for _ in range(4)
        ]
    )
    own = dark.astype(np.float32)
    rows = ["| setting | ms per image | ms for each image that is learned from |", "|---|---|---|"]
    for name, mending in (
        ("`REMOVE_COSMICS`", _mending(cosmics=True, dark=own)),
        ("`PEDESTAL = 'image'`", _mending(pedestal="image", dark=own)),
        ("`DARK_FIT = 'offset'`", _mending(dark_fit="offset", dark=own)),
        ("`DARK_FIT = 'factor'`", _mending(dark_fit="factor", dark=own)),
        ("`DARK_FIT = 'both'`", _mending(dark_fit="both", dark=own)),
    ):
        learns = "-"
        if mending.cosmics:
            first = _least_time(partial(mending.learned, [frames] * 8), 2) / (8 * len(frames))
            learns = f"{1e3 * first:.0f}"
            mending = mending.learned([frames])
        mending.of(as_frames(frames))  # the first call also makes what all images share
        each = _least_time(partial(mending.of, as_frames(frames)), rounds) / len(frames)
        rows.append(f"| {name} | {1e3 * each:.0f} | {learns} |")
    held, learning = (size / own.size for size in _memory(_mending(cosmics=True, dark=own), frames))
    memory = (
        f"`REMOVE_COSMICS` needs {held:.0f} bytes a pixel in addition to the images, and up to "
        f"{learning:.0f} while it learns from the first images, one at a time."
    )
    return "\n".join(rows) + "\n\n" + memory


def _memory(mending: Mending, frames: Frames) -> tuple[int, int]:
    """Bytes held after an image is corrected, and the largest number while it learns."""
    tracemalloc.start()
    try:
        learned = mending.learned(frames[k : k + 1] for k in range(len(frames)))
        most = tracemalloc.get_traced_memory()[1]
        learned.of(as_frames(frames[:1]))
        return tracemalloc.get_traced_memory()[0], most
    finally:
        tracemalloc.stop()


def _least_time(call: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return min(times)


def light(rng: np.random.Generator, density: float | Floats, cloud: float) -> Floats:
    """Light of a mean number of photons per pixel, at random positions, in ADU above the level."""
    shape = SHAPE if np.ndim(density) == 0 else np.shape(density)
    counts = rng.poisson(density, shape)
    pixel = np.repeat(np.arange(counts.size), counts.ravel())
    x, y = (one + 4 for one in np.divmod(pixel, shape[1]))
    charge = rng.normal(CHARGE, CHARGE_SIGMA, len(pixel))
    share_x, share_y = (_shares(rng.uniform(-0.5, 0.5, len(pixel)), cloud) for _ in range(2))
    wide = (shape[0] + 8, shape[1] + 8)
    total = np.zeros(wide[0] * wide[1])
    for i, part_x in enumerate(share_x, start=-2):
        for j, part_y in enumerate(share_y, start=-2):
            flat = (x + i) * wide[1] + y + j
            total += np.bincount(flat, charge * part_x * part_y, minlength=len(total))
    return np.asarray(total.reshape(wide)[4:-4, 4:-4])


def _shares(place: Floats, cloud: float) -> list[Floats]:
    """Share of a cloud in each of the five pixels around its centre."""
    edges = [ndtr((border - place) / cloud) for border in np.arange(-2.5, 3.0)]
    return [np.asarray(high - low) for low, high in pairwise(edges)]


def tracks(rng: np.random.Generator, n: int, low: float, high: float) -> Floats:
    """Straight tracks, curled tracks and spots, with a charge a pixel between two limits (ADU)."""
    image = np.zeros(SHAPE)
    beside = np.arange(-1, 2)
    for _ in range(n):
        charge = np.exp(rng.uniform(np.log(low), np.log(high)))
        points = rng.uniform(0, SHAPE) + _path(rng)
        near = np.rint(points).astype(np.int64)
        x, y = (near[:, axis, None] + beside for axis in (0, 1))
        off = (x - points[:, :1])[:, :, None] ** 2 + (y - points[:, 1:])[:, None, :] ** 2
        part = np.exp(-0.5 * off / 0.4**2) * rng.uniform(0.7, 1.3, off.shape)
        x, y = (np.broadcast_to(one, off.shape) for one in (x[:, :, None], y[:, None, :]))
        inside = (x >= 0) & (x < SHAPE[0]) & (y >= 0) & (y < SHAPE[1])
        np.add.at(image, (x[inside], y[inside]), charge * part[inside])
    return image


def _path(rng: np.random.Generator) -> Floats:
    """Points of a track (one pixel apart) or of a spot, shape (points, 2)."""
    kind = rng.integers(3)
    if kind == 2:
        return rng.normal(0, 0.8, (rng.integers(3, 8), 2))
    length = rng.integers(5, 60)
    bends = rng.normal(0, 0.5 if kind else 0.0, length)
    angle = rng.uniform(0, 2 * np.pi) + np.cumsum(bends)
    return np.cumsum(np.stack([np.cos(angle), np.sin(angle)], axis=1), axis=0)


def _exposed(rng: np.random.Generator, density: Floats, cloud: float) -> Floats:
    return ZERO + light(rng, density, cloud) + rng.normal(0, NOISE, density.shape)


def _digitised(image: Floats) -> Frames:
    return np.asarray(np.clip(np.rint(image), 0, 65535).astype(np.uint16))


def _mending(
    *,
    pedestal: str | None = None,
    dark_fit: str | None = None,
    cosmics: bool = False,
    dark: NDArray[np.float32] | None = None,
) -> Mending:
    return Mending(pedestal, dark_fit, cosmics, dark, 0.7, None, keep_light=True)


def _mended(mending: Mending, frames: Frames) -> Floats:
    return np.asarray(mending.of(as_frames(frames))[0].pixels, dtype=np.float64)


def _percent(part: float, digits: int = 0) -> str:
    return f"{100 * part:.{digits}f} %" if part else "none"


def _verdict(good: bool) -> str:
    return "" if good else "missed"
