"""Frames that are unlike the others."""

import numpy as np
import pytest

from hrixs.camera import as_frames, count_frames, named_frames, odd_frames


def kinds(frames):
    counts, _ = count_frames(as_frames(frames))
    return odd_frames(counts.median, counts.noise).kinds


def frames(n=9):
    return np.random.default_rng(1).normal(100, 2, (n, 64, 64)).round()


def test_good_frames_are_alike():
    assert kinds(frames()) == ("",) * 9
    assert kinds(frames() + np.linspace(0, 30, 9)[:, None, None]) == ("",) * 9
    assert kinds(np.full((3, 16, 16), 7.0)) == ("",) * 3


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        (np.zeros((64, 64)), "blank"),
        (np.full((64, 64), 65_535.0), "saturated"),
        (frames(1)[0] + 300, "at another level"),
        (100 + 10 * (frames(1)[0] - 100), "noisy"),
    ],
)
@pytest.mark.parametrize("n_bad", [1, 4])
def test_others_are_named(bad, kind, n_bad):
    given = frames()
    given[3 : 3 + n_bad] = bad
    assert kinds(given) == ("",) * 3 + (kind,) * n_bad + ("",) * (6 - n_bad)


def test_many_names_are_cut():
    text = named_frames(range(12), ["blank"] * 12, "train")
    assert text == "trains 0, 1, 2, 3, 4, 5, 6, 7 and 4 more (blank)"
