"""`I0` of runs: one image in ten trains, pulse energies that fluctuate, and the known truth."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import hrixs
from hrixs import HrixsWarning, MissingDataError, hRIXS
from hrixs.simulation import write_run

N_IMAGES, DISTANCE, FIRST = 12, 10, 1_600_000_000
N_TRAINS = N_IMAGES * DISTANCE


@dataclass
class Run:
    folder: Path
    energies: np.ndarray  # of each train
    exposed: np.ndarray  # sum over the exposure of each image
    image_trains: np.ndarray  # positions


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    """Light in proportion to what came in over the ten trains that end with the image's."""
    rng = np.random.default_rng(5)
    means = rng.gamma(4.0, 250.0, (N_TRAINS, 1))
    n_pulses = 8
    is_pulse = np.arange(100) % 12 == 0
    pulses = np.where(is_pulse, means * rng.gamma(8.0, 1 / 8, (N_TRAINS, 100)), 1.0)
    pulses[:, np.flatnonzero(is_pulse)[n_pulses:]] = 1.0
    energies = np.where(pulses == 1, 0, pulses).sum(axis=1)
    exposed = energies.reshape(N_IMAGES, DISTANCE).sum(axis=1)
    line = np.exp(-0.5 * ((np.arange(96) - 48) / 8) ** 2) / (8 * np.sqrt(2 * np.pi) * 128)
    # Photons are drawn pixel by pixel: three hundred thousand an image, of 100 ADU each.
    expected = 3e5 * (exposed / exposed.mean())[:, None, None] * np.broadcast_to(line, (128, 96))
    frames = (100 * rng.poisson(expected)).astype(np.uint16)
    is_image = np.arange(N_TRAINS) % DISTANCE == DISTANCE - 1
    slow = {
        "SCS_SA3": pulses,
        "transmission": np.full(N_TRAINS, 50.0),
        "hRIXS_norm": energies,  # what a monitor tells of the image's own train
    }
    folder = write_run(
        tmp_path_factory.mktemp("run"),
        frames,
        slow=slow,
        trains_without_image=np.flatnonzero(~is_image),
    )
    return Run(folder, energies, exposed, np.flatnonzero(is_image))


@pytest.fixture
def h() -> hRIXS:
    h = hRIXS()
    h.FIELDS = ["MaranaX", "hRIXS_norm"]
    h.I0 = "SCS_SA3"
    return h


def test_the_normalised_intensity_is_true_to_one_percent(h, run):
    data = h.integrate(h.from_run(run.folder))
    assert data.I0.attrs["trains_from"] == "the distance of images"
    np.testing.assert_allclose(data.I0, run.exposed)

    def relative(which):
        intensity = h.normalize(data, which).normalized.sum("energy").values
        return intensity / intensity.mean()

    assert np.abs(relative("I0") - 1).max() < 0.01
    own = relative("hRIXS_norm")
    assert own.max() / own.min() > 2


def test_process_run_lazily_and_in_memory_are_the_same(h, run):
    expected = h.from_run(run.folder).I0
    for result in (
        h.process_run(run.folder, method="integrate", progress=False),
        h.from_run(run.folder, lazy=True),
    ):
        assert result.I0.variable.identical(expected.variable)
    lazy, whole = (h.integrate(h.from_run(run.folder, lazy=lazy)) for lazy in (True, False))
    made = [h.normalize(h.aggregate(one), "I0").normalized for one in (lazy, whole)]
    np.testing.assert_allclose(*made, rtol=1e-12)


def test_on_a_cluster(h, run):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        result = h.process_run(run.folder, method="integrate", progress=False, client=client)
    np.testing.assert_allclose(result.I0, run.exposed)


def test_an_expression_is_evaluated_train_by_train(h, run):
    h.I0 = "SCS_SA3 * transmission / 100"
    data = h.from_run(run.folder)
    np.testing.assert_allclose(data.I0, run.exposed / 2)
    assert data.I0.attrs["expression"] == h.I0
    assert "units" not in data.I0.attrs
    h.I0 = "SCS_SA3"
    assert h.from_run(run.folder).I0.attrs["units"] == "uJ"


def test_a_source_with_its_key(h, run):
    """The fill value of an XGM's pulses is known by its key."""
    entry = hrixs.mnemonics["SCS_SA3"]
    h.I0 = f"{entry['source']},{entry['key']}"
    np.testing.assert_allclose(h.from_run(run.folder).I0, run.exposed)


