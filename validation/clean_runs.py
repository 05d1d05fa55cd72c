"""Short random runs with nothing wrong, over the range of what a beamline may have."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import hrixs
from hrixs import hRIXS
from hrixs.simulation import Sensor, SpectralLine, simulate_frames

#: Photons a pixel, in the densest line, at which a method loses 1 %.
DENSITIES = {"auto": 0.0015, "manual": 0.01, "resolve": 0.2, "integrate": np.inf}
GAIN, SLOPE = 1.06, 0.02
#: Threshold above the level of 2x2 squares, in standard deviations of their noise.
WIDTHS_OF_NOISE = 6.5
_LEAST_PHOTONS, _MOST_PHOTONS = 10.0, 3000.0
_MOST_PIXELS = 10_000_000


@dataclass
class Run:
    """A run, and the class with settings that fit it.

    Attributes
    ----------
    h : hRIXS
    method : str
    data : xarray.Dataset
        Images and ``nrj``.
    sensor : Sensor
    noise : float
        Standard deviation of a pixel in ADU, as the settings expect it.
    elastic_row, width, charge : float
        Row and standard deviation (rows) of the elastic line; charge of one photon in ADU.
    """

    h: hRIXS
    method: str
    data: xr.Dataset
    sensor: Sensor
    noise: float
    elastic_row: float
    width: float
    charge: float

    @property
    def frames(self) -> NDArray[np.uint16]:
        """The images, which may be changed in place."""
        return self.data["MaranaX"].values

    @property
    def is_whole(self) -> bool:
        """Whether all rows are used."""
        return bool(self.h.Y_RANGE.stop - self.h.Y_RANGE.start == self.sensor.shape[1])

    def told(self) -> list[str]:
        """Codes of all doubts and names of all other warnings when this run is analysed."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            if self.method == "integrate":
                result = self.h.integrate(self.data)
            else:
                result = self.h.centroid(self.data, method=self.method)
        codes = [doubt.code for doubt in hrixs.doubts(result)]
        others = [
            one.category.__name__
            for one in caught
            if issubclass(one.category, hrixs.HrixsWarning)
            and not issubclass(one.category, hrixs.DoubtWarning)
        ]
        return list(dict.fromkeys([*codes, *others]))


def camera_data(frames: NDArray[np.uint16], energy: float | None = None) -> xr.Dataset:
    """Images in trains, with their photon energy."""
    data = xr.Dataset({"MaranaX": (("trainId", "x", "y"), frames)})
    data = data.assign_coords(trainId=np.arange(len(frames)))
    return data if energy is None else data.assign(nrj=("trainId", np.full(len(frames), energy)))


def clean_run(
    rng: np.random.Generator,
    method: str,
    *,
    photons_per_frame: float | NDArray[np.float64] | None = None,
    n_images: int | None = None,
    with_dark: bool | None = None,
) -> Run:
    """Draw a random run with nothing wrong; options that are not given are random, too."""
    while True:
        shape = int(rng.choice([128, 256, 512, 1024, 2048])), int(rng.choice([128, 200, 300, 512]))
        sensor = Sensor(shape=shape, read_noise=float(rng.uniform(1.0, 2.2)))
        crop = _crop(rng, shape)
        a = float(rng.choice([0.0, 0.0, 0.0240845, 0.04, -0.03]))
        b = float(rng.choice([0.0, -1.2e-5, 8e-6])) * (a != 0) * 256 / max(shape[0], 256)
        width, broad = float(rng.uniform(0.8, 3.0)), float(rng.uniform(3.0, 12.0))
        x = np.arange(*crop[0].indices(shape[0]))
        moved = np.append((a + b * x) * x, 0.0)
        low, high = (row for row in (crop[1].start - moved.min(), crop[1].stop - 1 - moved.max()))
        margins = 4 * width + 2, 3.5 * broad + 2
        if high - low < 2 * margins[0] + 4 or high - low < 2 * margins[1]:
            continue
        elastic = float(rng.uniform(low + margins[0], high - margins[0]))
        loss = float(rng.uniform(low + margins[1], high - margins[1]))
        share = float(rng.uniform(0.2, 0.8))
        lines = SpectralLine(elastic, width, share), SpectralLine(loss, broad, 1 - share)
        # Columns outside the crop have photons, too.
        one_photon = max(line.weight / line.sigma for line in lines) / (shape[0] * 2 * np.pi**0.5)
        most = min(DENSITIES[method] / one_photon, _MOST_PHOTONS)
        in_crop = len(x) / shape[0]
        least = _LEAST_PHOTONS / in_crop
        if most <= least and photons_per_frame is None:
            continue
        flux = np.exp(rng.uniform(np.log(least), np.log(max(most, least))))
        flux = flux if photons_per_frame is None else photons_per_frame / in_crop
        n = n_images or int(rng.choice([1, 2, 4, 8, 16, 32]))
        if n * shape[0] * shape[1] <= _MOST_PIXELS:
            break
    energy = float(rng.choice([400.0, 530.0, 640.0, 855.0, 930.0]))
    seeds = rng.integers(1 << 31, size=2)
    frames, _ = simulate_frames(
        n, sensor=sensor, lines=lines, photons_per_frame=flux, curvature=(a, b), energy=energy,
        seed=int(seeds[0]),
    )  # fmt: skip
    h = hRIXS()
    h.X_RANGE, h.Y_RANGE = crop
    h.CURVE_A, h.CURVE_B = a, b
    h.BINS = 3 * (crop[1].stop - crop[1].start)
    slope = SLOPE if loss <= elastic else -SLOPE  # photons gain no energy
    h.ENERGY_SLOPE, h.ENERGY_INTERCEPT = slope, energy - slope * elastic
    h.ELECTRONS_PER_ADU = GAIN
    if method == "resolve":
        h.CLOUD_SIGMA = sensor.cloud_sigma
    dark = bool(rng.integers(2)) if with_dark is None else with_dark
    if dark:
        images, _ = simulate_frames(16, sensor=sensor, photons_per_frame=0, seed=int(seeds[1]))
        h.load_dark(camera_data(images.values))
    noise = np.hypot(sensor.read_noise / GAIN, 0.29)
    noise = np.hypot(noise, noise / 4 if dark else sensor.pedestal_spread)
    h.THRESHOLD = (0.0 if dark else 4 * sensor.pedestal) + WIDTHS_OF_NOISE * 2 * noise
    charge = energy / 3.6 / GAIN
    data = camera_data(frames.values, energy)
    return Run(h, method, data, sensor, float(noise), elastic, width, charge)


def _crop(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[slice, slice]:
    """Columns and rows that are used: often all."""
    if rng.random() < 0.5:
        return slice(0, shape[0]), slice(0, shape[1])
    # A multiple of four columns: of one to three over a multiple of 16 the map of the light fails.
    x, y = (
        slice(
            step * int(rng.integers(0, n // 4 // step)),
            step * int(rng.integers(3 * n // 4 // step, n // step + 1)),
        )
        for n, step in zip(shape, (4, 1), strict=True)
    )
    return x, y
