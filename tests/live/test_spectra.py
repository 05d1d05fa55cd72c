"""Live spectra, from trains that are dicts here: without a bridge, and without a terminal."""

import json

import numpy as np
import pytest
import xarray as xr

import hrixs
from conftest import CURVATURE, ENERGY, SimulatedRun
from hrixs import hRIXS
from hrixs.live.counts import TrainCounts
from hrixs.live.page import Link, page, problems, status
from hrixs.live.spectra import LiveSpectra

SOURCE, KEY = "SCS_HRIXS_CAM/CAM/MARANAX:daqOutput", "data.image.pixels"
MONO, NRJ = "SA3_XTD10_MONO/MDL/PHOTON_ENERGY", "actualEnergy.value"
NO_IMAGE = {SOURCE: {"metadata": {}}}


def train(pixels, **more) -> dict:
    return {SOURCE: {KEY: pixels}, MONO: {NRJ: ENERGY}} | more


@pytest.fixture
def h(simulated: SimulatedRun) -> hRIXS:
    h = hRIXS()
    h.set_params(y_range=slice(700, 900), curve_a=CURVATURE[0], curve_b=CURVATURE[1])
    h.set_params(energy_slope=0.018387, energy_intercept=498.27)
    return h


@pytest.fixture
def frames(simulated: SimulatedRun) -> np.ndarray:
    return simulated.frames


def expected(h, frames, method="auto") -> np.ndarray:
    """Spectra by the class."""
    data = xr.Dataset({"MaranaX": (("trainId", "x", "y"), frames), "nrj": ENERGY})
    result = h.integrate(data) if method == "integrate" else h.centroid(data, method=method)
    return result.spectrum.values


@pytest.mark.parametrize("method", ["auto", "manual", "integrate"])
def test_the_sums_are_those_of_the_class(method, h, frames):
    live = LiveSpectra(h, method=method, window=3)
    for k, frame in enumerate(frames):
        live.add(1000 + k, train(frame))
    spectra = expected(h, frames, method)
    np.testing.assert_allclose(live.total, spectra.sum(axis=0), rtol=1e-12)
    np.testing.assert_allclose(live.window_sum(), spectra[-3:].sum(axis=0), rtol=1e-12)
    saved = live.dataset()
    np.testing.assert_array_equal(saved.spectrum, spectra[-3:])
    np.testing.assert_array_equal(saved.trainId, [1005, 1006, 1007])
    assert saved.energy.attrs["units"] == "eV"
    assert saved.attrs["n_trains_analysed"] == 8
    assert json.loads(saved.attrs["settings"])["y_range"] == "700:900"
    assert saved.attrs["hrixs_version"] == hrixs.__version__
    assert ("nrj" in saved) == (method == "manual")


def test_an_image_is_where_the_key_is_and_not_where_the_source_is(h, frames):
    live = LiveSpectra(h)
    empty = np.empty((0, *frames.shape[1:]), np.uint16)
    for data in (NO_IMAGE, train(None), train(empty), {}, train(frames[0])):
        live.add(live.counts.last_id + 1, data)
    assert (live.counts.trains, live.counts.without_image, live.counts.analysed) == (5, 4, 1)


def test_a_train_of_several_images_is_their_sum(h, frames):
    live = LiveSpectra(h)
    live.add(1, train(frames.reshape(4, 2, *frames.shape[1:])))
    np.testing.assert_array_equal(live.total, expected(h, frames).sum(axis=0))
    assert live.counts.images == 8
    assert live.dataset().n_images == [8]


def test_the_mnemonic_gives_the_order_of_the_axes(h, frames, monkeypatch):
    turned = {"source": SOURCE, "key": KEY, "dim": ["cell", "y", "x"]}
    monkeypatch.setitem(hrixs.mnemonics, "MaranaX", turned)
    live = LiveSpectra(h)
    live.add(1, train(frames.swapaxes(1, 2)))
    live.add(2, train(frames[0].T))  # the cells are left out where there is one
    both = expected(h, frames).sum(axis=0) + expected(h, frames[:1])[0]
    np.testing.assert_array_equal(live.total, both)


