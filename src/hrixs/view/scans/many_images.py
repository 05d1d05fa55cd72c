"""The images of several runs, one run after the other, for a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.crop import Crop
from hrixs.runs.run import RunLike
from hrixs.settings.attributes import Settings
from hrixs.spectrometer.many_runs import names_of
from hrixs.utils.errors import FaultyRunError, warn
from hrixs.view.images import RunImages


class ManyImages(RunImages):
    """The images of several runs.

    Runs that cannot be opened are left out with a warning, as `hRIXS.process_runs` does.

    Parameters
    ----------
    h : Settings
    runs : sequence of runs
    memory, energy
        As for `RunImages`; the memory is shared by all runs.

    Raises
    ------
    FaultyRunError
        If no run can be opened.
    ValueError
        If the images of two runs have different sizes, or a run is given twice.
    """

    together = True

    def __init__(
        self,
        h: Settings,
        runs: Sequence[RunLike],
        *,
        memory: int | str | None = None,
        energy: float | None = None,
    ) -> None:
        self._runs: dict[str, RunImages] = {}
        names, failed = names_of(runs), []
        for name, run in zip(names, runs, strict=True):
            try:
                self._runs[name] = RunImages(h, run, memory=memory, energy=energy)
            except (LookupError, ValueError, OSError) as error:
                failed.append(f"run {name}: {error}")
        if not self.runs:
            raise FaultyRunError(f"none of {len(names)} runs could be opened. {failed[0]}")
        for text in failed:
            warn(f"{text} It is left out.")
        for one in self.runs.values():
            one.share_memory(len(self.runs))
        (first_name, first), *others = self.runs.items()
        for name, other in others:
            if other.chip_shape != first.chip_shape:
                sizes = ["{} x {}".format(*one.chip_shape) for one in (first, other)]
                raise ValueError(
                    f"images of {first_name} have {sizes[0]} pixels, those of {name} {sizes[1]}. "
                    "Give runs of one camera with images of one size."
                )
        # Curve, range, bad pixels and noise are found in the first run.
        self.source, self.detector = first.source, first.detector
        self.memory, self.energy = memory, energy
        self.chip_shape, self.first, self.indexed = first.chip_shape, first.first, first.indexed
        self._mean: NDArray[np.float64] | None = None
        self.train_ids = np.concatenate([one.train_ids for one in self.runs.values()])
        n, last = len(self.runs), list(self.runs)[-1]
        self.name = first_name if n == 1 else f"{first_name} to {last}, {n} runs"
        self._begins = np.cumsum([0, *(one.n_images for one in self.runs.values())])

    @property
    def runs(self) -> dict[str, RunImages]:
        """The images of each run, by its name."""
        return self._runs

    @property
    def path(self) -> str | None:
        """Name of the first run for the command line."""
        return next(iter(self.runs.values())).path

    @property
    def n_images(self) -> int:
        """Number of single images of all runs."""
        return int(self._begins[-1])

    def train_of(self, number: int) -> int:
        """Train id of an image, by the number of the image."""
        name, within = self._place(number)
        return self.runs[name].train_of(within)

    def label(self, number: int) -> str:
        """Number, run and train of an image, as text."""
        return f"image {number}, {self._place(number)[0]}, train {self.train_of(number)}"

    def image(self, number: int) -> NDArray[Any]:
        """Return one whole image without corrections, shape (x, y)."""
        name, within = self._place(number)
        return self.runs[name].image(within)

    def means(self) -> Iterator[tuple[NDArray[np.float64], int]]:
        """Yield the mean of the images so far and their number, until all are added up."""
        if self._mean is None:
            total, n = np.zeros(self.chip_shape), 0
            for run in self.runs.values():
                mean, n_here = np.zeros(self.chip_shape), 0
                for mean, n_here in run.means():
                    yield (total + n_here * mean) / (n + n_here), n + n_here
                total, n = total + n_here * mean, n + n_here
            self._mean = total / n
        yield self._mean, self.n_images

    def held(self, crop: Crop) -> xr.Dataset | None:
        """None: the runs hold their own images."""
        return None

    def _place(self, number: int) -> tuple[str, int]:
        """Name of the run of an image, and the number of the image in the run."""
        which = int(np.searchsorted(self._begins, number, side="right")) - 1
        return list(self.runs)[which], int(number - self._begins[which])


def images_of_runs(h: Settings, run: Any, **options: Any) -> RunImages:
    """The images of a run or dataset, or of several runs in a list."""
    if isinstance(run, list | tuple | range):
        return ManyImages(h, run, **options)
    return RunImages(h, run, **options)
