"""Description of the images in a file before they are read, and the axis that counts them."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

# An axis shorter than this share of both others may be the one that counts images. It is the last
# one in files of column-major programs; it is hardly ever a middle one.
_LAST, _MIDDLE = 1 / 2, 1 / 8


@dataclass(frozen=True)
class Stored:
    """Images in a file.

    Attributes
    ----------
    kind : str
        Format of the file, for texts: ``TIFF``.
    shape : tuple of int
        Shape as stored.
    dtype : numpy.dtype
        Type as read.
    read : callable
        Function that reads the images in this shape.
    name : str
        Name of the array in the file; empty if there is only one.
    units : str
        Unit of the pixels, if stated.
    exposure : numpy.ndarray or None
        Exposure in s, one number or one for each image.
    time : numpy.ndarray or None
        Times as datetime64, one for each image.
    axis : int or None
        The axis that counts images, if the file or the format states it.
    doubt : str
        Text why the axis must be given, if so.
    remarks : tuple of str
        Remarks for the user, a sentence each.
    """

    kind: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    read: Callable[[], NDArray[Any]]
    name: str = ""
    units: str = ""
    exposure: NDArray[np.float64] | None = None
    time: NDArray[Any] | None = None
    axis: int | None = None
    doubt: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def n_bytes(self) -> int:
        """Bytes of the images in memory."""
        return math.prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True)
class Stack:
    """Images of a file with the axis that counts them: `n` of `frame` pixels."""

    stored: Stored
    n: int
    frame: tuple[int, int]
    axis: int | None

    def read(self) -> NDArray[Any]:
        """Read the images, shape (n, rows, columns), in the byte order of the machine."""
        pixels = np.asarray(self.stored.read())
        if pixels.shape != self.stored.shape:
            raise ValueError(f"{pixels.shape} was read, expected {self.stored.shape}")
        if self.axis:
            pixels = np.ascontiguousarray(np.moveaxis(pixels, self.axis, 0))
        return pixels.reshape(self.n, *self.frame).astype(native(self.stored.dtype), copy=False)

    def axis_text(self) -> str:
        """Text: which axis counts the images; empty if there is no choice."""
        if self.axis is None:
            return ""
        return f"axis {self.axis} of {self.stored.shape} counts them"


def native(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """`dtype` in the byte order of the machine."""
    return dtype.newbyteorder("=")


def as_stack(path: str, stored: Stored, stack_axis: int | None) -> Stack:
    """Decide which axis of the stored array counts images.

    Raises
    ------
    ValueError
        If there is no image, or the shape does not show the axis.
    """
    shape = stored.shape
    where = f"{path}: {stored.name}" if stored.name else path
    if stored.dtype.kind not in "biuf":
        raise ValueError(f"{where} holds {stored.dtype}, expected images of real numbers.")
    if len(shape) < 2 or 0 in shape:
        raise ValueError(f"{where} has shape {shape}: there is no image in it.")
    if len(shape) == 2:  # there is no axis to choose
        return Stack(stored, 1, (shape[0], shape[1]), None)
    if stack_axis is None:
        if stored.doubt:
            raise ValueError(f"{where} {stored.doubt}")
        axis = _likely_axis(where, shape) if stored.axis is None else stored.axis
    elif -len(shape) <= stack_axis < len(shape):
        axis = stack_axis % len(shape)
    else:
        raise ValueError(
            f"stack_axis = {stack_axis} was given, expected {-len(shape)} to {len(shape) - 1}: "
            f"{where} has shape {shape}."
        )
    rest = [*shape[:axis], *shape[axis + 1 :]]
    while len(rest) > 2 and 1 in rest:
        rest.remove(1)
    frame = (rest[-2], rest[-1])
    return Stack(stored, math.prod(shape) // math.prod(frame), frame, axis)


def _likely_axis(where: str, shape: tuple[int, ...]) -> int:
    """0 if the shape looks like a stack whose first axes count."""
    if sum(size > 1 for size in shape) < 3:  # one image
        return 0 if 1 not in shape[-2:] else max(np.flatnonzero(np.equal(shape, 1)).tolist())
    if shape[-1] == 1:
        _likely_axis(where, shape[:-1])
        return len(shape) - 1
    middle, last = shape[-2:]
    unlike_last = last < _LAST * min(sorted(shape[:-1])[-2:])
    unlike_middle = middle < _MIDDLE * min(sorted((*shape[:-2], last))[-2:])
    if not (unlike_last or unlike_middle):
        return 0
    likely = len(shape) - (1 if unlike_last else 2)
    frames = [size for axis, size in enumerate(shape) if axis != likely][-2:]
    raise ValueError(
        f"{where} has shape {shape}: is that {math.prod(shape[:-2])} images of {middle} x {last} "
        f"pixels, or {shape[likely]} of {frames[0]} x {frames[1]}? Give the axis that counts them: "
        f"--stack-axis 0 or --stack-axis {likely} (stack_axis=)."
    )


def joined(path: str, parts: list[Stored], name: str) -> Stored:
    """Join images of equal shape that are stored separately, along a new first axis.

    Parameters
    ----------
    path : str
        Name for errors.
    parts : list of Stored
        Images in their order. Those with three axes or more are joined along the first axis.
    name : str
        Name of the joined images.
    """
    first = parts[0]
    several = len(first.shape) > 2
    if any(part.shape[several:] != first.shape[several:] for part in parts) or any(
        part.dtype != first.dtype for part in parts
    ):
        listed = ", ".join(shape_text(part) for part in parts)
        raise ValueError(f"{path}: the images are not all alike: {listed}.")
    n = [part.shape[0] if several else 1 for part in parts]
    shape = (sum(n), *first.shape[several:])

    def read() -> NDArray[Any]:
        pixels = np.empty(shape, native(first.dtype))
        begin = 0
        for part, length in zip(parts, n, strict=True):
            pixels[begin : begin + length] = part.read()
            begin += length
        return pixels

    remarks = tuple(dict.fromkeys(text for part in parts for text in part.remarks))
    return replace(
        first,
        shape=shape,
        read=read,
        name=name,
        exposure=one_an_image([part.exposure for part in parts], n),
        time=one_an_image([part.time for part in parts], n),
        axis=first.axis if several else 0,
        remarks=remarks,
    )


def one_an_image(parts: list[NDArray[Any] | None], n: list[int]) -> NDArray[Any] | None:
    """A property of the images of all parts, as one array; a single number if all are equal."""
    known = [np.asarray(part) for part in parts if part is not None]
    if not known or len(known) < len(parts):
        return None
    if all(part.ndim == 0 or part.size == 1 for part in known):
        values = np.array([part.reshape(()) for part in known])
        if values.dtype.kind == "f" and (values == values[0]).all():
            return np.asarray(values[0])
    if any(part.ndim and part.size != length for part, length in zip(known, n, strict=True)):
        return None
    whole = [np.broadcast_to(part, length) for part, length in zip(known, n, strict=True)]
    return np.concatenate(whole)


def shape_text(stored: Stored) -> str:
    """Name, shape and type as text, for errors."""
    text = f"{'x'.join(map(str, stored.shape))} {native(stored.dtype)}"
    return f"{stored.name} ({text})" if stored.name else text


def date(text: str) -> np.datetime64:
    """Read a time of ISO 8601; it is in UTC if the text has an offset.

    Raises
    ------
    ValueError
        If it is not a time.
    """
    when = datetime.fromisoformat(text.strip())
    if when.tzinfo is not None:
        when = when.astimezone(UTC).replace(tzinfo=None)
    return np.datetime64(when, "ns")


def library(name: str, kind: str, pip: str) -> Any:
    """Import a package that reads files of a kind.

    Raises
    ------
    ImportError
        With the line to type, if it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        absent = isinstance(error, ModuleNotFoundError)
        why = "is not installed" if absent else f"can't be imported ({error})"
        raise ImportError(
            f"{kind} files need the package {pip}, which {why}: pip install {pip}"
        ) from error
