"""Write results as columns of text; all else that is known of them is in comment lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.output.layout import all_attrs, along, as_text, axis_of, beside, label, others
from hrixs.utils.provenance import __version__


def write_text(data: xr.Dataset, path: Path, separator: str) -> None:
    """Write the spectra of a result as columns, next to their axis.

    Spectra with more dimensions have one column each, named by their coordinates. Variables
    without the axis, such as slow data, are in the comment, in the order of the columns.
    """
    axis = axis_of(data)
    names, columns, told = [], [], []
    for name, variable, column in _columns(data, axis):
        names.append(name)
        columns.append(column)
        told.append(f"column {len(names)}: {name}{_after(label(variable))}")
    comment = [f"hrixs {__version__}", *told]
    for name, variable in beside(data, axis).items():
        over = ", ".join(map(str, variable.dims))
        about = ", ".join(filter(None, (f"over {over}" if over else "", label(variable))))
        comment.append(f"{name}{f' ({about})' if about else ''}: {as_text(_plain(variable))}")
    left_out = [f"{name} {variable.dims}" for name, variable in others(data, axis).items()]
    if left_out:
        comment.append(f"left out: {', '.join(left_out)}")
    comment += [f"{name}: {as_text(value)}" for name, value in all_attrs(data, axis).items()]
    with path.open("w", encoding="utf8", newline="\n") as file:
        file.writelines(f"# {line}\n" for line in comment)
        if separator == " ":
            file.write(f"# {' '.join(name.replace(' ', '_') for name in names)}\n")
        else:
            file.write(separator.join(map(_quoted, names)) + "\n")
        for row in zip(*columns, strict=True):
            file.write(separator.join(map(_number, row)) + "\n")


def recorded_in_text(path: Path, name: str) -> str | None:
    """Read an attribute from the comment of such a file."""
    with path.open(encoding="utf8") as file:
        for line in file:
            if not line.startswith("#"):
                return None
            if line.startswith(f"# {name}: "):
                return line.removeprefix(f"# {name}: ").rstrip("\n")
    return None


def _columns(data: xr.Dataset, axis: str) -> Iterator[tuple[str, xr.DataArray, list[Any]]]:
    """Name, variable and values of each column: the axis, its other coordinates, the spectra."""
    of_axis = [name for name, c in data.coords.items() if c.dims == (axis,)]
    for name in sorted(map(str, of_axis), key=lambda name: name != axis):
        yield name, data[name], _plain(data[name]).tolist()
    if axis not in data.coords and axis != "photon":
        yield axis, xr.DataArray(), list(range(data.sizes[axis]))
    variables = along(data, axis)
    for name in (name for name, v in variables.items() if v.ndim == 1):
        yield name, variables[name], _plain(variables[name]).tolist()
    wide = {name: v for name, v in variables.items() if v.ndim > 1}
    while wide:
        # A spectrum and its error are next to each other.
        name = next(iter(wide))
        group = {name: wide.pop(name)}
        if f"{name}_err" in wide and wide[f"{name}_err"].dims == group[name].dims:
            group[f"{name}_err"] = wide.pop(f"{name}_err")
        for index in np.ndindex(group[name].shape[:-1]):
            for one, variable in group.items():
                values = _plain(variable[index]).tolist()
                yield f"{one}[{_place(variable, index)}]", variable, values


def _place(variable: xr.DataArray, index: tuple[int, ...]) -> str:
    """Coordinates of a spectrum among the others: ``trainId=10003``."""
    at = []
    for dim, number in zip(variable.dims, index, strict=False):
        known = dim in variable.coords
        at.append(f"{dim}={_plain(variable.coords[dim])[number] if known else number}")
    return ", ".join(at)


def _plain(variable: xr.DataArray) -> NDArray[Any]:
    """Values for text: times and durations are written by name."""
    values = np.asarray(variable.values)
    return values.astype(str) if values.dtype.kind in "mMSUO" else values


def _number(value: Any) -> str:
    """The shortest text that is read back as the same number."""
    return str(int(value)) if isinstance(value, bool) else str(value)


def _quoted(name: str) -> str:
    return f'"{name}"' if "," in name else name


def _after(text: str) -> str:
    return f", {text}" if text else ""
