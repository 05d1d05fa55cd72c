"""The input fields of the settings; each has a name and a unit, and works with the keyboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel as pn

from hrixs.settings.attributes import Settings
from hrixs.settings.table import SETTINGS
from hrixs.spectra.methods import METHODS
from hrixs.view.look import CONTROLS
from hrixs.view.session import Session

_HELP = {one.name: one for one in SETTINGS}
#: Settings with a field for a number or text, in the order of the page: name and label.
_FIELDS = (
    ("STD_THRESHOLD", "threshold (std. deviations)"),
    ("THRESHOLD", "threshold (ADU, or 6 sigma)"),
    ("DBL_THRESHOLD", "two photons above (ADU)"),
    ("BINS", "bins"),
    ("CURVE_A", "curve A (px/px)"),
    ("CURVE_B", "curve B (1/px)"),
    ("ENERGY_INTERCEPT", "row 0 at (eV)"),
    ("ENERGY_SLOPE", "slope (eV/px)"),
)
# Two of these are in a row.
_HALF = {"BINS", "CURVE_A", "CURVE_B", "ENERGY_INTERCEPT", "ENERGY_SLOPE"}
_METHODS = {
    "auto: threshold from the image": "auto",
    "manual: threshold from the energy": "manual",
    "resolve: overlapping photons": "resolve",
    "integrate: intensity": "integrate",
    "best: resolve or integrate": "best",
}
assert set(_METHODS.values()) == set(METHODS)


class Controls:
    """The input fields, which show the settings and change them.

    Parameters
    ----------
    session : Session
    change : callable
        Called with settings, as `Session.set`.
    actions : dict of str to callable
        Functions of the buttons ``'fit'``, ``'range'``.
    """

    def __init__(
        self,
        session: Session,
        change: Callable[..., None],
        actions: dict[str, Callable[[], None]],
    ) -> None:
        self._change, self._following = change, False
        width = CONTROLS - 16
        self.method = pn.widgets.Select(label="method", options=_METHODS, width=width)
        half = (width - 20) // 2
        self.fields = {
            name: _field(name, label, half if name in _HALF else width) for name, label in _FIELDS
        }
        self.crop = {
            (axis, end): pn.widgets.IntInput(label=f"{axis} {end}", width=half, value=0)
            for axis in ("x", "y")
            for end in ("from", "to")
        }
        self.fit = pn.widgets.Button(label="Fit the curve", width=half, color="primary")
        self.range = pn.widgets.Button(label="Find the range", width=half)
        self.loss = pn.widgets.Checkbox(label="energy loss", width=half, margin=(22, 5, 2, 5))
        self.dark = pn.widgets.TextInput(
            label="dark run (number or path)", placeholder="empty: no dark", width=width
        )
        self.bad = pn.widgets.Button(label="Mask bad pixels", width=width)
        self.follow(session)
        self.method.param.watch(lambda event: self._set(method=event.new), "value")
        for name, field in self.fields.items():
            field.param.watch(self._setter(name), "value")
        for widget in self.crop.values():
            widget.param.watch(lambda _: self._set_crop(), "value")
        self.fit.on_click(lambda _: actions["fit"]())
        self.range.on_click(lambda _: actions["range"]())
        self.bad.on_click(lambda _: actions["bad"]())
        self.dark.param.watch(lambda _: None if self._following else actions["dark"](), "value")
        self.loss.param.watch(lambda event: actions["loss"](), "value")
        fields = self.fields
        self.layout = pn.Column(
            self.method, fields["STD_THRESHOLD"], fields["THRESHOLD"], fields["DBL_THRESHOLD"],
            pn.pane.HTML("<b>crop</b> (px of the chip)", margin=(4, 5, 0, 5)),
            pn.Row(self.crop["y", "from"], self.crop["y", "to"], margin=0),
            pn.Row(self.crop["x", "from"], self.crop["x", "to"], margin=0),
            pn.Row(self.range, self.fit, margin=0),
            pn.Row(fields["CURVE_A"], fields["CURVE_B"], margin=0),
            pn.Row(fields["ENERGY_INTERCEPT"], fields["ENERGY_SLOPE"], margin=0),
            pn.Row(fields["BINS"], self.loss, margin=0),
            self.dark, self.bad,
            width=CONTROLS, margin=0,
        )  # fmt: skip

    def follow(self, session: Session) -> None:
        """Show the present settings."""
        self._following = True
        try:
            self.method.value = session.method
            for name, field in self.fields.items():
                value = getattr(session.h, name)
                if isinstance(field, pn.widgets.TextInput):
                    field.value = "" if value is None else f"{value}"
                else:
                    field.value = value
            if session.h.USE_DARK and session.h.dark_run is not None:
                self.dark.value = str(session.h.dark_run)
            ranges = session.crop.ranges
            for axis in ("x", "y"):
                for end, value in zip(("from", "to"), ranges[f"{axis}_range"], strict=True):
                    self.crop[axis, end].value = value
        finally:
            self._following = False

    def _setter(self, name: str) -> Callable[[Any], None]:
        def set_one(event: Any) -> None:
            value = event.new
            if isinstance(self.fields[name], pn.widgets.TextInput):
                value = _read(str(value))
            self._set(**{name.lower(): value})

        return set_one

    def _set(self, **params: Any) -> None:
        if not self._following:
            self._change(**params)

    def _set_crop(self) -> None:
        ends = {axis: [self.crop[axis, end].value for end in ("from", "to")] for axis in "xy"}
        self._set(crop=(tuple(ends["x"]), tuple(ends["y"])))


def _field(name: str, label: str, width: int) -> Any:
    told = _HELP[name]
    options: dict[str, Any] = {"label": label, "width": width, "description": None}
    options["margin"] = (2, 5)
    if told.kind == "whole number":
        return pn.widgets.IntInput(start=1, step=50, **options)
    if name == "STD_THRESHOLD":
        return pn.widgets.FloatInput(step=0.25, start=0.0, **options)
    return pn.widgets.TextInput(placeholder=told.if_none, **options)


def _read(text: str) -> Any:
    """Read a field: a number, text, or None if it is empty."""
    text = text.strip()
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        return text


def with_crop(h: Settings, params: dict[str, Any], first: tuple[int, int]) -> dict[str, Any]:
    """Convert the crop of settings from pixels of the chip to pixels of the images.

    A range that includes all pixels is not changed.
    """
    crop = params.pop("crop", None)
    if crop is None:
        return params
    for name, (low, high), begin in zip(("x_range", "y_range"), crop, first, strict=True):
        params[name] = slice(int(low) - begin, int(high) - begin)
    return params
