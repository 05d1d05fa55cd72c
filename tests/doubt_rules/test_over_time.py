"""Lines that move, a level that drifts, a track in one image: told, and nothing else is."""

import numpy as np
import pytest

from hrixs.doubt_rules.over_time import (
    known_bins,
    level_drifts,
    lines_move,
    tracks,
)

ROWS = 200


@pytest.fixture(autouse=True)
def _raise():
    with np.errstate(divide="raise", invalid="raise", over="raise"):
        yield


def spectra(shifts, photons=50, seed=1, width=1.3):
    """Counted spectra of a line and a broad one, three bins a row."""
    rng = np.random.default_rng(seed)
    rows = []
    for shift in shifts:
        line = rng.normal(120 + shift, width, rng.poisson(photons))
        broad = rng.normal(90 + shift, 6.0, rng.poisson(photons / 2))
        rows.append(np.histogram(np.r_[line, broad], 3 * ROWS, (0, ROWS))[0])
    return np.array(rows, dtype=np.float64)


@pytest.mark.parametrize(
    "shifts",
    [np.linspace(0, 3, 32), np.linspace(0, -3, 32), np.linspace(0, 15, 64),
     np.repeat([0.0, 2.5], 16), 2 * np.sin(np.linspace(0, 6, 64))],
)  # fmt: skip
def test_lines_that_move(shifts):
    (doubt,) = lines_move(spectra(shifts), step=1 / 3, unit="rows")
    assert doubt.code == "moving_lines"
    assert doubt.figures["sharper"] > 1.06
    # Parts have the mean of what moves within them.
    span = np.ptp(shifts.reshape(8, -1).mean(axis=1))
    assert np.ptp(doubt.figures["places"]) / 3 == pytest.approx(span, abs=0.35)
    assert "rows during the run" in doubt.text


@pytest.mark.parametrize("photons", [3, 20, 200])
@pytest.mark.parametrize("n", [1, 8, 15, 16, 50])
def test_lines_that_stand_still(n, photons):
    for seed in range(10):
        assert lines_move(spectra(np.zeros(n), photons, seed, width=1 + seed / 4)) == []


def test_a_little_is_not_told():
    assert lines_move(spectra(np.linspace(0, 0.5, 64), photons=500)) == []


def test_images_without_light_do_not_move():
    made = spectra(np.zeros(64))
    made[40:] = 0
    assert lines_move(made) == []
    assert lines_move(np.zeros((32, 300))) == []
    made[3] = np.nan
    assert lines_move(made) == []


@pytest.mark.parametrize("drift", [3.0, -30.0])
def test_a_level_that_drifts(drift):
    level = 100 + np.linspace(0, drift, 12) + np.random.default_rng(1).normal(0, 0.05, 12)
    (doubt,) = level_drifts(level, noise=2.0)
    assert doubt.figures["drift"] == pytest.approx(drift, abs=0.1)


def test_a_level_that_only_scatters():
    rng = np.random.default_rng(1)
    assert level_drifts(100 + rng.normal(0, 5, 100), noise=2.0) == []
    assert level_drifts(100 + np.linspace(0, 1.5, 20), noise=2.0) == []
    assert level_drifts(np.array([100.0, 130, 160]), noise=2.0) == []  # too few


def integrated(photons, n=10, n_columns=512, seed=2, bright=()):
    """Integrated spectra in ADU, with the noise of so many columns."""
    counts = spectra(np.zeros(n), photons, seed)
    for image in bright:
        counts[image] = spectra([0.0], 6 * photons, seed + 100)[0]
    light = 140 / n_columns * counts.reshape(n, ROWS, 3).sum(axis=2)
    return light + np.random.default_rng(seed).normal(0, 2 / np.sqrt(n_columns), light.shape)


@pytest.mark.parametrize("photons", [5, 100, 2000])
@pytest.mark.parametrize("row", [20, 118])
def test_a_track_in_one_image(photons, row):
    made = integrated(photons)
    made[3, row] += 3 * made.max() + 200 * 140 / 512  # as of 200 photons and more
    assert tracks(made) == [3]


@pytest.mark.parametrize("photons", [0.5, 5, 100, 2000])
def test_light_is_no_track(photons):
    for seed in range(20):
        assert tracks(integrated(photons, seed=seed)) == []
        assert tracks(integrated(photons, seed=seed, bright=[2])) == []
    assert tracks(integrated(100, n=3)) == []


def test_bins_beside_a_tilted_crop_are_left_out():
    made = spectra(np.linspace(0, 15, 64))
    made[:, :7] = made[:, -3:] = np.nan
    made[5] = np.nan
    assert known_bins(made).shape == (64, 590)
    assert not known_bins(made)[5].any()
    assert [doubt.code for doubt in lines_move(made)] == ["moving_lines"]
