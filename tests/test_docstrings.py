"""The examples in the docstrings run."""

import doctest
import importlib
import pkgutil

import pytest

import hrixs

MODULES = sorted(m.name for m in pkgutil.iter_modules(hrixs.__path__) if m.name[0] != "_")


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    module = importlib.import_module(f"hrixs.{name}")
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("name", [n for n in hrixs.__all__ if callable(getattr(hrixs, n))])
def test_public_functions_have_an_example_or_are_plain(name):
    thing = getattr(hrixs, name)
    plain = isinstance(thing, type) and name != "hRIXS"
    assert plain or ">>>" in (thing.__doc__ or "")
