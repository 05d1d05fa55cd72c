"""Level and contrast of the image, by hand or from the image, and its colours."""

from __future__ import annotations

from typing import Any

import numpy as np
import panel as pn
from numpy.typing import NDArray

from hrixs.view.image_view import ImageView
from hrixs.view.look import COLOUR_MAPS, IMAGE
from hrixs.view.screen import usual_levels


class Levels:
    """Fields of the darkest and the brightest level, and of the colour map.

    Each kind of image, the mean or a single one, has levels of its own.
    """

    def __init__(self, image: ImageView) -> None:
        self._image = image
        self._kind, self._usual = "", (0.0, 1.0)
        self._of_kind: dict[str, tuple[float, float]] = {}
        self._following = False
        width = (IMAGE[0] - 200) // 3
        options: dict[str, Any] = {"width": width, "margin": (2, 5)}
        self.low = pn.widgets.FloatInput(label="black at (ADU)", step=1.0, **options)
        self.high = pn.widgets.FloatInput(label="white at (ADU)", step=1.0, **options)
        names = [name.removesuffix("256") for name in COLOUR_MAPS]
        colours = dict(zip(names, COLOUR_MAPS, strict=True))
        self.colours = pn.widgets.Select(label="colours", options=colours, **options)
        self.auto = pn.widgets.Button(label="Usual levels", width=100, margin=(20, 5, 2, 5))
        for widget in (self.low, self.high):
            widget.param.watch(self._by_hand, "value")
        self.colours.param.watch(self._choose, "value")
        self.auto.on_click(lambda _: self._set(*self._usual))
        self.layout = pn.Row(self.low, self.high, self.colours, self.auto, margin=0)

    def follow(self, image: NDArray[Any], kind: str) -> None:
        """Take usual levels of a kind of image, where none were set by hand."""
        self._usual, self._kind = usual_levels(image), kind
        self._set(*self._of_kind.get(kind, self._usual), by_hand=False)

    def _choose(self, event: Any) -> None:
        self._image.colours.palette = event.new

    def _by_hand(self, event: Any) -> None:
        if not self._following:
            self._set(self.low.value, self.high.value)

    def _set(self, low: float, high: float, *, by_hand: bool = True) -> None:
        if by_hand:
            self._of_kind[self._kind] = (low, high)
        self._following = True
        try:
            self.low.value, self.high.value = _rounded(low, high)
        finally:
            self._following = False
        high = max(high, np.nextafter(low, np.inf))
        self._image.colours.update(low=low, high=high)


def _rounded(low: float, high: float) -> tuple[float, float]:
    digits = max(0, 2 - int(np.floor(np.log10(max(high - low, 1e-12)))))
    return round(low, digits), round(high, digits)
