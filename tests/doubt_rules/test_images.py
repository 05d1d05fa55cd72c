"""Images that are unlike the others, by their light and by their kind."""

import numpy as np
import pytest

from hrixs.doubt_rules.images import Names, kinds_by_light, unlike_images


def kinds(light, known=None):
    return kinds_by_light(np.asarray(light, dtype=float), known or [""] * len(light))


@pytest.mark.parametrize(
    ("last", "kind"), [(9.9, "blank"), (10.1, ""), (100.0, ""), (1e6, "bright")]
)
def test_an_image_is_blank_below_a_tenth_of_the_others_light(last, kind):
    assert kinds([100.0] * 7 + [last]) == [""] * 7 + [kind]


def test_an_image_is_bright_above_four_times_the_light_and_chance():
    usual = 100.0
    limit = 4 * usual + 8 * np.sqrt(4 * usual)
    assert kinds([usual] * 7 + [limit - 1])[-1] == ""
    assert kinds([usual] * 7 + [limit + 1])[-1] == "bright"


@pytest.mark.parametrize(("most", "kind"), [(24.9, ""), (25.1, "blank")])
def test_few_photons_tell_nothing(most, kind):
    assert kinds([most] * 7 + [0.0])[-1] == kind


def test_half_of_the_images_may_be_blank():
    assert kinds([100.0, 0.0] * 4) == ["", "blank"] * 4
    # One image in four with light is enough.
    assert kinds([200.0, 200.0, 0, 0, 0, 0]) == ["", "", *["blank"] * 4]


def test_kinds_that_are_known_stay_and_are_no_measure():
    known = ["saturated", "", "", ""]
    assert kinds([1e9, 100.0, 100.0, 0.0], known) == ["saturated", "", "", "blank"]


def test_light_that_is_not_known_is_not_judged():
    assert kinds([np.nan, 100.0, 100.0, 0.0]) == ["", "", "", "blank"]
    assert kinds([np.nan] * 4) == [""] * 4


@pytest.mark.parametrize("light", [[], [0.0], [100.0], [0.0, 0.0], [100.0] * 5])
def test_one_image_and_equal_ones_are_usual(light):
    with np.errstate(all="raise"):
        assert kinds(light) == [""] * len(light)


def test_each_kind_is_a_doubt_that_names_the_images():
    names = Names("train", [10, 11, 12, 13, 14])
    found = unlike_images(["", "blank", "saturated", "blank", ""], names)
    assert [doubt.code for doubt in found] == ["blank_images", "saturated_images"]
    assert "2 of 5 images" in found[0].text
    assert "trains 11, 13)" in found[0].text
    assert "train 12)" in found[1].text
    assert found[0].figures == {"n_images": 2, "names": [11, 13]}


def test_a_train_with_several_images_is_named_once():
    found = unlike_images(["noisy", "noisy", "", ""], Names("train", [5, 5, 6, 6]))
    assert found[0].figures == {"n_images": 2, "names": [5]}
    assert "(train 5)" in found[0].text


def test_many_names_are_cut_short():
    found = unlike_images(["bright"] * 20 + [""] * 30, Names("number", list(range(50))))
    assert "0, 1, 2, 3, 4, 5, 6, 7 and 12 more" in found[0].text


@pytest.mark.parametrize(("n_blank", "grave"), [(2, False), (3, True)])
def test_most_images_make_it_grave(n_blank, grave):
    found = unlike_images(["blank"] * n_blank + [""] * (4 - n_blank), Names("number", range(4)))
    assert found[0].grave is grave


def test_usual_images_are_not_doubted():
    assert unlike_images([""] * 3, Names("number", range(3))) == []
    assert unlike_images([], Names("number", [])) == []
