"""The paths that are timed: what users wait for, on stored inputs, in this build and in older ones.

Only numpy, xarray and hrixs are imported, by names that both builds have.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

CURVATURE = (0.0240845, -3.6953e-7)
ENERGY, SLOPE, INTERCEPT = 530.0, 0.018387, 498.27
#: Threshold of 2x2 squares above the pedestals, and the pedestal of a pixel, in ADU.
THRESHOLD, PEDESTAL = 50.0, 100.0
KERNELS = ("std", "fixed", "two", "integrate")
KINDS = ("uint16", "float32 dark", "float32", "512x1024", "masked", "int32", "float64")
#: Wanted: how many times faster than 18b0b3e, on a processor with AVX-512 or with AVX2.
WANTED: dict[str, tuple[float, ...]] = {
    "uint16": (1.6, 1.6, 1.2, 1.6),
    "uint16 on AVX2": (1.25, 1.4, 1.15, 1.4),
    "float32 dark": (2.5, 2.0, 1.7, 1.3),
    "float32": (1.5, 1.7, 1.2, 1.4),
    "512x1024": (1.5, 2.0, 1.4, 1.4),
    "masked": (3.0,) * 4,
    "int32": (3.0,) * 4,
    "float64": (3.0,) * 4,
}
WANTED_OF_RUNS: dict[str, float | None] = {
    "process_run": 1.3, "process_run, gzip": 1.3, "find_curvature": 2.0, "load_dark": 1.0,
    "aggregate": 5.0, "bad_pixels": 5.0, "resolve": 1.5, "fit": None, "help": None,
    "an error": None,
}  # fmt: skip


class Prepared(NamedTuple):
    """A path to be timed; `told` returns digests that must be equal, or values near the truth."""

    work: Callable[[], Any]
    told: Callable[[Any], dict[str, Any]]
    n_frames: int


def names() -> list[str]:
    """Names of all paths."""
    return [f"{kind}: {kernel}" for kind in KINDS for kernel in KERNELS] + [*WANTED_OF_RUNS]


def prepare(name: str, folder: Path) -> Prepared | None:
    """Prepare a path on the inputs in `folder`; None if this build does not have it."""
    kind, _, kernel = name.partition(": ")
    if kind in KINDS:
        return _kernel(kind, kernel, folder)
    if name in ("fit", "resolve"):
        return _placed(name, folder)
    if name in ("help", "an error"):
        return _command(name)
    return _of_runs(name, folder)


def digests(result: Any) -> dict[str, str]:
    """The bytes of a result's values, by name."""
    arrays = {str(k): v.values for k, v in result.items()} if isinstance(result, xr.Dataset) else {}
    arrays = arrays or {"values": np.asarray(result)}
    return {name: hashlib.sha256(one.tobytes()).hexdigest()[:16] for name, one in arrays.items()}


