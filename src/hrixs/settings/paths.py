"""Names of settings files."""

from __future__ import annotations

import os
from pathlib import Path

_SUFFIX = ".toml"


def settings_path(path: str | os.PathLike[str]) -> Path:
    """Check and return the path of a settings file.

    Raises
    ------
    ValueError
        For another suffix.
    """
    file = Path(path)
    if file.suffix.lower() != _SUFFIX:
        raise ValueError(
            f"{file} is not a settings file: expected a name that ends with {_SUFFIX}. To read "
            "the settings of a result, type hRIXS.from_result."
        )
    return file


def images_path(file: Path) -> Path:
    """Path of the file with the images of a settings file."""
    return file.with_suffix(".images.nc")