@pytest.mark.parametrize(("shift", "n"), [(0, 4), (-1, 4), (3, 4), (9, 10)])
def test_trains_and_shift_are_settings(h, run, shift, n):
    h.I0_TRAINS, h.I0_SHIFT = n, shift
    last = run.image_trains + shift
    expected = np.array([
        run.energies[k - n + 1 : k + 1].sum() if k < N_TRAINS else np.nan for k in last
    ])  # fmt: skip
    if np.isnan(expected).any():
        with pytest.warns(HrixsWarning, match=f"goes beyond the run: train {FIRST + 119}"):
            data = h.from_run(run.folder)
    else:
        data = h.from_run(run.folder)
    np.testing.assert_allclose(data.I0, expected)
    assert (data.I0.attrs["trains"], data.I0.attrs["shift"]) == (n, shift)
    assert data.I0.attrs["n_unknown"] == np.isnan(expected).sum()


def test_chosen_trains_have_the_exposures_of_the_whole_run(h, run):
    """Also the distance of images is that of all, not of every third."""
    import extra_data

    for subset in (slice(29, None, 30), extra_data.by_id[[FIRST + 29, FIRST + 59, FIRST + 89]]):
        found = h.from_run(run.folder, subset=subset)
        np.testing.assert_allclose(found.I0[:3], run.exposed[[2, 5, 8]])
    opened = extra_data.RunDirectory(str(run.folder)).select_trains(slice(29, None, 30))
    np.testing.assert_allclose(h.from_run(opened).I0[:3], run.exposed[[2, 5, 8]])


def test_the_exposure_time_where_it_is_recorded(h, tmp_path):
    energies = np.arange(1.0, 31.0)
    frames = np.zeros((3, 16, 16), np.uint16)
    slow = {"SCS_photonFlux": energies, "hRIXS_exposure": np.full(30, 400.0)}  # in ms
    without = np.setdiff1d(np.arange(30), [9, 19, 29])
    folder = write_run(tmp_path, frames, slow=slow, trains_without_image=without)
    h.FIELDS, h.I0 = ["MaranaX", "hRIXS_exposure"], "SCS_photonFlux"
    data = h.from_run(folder)
    assert data.I0.attrs["trains"] == 4
    assert data.I0.attrs["trains_from"] == "the recorded exposure time"
    np.testing.assert_array_equal(data.I0, [sum(energies[k - 3 : k + 1]) for k in (9, 19, 29)])
    h.I0_TRAINS = 12
    with pytest.warns(HrixsWarning) as told:
        h.from_run(folder)
    texts = " ".join(str(one.message) for one in told)
    assert f"goes beyond the run: train {FIRST + 9}" in texts
    assert "3 of 3 images share trains of their exposures of 12 trains (I0_TRAINS)" in texts


def test_trains_without_a_value_make_it_unknown_and_sums_go_on_without(h, run, tmp_path):
    import shutil

    import h5py

    copy = tmp_path / "run"
    shutil.copytree(run.folder, copy)
    source = hrixs.mnemonics["SCS_SA3"]["source"]
    with h5py.File(copy / "RAW-R0001-DA03-S00000.h5", "r+") as file:
        file[f"INDEX/{source}/data/count"][14] = 0  # of the second image
    with pytest.warns(HrixsWarning) as told:
        data = h.integrate(h.from_run(copy))
    assert f"trains of the exposure have no value of SCS_SA3: train {FIRST + 19}" in " ".join(
        str(one.message) for one in told
    )
    good = np.arange(N_IMAGES) != 1
    np.testing.assert_allclose(data.I0[good], run.exposed[good])
    with pytest.warns(HrixsWarning, match=f"train {FIRST + 19}"):
        total = h.aggregate(h.normalize(data, "I0"))
    expected = data.spectrum[good].sum("trainId") / run.exposed[good].sum()
    np.testing.assert_allclose(total.normalized, expected)


@pytest.mark.parametrize("which", ["SCS_SA4", "SCS_SA3 * transmision"])
def test_names_that_are_not_known(h, run, which):
    h.I0 = which
    with pytest.raises(MissingDataError, match=r"Did you mean '(SCS_SA3|transmission)'"):
        h.from_run(run.folder)


def test_a_field_that_the_run_lacks(h, run):
    h.I0 = "XTD10_SA3"
    with pytest.raises(MissingDataError, match="XTD10_SA3 can't be loaded"):
        h.process_run(run.folder, progress=False)


@pytest.mark.parametrize(
    ("setting", "value", "text"),
    [
        ("I0_TRAINS", 0, "I0_TRAINS = 0, expected a whole number of 1 or more"),
        ("I0_SHIFT", 0.5, "I0_SHIFT = 0.5, expected a whole number of trains"),
        ("I0", "SCS_SA3 > 1", "Expected names and numbers"),
        ("I0", 5, "expected None, a name or an expression"),
    ],
)
def test_settings_that_mean_nothing(h, run, setting, value, text):
    h.set_params(**{setting: value})
    with pytest.raises(ValueError, match=text):
        h.from_run(run.folder)
