"""Import the names of a package only when they are used, so that imports are fast."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from functools import cache
from typing import Any


def names_on_demand(package: str) -> Callable[[str], Any]:
    """Make the ``__getattr__`` of a package, for the names that it imports under ``TYPE_CHECKING``.

    The names are listed there once, for readers and for tools. Modules are found as well.

    Parameters
    ----------
    package : str
        ``__name__`` of the package.

    Examples
    --------
    >>> from hrixs.utils.on_demand import names_on_demand
    >>> float(names_on_demand("hrixs.utils")("FWHM"))
    2.3548200450309493
    """

    def get(name: str) -> Any:
        if not name.startswith("__") or name == "__version__":
            found = _found(package, name)
            if found is not None:
                setattr(sys.modules[package], name, found)
                return found
        raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name)

    return get


def _found(package: str, name: str) -> Any:
    module = _modules_of_names(package).get(name)
    if module is not None:
        return getattr(importlib.import_module(module), name)
    try:
        return importlib.import_module(f"{package}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{package}.{name}":
            raise
        return None


@cache
def _modules_of_names(package: str) -> dict[str, str]:
    """Module of each name, from the source of the package."""
    import ast  # a command that is told of a misspelt option needs none

    spec = sys.modules[package].__spec__
    assert spec is not None
    text: str = spec.loader.get_source(package)  # type: ignore[union-attr]  # all of ours have it
    guarded = (node for node in ast.parse(text).body if isinstance(node, ast.If))
    return {
        alias.name: str(node.module)
        for block in guarded
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
