"""Train ids beside images that contradict the index: counted, and believed where asked for."""

import h5py
import numpy as np
import pytest

import hrixs
from hrixs import MissingDataError, hRIXS
from oracles.made_runs import FIRST, FRAMES, OWN_IDS, camera_files, make_overview, raw_run

pytestmark = pytest.mark.filterwarnings("ignore:.*is left out. the run has no:hrixs.HrixsWarning")
DELAY = np.arange(8.0)


@pytest.fixture
def run(tmp_path):
    """Beside each image stands the id of the train before it."""
    folder = raw_run(tmp_path, slow={"hRIXS_delay": DELAY})
    for path in camera_files(folder):
        with h5py.File(path, "r+") as file:
            file[OWN_IDS][:4] = np.roll(file[OWN_IDS][:4], 1)
    return folder


def load(run, trust=None, **options):
    h = hRIXS()
    h.FIELDS = ["MaranaX", "hRIXS_delay"]
    with pytest.warns(hrixs.HrixsWarning) as told:
        data = h.from_run(run, trust=trust, **options)
    return data, " ".join(str(one.message) for one in told)


def test_neither_is_believed_by_default_and_the_error_counts(run):
    h = hRIXS()
    for call in (h.from_run, h.load_dark, h.find_curvature):
        with (
            pytest.warns(hrixs.HrixsWarning, match="own train ids differ from the index"),
            pytest.raises(MissingDataError, match=r"no image of MaranaX can be used, 8 were "
                          r"rejected: .* 4 images' own train ids .*--trust"),
        ):  # fmt: skip
            call(run)


def test_the_index_is_believed(run):
    data, told = load(run, "index")
    np.testing.assert_array_equal(data["MaranaX"], FRAMES)
    np.testing.assert_array_equal(data.trainId, FIRST + np.arange(8))
    np.testing.assert_array_equal(data.hRIXS_delay, DELAY)
    assert "the index, which is used" in told
    assert data.attrs["n_skipped"] == 0


def test_the_records_are_believed(run):
    order = [1, 2, 3, 0, 5, 6, 7, 4]  # which image stands beside the id of each train
    data, told = load(run, "records")
    np.testing.assert_array_equal(data.trainId, FIRST + np.arange(8))
    np.testing.assert_array_equal(data["MaranaX"], FRAMES[order])
    np.testing.assert_array_equal(data.hRIXS_delay, DELAY)
    assert "they are used, as trust='records' says" in told
    some, _ = load(run, "records", subset=np.s_[:2])
    np.testing.assert_array_equal(some["MaranaX"], FRAMES[order][:2])


@pytest.mark.parametrize("trust", ["index", "records"])
def test_it_is_the_same_through_an_overview(run, trust):
    from extra_data import H5File

    expected, _ = load(run, trust)
    overview = run.parents[1] / "usr" / ".extra_data" / f"RAW-{run.name.upper()}-OVERVIEW.h5"
    make_overview(run, overview)
    for given in (run, overview, H5File(overview)):
        data, told = load(given, trust)
        np.testing.assert_array_equal(data["MaranaX"], expected["MaranaX"])
        np.testing.assert_array_equal(data.trainId, expected.trainId)
        assert f"used, as trust={trust!r} says" in told


def test_the_setting_and_every_method(run):
    h = hRIXS()
    h.TRUST = "index"
    with pytest.warns(hrixs.HrixsWarning, match="which is used"):
        np.testing.assert_array_equal(h.from_run(run)["MaranaX"], FRAMES)
    with pytest.warns(hrixs.HrixsWarning, match="trust='records'"):
        result = h.process_run(run, trust="records", method="integrate", progress=False)
    assert result.sizes["trainId"] == 8
    with pytest.warns(hrixs.HrixsWarning, match="trust='records'"):
        h.load_dark(run, trust="records")
    with pytest.raises(ValueError, match="unknown trust 'file'"):
        h.from_run(run, trust="file")
    h.TRUST = "file"
    with pytest.raises(ValueError, match="unknown trust 'file'"):
        h.from_run(run)


def test_records_that_the_index_gives_to_no_train(run):
    index = OWN_IDS.replace("INSTRUMENT", "INDEX").replace("/trainId", "/count")
    with h5py.File(camera_files(run)[0], "r+") as file:
        file[index][1] = 0
    data, told = load(run, "records")
    assert data.sizes["trainId"] == 8
    data, told = load(run, "index")
    assert (data.sizes["trainId"], data.attrs["n_skipped"]) == (7, 1)
    assert "not listed in the index" in told


def test_records_without_ids(tmp_path):
    folder = raw_run(tmp_path, slow={"hRIXS_delay": DELAY})
    for path in camera_files(folder):
        with h5py.File(path, "r+") as file:
            del file[OWN_IDS]
    data, told = load(folder, "records")
    np.testing.assert_array_equal(data["MaranaX"], FRAMES)
    assert "its images have no train ids of their own; the index is used" in told


def test_where_nothing_contradicts_nothing_is_told(tmp_path):
    folder = raw_run(tmp_path)
    for trust in ("index", "records"):
        np.testing.assert_array_equal(hRIXS().from_run(folder, trust=trust)["MaranaX"], FRAMES)
