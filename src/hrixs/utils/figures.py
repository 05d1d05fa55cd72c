"""New figures and axes of matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def new_figure(mosaic: Any, size: tuple[float, float]) -> tuple[Figure, dict[str, Any]]:
    """Make a figure that no window shows, for writing to a file, with axes by name."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplot_mosaic(mosaic)


def new_axes() -> Axes:
    """Axes of a new figure of pyplot."""
    import matplotlib.pyplot as plt

    _, ax = plt.subplots(figsize=(8, 5), layout="constrained")
    return ax
