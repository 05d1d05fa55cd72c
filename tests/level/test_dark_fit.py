"""A dark fitted to an image: factor and offset, and how well they are known."""

from __future__ import annotations

import numpy as np
import pytest

from hrixs.level.dark_fit import fit_dark
from hrixs.level.unlit import Sample
from oracles import level as oracle

SHAPE = (256, 512)
SAMPLE = Sample(SHAPE)
FACTOR, OFFSET, NOISE, DARK_ERROR = 1.07, 4.0, 2.0, 0.7


def made(structure, density=0.05, seed=3):
    """A frame, its measured dark, and where there is no light."""
    rng = np.random.default_rng(seed)
    light = oracle.light(rng, SHAPE, density)
    frame = FACTOR * structure + OFFSET + light + rng.normal(0, NOISE, SHAPE)
    return frame, structure + rng.normal(0, DARK_ERROR, SHAPE), light < 0.05


def fitted(frame, dark, kind):
    return fit_dark(SAMPLE.of(frame), SAMPLE.of(dark), kind, dark_error=DARK_ERROR)


RNG = np.random.default_rng(9)
STRUCTURES = {
    "pixel to pixel": 100 + RNG.normal(0, 5, SHAPE),
    "a slope": 100 + np.linspace(0, 40, SHAPE[1]) * np.ones(SHAPE),
    "hot pixels": 100 + np.where(RNG.random(SHAPE) < 0.01, RNG.exponential(300, SHAPE), 0),
}


@pytest.mark.parametrize("density", [0.0, 0.05, 0.2])
@pytest.mark.parametrize("name", STRUCTURES)
def test_factor_and_offset(name, density):
    frame, dark, unlit = made(STRUCTURES[name], density)
    found = fitted(frame, dark, "both")
    assert not found.flat
    assert abs(found.factor - FACTOR) < 5 * found.factor_err
    # What is left of the dark, averaged over the chip.
    rest = np.mean((FACTOR - found.factor) * STRUCTURES[name] + OFFSET - found.offset)
    assert abs(rest) < 0.2
    true, _ = oracle.dark_fit(frame, STRUCTURES[name], unlit)
    assert found.factor == pytest.approx(true, abs=5 * found.factor_err + 0.003)


def test_the_scatter_of_the_dark_does_not_make_the_factor_small():
    structure = 100 + RNG.normal(0, 2, SHAPE)
    frame, dark, _ = made(structure, 0.0)
    found = fitted(frame, dark, "both")
    naive = fit_dark(SAMPLE.of(frame), SAMPLE.of(dark), "both")
    assert abs(found.factor - FACTOR) < 4 * found.factor_err
    assert naive.factor < FACTOR - 5 * naive.factor_err


def test_a_flat_dark_tells_no_factor_beside_an_offset():
    frame, dark, _ = made(np.full(SHAPE, 100.0))
    found = fitted(frame, dark, "both")
    assert found.flat
    assert found.factor == 1.0
    assert found.offset == pytest.approx(0.07 * 100 + OFFSET, abs=0.1)


def test_a_factor_alone_goes_through_zero():
    frame, dark, _ = made(STRUCTURES["pixel to pixel"], 0.0)
    found = fitted(frame - OFFSET, dark, "factor")
    assert found.offset == 0.0
    assert found.factor == pytest.approx(FACTOR, abs=0.001)


def test_an_offset_alone():
    frame, dark, _ = made(STRUCTURES["pixel to pixel"], 0.1)
    found = fitted(frame, dark * FACTOR, "offset")
    assert (found.factor, found.factor_err) == (1.0, 0.0)
    assert found.offset == pytest.approx(OFFSET, abs=0.15)
