"""Fits of bins by their likelihood, against what can be reckoned by hand and against truth."""

import numpy as np
import pytest

from hrixs.utils.likelihood import errors_of, most_likely, slopes_of


def level(p):
    return np.full(5, p[0])


def line(p):
    return p[0] + p[1] * np.arange(40)


def test_the_level_of_counts_is_their_mean():
    counts = np.array([9, 0, 12, 8, 11])
    best = most_likely(level, counts, [3.0])
    assert best == pytest.approx([8.0], rel=1e-6)
    covariance = errors_of(level, best, variance=level(best), steps=1e-4)
    assert covariance == pytest.approx(np.array([[8.0 / 5]]), rel=1e-6)


def test_gaussian_bins_are_weighed_with_their_noise():
    values, sigma = np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([1.0, 1.0, 1.0, 2.0, 2.0])
    best = most_likely(level, values, [0.0], sigma=sigma)
    assert best == pytest.approx([np.average(values, weights=sigma**-2.0)], rel=1e-6)


def test_limits_hold():
    best = most_likely(level, np.full(5, 10), [3.0], limits=([0.0], [5.0]))
    assert best == pytest.approx([5.0], rel=1e-6)


def test_errors_are_those_of_many_fits():
    random, true = np.random.default_rng(1), np.array([20.0, 0.5])
    fits = np.array(
        [
            most_likely(line, random.poisson(line(true)), true, limits=(0, np.inf))
            for _ in range(400)
        ]
    )
    covariance = errors_of(line, true, variance=line(true), steps=1e-4)
    assert (np.abs(fits.mean(axis=0) - true) < 4 * np.sqrt(covariance.diagonal() / 400)).all()
    assert fits.std(axis=0) == pytest.approx(np.sqrt(covariance.diagonal()), rel=0.12)
    assert np.corrcoef(fits.T)[0, 1] == pytest.approx(
        covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]), abs=0.06
    )


def test_what_is_held_has_no_error_and_adds_none():
    p = np.array([20.0, 0.5])
    both = errors_of(line, p, variance=line(p), steps=1e-4)
    held = errors_of(line, p, variance=line(p), steps=1e-4, free=np.array([True, False]))
    assert held[0, 0] == pytest.approx(1 / (1 / line(p)).sum(), rel=1e-6)
    assert held[0, 0] < both[0, 0]
    assert not held[1].any()
    assert not held[:, 1].any()


def test_parameters_of_all_sizes():
    def wide(p):
        return line([p[0] * 1e12, p[1] * 1e-12])

    p, unit = np.array([20.0, 0.5]), np.array([1e-12, 1e12])
    covariance = errors_of(wide, p * unit, variance=line(p), steps=1e-4 * unit)
    expected = errors_of(line, p, variance=line(p), steps=1e-4) * np.outer(unit, unit)
    assert covariance == pytest.approx(expected, rel=1e-6)


def test_slopes():
    assert slopes_of(line, np.array([1.0, 2.0]), 1e-3) == pytest.approx(
        np.stack([np.ones(40), np.arange(40)], axis=1)
    )