def test_a_camera_that_is_not_there(h):
    live = LiveSpectra(h)
    for k in range(19):
        live.add(k, {"OTHER/CAM": {"data": 1}, "SOME/MOTOR": {}})
    with pytest.raises(LookupError, match=r"Their sources: OTHER/CAM, SOME/MOTOR\. Choose"):
        live.add(19, {})


def test_a_camera_with_another_key(h):
    live = LiveSpectra(h)
    data = {SOURCE: {"data.adu": 1, "metadata": {}}}
    for k in range(19):
        live.add(k, data)
    with pytest.raises(LookupError, match=f"no {KEY} in the first 20 trains, but only data.adu"):
        live.add(19, data)


@pytest.mark.parametrize("first", [NO_IMAGE, {SOURCE: {KEY: None}}])
def test_a_camera_without_an_image_is_waited_for(first, h, frames):
    live = LiveSpectra(h)
    for k in range(50):
        live.add(k, first)
    assert "no image of MaranaX yet" in problems(live, Link("", connected=True))
    live.add(50, train(frames[0]))
    for k in range(30):
        live.add(51 + k, {})
    assert live.counts.analysed == 1


def test_images_that_cannot_be_analysed_are_counted_and_named(h, frames):
    live = LiveSpectra(h)
    good = frames[0].astype(np.float64)
    nan = good.copy()
    nan[5, 750] = np.nan
    live.add(1, train(good))
    h.MAX_PHOTONS = 10
    live.add(2, train(good))
    h.MAX_PHOTONS = 10_000
    for k, bad in enumerate([nan, nan, good[:-8], good[0]], start=3):
        live.add(k, train(bad))
    live.add(7, train(good))
    assert (live.counts.failed, live.counts.analysed) == (5, 2)
    np.testing.assert_array_equal(live.total, 2 * live.window[0].spectrum)
    said = live.dataset().attrs["failures"]
    for text in (
        "1 x train 2: frame 0 has 1",
        "2 x train 3: frame 0 has 1 pixels that are NaN",
        "1 x train 5: the image has (x, y) shape (248, 1024), but the first one",
        "1 x train 6: the image has shape (1024,), expected (x, y)",
    ):
        assert text in said
    assert "5 images not analysed" in "\n".join(problems(live, Link("")))


def test_settings_that_fit_no_image_end_it(h, frames):
    h.Y_RANGE = slice(5000, 5100)
    live = LiveSpectra(h)
    for k in range(19):
        live.add(k, train(frames[0]))
    with pytest.raises(ValueError, match=r"none of the first 20 images .* train 19: Y_RANGE"):
        live.add(19, train(frames[0]))


def test_warnings_are_kept_once(h, frames):
    h.Y_RANGE = slice(700, 2000)
    live = LiveSpectra(h)
    for k in range(3):
        live.add(k, train(frames[0]))
    assert len([note for note in live.notes if "photons are lost" not in note]) == 1
    assert len(live.notes) == 2
    assert "reaches past the chip" in problems(live, Link("", connected=True))[0]


def test_the_photon_energy(h, frames):
    live = LiveSpectra(h, method="manual")
    live.add(1, {SOURCE: {KEY: frames[0]}})
    assert "no photon energy" in live.last_failure
    live.add(2, train(frames[0], **{MONO: {"actualEnergy": np.array([529.0])}}))
    live.add(3, {SOURCE: {KEY: frames[0]}})  # it keeps its value
    assert [one.energy for one in live.window] == [529, 529]
    given = LiveSpectra(h, method="manual", energy=ENERGY)
    given.add(1, train(frames[0], **{MONO: {NRJ: 1e9}}))
    np.testing.assert_array_equal(given.total, expected(h, frames[:1], "manual")[0])


def test_rates_are_those_of_the_last_seconds(h, frames):
    live = LiveSpectra(h)
    for k in range(201):
        live.counts.trains = 0
        if k % 10 == 0:
            live.add(k, train(frames[0]), now=k / 10)
    images, photons = live.rates(now=20.0)
    assert images == pytest.approx(1.0)
    assert photons == pytest.approx(live.window[0].photons)
    assert live.rates(now=1000.0)[0] < 0.01


