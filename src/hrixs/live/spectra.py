"""Live spectra of trains. This module does not know the bridge or the terminal."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.doubt_rules.doubt import Doubt, with_doubts
from hrixs.live.counts import TrainCounts
from hrixs.live.doubts import DoubtsOfWatch
from hrixs.live.first_trains import FirstTrains, Train
from hrixs.live.last_images import LastImages
from hrixs.live.lost import LostOfWatch
from hrixs.live.notes import kind_of, noted
from hrixs.live.train_spectrum import TrainSpectrum
from hrixs.live.trains import PATIENCE, TrainData, TrainReader
from hrixs.reduction.analysis import require_method, resolves, takes_thresholds
from hrixs.reduction.judge import Seen
from hrixs.settings.state import plain_beside, plain_settings
from hrixs.spectra.axes import apart, described, same_axis
from hrixs.spectra.dataset import OF_ALL_IMAGES, as_counted
from hrixs.spectra.errors import BIN_NOISE
from hrixs.spectrometer.recipe import add_spectra, needs_cloud
from hrixs.spectrometer.spectrometer import hRIXS
from hrixs.utils.checks import whole_number
from hrixs.utils.errors import LostPhotonsWarning, MissingDataError, heard
from hrixs.utils.provenance import provenance

_RATE_SECONDS, _RATE_IMAGES = 10.0, 5


class LiveSpectra:
    """Make a spectrum of each train as it comes; keep the sum and the last spectra.

    Parameters
    ----------
    h : hRIXS
        The settings, with the dark.
    method : {'auto', 'manual', 'resolve', 'integrate', 'best'}
        How spectra are made, as in `hRIXS.process_run`. ``'auto'``, ``'manual'``: photons above a
        threshold (from the image; from the photon energy). ``'resolve'``: photons that may
        overlap. ``'integrate'``: intensity. ``'best'``: ``'resolve'`` or ``'integrate'``,
        whichever suits the images. For ``'resolve'`` and ``'best'`` the first 8 trains with an
        image wait until charge and cloud of a photon are known from them; more, if these have too
        few photons.
    window : int
        Number of trains with an image whose spectra are kept.
    energy : float, optional
        Photon energy in eV for 'manual', and for 'resolve' and 'best' without `PHOTON_CHARGE`.
        Default: ``nrj`` from the data of the trains.
    keep_last : bool
        Keep the images and photons of the last train, for display.

    Attributes
    ----------
    counts : TrainCounts
        Numbers of trains, by what was done with them.
    total, energy_axis : numpy.ndarray, shape (energy,), and xarray.DataArray; or None
        Sum of the spectra of all images, and its energies; None before the first.
    window : collections.deque of TrainSpectrum
        Spectra of the last trains.
    failures : dict of str to int
        Number of trains that could not be analysed, by the first error of each kind.
    last_failure : str
        The last failure, with its train.
    last_times : dict of str to float
        `time.monotonic` when trains were last ``failed``, ``skipped`` or ``missed``.
    notes : dict of str to None
        Warnings, each once.
    last_images : LastImages or None
        Images of the last train, with `keep_last`.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs import hRIXS, mnemonics
    >>> from hrixs.live import LiveSpectra
    >>> h = hRIXS()
    >>> h.set_params(threshold=50, bins=4)
    >>> live = LiveSpectra(h)
    >>> frame = np.zeros((16, 16))
    >>> frame[5:7, 8:10] = 30
    >>> source, key, _ = mnemonics["MaranaX"].values()
    >>> live.add(1000, {source: {key: frame}})
    >>> live.total
    array([0., 0., 1., 0.])
    """

    def __init__(
        self, h: hRIXS, *, method: str = "auto", window: int = 100, energy: float | None = None,
        keep_last: bool = False,
    ) -> None:  # fmt: skip
        require_method(method)
        if needs_cloud(h, method) and not resolves(method):
            raise ValueError(
                "POSITION is 'gaussian', but CLOUD_SIGMA is None: one train has too few photons "
                "to estimate the width of their charge clouds. Set CLOUD_SIGMA, or call "
                "h.estimate_cloud(run)."
            )
        self.h, self.method = h, method
        self.reader = TrainReader(h.DETECTOR)
        self.counts = TrainCounts()
        self.total: NDArray[np.float64] | None = None
        self.energy_axis: xr.DataArray | None = None
        self.window: deque[TrainSpectrum] = deque(maxlen=whole_number("window", window))
        self.failures: dict[str, int] = {}
        self.last_failure = ""
        self.last_times: dict[str, float] = {}
        self.notes: dict[str, None] = {}
        self.last_images: LastImages | None = None
        self._keep_last = keep_last
        self._first = FirstTrains(h, method)
        self._lost = LostOfWatch()
        self._doubts = DoubtsOfWatch()
        self._given_energy = energy
        self._kinds: dict[str, str] = {}
        self._frame_shape: tuple[int, int] | None = None
        self._attrs: dict[str, Any] = {}
        self._recent: deque[TrainSpectrum] = deque()

    def add(self, train_id: int, data: TrainData, *, now: float | None = None) -> None:
        """Analyse one train, or count the reason why it cannot be analysed.

        Parameters
        ----------
        train_id : int
            Id of the train.
        data : mapping
            Its values by source and key.
        now : float, optional
            `time.monotonic` when it came.

        Raises
        ------
        MissingDataError
            If none of the first trains has the camera.
        ValueError
            If none of the first images could be analysed.
        """
        now = time.monotonic() if now is None else now
        self._come(train_id, now)
        if not self.reader.has_image(data):
            self.counts.without_image += 1
            if not self.counts.with_image:
                self.reader.require_camera(data)
            return
        try:
            images = self._checked_images(data)
            train = Train(train_id, images, self._photon_energy(data), now)
        except (ValueError, TypeError, LookupError) as error:
            self._fail(train_id, error, now)
            return
        if not self._first.is_waiting:
            self._analyse(train)
            return
        self.counts.waiting += 1
        if self._first.add(train):
            self._learn()

    def finish(self) -> None:
        """Analyse the trains that still wait, without further ones."""
        if self._first.trains:
            self._learn(last=True)

    @property
    def lost_share(self) -> float:
        """Share of the photons in the sum that a threshold loses; NaN if not known."""
        return self._lost.share

    @property
    def doubts(self) -> list[Doubt]:
        """Doubts about the last images."""
        return list(self._doubts.found.values())

    @property
    def way(self) -> str:
        """The method chosen for 'best', and why; '' before, and for other methods."""
        known = self._first.analysis
        return "" if known is None else str(known.attrs.get("best", ""))

    def skip(self, train_id: int, *, now: float | None = None) -> None:
        """Count a train that was not analysed because a newer image had come."""
        now = time.monotonic() if now is None else now
        self._come(train_id, now)
        self.counts.skipped += 1
        self.last_times["skipped"] = now

    def window_sum(self) -> NDArray[np.float64]:
        """Sum of the spectra of the last trains, shape (energy,); empty before the first."""
        if not self.window:
            return np.zeros(0)
        return np.asarray(np.sum([one.spectrum for one in self.window], axis=0))

    def rates(self, now: float | None = None) -> tuple[float, float]:
        """Images and photons per second over about 10 seconds; photons are NaN if not counted.

        If images are rare, the last few are used.
        """
        now = time.monotonic() if now is None else now
        recent = self._recent
        while len(recent) > _RATE_IMAGES + 1 and recent[0].time < now - _RATE_SECONDS:
            recent.popleft()
        # The first train begins the interval; the others are those that came in it.
        seconds = now - recent[0].time if len(recent) > 1 else np.inf
        others = list(recent)[1:]
        images = sum(one.n_images for one in others)
        photons = sum(one.photons for one in others)
        return images / max(seconds, 1e-3), photons / max(seconds, 1e-3)

    def dataset(self) -> xr.Dataset:
        """Return all results as a dataset, for a file.

        Returns
        -------
        xarray.Dataset
            ``total (energy)``, the sum of the whole watch; ``spectrum (trainId, energy)``,
            ``n_images`` and, if it is used, ``nrj`` of the last trains; errors of both by
            ``hrixs.error('total')``. ``attrs`` holds the counts, the settings and the version.

        Raises
        ------
        MissingDataError
            If no image has been analysed.
        """
        if self.total is None or self.energy_axis is None:
            raise MissingDataError("no image has been analysed, so there is no spectrum.")
        last = list(self.window)
        spectra = np.stack([one.spectrum for one in last])
        energies = np.array([one.energy for one in last])
        of_all = self._attrs_of(self.counts.images) | self._lost.attrs()
        of_all = with_doubts(of_all, self.doubts)
        of_each = self._attrs_of(max(one.n_images for one in last))
        data_vars: dict[str, Any] = {
            **as_counted(xr.Variable("energy", self.total, of_all), "total"),
            **as_counted(xr.Variable(("trainId", "energy"), spectra, of_each)),
            "n_images": ("trainId", np.array([one.n_images for one in last], np.int64)),
        }
        if np.isfinite(energies).any():
            data_vars["nrj"] = ("trainId", energies, {"units": "eV"})
        train_ids = np.array([one.train_id for one in last], np.uint64)
        return xr.Dataset(
            data_vars,
            coords={"trainId": train_ids, "energy": self.energy_axis.variable},
            attrs=self._file_attrs(),
        )

    def _come(self, train_id: int, now: float) -> None:
        missed = self.counts.missed
        self.counts.come(train_id)
        if self.counts.missed > missed:
            self.last_times["missed"] = now

    def _checked_images(self, data: TrainData) -> xr.DataArray:
        images = self.reader.images(data)
        if self._frame_shape is None and self._first.trains:
            self._frame_shape = _frame_shape(self._first.trains[0].images)
        if self._frame_shape not in (None, _frame_shape(images)):
            raise ValueError(
                f"the image has (x, y) shape {_frame_shape(images)}, but the first one of this "
                f"watch had {self._frame_shape}. If that is intended, start a new watch."
            )
        return images

    def _photon_energy(self, data: TrainData) -> float:
        by_charge = resolves(self.method) and self.h.PHOTON_CHARGE is None
        if self.method != "manual" and not by_charge:
            return np.nan
        if self._given_energy is not None:
            return self._given_energy
        try:
            return self.reader.photon_energy(data)
        except MissingDataError:
            if self.method == "manual":
                raise
            return np.nan  # the charge is learned instead

    def _learn(self, *, last: bool = False) -> None:
        """Learn from the waiting trains, and analyse them; `last`: no more will come."""
        n_waiting = len(self._first.trains)
        try:
            with self._noting():
                trains = self._first.learn()
        except MissingDataError as error:
            leaving = self._first.leave(n_waiting) if last else self._first.pass_over()
            self._fail_waiting(leaving, error, may_end=False)
        except (ValueError, TypeError) as error:
            self._fail_waiting(self._first.leave(n_waiting), error, may_end=not last)
        else:
            for train in trains:
                self.counts.waiting -= 1
                self._analyse(train)

    def _fail_waiting(self, trains: list[Train], error: Exception, *, may_end: bool = True) -> None:
        for train in trains:
            self.counts.waiting -= 1
            self._fail(train.train_id, error, train.time, may_end=may_end)

    def _analyse(self, train: Train) -> None:
        seen: list[Seen] = []
        tables: list[xr.Dataset] | None = [] if self._keep_last else None
        try:
            with self._noting():
                data = train.dataset(self.h.DETECTOR)
                made = add_spectra(
                    self.h, data, self.method, analysis=self._first.analysis,
                    look=self.total is None, keep=seen, tables=tables,
                )  # fmt: skip
            self._require_axis_of_the_sum(made["energy"].values)
        except (ValueError, TypeError, LookupError) as error:
            self._fail(train.train_id, error, train.time)
            return
        spectrum = made["spectrum"]
        leading = [dim for dim in spectrum.dims if dim != "energy"]
        one = TrainSpectrum(
            train_id=train.train_id,
            spectrum=spectrum.sum(leading, skipna=False).values,
            n_images=int(np.prod([spectrum.sizes[dim] for dim in leading], dtype=np.int64)),
            photons=float(spectrum.attrs.get("n_photons", np.nan)),
            energy=train.energy,
            time=train.time,
        )
        if self.total is None:
            self._begin(train.images, spectrum)
        self.total = one.spectrum + (0.0 if self.total is None else self.total)
        if tables is not None:
            self.last_images = LastImages.of(train.train_id, train.images, tables, train.time)
        self.window.append(one)
        self._recent.append(one)
        self.counts.analysed += 1
        self.counts.images += one.n_images
        for doubt in self._doubts.add(seen[0], spectrum, train.train_id):
            self.notes = noted(self.notes, str(doubt))
        self._lost.add(spectrum.attrs, one.n_images)
        if self._lost.is_told:
            self.notes = noted(self.notes, self._lost.text, anew=True)

    def _require_axis_of_the_sum(self, energy: NDArray[np.float64]) -> None:
        if self.energy_axis is not None and not same_axis(self.energy_axis.values, energy):
            raise ValueError(
                f"the energy axis of the train has {described(energy)}, that of the sum "
                f"{described(self.energy_axis.values)}: {apart(self.energy_axis.values, energy)}. "
                "Settings were changed during the watch; start a new one for them."
            )

    @contextmanager
    def _noting(self) -> Iterator[None]:
        """Keep warnings as notes, except for losses of one train: that of the sum is reported."""
        with heard() as warnings:
            yield
        for warning in warnings:
            of_one = takes_thresholds(self.method) and type(warning) is LostPhotonsWarning
            if not of_one:
                self.notes = noted(self.notes, str(warning))

    def _begin(self, images: xr.DataArray, spectrum: xr.DataArray) -> None:
        self._frame_shape = _frame_shape(images)
        self.energy_axis = spectrum["energy"]
        of_one_train = (*OF_ALL_IMAGES, "energy", "lost_share", "lost_photons")
        self._attrs = {k: v for k, v in spectrum.attrs.items() if k not in of_one_train}

    def _attrs_of(self, n_images: int) -> dict[str, Any]:
        """Attributes of a sum of `n_images` images: their noise adds up."""
        noise = self._attrs.get(BIN_NOISE)
        return self._attrs if noise is None else self._attrs | {BIN_NOISE: noise * n_images**0.5}

    def _fail(self, train_id: int, error: Exception, now: float, *, may_end: bool = True) -> None:
        self.counts.failed += 1
        self.last_times["failed"] = now
        self.last_failure = f"train {train_id}: {error}"
        # Errors that differ only in their numbers are of one kind.
        first = self._kinds.setdefault(kind_of(str(error)), self.last_failure)
        self.failures[first] = self.failures.get(first, 0) + 1
        if may_end and self.counts.failed == PATIENCE and not self.counts.analysed:
            raise ValueError(
                f"none of the first {PATIENCE} images could be analysed; {self.last_failure}"
            ) from error

    def _file_attrs(self) -> dict[str, Any]:
        return provenance(
            f"watch, {self.method}",
            detector=self.h.DETECTOR,
            source=self.reader.entry["source"],
            key=self.reader.entry["key"],
            **self.counts.attrs(),
            way=self.way or self.method,
            failures="; ".join(f"{n} x {text}" for text, n in self.failures.items()) or "none",
            settings=json.dumps(plain_settings(self.h)),
            beside=json.dumps(plain_beside(self.h)),
        )


def _frame_shape(images: xr.DataArray) -> tuple[int, int]:
    return images.sizes["x"], images.sizes["y"]
