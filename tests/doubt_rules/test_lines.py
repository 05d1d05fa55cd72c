"""The curve, the orientation, a cut and the bins, by where photons lie."""

import numpy as np
import pytest

from hrixs.doubt_rules.lines import lines_of

SHAPE = (512, 300)


@pytest.fixture(autouse=True)
def _raise():
    with np.errstate(all="raise", under="ignore"):
        yield


def photons(n=1000, *, row=150.0, width=1.3, tilt=0.0, share=0.6, seed=1):
    """Places of a line that climbs by `tilt` rows over the chip, and of even photons."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, SHAPE[0] - 1, n)
    y = rng.normal(row, width, n) + tilt * x / SHAPE[0]
    even = rng.random(n) > share
    y[even] = rng.uniform(0, SHAPE[1] - 1, int(even.sum()))
    inside = (y >= 0) & (y <= SHAPE[1] - 1)
    return x[inside], y[inside]


def told(x, y, *, tilt=0.0, rows_per_bin=0.33, shape=SHAPE):
    curve_ends = tilt * np.linspace(0, 1, 65)
    return lines_of(
        x, y, tilt * x / SHAPE[0], shape=shape, curve_ends=curve_ends, rows_per_bin=rows_per_bin
    )


def codes(*args, **kwargs):
    return [doubt.code + "!" * doubt.grave for doubt in told(*args, **kwargs)]


@pytest.mark.parametrize("tilt", [0.0, 20.0, -20.0])
@pytest.mark.parametrize("n", [0, 1, 149, 200, 1000, 20000])
def test_a_line_along_the_curve_is_not_doubted(tilt, n):
    for seed in range(3):
        assert codes(*photons(n, tilt=tilt, seed=seed), tilt=tilt) == []


@pytest.mark.parametrize("n", [200, 1000, 20000])
def test_even_photons_are_not_doubted(n):
    for seed in range(3):
        assert codes(*photons(n, share=0.0, seed=seed)) == []


@pytest.mark.parametrize(("tilt", "code"), [(10.0, "curve"), (30.0, "curve!"), (-30.0, "curve!")])
def test_another_curve_is_doubted(tilt, code):
    assert codes(*photons(tilt=tilt), tilt=-tilt) == ["curve!"]
    assert codes(*photons(tilt=tilt)) == [code]


@pytest.mark.parametrize("share", [0.0, 0.15, 0.6, 1.0])
@pytest.mark.parametrize("width", [1.3, 25.0])
def test_by_chance_no_other_curve_is_better(share, width):
    for n in (150, 400, 1500):
        for seed in range(8):
            assert "curve" not in codes(*photons(n, width=width, share=share, seed=seed))


@pytest.mark.parametrize(("n", "tilt"), [(300, 15.0), (600, 10.0), (2000, 6.0)])
def test_few_photons_tell_a_curve_that_is_far_off(n, tilt):
    for seed in range(4):
        assert codes(*photons(n, tilt=tilt, seed=seed))[0].startswith("curve")


def test_half_a_row_is_no_other_curve_and_few_rows_are():
    assert codes(*photons(tilt=0.5)) == []
    assert codes(*photons(tilt=5.0, share=0.9)) == ["curve"]


def test_the_text_tells_the_other_curve():
    (found,) = told(*photons(tilt=30.0))
    assert found.figures["tilt"] == pytest.approx(15.0, abs=1.5)
    assert "find_curvature" in found.text


@pytest.mark.parametrize("tilt", [0.0, 20.0])
def test_frames_on_their_side(tilt):
    y, x = photons(tilt=tilt)
    found = told(x, y, shape=SHAPE[::-1])
    assert [(doubt.code, doubt.grave) for doubt in found] == [("orientation", True)]


@pytest.mark.parametrize(
    ("row", "is_told"), [(150.0, False), (5.0, False), (0.5, True), (298.5, True)]
)
def test_a_line_at_the_end_of_the_axis(row, is_told):
    assert codes(*photons(row=row, share=0.9)) == ["cut"] * is_told


@pytest.mark.parametrize(("row", "is_told"), [(270.0, False), (285.0, True)])
def test_a_line_that_climbs_out_of_the_crop(row, is_told):
    assert codes(*photons(2000, row=row, tilt=20.0, share=0.9), tilt=20.0) == ["cut"] * is_told


@pytest.mark.parametrize(
    ("rows", "is_told"), [(0.33, False), (1.8, False), (2.8, True), (4.1, True)]
)
def test_bins_against_the_narrowest_line(rows, is_told):
    # A line of 1.3 rows is 3.1 wide (FWHM), and 2.1 is 0.7 of it.
    assert codes(*photons(2000, share=0.9), rows_per_bin=rows) == ["bins"] * is_told


def test_without_bins_or_lines_none_are_told():
    assert codes(*photons(2000), rows_per_bin=None) == []
    assert codes(*photons(2000, share=0.0), rows_per_bin=40.0) == []


def test_photons_in_one_place_and_tiny_crops_tell_nothing():
    x, y = np.full(1000, 3.0), np.full(1000, 2.0)
    assert codes(x, y, shape=(4, 4)) == []
    rng = np.random.default_rng(1)
    assert codes(rng.uniform(0, 3, 1000), rng.uniform(0, 3, 1000), shape=(4, 4)) == []
    assert codes(np.zeros(1000), np.zeros(1000), shape=(1, 1)) == []
