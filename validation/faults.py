"""Faults of any size, put into good runs; at least one for each rule of doubts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hrixs import hRIXS
from hrixs.simulation import Sensor, SpectralLine, simulate_frames
from validation.clean_kinds import run_of
from validation.clean_runs import GAIN, WIDTHS_OF_NOISE, Run, camera_data, clean_run

#: A run with the fault in a size.
Faulty = Callable[[float], Run]


@dataclass(frozen=True)
class Fault:
    """A kind of fault.

    Attributes
    ----------
    code : str
        Of the doubt that names it.
    what : str
        What its size is, and in which runs.
    sizes : numpy.ndarray
        From least to worst, in the order of the fault.
    make : callable
        Draws a run, and gives it with the fault in a size.
    form : str
        How a size is written, where it is not a plain number.
    """

    code: str
    what: str
    sizes: NDArray[np.float64]
    make: Callable[[np.random.Generator], Faulty]
    form: str = ""

    def text(self, size: float) -> str:
        """A size as text."""
        return f"{size:{self.form or ('.3g' if size < 1000 else '.0f')}}"

    def told_from(self, rng: np.random.Generator) -> int:
        """Index of the smallest size that is reported (bisection); number of sizes if none is."""
        faulty = self.make(rng)
        low, high = 0, len(self.sizes)
        while low < high:
            middle = (low + high) // 2
            if self.code in faulty(float(self.sizes[middle])).told():
                high = middle
            else:
                low = middle + 1
        return low


def _brighter(run: Run, where: Any, more: ArrayLike) -> Run:
    """The same run with ADU added to some pixels."""
    frames = run.frames.copy()
    frames[where] = np.clip(np.rint(frames[where] + more), 0, 65535)
    return replace(run, data=run.data.assign(MaranaX=(run.data["MaranaX"].dims, frames)))


def _set(run: Run, **settings: object) -> Run:
    """The same run with other settings of its class."""
    run.h.set_params(**settings)
    return run


def _from_each_image(run: Run) -> Run:
    """The same run with a threshold in standard deviations of each image."""
    run.h.THRESHOLD, run.h.STD_THRESHOLD = None, WIDTHS_OF_NOISE
    return run


def _blank(method: str) -> Callable[[np.random.Generator], Faulty]:
    def make(rng: np.random.Generator) -> Faulty:
        state = rng.bit_generator.state

        def faulty(photons: float) -> Run:
            rng.bit_generator.state = state
            each = np.r_[np.full(11, photons), 0.0]
            return clean_run(rng, method, photons_per_frame=each, n_images=12, with_dark=False)

        return faulty

    return make


def _bright(rng: np.random.Generator) -> Faulty:
    state = rng.bit_generator.state

    def faulty(times: float) -> Run:
        rng.bit_generator.state = state
        each = 100.0 * np.r_[np.ones(11), times]
        return clean_run(rng, "resolve", photons_per_frame=each, n_images=12, with_dark=False)

    return faulty


def _level(rng: np.random.Generator) -> Faulty:
    run = _from_each_image(clean_run(rng, "auto", n_images=8))

    return lambda step: _brighter(run, 5, step)


def _noisy(rng: np.random.Generator) -> Faulty:
    run = _from_each_image(clean_run(rng, "auto", n_images=8))
    noise = rng.normal(0, run.noise, run.frames.shape[1:])

    return lambda times: _brighter(run, 5, np.sqrt(times**2 - 1) * noise)


def _threshold(rng: np.random.Generator) -> Faulty:
    run = clean_run(rng, "auto", photons_per_frame=100.0, n_images=8)
    level = 0.0 if run.h.USE_DARK else 4 * run.sensor.pedestal
    return lambda widths: _set(run, threshold=level + 2 * run.noise * widths)


def _threshold_of_photon(rng: np.random.Generator) -> Faulty:
    run = clean_run(rng, "auto", photons_per_frame=30.0, n_images=8)
    level = 0.0 if run.h.USE_DARK else 4 * run.sensor.pedestal
    return lambda share: _set(run, threshold=level + share * run.charge)


def _doubles(rng: np.random.Generator) -> Faulty:
    run = clean_run(rng, "auto", photons_per_frame=30.0, n_images=8)
    return lambda share: _set(run, dbl_threshold=share * run.charge)


def _gain(method: str) -> Callable[[np.random.Generator], Faulty]:
    def make(rng: np.random.Generator) -> Faulty:
        run = clean_run(rng, method, photons_per_frame=30.0, n_images=8)
        return lambda off: _set(run, electrons_per_adu=GAIN / (1 + off))

    return make


def _dark(rng: np.random.Generator) -> Faulty:
    run = clean_run(rng, "integrate", n_images=8, with_dark=True)
    dithered = rng.random(run.frames.shape) - 0.5
    return lambda step: _brighter(run, ..., step + dithered)


def _lines(axis: int, n_images: int, width: int = 1) -> Callable[[np.random.Generator], Faulty]:
    """Rows or columns away from the lines of the spectrum."""

    def make(rng: np.random.Generator) -> Faulty:
        run = clean_run(rng, "manual", n_images=n_images)
        used = (run.h.X_RANGE, run.h.Y_RANGE)[axis]
        first = used.start + 9 if axis == 1 else int(rng.integers(used.start, used.stop - width))
        where = (slice(None),) * (axis + 1) + (slice(first, first + width),)
        dithered = rng.random(run.frames[where].shape) - 0.5
        return lambda step: _brighter(run, where, step + dithered)

    return make


def _hot(rng: np.random.Generator) -> Faulty:
    run = clean_run(rng, "auto", photons_per_frame=20.0, n_images=16)
    at = tuple(
        int(rng.integers(used.start + 8, used.stop - 8)) for used in (run.h.X_RANGE, run.h.Y_RANGE)
    )
    return lambda n: _brighter(run, np.s_[: round(n), *at], run.charge)


def _tilt(photons: float) -> Callable[[np.random.Generator], Faulty]:
    def make(rng: np.random.Generator) -> Faulty:
        run = clean_run(rng, "resolve", photons_per_frame=photons / 8, n_images=8)
        right, n_columns = run.h.CURVE_A, run.h.X_RANGE.stop - run.h.X_RANGE.start
        return lambda rows: _set(run, curve_a=right + rows / n_columns)

    return make


def _on_side(rng: np.random.Generator) -> Faulty:
    state = rng.bit_generator.state

    def faulty(photons: float) -> Run:
        rng.bit_generator.state = state
        options = {"photons_per_frame": photons / 8, "n_images": 8, "with_dark": False}
        run = clean_run(rng, "manual", **options)
        x, y = run.h.X_RANGE, run.h.Y_RANGE
        # A multiple of four columns, as in `clean_run`.
        run.h.X_RANGE, run.h.Y_RANGE = slice(y.start, y.stop - (y.stop - y.start) % 4), x
        return replace(run, data=run.data.rename(x="y", y="x").transpose("trainId", "x", "y"))

    return faulty


def _straight(rng: np.random.Generator, sigma: float, tilt: float = 0.0) -> Run:
    """A run of one line at row 150 of 300; a very broad one is even light."""
    sensor = Sensor(shape=(512, 300))
    line = SpectralLine(150.0 - tilt / 2, sigma, 1.0)
    frames, _ = simulate_frames(
        8, sensor=sensor, lines=[line], energy=530.0,
        photons_per_frame=60.0 * max(sigma / 120, 1),  # most of the broad light is outside the chip
        curvature=(tilt / 512, 0.0), seed=int(rng.integers(1 << 31)),
    )  # fmt: skip
    h = hRIXS()
    h.CURVE_A, h.ELECTRONS_PER_ADU, h.BINS = tilt / 512, GAIN, 900
    return Run(h, "manual", camera_data(frames.values, 530.0), sensor, 1.9, line.y, sigma, 139.0)


def _moving(rng: np.random.Generator) -> Faulty:
    seeds = rng.integers(1 << 31, size=32)
    width = float(rng.uniform(1.0, 3.0))

    def faulty(widths: float) -> Run:
        rows = 150 + widths * 2.355 * width * np.linspace(-0.5, 0.5, 32)
        sensor = Sensor(shape=(256, 300))
        images = [
            simulate_frames(
                1, sensor=sensor, lines=[SpectralLine(row, width, 1.0)], energy=530.0,
                photons_per_frame=40.0, seed=int(seed),
            )[0].values
            for row, seed in zip(rows, seeds, strict=True)
        ]  # fmt: skip
        h = hRIXS()
        h.ELECTRONS_PER_ADU, h.BINS = GAIN, 900
        data = camera_data(np.concatenate(images), 530.0)
        return Run(h, "manual", data, sensor, 1.9, 150.0, width, 139.0)

    return faulty


def _drift(rng: np.random.Generator) -> Faulty:
    run = clean_run(rng, "integrate", n_images=16, with_dark=False)
    over_run = np.linspace(-0.5, 0.5, 16)[:, None, None]
    dithered = rng.random(run.frames.shape) - 0.5
    return lambda drift: _brighter(run, ..., drift * over_run + dithered)


def _track(rng: np.random.Generator) -> Faulty:
    run = clean_run(rng, "integrate", photons_per_frame=300.0, n_images=8)
    x, y = run.h.X_RANGE, run.h.Y_RANGE
    along = np.s_[5, x.start + 8 : x.start + 48, (y.start + y.stop) // 2]
    return lambda charge: _brighter(run, along, charge)


def _noise_of_dark(rng: np.random.Generator) -> Faulty:
    run = clean_run(rng, "integrate", n_images=8, with_dark=True)

    def faulty(times: float) -> Run:
        run.h.dark_noise = times * run.noise
        return run

    return faulty


def _stuck(rng: np.random.Generator) -> Faulty:
    run = _from_each_image(clean_run(rng, "auto", photons_per_frame=30.0, n_images=8))
    y = run.h.Y_RANGE
    rows = np.s_[:, :, y.start + 4 : y.start + 6]
    return lambda step: _brighter(run, rows, step)


def _outside(rng: np.random.Generator) -> Faulty:
    state = rng.bit_generator.state

    def faulty(share: float) -> Run:
        rng.bit_generator.state = state
        # Even light: with a tilt by all rows, half of the photons are outside the axis.
        return _straight(rng, 1000.0, tilt=2 * 300 * share)

    return faulty


def _cut(rng: np.random.Generator) -> Faulty:
    run = _straight(rng, float(rng.uniform(1.0, 3.0)))

    def faulty(widths: float) -> Run:
        end = round(150 + widths * 2.355 * run.width)
        return _set(run, y_range=slice(0, end), bins=3 * end)

    return faulty


def _bins(rng: np.random.Generator) -> Faulty:
    run = clean_run(rng, "manual", photons_per_frame=60.0, n_images=8)
    n_rows = run.h.Y_RANGE.stop - run.h.Y_RANGE.start
    return lambda part: _set(run, bins=max(round(n_rows / (part * 2.355 * run.width)), 1))


def _axis_off(rng: np.random.Generator) -> Faulty:
    run = run_of(rng, "manual", photons=60.0, n_images=8)
    intercept = run.h.ENERGY_INTERCEPT
    return lambda off: _set(run, energy_intercept=intercept + off)


def _slope_of_other_sign(method: str) -> Callable[[np.random.Generator], Faulty]:
    """8 images: a broad line 2 eV below the elastic one appears 2 eV above it."""

    def make(rng: np.random.Generator) -> Faulty:
        state = rng.bit_generator.state

        def faulty(photons: float) -> Run:
            rng.bit_generator.state = state
            return _mirrored(run_of(rng, method, photons=photons / 8, n_images=8, apart=100.0))

        return faulty

    return make


def _weak_line_above(rng: np.random.Generator) -> Faulty:
    state = rng.bit_generator.state

    def faulty(share: float) -> Run:
        rng.bit_generator.state = state
        options = {"photons": 100.0, "n_images": 8, "apart": 100.0}
        return _mirrored(run_of(rng, "manual", elastic=1 - share, **options))

    return faulty


def _mirrored(run: Run) -> Run:
    """The same run with the energy axis reversed about the elastic line."""
    slope, energy = run.h.ENERGY_SLOPE, float(run.data["nrj"][0])
    return _set(run, energy_slope=-slope, energy_intercept=energy + slope * run.elastic_row)


def _dark_with_hot_pixels(n_images: int) -> Callable[[np.random.Generator], Faulty]:
    """Frames without light; hot pixels scatter like the electrons of a dark current."""

    def make(rng: np.random.Generator) -> Faulty:
        run = run_of(rng, "integrate", photons=0.0, n_images=n_images, dark=False)
        order, shape = rng.permutation(run.frames[0].size), run.frames.shape
        level = rng.integers(50, 500, order.size)
        electrons = rng.poisson(level[: order.size // 100], (n_images, order.size // 100))

        def faulty(share: float) -> Run:
            n = round(share * order.size)
            more = np.zeros((n_images, order.size))
            more[:, order[:n]] = electrons[:, :n] / GAIN
            return _brighter(run, ..., more.reshape(shape))

        return faulty

    return make


def _few_photons_beside_hot_pixels(rng: np.random.Generator) -> Faulty:
    hot = _dark_with_hot_pixels(8)
    state = rng.bit_generator.state

    def faulty(photons: float) -> Run:
        rng.bit_generator.state = state
        dark = hot(rng)
        more = dark(1e-4).frames.astype(np.int64) - dark(0.0).frames
        rng.bit_generator.state = state
        return _brighter(
            run_of(rng, "integrate", photons=photons, n_images=8, dark=False), ..., more
        )

    return faulty


def _geometric(low: float, high: float) -> NDArray[np.float64]:
    return np.geomspace(low, high, 16)


def _even(low: float, high: float) -> NDArray[np.float64]:
    return np.linspace(low, high, 16)


def faults() -> Iterator[Fault]:
    """All kinds, in the order of the codes."""
    one_of = "one of 12 images without light; photons in each other image,"
    yield Fault("blank_images", f"{one_of} 'manual'", _geometric(10, 200), _blank("manual"))
    yield Fault("blank_images", f"{one_of} 'integrate'", _geometric(50, 5000), _blank("integrate"))
    yield Fault("level_images", "one of 8 images: higher level, ADU", _geometric(8, 200), _level)
    yield Fault("noisy_images", "one of 8 images: noise larger by a factor", _even(1.5, 9), _noisy)
    yield Fault(
        "bright_images", "one of 12 images: light larger by a factor", _even(2, 12), _bright
    )
    falls = "low threshold, standard deviations of the squares; 100 photons"
    yield Fault("false_hits", falls, _even(6.0, 2.25), _threshold)
    yield Fault("no_light", falls, _even(6.0, 2.25), _threshold)
    stuck = "two rows higher by, ADU"
    yield Fault("spread", stuck, _geometric(5, 3000), _stuck)
    yield Fault(
        "outside", "share of the photons outside the axis", _even(0.01, 0.12), _outside, ".1%"
    )
    yield Fault("threshold_high", "high threshold, photons", _even(0.5, 1.0), _threshold_of_photon)
    yield Fault("double_threshold", "double threshold too low, photons", _even(1.5, 1.0), _doubles)
    yield Fault("double_threshold", "double threshold too high, photons", _even(1.5, 2.4), _doubles)
    for method in ("manual", "resolve"):
        yield Fault(
            "charge", f"error of the gain, '{method}'", _even(0.0, 0.3), _gain(method), ".0%"
        )
    yield Fault("dark_level", "level differs from the dark, ADU", _even(0.1, 2.5), _dark)
    noises = "noise of the images of the dark / noise of the data"
    yield Fault("dark_noise", noises, _even(1.0, 2.5), _noise_of_dark)
    yield Fault(
        "moving_lines", "drift of a line in its FWHM; 1280 photons", _even(0.0, 3.0), _moving
    )
    yield Fault(
        "level_drift", "drift of the level over 16 images, ADU", _geometric(0.3, 30), _drift
    )
    tracks = "one of 8 images: track of 40 pixels along a row, ADU per pixel"
    yield Fault("track_images", tracks, _geometric(100, 50_000), _track)
    for n_images, n_seen in ((8, 1), (32, 4)):
        seen = f"higher by, ADU; {n_seen} image{'s' * (n_seen > 1)} examined"
        yield Fault("bad_rows", f"one row: {seen}", _geometric(0.5, 16), _lines(1, n_images))
        yield Fault("bad_rows", f"20 rows: {seen}", _geometric(0.5, 16), _lines(1, n_images, 20))
    yield Fault("bad_columns", f"one column: {seen}", _geometric(0.5, 16), _lines(0, 32))
    yield Fault("hot_pixels", "one pixel: number of 16 images with a hit there", _even(1, 16), _hot)
    for photons in (300, 3000):
        what = f"error of the tilt, rows over the whole width; {photons} photons"
        yield Fault("curve", what, _geometric(0.5, 40), _tilt(photons))
    yield Fault(
        "orientation",
        "frames with x and y exchanged: number of photons",
        _geometric(100, 5000),
        _on_side,
    )
    yield Fault(
        "cut", "distance from the end of the crop to a line in its FWHM", _even(2.0, -0.5), _cut
    )
    yield Fault(
        "bins", "width of a bin in the FWHM of the line; 480 photons", _even(0.25, 2.5), _bins
    )
    sizes = _even(0.1, 2.0)
    yield Fault(
        "energy_gain", "axis too high by, eV; 'manual', 480 photons", sizes, _axis_off, ".2f"
    )
    mirrored = "wrong sign of the slope: photons in 8 images,"
    for method, most in (("manual", 2000), ("resolve", 2000), ("integrate", 20_000)):
        sizes, make = _geometric(most / 200, most), _slope_of_other_sign(method)
        yield Fault("energy_gain", f"{mirrored} '{method}'", sizes, make)
    what = "wrong sign of the slope: share of the broad line; 'manual', 800 photons"
    yield Fault("energy_gain", what, _even(0.05, 0.8), _weak_line_above, ".0%")
    for n_images in (3, 8):
        what = f"{n_images} images without light, integrated: share of hot pixels"
        yield Fault("no_light", what, _geometric(1e-6, 3e-3), _dark_with_hot_pixels(n_images))
    what = "few photons, integrated, 1e-4 hot pixels: photons in each of 8 images"
    yield Fault("no_light", what, _geometric(1000, 1), _few_photons_beside_hot_pixels)
