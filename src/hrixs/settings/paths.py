"""Names of files of settings."""

from __future__ import annotations

import os
from pathlib import Path

_SUFFIX = ".toml"


def settings_path(path: str | os.PathLike[str]) -> Path:
    """The path of a file of settings.

    Raises
    ------
    ValueError
        For another suffix.
    """
    file = Path(path)
    if file.suffix.lower() != _SUFFIX:
        raise ValueError(
            f"{file} is no name of a file of settings, expected one that ends with {_SUFFIX}. The "
            "settings of a result are read by hRIXS.from_result."
        )
    return file


def images_path(file: Path) -> Path:
    """Where the images of a file of settings are."""
    return file.with_suffix(".images.nc")