@pytest.mark.parametrize(
    ("ids", "without_image", "missed"),
    [
        (range(100, 150), 0, 0),
        ([*range(100, 120), 124, 125], 0, 4),
        ([*range(100, 120), 121, 122], 0, 1),
        (range(100, 300, 5), 0, 0),  # a slow camera
        ([*range(100, 200, 5), 215], 0, 3),
        ([*range(0, 60, 3), *range(60, 90, 2), 95], 0, 0),  # irregular: nothing is known
        ([*range(100, 120), 124, 125], 7, 4),
        ([*range(100, 120), 5, 6, 7], 0, 0),  # a run that begins anew
        ([100, 200, 300], 0, 0),
    ],
)
def test_missed_trains(ids, without_image, missed):
    counts = TrainCounts(without_image=without_image)
    for train_id in ids:
        counts.come(train_id)
    assert counts.missed == missed
    assert (counts.first_id, counts.last_id) == (ids[0], ids[-1])


def test_wrong_arguments(h):
    with pytest.raises(ValueError, match="Did you mean 'integrate'"):
        LiveSpectra(h, method="integrat")
    with pytest.raises(ValueError, match="window = 0"):
        LiveSpectra(h, window=0)
    with pytest.raises(LookupError, match="no image has been analysed"):
        LiveSpectra(h).dataset()


@pytest.mark.parametrize(("columns", "rows"), [(79, 23), (40, 12), (200, 60)])
@pytest.mark.parametrize("method", ["auto", "integrate"])
def test_the_page_fits_the_terminal(method, columns, rows, h, frames):
    live = LiveSpectra(h, method=method, window=2)
    link = Link("tcp://127.0.0.1:45000", connected=True, delay=0.02)
    assert page(live, link, columns=columns, rows=rows, footer="end")[-1] == "end"
    for k, frame in enumerate(frames):
        live.add(k, train(frame))
    live.add(9, train(frames[0][:-8]))
    live.notes.clear()  # of what is lost in crowded images, a line more
    lines = page(live, link, columns=columns, rows=rows, footer="end")
    assert len(lines) <= rows
    assert lines[-1] == "end"
    text = "\n".join(lines)
    assert "9 trains seen, 9 with image" in text
    assert "! 1 image not analysed; the last reason: train 9" in text
    assert ("photons of the last 2 trains" in text) == (method == "auto" and rows > 20)
    assert ("all 8 trains" in text) == (rows > 20)


def test_the_page_tells_what_is_wrong(h):
    live = LiveSpectra(h)
    link = Link("tcp://127.0.0.1:45000")
    assert problems(live, link) == ["no server at tcp://127.0.0.1:45000; waiting for it"]
    live.add(1, NO_IMAGE)
    live.skip(2)
    link.silent = 75.0
    assert "no server at tcp://127.0.0.1:45000 for 01:15" in problems(live, link)[0]
    link.connected = True
    assert problems(live, link)[0].startswith("no train for 01:15")
    assert "1 image skipped" in problems(live, link)[1]
    assert "2 trains seen, 1 with image, 1 skipped | 0 images/s" in status(live, link)


def test_what_went_wrong_long_ago_is_a_number_only(h, frames):
    live = LiveSpectra(h)
    for k in range(20):
        live.add(k, train(frames[0]), now=0.0)
    live.skip(20, now=100.0)
    live.add(21, train(frames[0][:-8]), now=101.0)
    live.add(25, train(frames[0]), now=102.0)
    soon, late = (Link("", connected=True, now=now) for now in (103.0, 140.0))
    # And that the images are crowded, which is told as long as they are shown.
    # One image again and again has its hits in the same pixels.
    lost = [note for note in live.notes if "photons are lost" in note or "hot_pixels" in note]
    assert problems(live, late) == lost
    live.notes.clear()
    assert [line.split(":")[0] for line in problems(live, soon)] == [
        "1 image not analysed; the last reason",
        "1 image skipped for newer ones",
        "3 trains missed",
    ]
    assert problems(live, late) == []
    assert "23 trains seen, 23 with image, 1 failed, 1 skipped, 3 missed" in status(live, late)
