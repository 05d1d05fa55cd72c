"""Simulate camera frames with known truth. Shares no code with the functions that find photons.

A photon frees electrons in the sensor. Each electron diffuses on its own until a pixel collects
it. The camera adds read noise, a pedestal, hot pixels and the tracks of cosmic rays, and gives
whole numbers of ADU.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs.runs.mock import write_run

__all__ = ["Sensor", "SpectralLine", "rixs_lines", "simulate_frames", "write_run"]

#: Fano factor of silicon: variance of the number of electrons / their mean.
FANO_FACTOR = 0.12
EV_PER_PAIR = 3.6
#: Values of the SCS tutorial.
CURVE_A, CURVE_B = 0.0240845, -3.6953e-7
ENERGY_SLOPE, ENERGY_INTERCEPT = 0.018387, 498.27


@dataclass(frozen=True)
class SpectralLine:
    """A Gaussian line of the spectrum.

    Attributes
    ----------
    y : float
        Row of its centre at ``x = 0``, in pixels.
    sigma : float
        Standard deviation, in pixels.
    weight : float
        Share of the photons, relative to the other lines.
    name : str
        Name of the line.
    """

    y: float
    sigma: float
    weight: float
    name: str = ""


@dataclass(frozen=True)
class Sensor:
    """A camera. The pattern of pedestals and hot pixels is fixed by `seed`.

    Attributes
    ----------
    shape : (int, int)
        Pixels along x and y.
    cloud_sigma : float
        Standard deviation of the charge cloud, in pixels.
    read_noise : float
        Standard deviation of a pixel, in electrons.
    electrons_per_adu : float
        Gain.
    pedestal, pedestal_spread : float
        Mean offset and its standard deviation from pixel to pixel, in ADU.
    hot_fraction : float
        Share of hot pixels. Each has up to `hot_level` ADU more in every frame.
    hot_level : float
        Largest excess of a hot pixel, in ADU.
    cosmics_per_frame : float
        Mean number of cosmic-ray tracks in a frame.
    electron_statistics : bool
        True: electrons are counted and spread one by one. False: every photon has the mean charge
        and the mean cloud.
    seed : int
        Seed of the fixed pattern.
    """

    shape: tuple[int, int] = (2048, 2048)
    cloud_sigma: float = 0.55
    read_noise: float = 1.6
    electrons_per_adu: float = 1.06
    pedestal: float = 100.0
    pedestal_spread: float = 1.0
    hot_fraction: float = 0.0
    hot_level: float = 500.0
    cosmics_per_frame: float = 0.0
    electron_statistics: bool = True
    seed: int = 7

    @cached_property
    def pattern(self) -> NDArray[np.float32]:
        """Pedestal of each pixel with the hot pixels, in ADU."""
        rng = np.random.default_rng(self.seed)
        pattern = rng.normal(self.pedestal, self.pedestal_spread, self.shape).astype(np.float32)
        n_hot = round(self.hot_fraction * pattern.size)
        hot = rng.choice(pattern.size, n_hot, replace=False)
        pattern.ravel()[hot] += rng.uniform(0.05, 1.0, n_hot).astype(np.float32) * self.hot_level
        return pattern


def rixs_lines(
    elastic_row: float, *, resolution: float = 1.3, energy_slope: float = ENERGY_SLOPE
) -> tuple[SpectralLine, ...]:
    """A simple spectrum of a cuprate: elastic line, magnon, dd excitations, fluorescence.

    Parameters
    ----------
    elastic_row : float
        Row of the elastic line at ``x = 0``, in pixels.
    resolution : float
        Standard deviation of the elastic line, in pixels.
    energy_slope : float
        Energy of a row in eV; the excitations are at lower energies than the elastic line.
    """
    losses = [  # loss and width in eV, weight, name
        (0.0, 0.0, 0.25, "elastic"),
        (0.25, 0.06, 0.15, "magnon"),
        (1.7, 0.12, 0.25, "dd"),
        (2.2, 0.15, 0.15, "dd"),
        (4.0, 0.8, 0.2, "fluorescence"),
    ]
    return tuple(
        SpectralLine(
            elastic_row - loss / energy_slope, float(np.hypot(resolution, width / energy_slope)),
            weight, name,
        )
        for loss, width, weight, name in losses
    )  # fmt: skip


def simulate_frames(
    n_frames: int,
    *,
    sensor: Sensor | None = None,
    lines: Sequence[SpectralLine] | None = None,
    photons_per_frame: ArrayLike = 1000.0,
    curvature: tuple[float, float] = (CURVE_A, CURVE_B),
    energy: float = 530.0,
    seed: int = 0,
) -> tuple[xr.DataArray, xr.Dataset]:
    """Simulate camera frames.

    Parameters
    ----------
    n_frames : int
        Number of frames.
    sensor : Sensor, optional
        The camera; by default one of 2048 x 2048 pixels with sCMOS noise.
    lines : sequence of SpectralLine, optional
        The spectrum; by default `rixs_lines` with the elastic line at 0.85 of the height.
    photons_per_frame : float or array_like, shape (n_frames,)
        Mean number of photons, Poisson distributed; 0 gives dark frames. Photons outside
        the sensor are not in the truth.
    curvature : (float, float)
        ``(CURVE_A, CURVE_B)`` of the parabola that the lines follow.
    energy : float
        Photon energy in eV: every photon frees about ``energy / 3.6`` electrons.
    seed : int
        The same seed gives the same frames.

    Returns
    -------
    frames : xarray.DataArray of uint16, dims (frame, x, y)
        In ADU.
    truth : xarray.Dataset
        Over dim ``photon``: ``frame``; ``x``, ``y``, the position in pixels (an integer is the
        centre of a pixel); ``y_straight``, the row without curvature; ``electrons``; ``line``, the
        number of its line. ``n_cosmics`` over dim ``frames``.

    Notes
    -----
    Energy per electron and Fano factor are those of silicon.

    Examples
    --------
    >>> from hrixs.simulation import Sensor, simulate_frames
    >>> frames, truth = simulate_frames(2, sensor=Sensor(shape=(64, 64)), photons_per_frame=5)
    >>> frames.dtype, frames.shape, truth.x.dims
    (dtype('uint16'), (2, 64, 64), ('photon',))
    """
    sensor = sensor or Sensor()
    nx, ny = sensor.shape
    lines = tuple(lines or rixs_lines(0.85 * ny))
    means = np.broadcast_to(np.asarray(photons_per_frame, dtype=np.float64), (n_frames,))
    frames = np.empty((n_frames, nx, ny), dtype=np.uint16)
    truth: list[_Photons] = []
    n_cosmics = np.zeros(n_frames, dtype=np.int64)
    for number, rng in enumerate(np.random.default_rng(seed).spawn(n_frames)):
        photons = _draw_photons(rng, float(means[number]), lines, curvature, energy, sensor)
        charge = _collect(rng, photons, sensor)
        n_cosmics[number] = rng.poisson(sensor.cosmics_per_frame)
        for _ in range(n_cosmics[number]):
            _add_cosmic(rng, charge)
        frames[number] = _digitise(rng, charge, sensor)
        truth.append(photons)
    numbers = np.repeat(np.arange(n_frames), [len(photons.x) for photons in truth])
    table = {
        name: ("photon", np.concatenate([getattr(photons, name) for photons in truth]))
        for name in ("x", "y", "y_straight", "electrons", "line")
    }
    return (
        xr.DataArray(frames, dims=("frame", "x", "y"), attrs={"units": "ADU"}),
        xr.Dataset(
            table | {"frame": ("photon", numbers), "n_cosmics": ("frames", n_cosmics)},
            attrs={
                "curve_a": curvature[0],
                "curve_b": curvature[1],
                "energy": energy,
                "adu_per_photon": energy / EV_PER_PAIR / sensor.electrons_per_adu,
                "lines": ", ".join(line.name for line in lines),
            },
        ),
    )


@dataclass
class _Photons:
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    y_straight: NDArray[np.float64]
    electrons: NDArray[np.float64]
    line: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))


def _draw_photons(
    rng: np.random.Generator,
    mean: float,
    lines: Sequence[SpectralLine],
    curvature: tuple[float, float],
    energy: float,
    sensor: Sensor,
) -> _Photons:
    nx, ny = sensor.shape
    weights = np.array([line.weight for line in lines])
    n_photons = rng.poisson(mean)
    line = rng.choice(len(lines), n_photons, p=weights / weights.sum())
    straight = rng.normal(
        np.array([one.y for one in lines])[line], np.array([one.sigma for one in lines])[line]
    )
    x = rng.uniform(-0.5, nx - 0.5, n_photons)
    y = straight + (curvature[1] * x + curvature[0]) * x
    hit = (y >= -0.5) & (y < ny - 0.5)
    electrons = np.full(n_photons, energy / EV_PER_PAIR)
    if sensor.electron_statistics:
        electrons = np.rint(rng.normal(electrons, np.sqrt(FANO_FACTOR * electrons)))
    return _Photons(x[hit], y[hit], straight[hit], electrons[hit], line[hit])


def _collect(rng: np.random.Generator, photons: _Photons, sensor: Sensor) -> NDArray[np.float64]:
    """Number of electrons in each pixel."""
    nx, ny = sensor.shape
    if not sensor.electron_statistics:
        return _mean_clouds(photons, sensor)
    counts = photons.electrons.astype(np.int64)
    x = np.repeat(photons.x, counts) + rng.normal(0, sensor.cloud_sigma, counts.sum())
    y = np.repeat(photons.y, counts) + rng.normal(0, sensor.cloud_sigma, counts.sum())
    column = np.floor(x + 0.5).astype(np.int64)
    row = np.floor(y + 0.5).astype(np.int64)
    inside = (column >= 0) & (column < nx) & (row >= 0) & (row < ny)
    flat = column[inside] * ny + row[inside]
    return np.bincount(flat, minlength=nx * ny).reshape(nx, ny).astype(np.float64)


def _mean_clouds(photons: _Photons, sensor: Sensor) -> NDArray[np.float64]:
    from scipy.special import ndtr

    nx, ny = sensor.shape
    half = int(np.ceil(5 * sensor.cloud_sigma)) + 1
    charge = np.zeros((nx + 2 * half, ny + 2 * half))
    window = np.arange(-half, half + 1)
    for x, y, electrons in zip(photons.x, photons.y, photons.electrons, strict=True):
        column, row = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
        share_x, share_y = (
            ndtr((window + 0.5 - offset) / sensor.cloud_sigma)
            - ndtr((window - 0.5 - offset) / sensor.cloud_sigma)
            for offset in (x - column, y - row)
        )
        charge[column : column + 2 * half + 1, row : row + 2 * half + 1] += (
            electrons * share_x[:, None] * share_y
        )
    return charge[half : half + nx, half : half + ny]


def _add_cosmic(rng: np.random.Generator, charge: NDArray[np.float64]) -> None:
    """Add a straight track of 5 to 50 pixels with 100 to 1000 electrons in each."""
    length = rng.integers(5, 51)
    angle = rng.uniform(0, 2 * np.pi)
    steps = np.arange(length)
    x = np.rint(rng.uniform(0, charge.shape[0]) + steps * np.cos(angle)).astype(np.int64)
    y = np.rint(rng.uniform(0, charge.shape[1]) + steps * np.sin(angle)).astype(np.int64)
    inside = (x >= 0) & (x < charge.shape[0]) & (y >= 0) & (y < charge.shape[1])
    np.add.at(charge, (x[inside], y[inside]), rng.uniform(100, 1000, length)[inside])


def _digitise(
    rng: np.random.Generator, charge: NDArray[np.float64], sensor: Sensor
) -> NDArray[np.uint16]:
    noise = rng.standard_normal(charge.shape, dtype=np.float32)
    noise *= np.float32(sensor.read_noise / sensor.electrons_per_adu)
    noise += sensor.pattern
    noise += (charge / sensor.electrons_per_adu).astype(np.float32)
    return np.clip(np.rint(noise, out=noise), 0, np.iinfo(np.uint16).max).astype(np.uint16)
