"""What the first images decide: charge and cloud of a photon, the way, what is lost."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from hrixs import (
    HrixsWarning,
    LostPhotonsWarning,
    MissingDataError,
    hRIXS,
    photon_table,
    resolve_photons,
)
from hrixs.simulation import write_run
from oracles.crowded_frames import CHARGE, camera, line

SHAPE = (512, 48)
EV_PER_PAIR = 3.6


def crowded(density: float, n_frames: int = 12) -> tuple[np.ndarray, int]:
    """Frames of a line, and how many photons they have."""
    places = [line(density, SHAPE, seed) for seed in range(n_frames)]
    frames = np.stack([camera(one, SHAPE, seed) for seed, one in enumerate(places)])
    return frames, sum(map(len, places))


def dataset(frames: np.ndarray, energy: object = CHARGE * EV_PER_PAIR) -> xr.Dataset:
    data = xr.Dataset(
        {"MaranaX": (("trainId", "x", "y"), frames)}, {"trainId": np.arange(len(frames))}
    )
    return data if energy is None else data.assign(nrj=("trainId", np.full(len(frames), energy)))


@pytest.fixture
def h() -> hRIXS:
    h = hRIXS()
    h.BINS, h.ELECTRONS_PER_ADU = 96, 1.0
    return h


@pytest.mark.parametrize("threshold", [450.0, 900.0])
def test_a_threshold_above_single_photons_is_a_loss(h, threshold):
    frames, n = crowded(0.1)
    h.THRESHOLD = 4 * 200 + threshold
    with pytest.warns(LostPhotonsWarning):
        spectrum = h.centroid(dataset(frames)).spectrum
    lost = 1 - float(spectrum.sum()) / n
    assert lost > 0.6
    assert abs(spectrum.attrs["lost_share"] / lost - 1) < 1 / 3


@pytest.mark.parametrize("energy", [None, CHARGE * EV_PER_PAIR])
@pytest.mark.parametrize("method", ["resolve", "best"])
def test_every_photon_is_counted(h, method, energy):
    frames, n = crowded(0.1)
    spectrum = h.centroid(dataset(frames, energy), method=method).spectrum
    assert abs(float(spectrum.sum()) / n - 1) < 0.01
    assert spectrum.attrs["algorithm"] == "resolve"
    assert abs(spectrum.attrs["photon_charge"] / CHARGE - 1) < 0.02
    assert abs(spectrum.attrs["cloud_sigma"] / 0.55 - 1) < 0.05
    assert abs(spectrum.attrs["charge_ratio"] - 1) < 4 * spectrum.attrs["charge_ratio_err"] + 0.01
    assert abs(spectrum.attrs["photon_density"] / 0.1 - 1) < 0.25
    assert bool(spectrum.attrs["photon_charge_learned"]) == (energy is None)


def test_two_energies_are_two_charges(h):
    frames, n = crowded(0.05)
    bright = (frames - 200.0) * 1.5 + 200  # of photons with half more energy
    both = np.concatenate([frames[:6], np.rint(bright[6:]).astype(np.uint16)])
    energy = CHARGE * EV_PER_PAIR * np.repeat([1.0, 1.5], 6)
    h.CLOUD_SIGMA = 0.55
    counted = h.centroid(dataset(both, energy), method="resolve").spectrum
    assert abs(float(counted.sum()) / n - 1) < 0.02
    assert counted.attrs["photon_charge"] == "per frame"
    one = h.centroid(dataset(frames), method="resolve").spectrum
    assert abs(float(counted[6:].sum()) / float(one[6:].sum()) - 1) < 0.03


@pytest.mark.filterwarnings("ignore:the photons found make:hrixs.ChargeBalanceWarning")
def test_too_dense_is_integrated_and_comes_out_in_photons(h):
    frames, n = crowded(0.8)
    data = dataset(frames)
    best = h.centroid(data, method="best")
    assert best.spectrum.attrs["algorithm"] == "integrate"
    assert best.spectrum.attrs["best"].startswith("integrate: 0.")
    assert best.spectrum.attrs["units"] == "photons"
    assert abs(float(best.spectrum.sum()) / n - 1) < 0.02
    assert abs(best.spectrum.attrs["n_photons"] / n - 1) < 0.02
    # The same bins as counted ones, and an error that the scatter of dark bins bears out.
    sparse = h.centroid(dataset(crowded(0.05)[0]), method="best")
    assert sparse.energy.identical(best.energy)
    dark = best.spectrum.values[:, :16]
    assert dark.std() < 1.5 * best.hrixs.error().values[:, :16].mean()
    assert (best.hrixs.error().values[:, 40:56].sum(1) > 0).all()
    assert np.isfinite(best.hrixs.error().values).all()


def test_images_that_are_denser_than_the_first_are_told(h):
    frames = np.concatenate([crowded(0.1, 10)[0], crowded(0.8, 2)[0]])
    h.CLOUD_SIGMA = 0.55
    with pytest.warns(HrixsWarning) as said:
        h.centroid(dataset(frames), method="best")
    assert any("2 of 12 images have more photons" in str(one.message) for one in said)


@pytest.mark.parametrize("method", ["auto", "resolve"])
def test_lazy_images_that_are_denser_than_the_first_are_told_when_computed(h, method, tmp_path):
    h.CLOUD_SIGMA, h.FIELDS = 0.55, ["MaranaX", "nrj"]
    frames = np.concatenate([crowded(0.02, 16)[0], crowded(0.8, 2)[0]])
    run = write_run(tmp_path, frames, slow={"nrj": np.full(len(frames), CHARGE * EV_PER_PAIR)})
    data = h.from_run(run, lazy=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spectrum = h.centroid(data, method=method).spectrum
    with pytest.warns(LostPhotonsWarning, match="some of the images"):
        spectrum.compute()


def test_later_images_that_lose_more_than_the_first_are_told(h):
    frames = np.concatenate([crowded(0.002, 16)[0], crowded(0.1, 2)[0]])
    with pytest.warns(LostPhotonsWarning, match="2 of 18 images .* lost in them, up to"):
        h.centroid(dataset(frames))


def test_what_is_lost_is_the_same_in_every_way(h, tmp_path):
    frames, _ = crowded(0.1, 8)
    h.FIELDS = ["MaranaX", "nrj"]
    run = write_run(tmp_path, frames, slow={"nrj": np.full(len(frames), CHARGE * EV_PER_PAIR)})
    with pytest.warns(LostPhotonsWarning):
        expected = h.centroid(h.from_run(run)).spectrum.attrs
    with pytest.warns(LostPhotonsWarning):
        lazy = h.centroid(h.from_run(run, lazy=True)).spectrum.attrs
    options = {"progress": False, "checkpoint": tmp_path / "unfinished"}
    with pytest.warns(LostPhotonsWarning):
        processed = h.process_run(run, **options).spectrum.attrs
    with pytest.warns(LostPhotonsWarning):
        resumed = h.process_run(run, **options).spectrum.attrs
    for name in ("lost_share", "lost_photons", "photons_of_first"):
        assert lazy[name] == processed[name] == resumed[name] == expected[name] > 0


def test_dark_first_images_are_passed_over(h):
    dark = np.random.default_rng(0).normal(200, 1.6, (6, *SHAPE)).round().astype(np.uint16)
    h.THRESHOLD = 4 * 200 + 60
    with pytest.warns(LostPhotonsWarning):
        h.centroid(dataset(np.concatenate([dark, crowded(0.1, 6)[0]])))


def test_a_gain_that_is_another_camera_s_is_told(h):
    h.ELECTRONS_PER_ADU = 2.0
    with pytest.warns(HrixsWarning, match="isolated photons have 2"):
        h.centroid(dataset(crowded(0.05)[0]), method="resolve")


@pytest.mark.parametrize("density", [0.05, 0.2, 0.3])
@pytest.mark.parametrize("factor", [0.5, 2.0])
@pytest.mark.filterwarnings("ignore::hrixs.HrixsWarning")  # others, as of the balance
@pytest.mark.one_in(2)
def test_a_charge_that_is_wrong_by_a_factor_of_two_is_told(h, density, factor):
    h.set_params(photon_charge=factor * CHARGE, cloud_sigma=0.55)
    said = (
        f"isolated photons have {1 / factor:.0f}"
        if factor < 1
        else r"isolated photons have 0\.[45]"
    )
    said = said.replace("2", "[12]\\.") if factor < 1 else said
    frames, _ = crowded(density, 32)
    with pytest.warns(HrixsWarning, match=said):
        h.centroid(dataset(frames), method="resolve")
    with pytest.warns(HrixsWarning, match="isolated photons have"):
        resolve_photons(frames[:2], photon_charge=factor * CHARGE, cloud_sigma=0.55)


@pytest.mark.parametrize("density", [0.02, 0.05, 0.1, 0.2])
@pytest.mark.parametrize("method", ["auto", "manual"])
def test_what_is_lost_is_estimated_within_a_third(h, method, density):
    frames, n = crowded(density)
    data = dataset(frames)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", HrixsWarning)
        spectrum = h.centroid(data, method=method).spectrum
    lost = 1 - float(spectrum.sum()) / n
    estimate = spectrum.attrs["lost_share"]
    assert abs(estimate - lost) < max(lost / 3, 0.025)
    kinds = {one.category for one in said}
    assert (LostPhotonsWarning in kinds) == (estimate > 0.05)


@pytest.mark.parametrize("density", [0.1, 0.2])
def test_spots_of_several_photons_that_are_too_bright_are_a_loss(h, density):
    frames, n = crowded(density)
    h.set_params(dbl_threshold=1.75 * CHARGE, max_charge=3.5 * CHARGE, threshold=4 * 200 + 60)
    with pytest.warns(LostPhotonsWarning):
        spectrum = h.centroid(dataset(frames)).spectrum
    lost = 1 - float(spectrum.sum()) / n
    assert lost > 0.2
    assert abs(spectrum.attrs["lost_share"] / lost - 1) < 1 / 3


@pytest.mark.parametrize("method", ["auto", "manual"])
def test_what_is_lost_with_a_dark_and_a_mask(h, method):
    frames, _ = crowded(0.1)
    plain = lost_share(h, frames, method)
    tilt = np.broadcast_to(np.linspace(0, 40, SHAPE[1]), SHAPE)
    h.dark_image, h.dark_detector, h.USE_DARK = tilt, h.DETECTOR, True
    h.MASK = np.zeros(SHAPE, dtype=bool)
    h.MASK[100:110, 20:30] = h.MASK[::16, ::9] = True
    tilted = np.rint(frames + tilt).astype(np.uint16)
    tilted[:, h.MASK] = 60_000
    assert abs(lost_share(h, tilted, method) / plain - 1) < 0.1


def lost_share(h, frames, method) -> float:
    with pytest.warns(LostPhotonsWarning):
        return h.centroid(dataset(frames), method=method).spectrum.attrs["lost_share"]


def test_a_sparse_run_is_not_warned_of(h):
    spectrum = h.centroid(dataset(crowded(0.003, 12)[0])).spectrum
    assert spectrum.attrs.get("lost_share", 0) < 0.05


def test_the_same_choice_in_every_way(h, tmp_path):
    frames, _ = crowded(0.15)
    h.FIELDS = ["MaranaX", "nrj"]
    run = write_run(tmp_path, frames, slow={"nrj": np.full(len(frames), CHARGE * EV_PER_PAIR)})
    expected = h.centroid(h.from_run(run), method="best").spectrum
    lazy = h.centroid(h.from_run(run, lazy=True), method="best").spectrum
    assert lazy.values.tobytes() == expected.values.tobytes()
    options = {"method": "best", "progress": False, "photons": True}
    processed = h.process_run(run, checkpoint=tmp_path / "unfinished", **options)
    again = h.process_run(run, checkpoint=tmp_path / "unfinished", **options)
    for result in (processed, again):
        assert result.spectrum.values.tobytes() == expected.values.tobytes()
        for name in ("best", "cloud_sigma", "charge_ratio", "charge_ratio_err", "photon_density"):
            assert result.spectrum.attrs[name] == pytest.approx(expected.attrs[name]), name
    table = photon_table(again)
    assert table.sizes["photon"] == int(expected.sum())
    assert (table.crowding.values >= 0).all()
    assert lazy.attrs["best"] == expected.attrs["best"]


def test_too_few_photons_to_learn_from(h):
    frames = np.random.default_rng(0).normal(200, 1.6, (3, *SHAPE)).round().astype(np.uint16)
    with pytest.raises(MissingDataError, match="cloud_sigma"):
        h.centroid(dataset(frames), method="resolve")
    h.CLOUD_SIGMA = 0.55
    with pytest.raises(MissingDataError, match="photon_charge"):
        h.centroid(dataset(frames, None), method="resolve")
    assert float(h.centroid(dataset(frames), method="resolve").spectrum.sum()) == 0


def test_command_line(tmp_path: Path, capsys):
    from hrixs.cli.main import main

    frames, n = crowded(0.1)
    np.save(tmp_path / "frames.npy", frames)
    words = [str(tmp_path / "frames.npy"), "-o", str(tmp_path / "out.nc"), "--bins", "96"]
    words += ["--electrons-per-adu", "1", "--energy", str(CHARGE * EV_PER_PAIR)]
    assert main(["process", *words, "--method", "best"]) == 0
    with xr.open_dataset(tmp_path / "out.nc") as result:
        assert abs(float(result.spectrum.sum()) / n - 1) < 0.01
        assert result.spectrum.attrs["best"].startswith("resolve")
