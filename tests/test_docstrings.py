"""The examples in the docstrings run."""

import doctest
import importlib
import pkgutil

import pytest

import hrixs

MODULES = sorted(
    m.name.removeprefix("hrixs.")
    for m in pkgutil.walk_packages(hrixs.__path__, "hrixs.")
    if not m.name.startswith("hrixs._")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    module = importlib.import_module(f"hrixs.{name}")
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("name", [n for n in hrixs.__all__ if callable(getattr(hrixs, n))])
def test_public_functions_have_an_example_or_are_plain(name):
    thing = getattr(hrixs, name)
    plain = isinstance(thing, type) and name != "hRIXS"
    assert plain or ">>>" in (thing.__doc__ or "")
