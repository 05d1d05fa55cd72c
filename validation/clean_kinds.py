"""Good runs that could mislead a rule: few photons, broad lines, other cameras."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hrixs import hRIXS
from hrixs.simulation import Sensor, SpectralLine, simulate_frames
from validation.clean_runs import GAIN, SLOPE, WIDTHS_OF_NOISE, Run, camera_data

_SHAPE = 256, 300


@dataclass(frozen=True)
class Kind:
    """A kind of good runs.

    Attributes
    ----------
    what : str
    methods : sequence of str
        Methods that make spectra, used in turn.
    options
        Options of `run_of`: values, or functions that draw them.
    """

    what: str
    methods: tuple[str, ...] = ("manual", "resolve", "integrate")
    options: dict[str, Any] = field(default_factory=dict)

    def run(self, rng: np.random.Generator, number: int) -> Run:
        """Draw one run."""
        drawn = {k: v(rng) if callable(v) else v for k, v in self.options.items()}
        return run_of(rng, self.methods[number % len(self.methods)], **drawn)


def run_of(
    rng: np.random.Generator,
    method: str,
    *,
    photons: float = 100.0,
    n_images: int = 6,
    width: float = 1.5,
    elastic: float = 0.5,
    broad: float = 8.0,
    apart: float | None = None,
    slope: float = SLOPE,
    off: float = 0.0,
    energy: float = 530.0,
    unit: float = 1.0,
    scan: float = 0.0,
    dark: bool | None = None,
    shut: float = 0.0,
    jitter: float = 0.0,
    averaged: int = 1,
    sensor: dict[str, float] | None = None,
) -> Run:
    """Draw a run of an elastic line and a broad one below it.

    Parameters
    ----------
    rng : numpy.random.Generator
    method : str
    photons, n_images, width, elastic, broad, apart
        Photons of an image; number of images; width (rows, standard deviation) and share of the
        elastic line; width of the broad line, and its distance below in rows (default: random).
    slope, off : float
        Energy of a row, and error of the axis, in eV; no axis if the slope is 0.
    energy, unit, scan : float
        Photon energy in eV; its unit in the data, in eV; range of its scan, in eV, during which
        the broad line stays.
    dark : bool, optional
        By default every second run has one.
    shut, jitter : float
        Share of the images without light; relative scatter of the light.
    averaged : int
        Number of frames whose mean is an image.
    sensor : dict
        Other values of the sensor.
    """
    camera = Sensor(shape=_SHAPE, **(sensor or {}))  # type: ignore[arg-type]
    row = float(rng.uniform(170, 240))
    drawn = float(rng.uniform(0.0, 110.0))
    loss = row - (drawn if apart is None else apart)
    energies = energy + scan * np.linspace(0, 1, n_images)
    light = photons * np.clip(rng.normal(1, jitter, n_images), 0, None)
    light[: round(shut * n_images)] = 0.0
    frames = []
    for one, each in zip(energies, light, strict=True):
        moved = (one - energy) / slope if slope else 0.0
        lines = (SpectralLine(row + moved, width, elastic), SpectralLine(loss, broad, 1 - elastic))
        images, _ = simulate_frames(
            averaged, sensor=camera, lines=lines, energy=float(one), photons_per_frame=float(each),
            curvature=(0.0, 0.0), seed=int(rng.integers(1 << 31)),
        )  # fmt: skip
        frames.append(np.rint(images.values.mean(axis=0)).astype(np.uint16))
    h = hRIXS()
    h.BINS, h.ELECTRONS_PER_ADU = 3 * _SHAPE[1], GAIN
    h.CURVE_A = h.CURVE_B = 0.0
    h.CLOUD_SIGMA = camera.cloud_sigma
    if slope:
        h.ENERGY_SLOPE = slope * unit
        h.ENERGY_INTERCEPT = (energy + off - slope * row) * unit
    dark = bool(rng.integers(2)) if dark is None else dark
    if dark:
        images, _ = simulate_frames(
            16, sensor=camera, photons_per_frame=0, seed=int(rng.integers(1 << 31))
        )
        h.load_dark(camera_data(images.values))
    noise = float(np.hypot(camera.read_noise / GAIN, 0.29))
    noise = float(np.hypot(noise, noise / 4 if dark else camera.pedestal_spread))
    h.THRESHOLD = (0.0 if dark else 4 * camera.pedestal) + WIDTHS_OF_NOISE * 2 * noise
    data = camera_data(np.stack(frames)).assign(nrj=("trainId", energies * unit))
    return Run(h, method, data, camera, noise, row, width, energy / 3.6 / GAIN)


def _among(*values: Any) -> Callable[[np.random.Generator], Any]:
    return lambda rng: values[int(rng.integers(len(values)))]


def _between(low: float, high: float) -> Callable[[np.random.Generator], float]:
    return lambda rng: float(np.exp(rng.uniform(np.log(low), np.log(high))))


def kinds() -> Iterator[Kind]:
    """All kinds."""
    yield Kind("5 to 50 photons", options={"photons": _between(5, 50)})
    yield Kind("50 to 1000 photons", options={"photons": _between(50, 1000)})
    dense = ("resolve", "integrate")
    yield Kind("1000 to 20 000 photons", dense, {"photons": _between(1000, 20000), "n_images": 3})
    few = {"photons": _between(5, 100), "n_images": _among(3, 4, 8, 16)}
    yield Kind("few photons, integrated", ("integrate",), few)
    yield Kind("'auto'", ("auto",), {"photons": _between(20, 100)})
    short = {"photons": _between(10, 2000), "n_images": _among(1, 2, 3)}
    yield Kind("1 to 3 images", options=short)
    yield Kind("narrow lines", options={"width": 0.8, "broad": 2.0, "photons": _between(20, 500)})
    wide = {"width": _between(3, 15), "broad": 20.0, "slope": _among(0.02, 0.05, 0.2)}
    yield Kind("wide lines", options=wide | {"photons": _between(20, 1000)})
    light = {"photons": _between(20, 1000)}
    yield Kind("axis 0.3 eV too high", options={"off": 0.3} | light)
    yield Kind("axis 0.3 eV too low", options={"off": -0.3} | light)
    yield Kind("axis 0.3 eV too high, 0.1 eV per row", options={"off": 0.3, "slope": 0.1} | light)
    yield Kind("weak elastic line", options={"elastic": _among(0.0, 0.02, 0.1)} | light)
    yield Kind("no energy axis", options={"slope": 0.0} | light)
    yield Kind("half of the images have no light", options={"shut": 0.5, "n_images": 8} | light)
    yield Kind(
        "light of the images scatters by 50 %", options={"jitter": 0.5, "n_images": 8} | light
    )
    yield Kind("photon energy scanned by 2 eV", options={"scan": 2.0, "n_images": 8} | light)
    faint = {"energy": _among(50.0, 70.0), "photons": _between(100, 3000)}
    yield Kind("50 or 70 eV, integrated", ("integrate",), faint)
    yield Kind("1500 to 2800 eV", options={"energy": _among(1500.0, 2800.0)} | light)
    yield Kind("energies in keV", options={"unit": 1e-3} | light)
    yield Kind("noise of 8 electrons, integrated", ("integrate",),
               {"sensor": {"read_noise": 8.0}, "photons": _between(50, 3000)})  # fmt: skip
    yield Kind("uneven pixels, no dark, integrated", ("integrate",),
               {"sensor": {"pedestal_spread": 6.0}, "dark": False,
                "energy": _among(280.0, 530.0), "photons": _between(50, 3000)})  # fmt: skip
    yield Kind("hot pixels, no dark, integrated", ("integrate",),
               {"sensor": {"hot_fraction": 1e-4}, "dark": False,
                "photons": _between(20, 3000)})  # fmt: skip
    yield Kind("cosmic rays, integrated", ("integrate",),
               {"sensor": {"cosmics_per_frame": 1.0}, "photons": _between(20, 3000)})  # fmt: skip
    yield Kind("images are means of 10 frames, integrated", ("integrate",),
               {"averaged": 10, "photons": _between(20, 1000)})  # fmt: skip
    faint = {"energy": _among(100.0, 280.0), "photons": _between(100, 3000)}
    yield Kind("100 or 280 eV, integrated", ("integrate",), faint)
