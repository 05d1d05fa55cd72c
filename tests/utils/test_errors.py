"""Warnings of the package are taken in the thread that asks, and filters stay as they are."""

import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from hrixs import DoubtWarning, HrixsWarning
from hrixs.utils.errors import heard, heard_alike, warn
from hrixs.utils.threads import map_in_threads


def test_warnings_are_taken_with_their_kind():
    with heard() as taken:
        warn("the level moves")
        warn("bins: too wide", DoubtWarning)
    assert [(type(one), str(one)) for one in taken] == [
        (HrixsWarning, "the level moves"),
        (DoubtWarning, "bins: too wide"),
    ]


def test_they_are_shown_before_and_afterwards():
    with heard():
        pass
    with pytest.warns(HrixsWarning, match="the level moves"):
        warn("the level moves")


def test_the_inner_one_takes_them():
    with heard() as outer, heard() as inner:
        warn("the level moves")
    assert (len(outer), len(inner)) == (0, 1)


def test_threads_of_the_work_are_heard():
    with heard() as taken:
        map_in_threads(lambda k: warn(f"image {k}"), range(4), 2)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(heard_alike(warn), "image 4").result()
    assert sorted(map(str, taken)) == [f"image {k}" for k in range(5)]


def test_other_threads_are_not_heard():
    caught = []

    def work():
        try:
            warn("the level moves")
        except HrixsWarning as warning:  # an error in these tests
            caught.append(warning)

    with heard() as taken:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert (len(taken), len(caught)) == (0, 1)


def test_filters_stay_where_threads_take_turns():
    first_is_in, second_has_ended = threading.Event(), threading.Event()

    def work():
        with heard():
            first_is_in.set()
            second_has_ended.wait(10)

    before = list(warnings.filters)
    thread = threading.Thread(target=work)
    thread.start()
    assert first_is_in.wait(10)
    with heard(), warnings.catch_warnings():
        warnings.simplefilter("ignore", HrixsWarning)
        second_has_ended.set()
        thread.join()
    assert warnings.filters == before
