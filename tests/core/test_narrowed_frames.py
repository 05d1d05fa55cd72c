"""Whole numbers of other types, and frames with a mask, are searched as counts where their rows
allow it: the bytes must be those of the way through doubles, which strided frames go."""

import numpy as np
import pytest

from hrixs import NonFinitePixelsError, classify_photons, find_photons, integrate_frames

SHAPE = (300, 141)
PEDESTAL = 1000.0
CURVATURE = (0.02, 1e-6)


def counts(seed=0):
    rng = np.random.default_rng(seed)
    frames = PEDESTAL + 3.0 * rng.standard_normal((2, *SHAPE))
    for frame in frames:
        for x, y in zip(rng.integers(2, 297, 60), rng.integers(2, 138, 60), strict=True):
            frame[x, y] += 84.0
            frame[x : x + 2, y : y + 2] += 21.0
    return np.rint(frames)


def masks():
    rng = np.random.default_rng(1)
    some = rng.random(SHAPE) < 2e-3
    lines = some.copy()
    lines[:3] = lines[255:257] = lines[:, 64] = lines[:, -1] = True
    half = np.zeros(SHAPE, bool)
    half[:, 71:] = True
    # The brightest pixels of the first frame.
    bright = np.zeros(SHAPE, bool)
    bright[counts()[0] > PEDESTAL + 80] = True
    return {
        "none": None,
        "nothing": np.zeros(SHAPE, bool),
        "some": some,
        "lines": lines,
        "half": half,
        "bright": bright,
        "scattered": rng.random(SHAPE) < 0.2,
    }


MASKS = masks()


def kinds():
    """Frames by name, and whether they are whole numbers of 16 bits."""
    whole = counts()
    one_fraction = whole.copy()
    one_fraction[0, 200, 70] += 0.25
    one_band = whole.copy()
    one_band[1, 100:260] += 0.375
    negative = (whole - PEDESTAL).astype(np.int32)
    large = whole.astype(np.int32)
    large[0, 255, 3] = 70000
    saturated = whole.astype(np.uint16)
    saturated[0, 10, 10:30] = 65535
    return {
        "uint16": whole.astype(np.uint16),
        "uint16 saturated": saturated,
        "int16": whole.astype(np.int16),
        "uint8": (whole / 8).astype(np.uint8),
        "uint32": whole.astype(np.uint32),
        "int32": whole.astype(np.int32),
        "int32 below 0": negative,
        "int32 one large": large,
        "float32": whole.astype(np.float32),
        "float64": whole,
        "float64 one fraction": one_fraction,
        "float64 one band": one_band,
        "float64 no whole numbers": whole / 3,
        "float64 -0": np.where(whole > PEDESTAL, whole - PEDESTAL, -0.0),
    }


KINDS = kinds()


def strided(frames):
    """The same frames, whose neighbours along y lie apart."""
    return np.ascontiguousarray(np.swapaxes(frames, -1, -2)).swapaxes(-1, -2)


def bytes_of(frames, mask, threads=1):
    options = {"threads": threads} | ({} if mask is None else {"mask": mask})
    valid = frames if mask is None else frames[:, ~mask]
    level = 4 * float(np.median(valid)) + 60
    found = [
        find_photons(frames, std_threshold=3.5, **options),
        find_photons(frames, threshold=level, **options),
        classify_photons(frames, 100.0, candidate_low=0.3, **options),
    ]
    columns = [table[name].values.tobytes() for table in found for name in sorted(table.variables)]
    return [*columns, integrate_frames(frames, curvature=CURVATURE, **options).tobytes()]


@pytest.mark.filterwarnings("ignore::hrixs.DoubtWarning")
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.one_in(3)
def test_the_bytes_are_those_of_doubles(kind, mask):
    frames = KINDS[kind]
    expected = bytes_of(strided(frames), MASKS[mask])
    assert bytes_of(frames, MASKS[mask]) == expected
    assert bytes_of(frames[:1], MASKS[mask], threads=2) == bytes_of(frames[:1], MASKS[mask])


@pytest.mark.filterwarnings("ignore::hrixs.DoubtWarning")
@pytest.mark.parametrize("mask", ["some", "lines", "half", "bright"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30, -5.0, 0.5])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_masked_may_be_anything(dtype, value, mask):
    frames = counts().astype(dtype)
    expected = bytes_of(frames, MASKS[mask])
    frames[:, MASKS[mask]] = value
    assert bytes_of(frames, MASKS[mask]) == expected


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("where", [(0, 0), (255, 7), (299, 140)])
def test_a_pixel_that_is_not_finite_is_told_beside_a_mask(dtype, where):
    frames = counts().astype(dtype)
    frames[(1, *where)] = np.nan
    mask = MASKS["some"] & False
    mask[5, 5] = True
    for call in (
        lambda: find_photons(frames, threshold=4060.0, mask=mask),
        lambda: classify_photons(frames, 100.0, mask=mask),
        lambda: integrate_frames(frames, curvature=CURVATURE, mask=mask),
    ):
        with pytest.raises(NonFinitePixelsError):
            call()