def _kernel(kind: str, kernel: str, folder: Path) -> Prepared:
    import hrixs

    frames = np.load(folder / ("small.npy" if kind == "512x1024" else "frames.npy"))
    options: dict[str, Any] = {"threads": 1}
    pedestal = PEDESTAL
    if kind == "float32 dark":
        options["dark"], pedestal = np.load(folder / "dark.npy"), 0.0
    elif kind == "masked":
        options["mask"] = np.load(folder / "mask.npy")
    elif kind == "float64":
        frames = frames[: max(len(frames) // 4, 1)].astype(np.float64)
    elif kind in ("float32", "int32"):
        frames = frames.astype(kind)
    n_frames = int(np.prod(frames.shape[:-2]))
    works: dict[str, Callable[[], Any]] = {
        "std": lambda: hrixs.find_photons(frames, **options),
        "fixed": lambda: hrixs.find_photons(frames, threshold=4 * pedestal + THRESHOLD, **options),
        "two": lambda: hrixs.classify_photons(frames, ENERGY, **options),
        "integrate": lambda: hrixs.integrate_frames(frames, curvature=CURVATURE, **options),
    }
    return Prepared(works[kernel], digests, n_frames)


def _placed(name: str, folder: Path) -> Prepared | None:
    import hrixs

    frames = np.load(folder / "frames.npy")[:8]
    if name == "fit":
        threshold = 4 * PEDESTAL + THRESHOLD
        options: dict[str, Any] = {"position": "gaussian", "cloud_sigma": 0.55}
        options |= {"read_noise": 1.6, "threshold": threshold, "threads": 1}
        return Prepared(
            lambda: hrixs.find_photons(frames, **options), lambda r: {"n": r.sizes["photon"]}, 8
        )
    if not hasattr(hrixs, "resolve_photons"):
        return None
    options = {"photon_charge": 138.9, "cloud_sigma": 0.55, "electrons_per_adu": 1.06, "threads": 1}
    return Prepared(
        lambda: hrixs.resolve_photons(frames, **options), lambda r: {"n": r.sizes["photon"]}, 8
    )


def _command(name: str) -> Prepared:
    words = ["--help"] if name == "help" else ["process", "--no-such-option"]
    command = [sys.executable, "-m", "hrixs", *words]

    def start() -> int:
        return subprocess.run(command, capture_output=True, check=False).returncode

    return Prepared(start, lambda code: {"code": code}, 1)


def _of_runs(name: str, folder: Path) -> Prepared | None:
    import hrixs

    h = hrixs.hRIXS()
    h.FIELDS = ["MaranaX", "nrj"]
    h.THREADS = 2
    h.ENERGY_SLOPE, h.ENERGY_INTERCEPT = SLOPE, INTERCEPT
    h.CURVE_A, h.CURVE_B = CURVATURE
    if name.startswith("process_run"):
        run = folder / ("gzip" if "gzip" in name else "plain")
        return Prepared(
            lambda: h.process_run(run, progress=False),
            lambda r: {"photons": float(r.spectrum.sum())},
            60,
        )
    if name == "load_dark":
        return Prepared(lambda: h.load_dark(folder / "dark"), lambda _: _level(h), 100)
    if name == "find_curvature":
        data = h.from_run(folder / "plain", subset=slice(0, 48))
        return Prepared(lambda: h.find_curvature(data, plot=False), lambda _: _curve(h), 48)
    if name == "aggregate":
        spectra = _spectra()
        return Prepared(
            lambda: h.aggregate(spectra, "hRIXS_delay"),
            lambda r: {"sum": float(r.spectrum.sum()), "groups": r.sizes["hRIXS_delay"]},
            600,
        )
    if not hasattr(hrixs, "bad_pixels"):
        return None
    darks = np.load(folder / "darks.npy")
    return Prepared(
        lambda: hrixs.bad_pixels(darks, threads=1), lambda r: {"bad": int((r != 0).sum())}, 20
    )


def _level(h: Any) -> dict[str, float]:
    return {"level": float(np.mean(h.dark_image))}


def _curve(h: Any) -> dict[str, float]:
    x = np.arange(0, 2048, 64.0)
    curve = np.asarray(h.parabola(x))
    true = (CURVATURE[1] * x + CURVATURE[0]) * x
    off = curve - true
    return {"largest distance": float(np.abs(off - off.mean()).max())}


def _spectra() -> xr.Dataset:
    rng = np.random.default_rng(4)
    return xr.Dataset(
        {
            "spectrum": (("trainId", "energy"), rng.poisson(3.0, (600, 1000)).astype(float)),
            "nrj": ("trainId", np.full(600, ENERGY)),
            "hRIXS_norm": ("trainId", rng.normal(900.0, 20.0, 600)),
            "hRIXS_delay": ("trainId", np.repeat(np.arange(12.0), 50)),
        },
        coords={"trainId": np.arange(600), "energy": INTERCEPT + SLOPE * np.arange(1000.0)},
    )
