"""Rules on the dark, at both sides of their limits."""

import pytest

from hrixs.doubt_rules.dark import dark_exposure, dark_images, dark_level, dark_noise


def told(found):
    """Codes, with a ! where they are grave."""
    return [doubt.code + "!" * doubt.grave for doubt in found]


def test_what_was_wrong_with_its_images():
    assert dark_images([], lit=False) == []
    (doubt,) = dark_images(["One is blank.", "Light fell on two."], lit=False)
    assert (doubt.code, doubt.text) == ("dark_images", "One is blank. Light fell on two.")
    assert told(dark_images(["there is light on most"], lit=True)) == ["dark_images!"]


@pytest.mark.parametrize(
    ("dark", "images", "codes"),
    [(2.0, 2.0, []), (2.0, 1.51, []), (2.0, 1.49, ["dark_noise"]), (2.0, 2.99, []),
     (2.0, 3.01, ["dark_noise"]), (None, 2.0, []), (float("nan"), 2.0, []), (0.0, 2.0, [])],
)  # fmt: skip
def test_a_dark_of_another_noise(dark, images, codes):
    assert told(dark_noise(dark, images)) == codes


@pytest.mark.parametrize(
    ("level", "noise", "codes"),
    [
        (0.74, 1.5, []),
        (0.76, 1.5, ["dark_level"]),
        (-0.76, 1.5, ["dark_level"]),
        (1.51, 1.5, ["dark_level!"]),
        (-8.0, 1.5, ["dark_level!"]),
        (0.49, 0.0, []),
        (0.51, 0.1, ["dark_level"]),
        (0.0, 0.0, []),
    ],
)
def test_images_off_their_dark(level, noise, codes):
    assert told(dark_level(level, noise)) == codes


@pytest.mark.parametrize(
    ("dark", "images", "codes"),
    [(1.0, 1.0, []), (1.009, 1.0, []), (1.011, 1.0, ["dark_exposure"]),
     (0.5, 1.0, ["dark_exposure"]), (1.0, None, [])],
)  # fmt: skip
def test_a_dark_of_another_exposure(dark, images, codes):
    assert told(dark_exposure(dark, images)) == codes
