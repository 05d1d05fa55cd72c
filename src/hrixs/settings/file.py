"""Settings in a file: TOML that people can read and edit, and a second file with the images."""

from __future__ import annotations

import difflib
import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from hrixs.camera.crop import pixels_of
from hrixs.camera.frames import FRAME_DIMS, along_x_y, first_pixel
from hrixs.files.names import OF_SETTINGS, no_file
from hrixs.settings.attributes import Settings
from hrixs.settings.paths import images_path, settings_path
from hrixs.settings.plain import IMAGES, is_image, placed, plain
from hrixs.settings.state import (
    AGGREGATING,
    AGGREGATORS,
    CALIBRATED,
    CURVATURE,
    DARK,
    MNEMONICS,
    dark_of_plain,
    own_aggregators,
    plain_beside,
    plain_curve,
    set_plain,
)
from hrixs.settings.table import NAMES, SETTINGS
from hrixs.settings.values import require_values
from hrixs.utils.atomic_files import replaced_at_once
from hrixs.utils.errors import MissingDataError, unknown_name, warn
from hrixs.utils.provenance import __version__, digest

#: Stands for None, which TOML does not have.
_NONE = "none"
_ONE = {setting.name: setting for setting in SETTINGS}


def save_settings(h: Settings, path: str | os.PathLike[str]) -> None:
    """Write settings, with dark, mask and curvature, as `hRIXS.save` documents."""
    import tomlkit

    file = settings_path(path)
    if not file.parent.is_dir():
        raise MissingDataError(
            f"there is no folder {file.parent} to write {file.name} to. Make the folder, or give "
            "a different path."
        )
    images = _images(h)
    document = tomlkit.document()
    document.add(tomlkit.comment(f"Settings of hrixs {__version__}; hRIXS.load reads them."))
    document["hrixs_version"] = __version__
    document["settings"] = _settings_table(h)
    curve = plain_curve(h)
    if curve is not None:
        document[CURVATURE] = _without_none(curve)
    told = plain_beside(h)
    told.pop(AGGREGATORS, None)
    ways = own_aggregators(h)
    by_name = {one: name for name, one in AGGREGATING.items()}
    known = {str(n): _NONE if one is None else by_name.get(one, "") for n, one in ways.items()}
    own = [name for name, one in known.items() if not one]
    told |= {AGGREGATORS: {name: one for name, one in known.items() if one}}
    if "made_by" in told.get(DARK, {}):
        told[DARK]["made_by"] = json.dumps(told[DARK]["made_by"])
    for name, value in told.items():
        if value:
            document[name] = _without_none(value)
    beside = images_path(file)
    if images:
        kept = tomlkit.table()
        kept.comment("stored in the second file; the digests check that both files belong together")
        kept["file"] = beside.name
        for name, image in images.items():
            kept[name] = digest(image.values)
        document["images"] = kept
        encoding = {name: {"zlib": True, "complevel": 1} for name in images}
        with replaced_at_once(beside) as part:
            xr.Dataset(images).to_netcdf(part, engine="h5netcdf", encoding=encoding)
    with replaced_at_once(file) as part:
        part.write_text(tomlkit.dumps(document), encoding="utf8")
    if own:
        warn(
            f"aggregators of {', '.join(own)} are your own functions: {file.name} cannot store "
            "them. Set them again after hRIXS.load."
        )


def load_settings(h: Settings, path: str | os.PathLike[str]) -> None:
    """Read settings from a file, as `hRIXS.load` documents."""
    file = settings_path(path)
    told = _read(file)
    _require_known(file, told)
    settings = {name: _of_toml(name, value) for name, value in told.get("settings", {}).items()}
    if CURVATURE in told:
        settings[CURVATURE] = told[CURVATURE]
    images = _read_images(file, told.get("images", {}))
    twice = [name for name in map(str.lower, IMAGES) if name in images and name in settings]
    if twice:
        raise ValueError(
            f"{file} has {twice[0]} in [settings] and in [images]. Delete one of the two lines."
        )
    try:
        set_plain(h, settings, told)
        require_values(settings)
    except (AttributeError, ValueError) as error:
        by = str(told.get("hrixs_version", __version__))
        of = "" if by == __version__ else f" It was saved by hrixs {by}, and this is {__version__}."
        raise type(error)(f"{file}: {error}{of}") from error
    for name, way in told.get(AGGREGATORS, {}).items():
        if way != _NONE and way not in AGGREGATING:
            raise ValueError(f"{file}: {unknown_name('aggregator', str(way), AGGREGATING)}")
        h.aggregators[name] = None if way == _NONE else AGGREGATING[way]
    for name in IMAGES:
        if name.lower() in images:
            setattr(h, name, _image(images[name.lower()]))
    if DARK in told:
        if "dark" not in images:
            raise ValueError(
                f"{file} has a section [dark], but no dark in [images]. Save the settings again "
                "with hRIXS.save."
            )
        known = dict(told[DARK])
        if "made_by" in known:
            known["made_by"] = json.loads(known["made_by"])
        h.dark = dark_of_plain(known, images["dark"].values)


