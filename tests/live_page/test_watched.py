"""A watch in its thread, with a bridge's server and without a browser."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from conftest import DARK, RUN
from hrixs import hRIXS, photon_table
from hrixs.live.bridge import Receiver
from hrixs.live.saving import Saver
from hrixs.live.spectra import LiveSpectra
from hrixs.live_page import Watched
from hrixs.utils.errors import MissingDataError
from live_page.feeding import KEY, SOURCE, ServerInThread, feeding

PATIENCE = 20.0


def new_watch(
    h: hRIXS, endpoint: str, path: Path, *, every: float = 0.3, every_train: bool = False,
    method: str = "auto", until_silent: float = math.inf,
) -> Watched:  # fmt: skip
    live = LiveSpectra(h, method=method, keep_last=True)

    def open_receiver() -> Receiver:
        return Receiver(endpoint, has_image=live.reader.has_image, every_train=every_train,
                        keep=3)  # fmt: skip

    saver = Saver(path, every=every)
    return Watched(live, open_receiver, endpoint=endpoint, saver=saver, until_silent=until_silent)


@contextmanager
def going(watched: Watched) -> Iterator[Watched]:
    watched.start()
    try:
        yield watched
    finally:
        if watched.state.used:
            watched.end()
        else:
            with pytest.raises(MissingDataError):
                watched.end()


def until(condition) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it has taken too long"
        time.sleep(0.01)


def opened(path: Path) -> xr.Dataset:
    with xr.open_dataset(path, engine="h5netcdf") as ds:
        return ds.load()


def test_the_state_is_what_the_class_makes_of_the_same_images(h, simulated, tmp_path):
    with ServerInThread("tcp://127.0.0.1:*") as server:
        watched = new_watch(h, server.endpoint, tmp_path / "w.nc", every_train=True)
        with going(watched):
            for k, frame in enumerate(simulated.frames):
                meta = {SOURCE: {"timestamp.tid": 1000 + k, "timestamp": time.time()}}
                server.feed({SOURCE: {KEY: frame}}, meta)
            until(lambda: watched.state.used == 8)
            state = watched.state
    data = xr.Dataset({"MaranaX": (("trainId", "x", "y"), simulated.frames)})
    spectra = h.centroid(data.copy()).spectrum
    np.testing.assert_array_equal(state.spectrum(last=False), spectra.sum("trainId"))
    np.testing.assert_array_equal(state.spectrum(last=True), spectra.sum("trainId"))
    assert (state.received, state.used, state.dropped, state.failed) == (8, 8, 0, 0)
    np.testing.assert_array_equal(state.image, simulated.frames[-1])
    photons = photon_table(h.process_run(RUN, photons=True, progress=False))
    photons, found = photons.sel(photon=photons.frame == 7), state.last.photons_of_image
    for name in ("x", "y", "charge", "double"):
        np.testing.assert_array_equal(found[name], photons[name])
    assert len(state.seconds) == len(state.photons) == 8
    assert "photons/s" in state.rates
    assert watched.has_ended
    np.testing.assert_array_equal(opened(tmp_path / "w.nc").total, spectra.sum("trainId"))


def test_images_are_dropped_and_counted_where_they_come_too_fast(
    h, simulated, tmp_path, monkeypatch
):
    add = LiveSpectra.add

    def slow(self, *args, **options):
        time.sleep(0.1)
        add(self, *args, **options)

    monkeypatch.setattr(LiveSpectra, "add", slow)
    with feeding(simulated.frames) as endpoint:
        watched = new_watch(h, endpoint, tmp_path / "w.nc")
        with going(watched):
            until(lambda: watched.state.used >= 5)
            state = watched.state
            # It keeps up: the image that is shown is among the last that came.
            assert time.monotonic() - state.last.time < 1.0
            assert len(watched.live._first.trains) == 0
    assert state.dropped > state.used
    assert state.received == state.used + state.dropped
    assert any("skipped for newer ones" in line for line in state.troubles)
    attrs = opened(tmp_path / "w.nc").attrs
    assert attrs["n_trains_skipped"] >= state.dropped


def test_it_is_saved_on_the_way(h, simulated, tmp_path):
    path = tmp_path / "w.nc"
    with feeding(simulated.frames) as endpoint:
        watched = new_watch(h, endpoint, path)
        with going(watched):
            until(path.exists)
            first = opened(path).attrs["n_trains_analysed"]
            until(lambda: opened(path).attrs["n_trains_analysed"] > first)
            assert first > 0
            assert watched.saver.saved is not None
    assert opened(path).attrs["n_trains_analysed"] == watched.live.counts.analysed
    assert [one.name for one in tmp_path.iterdir()] == ["w.nc"]


def test_a_file_that_cannot_be_written_is_told_and_tried_again(h, simulated, tmp_path):
    folder = tmp_path / "away"
    with feeding(simulated.frames) as endpoint:
        watched = new_watch(h, endpoint, folder / "w.nc")
        with going(watched):
            until(lambda: "could not be written" in watched.state.error)
            used = watched.state.used
            folder.mkdir()
            until(lambda: not watched.state.error)
            assert watched.state.used > used
    assert opened(folder / "w.nc").attrs["n_trains_analysed"] > used


def test_errors_are_told_and_the_watch_goes_on(h, simulated, tmp_path):
    """A camera that is not there yet ends the command in the terminal; here it is waited for."""
    with ServerInThread("tcp://127.0.0.1:*") as server:
        watched = new_watch(h, server.endpoint, tmp_path / "w.nc", every_train=True)
        with going(watched):
            for k in range(20):
                server.feed({"A/B": {"v": 1}}, {"A/B": {"timestamp.tid": k}})
            until(lambda: "Their sources: A/B" in watched.state.error)
            for k, frame in enumerate(simulated.frames[:2]):
                server.feed({SOURCE: {KEY: frame}}, {SOURCE: {"timestamp.tid": 20 + k}})
            until(lambda: watched.state.used == 2)
            assert watched.state.error == ""


def test_something_else_than_a_bridge_is_told_and_tried_again(h, tmp_path):
    zmq = pytest.importorskip("zmq")
    with zmq.Context() as context, context.socket(zmq.REP) as other:
        other.linger = 0
        port = other.bind_to_random_port("tcp://127.0.0.1")
        watched = new_watch(h, f"tcp://127.0.0.1:{port}", tmp_path / "w.nc")
        with going(watched):
            assert other.poll(PATIENCE * 1000)
            other.recv()
            other.send(b"hello")
            until(lambda: "sent data that are not a train" in watched.state.error)
            assert other.poll(PATIENCE * 1000)  # it asks again
            assert not watched.has_ended
    assert not list(tmp_path.iterdir())


def test_a_server_that_is_not_there_is_waited_for(h, tmp_path):
    watched = new_watch(h, "tcp://127.0.0.1:9", tmp_path / "w.nc")
    with going(watched):
        until(lambda: watched.state.troubles)
        assert "no server at tcp://127.0.0.1:9; waiting for it" in watched.state.troubles


def test_it_ends_where_it_has_been_silent(h, simulated, tmp_path):
    with feeding(simulated.frames, n_trains=5) as endpoint:
        watched = new_watch(h, endpoint, tmp_path / "w.nc", until_silent=0.5, every_train=True)
        with going(watched):
            until(lambda: watched.has_ended)
    assert opened(tmp_path / "w.nc").attrs["n_trains"] == watched.live.counts.trains > 0


def test_dark_and_mask_are_taken_off_the_image(h, simulated, tmp_path):
    h.load_dark(DARK)
    h.MASK = np.zeros(simulated.frames.shape[1:], bool)
    h.MASK[3, 4] = True
    with feeding(simulated.frames) as endpoint:
        watched = new_watch(h, endpoint, tmp_path / "w.nc", method="integrate")
        with going(watched):
            until(lambda: watched.state.used)
            state = watched.state
    assert np.isnan(state.image[3, 4])
    assert abs(np.nanmedian(state.image)) < 5
    assert state.last.photons_of_image is None
