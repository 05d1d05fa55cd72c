"""Bright lines as they come: what the first trains decide, and what is lost of the sum."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from hrixs import MissingDataError, hRIXS, mnemonics
from hrixs.live import LiveSpectra
from hrixs.live.page import Link, page, problems, status
from oracles.crowded_frames import CHARGE, camera, line

SHAPE = (512, 48)
EV_PER_PAIR = 3.6
ENERGY = CHARGE * EV_PER_PAIR


def crowded(density: float, n_frames: int) -> tuple[np.ndarray, int]:
    places = [line(density, SHAPE, seed) for seed in range(n_frames)]
    frames = np.stack([camera(one, SHAPE, seed) for seed, one in enumerate(places)])
    return frames, sum(map(len, places))


def dark(n_frames: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.normal(200, 1.6, (n_frames, *SHAPE)).round().astype(np.uint16)


def train(frame: np.ndarray) -> dict:
    source, key, _ = mnemonics["MaranaX"].values()
    return {source: {key: frame}}


def watched(live: LiveSpectra, frames: np.ndarray) -> LiveSpectra:
    for frame in frames:
        live.add(live.counts.last_id + 1, train(frame))
    return live


@pytest.fixture
def h() -> hRIXS:
    h = hRIXS()
    h.BINS, h.ELECTRONS_PER_ADU = 96, 1.0
    return h


@pytest.mark.parametrize("energy", [None, ENERGY])
@pytest.mark.parametrize("method", ["resolve", "best"])
def test_the_first_trains_tell_what_one_photon_is_like(h, method, energy):
    frames, _ = crowded(0.1, 10)
    live = LiveSpectra(h, method=method, energy=energy, window=20)
    watched(live, frames[:7])
    assert (live.counts.waiting, live.counts.analysed, live.total) == (7, 0, None)
    assert "7 images waiting until there are enough to learn from" in status(live, Link(""))
    watched(live, frames[7:])
    assert (live.counts.waiting, live.counts.analysed) == (0, 10)
    assert live.way.startswith("resolve: 0.1" if method == "best" else "")
    data = xr.Dataset({"MaranaX": (("trainId", "x", "y"), frames[:8])})
    data = data if energy is None else data.assign(nrj=("trainId", np.full(8, energy)))
    spectra = h.centroid(data, method=method).spectrum
    saved = live.dataset()
    assert saved.spectrum[:8].values.tobytes() == spectra.values.tobytes()
    for name in ("cloud_sigma", "photon_charge", "photon_density"):
        assert saved.total.attrs[name] == spectra.attrs[name]


def test_what_is_too_dense_is_integrated_and_said(h):
    frames, n = crowded(0.8, 10)
    live = watched(LiveSpectra(h, method="best", energy=ENERGY), frames)
    assert live.way.startswith("integrate: 0.")
    assert live.way in status(live, Link(""))
    assert abs(live.total.sum() / n - 1) < 0.02
    saved = live.dataset()
    assert saved.attrs["way"] == live.way
    assert saved.total.attrs["units"] == "photons"
    # Noise and level of each image add up.
    of_one = saved.hrixs.error().values[:, :16].min()
    of_all = saved.hrixs.error("total").values[:16].min()
    assert of_all == pytest.approx(of_one * np.sqrt(10), rel=0.2)
    lines = page(live, Link(""), columns=79, rows=23, footer="end")
    assert len(lines) <= 23


def test_a_watch_that_ends_early_learns_from_what_came(h):
    frames, n = crowded(0.1, 3)
    live = watched(LiveSpectra(h, method="best", energy=ENERGY), frames)
    live.finish()
    assert (live.counts.waiting, live.counts.analysed) == (0, 3)
    assert abs(live.total.sum() / n - 1) < 0.02


def test_dark_first_trains_wait_and_then_are_passed_over(h):
    live = watched(LiveSpectra(h, method="best", energy=ENERGY), dark(40))
    assert (live.counts.waiting, live.counts.failed, live.counts.analysed) == (24, 16, 0)
    assert "isolated" in live.last_failure or "stand" in live.last_failure
    watched(live, crowded(0.1, 8)[0])
    assert (live.counts.waiting, live.counts.failed, live.counts.analysed) == (0, 16, 32)
    only_dark = watched(LiveSpectra(h, method="best", energy=ENERGY), dark(3))
    only_dark.finish()
    assert (only_dark.counts.waiting, only_dark.counts.failed) == (0, 3)
    with pytest.raises(MissingDataError, match="no image has been analysed"):
        only_dark.dataset()


def test_a_bad_image_among_the_first_is_left_out_alone(h):
    frames = crowded(0.1, 9)[0].astype(np.float64)
    frames[2, 5, 5] = np.nan
    live = watched(LiveSpectra(h, method="best", energy=ENERGY), frames)
    assert (live.counts.analysed, live.counts.failed) == (8, 1)
    assert "NaN" in live.last_failure


def test_nothing_waits_where_all_is_known(h):
    h.set_params(cloud_sigma=0.55, photon_charge=CHARGE)
    frames, n = crowded(0.1, 2)
    live = watched(LiveSpectra(h, method="resolve"), frames[:1])
    assert live.counts.analysed == 1
    assert abs(watched(live, frames[1:]).total.sum() / n - 1) < 0.02


def test_trains_that_are_denser_than_the_first_are_told(h):
    live = watched(LiveSpectra(h, method="best", energy=ENERGY), crowded(0.1, 8)[0])
    assert not [note for note in live.notes if "denser" in note]
    watched(live, crowded(0.9, 2)[0])
    assert len([note for note in live.notes if "denser" in note]) == 1


@pytest.mark.parametrize("method", ["auto", "manual"])
def test_what_is_lost_of_the_sum_is_shown_and_saved(h, method):
    sparse, n_sparse = crowded(0.002, 8)
    bright, n_bright = crowded(0.2, 8)
    live = watched(LiveSpectra(h, method=method, energy=ENERGY), sparse)
    assert not live.lost_share > 0.05
    assert not [note for note in live.notes if "lost" in note]
    watched(live, bright)
    lost = 1 - live.total.sum() / (n_sparse + n_bright)
    assert abs(live.lost_share / lost - 1) < 1 / 3
    assert f", {live.lost_share:.0%} lost" in status(live, Link(""))
    (told,) = [text for text in problems(live, Link("", connected=True)) if "lost" in text]
    assert told.startswith(f"about {live.lost_share:.0%} of the photons are lost")
    assert live.dataset().total.attrs["lost_share"] == live.lost_share
