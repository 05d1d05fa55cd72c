"""Photons or integrated spectra of several runs, found run by run and joined."""

from __future__ import annotations

from dataclasses import dataclass, field

import xarray as xr

from hrixs.scans.joining import concat
from hrixs.settings.attributes import Settings
from hrixs.view.found import Found, Progress, find, joined_tables
from hrixs.view.images import RunImages
from hrixs.view.worker import silence


@dataclass(frozen=True)
class FoundRuns(Found):
    """The photons of several runs; attributes as of `Found`, joined.

    Attributes
    ----------
    of_runs : dict of str to Found
        What was found in each run.
    """

    of_runs: dict[str, Found] = field(default_factory=dict)

    def spectra(self, h: Settings) -> xr.Dataset:
        """Spectra of all runs with the present curve, bins and axis, as `hRIXS.process_runs`."""
        return _joined({name: one.spectra(h) for name, one in self.of_runs.items()})


def find_all(
    images: RunImages, h: Settings, method: str, progress: Progress | None = None
) -> Found:
    """Find the photons of a run, or of several ones; see `find`."""
    if not images.together:
        return find(images, h, method, progress)
    found: dict[str, Found] = {}
    n_done = 0
    for name, run in images.runs.items():
        found[name] = find(run, h, method)
        n_done += run.n_images
        if progress is not None and n_done < images.n_images:
            progress(
                _joined({one: part.result for one, part in found.items()}), n_done, images.n_images
            )
    result = _joined({name: one.result for name, one in found.items()})
    tables = [one.photons for one in found.values() if one.photons is not None]
    photons = joined_tables(tables, result) if len(tables) == len(found) else None
    return FoundRuns(result, photons, None, found)


def _joined(results: dict[str, xr.Dataset]) -> xr.Dataset:
    with silence():
        return concat(results)