def _settings_table(h: Settings) -> Any:
    """Table of the settings, one line each, with a comment that explains it."""
    import tomlkit

    table = tomlkit.table()
    for name in h.NAMES:
        value = getattr(h, name)
        if is_image(name, value):
            table.add(tomlkit.comment(f"{name.lower()}: an image, see [images]"))
            continue
        known = _ONE.get(name)
        if value is None and (known is None or known.default is None):
            continue  # the default
        item = tomlkit.item(_NONE if value is None else plain(name, value))
        if known is not None:
            unit = f", in {known.unit}" if known.unit else ""
            item.comment(f"{known.help}{unit}".replace("`", ""))
        table.add(name.lower(), item)
    return table


def _images(h: Settings) -> dict[str, xr.DataArray]:
    """The images among the settings, with their positions on the chip if known."""
    set_ones = {name: getattr(h, name) for name in IMAGES}
    found: dict[str, Any] = {} if h.dark.image is None else {"dark": h.dark.placed}
    found |= {name.lower(): image for name, image in set_ones.items() if is_image(name, image)}
    units = {"dark": "ADU", "read_noise": "ADU"}
    images = {}
    for name, image in found.items():
        pixels = np.asarray(pixels_of(name, image))
        pixels = pixels.astype(bool).astype(np.uint8) if name == "mask" else pixels.astype(float)
        first = first_pixel(along_x_y(image))
        one = placed(pixels, first)
        one = one if isinstance(one, xr.DataArray) else xr.DataArray(one, dims=FRAME_DIMS)
        images[name] = one.assign_attrs({"units": units[name]} if name in units else {})
    return images


def _read(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8-sig")  # some editors write a byte order mark
        return tomllib.loads(text)
    except FileNotFoundError:
        raise no_file(file, OF_SETTINGS) from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{file} cannot be read: {error}. Save it as UTF-8 text.") from error
    except tomllib.TOMLDecodeError as error:
        told = f"{file} is not valid TOML: {error}."
        raise ValueError(f"{told}{_line_of(text, str(error))}") from error


def _line_of(text: str, error: str) -> str:
    """Text with the line that cannot be read, and how values are written."""
    at = re.search(r"at line (\d+)", error)
    lines = text.splitlines()
    if at is None or not 0 < int(at[1]) <= len(lines):
        return ""
    return (
        f"  The line is: {lines[int(at[1]) - 1].strip()[:80]}. Write true or false in lower "
        'case, text such as "700:900" in quotes, and decimals with a point (0.018). '
        "Delete lines without a value."
    )


def _require_known(file: Path, told: Mapping[str, Any]) -> None:
    """Raise ValueError for unknown sections of a file."""
    parts = {"hrixs_version", "settings", CURVATURE, "images", DARK, CALIBRATED, MNEMONICS}
    unknown = [name for name in told if name not in parts | {AGGREGATORS}]
    if not unknown:
        return
    names = [name for name in unknown if name.upper() in NAMES]
    why = f"{file} has unknown entries: {', '.join(sorted(unknown))}."
    if names:
        why = f"{file} has {names[0]} above the line [settings]. Move it below that line."
    elif near := difflib.get_close_matches(unknown[0], parts, n=1):
        why += f" Did you mean [{near[0]}]?"
    raise ValueError(why)


def _read_images(file: Path, told: Mapping[str, Any]) -> dict[str, xr.DataArray]:
    names = [name for name in told if name != "file"]
    if not names:
        return {}
    beside = file.with_name(str(told.get("file", images_path(file).name)))
    if not beside.is_file():
        raise MissingDataError(
            f"{file.name} needs {', '.join(names)} from {beside.name}, which is not in the same "
            "folder. Move or copy both files together."
        )
    with xr.open_dataset(beside, engine="h5netcdf") as opened:
        data = opened.load()
    images = {}
    for name in names:
        if name not in data or digest(data[name].values) != told[name]:
            raise ValueError(
                f"{beside.name} does not have the {name} that {file.name} was saved with: the two "
                "files do not belong together. Save the settings again with hRIXS.save."
            )
        images[name] = data[name]
    return images


def _image(kept: xr.DataArray) -> Any:
    """The image as it was set (bool for a mask), with its position on the chip if known."""
    values = kept.values.astype(bool) if kept.name == "mask" else kept.values
    return placed(values, first_pixel(kept))


def _of_toml(name: str, value: Any) -> Any:
    known = _ONE.get(name.upper())
    is_word = known is not None and isinstance(known.kind, tuple) and value in known.kind
    none = isinstance(value, str) and value.lower() == _NONE and known is not None
    return None if none and not is_word else value


def _without_none(value: Any) -> Any:
    """Leave out values that are None: TOML has no None."""
    if isinstance(value, Mapping):
        return {key: _without_none(one) for key, one in value.items() if one is not None}
    if isinstance(value, list | tuple):
        return [_without_none(one) for one in value]
    return value
