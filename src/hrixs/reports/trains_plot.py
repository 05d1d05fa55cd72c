"""Draw photons, incident intensity and the position of the line over the images of a run."""

from __future__ import annotations

from typing import Any

import numpy as np

from hrixs.reports.contents import Figure
from hrixs.reports.over_trains import OverTrains
from hrixs.reports.svg_plot import drawn_on
from hrixs.utils.figures import BLUE, GREEN, VERMILION, add_legend

# More points are drawn as pixels, to keep the page small.
_MOST_POINTS = 1500


def trains_figure(trains: OverTrains) -> Figure:
    """Draw one panel above the other, over the same images."""
    panels = ["photons"]
    panels += ["incident"] if trains.incident is not None else []
    panels += ["drift"] if len(trains.drift.at) else []
    many = len(trains.number) > _MOST_POINTS
    points: dict[str, Any] = {"ms": 2.0 if many else 4.0, "rasterized": many, "ls": "none"}

    def draw(axes: dict[str, Any]) -> None:
        first = axes["photons"]
        if (expected := trains.expected) is not None:
            mean, scatter = expected
            by = " that follows I0" if np.ptp(mean) > 0 else ""
            first.fill_between(
                trains.number, mean - scatter, mean + scatter, color="grey", alpha=0.35, lw=0,
                step="mid", label=f"counting alone: mean{by}, ± its square root",
            )  # fmt: skip
        first.plot(trains.number, trains.intensity, "o", color=BLUE, **points)
        in_photons = trains.units == "photons"
        first.set_ylabel("photons" if in_photons else f"mean ({trains.units})")
        if expected is not None:
            add_legend(first, loc="lower right")
        from_zero(first, trains.intensity)
        if trains.incident is not None:
            name, came = trains.incident
            axes["incident"].plot(trains.number, came, "o", color=VERMILION, **points)
            axes["incident"].set_ylabel(name)
            from_zero(axes["incident"], came)
        if "drift" in axes:
            drift = trains.drift
            meV = drift.units == "eV"
            scale = 1e3 if meV else 1.0
            axes["drift"].errorbar(
                drift.at, scale * drift.place, scale * drift.error, fmt="o", ms=3.5, lw=1,
                color=GREEN, rasterized=len(drift.at) > _MOST_POINTS,
            )  # fmt: skip
            axes["drift"].axhline(0.0, color="grey", lw=0.8)
            axes["drift"].set_ylabel(f"drift ({'meV' if meV else drift.units})")
        for name in panels[1:]:
            axes[name].sharex(first)
        for name in panels[:-1]:
            axes[name].tick_params(labelbottom=False)
        axes[panels[-1]].set_xlabel(trains.label)
        first.locator_params(axis="x", integer=True)

    shows = f"{', '.join(panels)} over the images of the run."
    height = 3.2 + 1.8 * (len(panels) - 1)
    return drawn_on([[name] for name in panels], draw, shows, size=(8.0, height))


def from_zero(ax: Any, values: Any) -> None:
    """Let the axis begin at 0 if no value is below, with room above."""
    known = np.asarray(values)[np.isfinite(values)]
    low, high = float(min(known.min(initial=0.0), 0.0)), float(known.max(initial=0.0))
    room = 0.25 * (high - low) or 1.0
    ax.set_ylim(low - (room if low < 0 else 0.0), high + room)
