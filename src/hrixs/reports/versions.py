"""Which programs made the result and the page."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from hrixs.reports.contents import Row
from hrixs.utils.provenance import __version__

_PACKAGES = ("numpy", "xarray", "extra-data")


def version_rows(attrs: Mapping[Any, Any]) -> list[Row]:
    """Version of hrixs that made the result, and of all that made the page."""
    made_by = str(attrs.get("hrixs_version", "not told"))
    rows = [Row("the result: hrixs", made_by)]
    rows.append(Row("this page: hrixs", __version__, marked=made_by != __version__))
    rows += [Row(name, _version(name)) for name in _PACKAGES]
    return [*rows, Row("Python", platform.python_version(), platform.platform(terse=True))]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
