"""Opening and reading runs in the EuXFEL format."""

import extra_data
import h5py
import numpy as np
import pytest
from extra_data import H5File, RunDirectory, by_id, by_index

import hrixs
from conftest import DARK, PROPOSAL, RUN
from hrixs import HrixsWarning, MissingDataError, hRIXS
from hrixs.runs.faults import Faults
from hrixs.runs.images import iterate_images, sum_images
from hrixs.runs.indexed_run import index_run
from hrixs.runs.run import open_run
from hrixs.simulation import write_run


def test_a_run_by_number_path_or_open_is_the_same(h, simulated):
    by_number = h.from_run(RUN)
    by_path = h.from_run(simulated.folder)
    opened = h.from_run(RunDirectory(simulated.folder))
    by_text = hRIXS().from_run(str(simulated.folder))
    assert h.from_run(str(RUN)).equals(by_number)
    for other in (by_path, opened, by_text):
        assert other.equals(by_number)
    assert hRIXS().from_run(RUN, proposal=PROPOSAL).equals(by_number)


def test_images_and_slow_data_of_the_same_trains(h, simulated):
    data = h.from_run(RUN)
    assert data.MaranaX.dims == ("trainId", "x", "y")
    assert data.MaranaX.dtype == np.uint16
    np.testing.assert_array_equal(data.MaranaX, simulated.frames)
    np.testing.assert_array_equal(data.hRIXS_delay, simulated.delay)
    np.testing.assert_array_equal(data.hRIXS_index, np.delete(np.arange(10), [2, 7]))
    np.testing.assert_array_equal(data.trainId - data.trainId[0], np.delete(np.arange(10), [2, 7]))
    assert data.nrj.attrs["units"] == "eV"


def test_trains_are_counted(h):
    attrs = h.from_run(RUN).attrs
    assert (attrs["n_trains"], attrs["n_images"], attrs["n_trains_without_image"]) == (10, 8, 2)


def test_drop_first_and_subset(h):
    data = h.from_run(RUN)
    without_first = h.from_run(RUN, drop_first=True)
    assert without_first.equals(data.isel(trainId=slice(1, None)))
    assert without_first.attrs["n_images"] == 7
    assert without_first.attrs["n_first_images_dropped"] == 1
    assert h.from_run(RUN, subset=by_index[:4]).sizes["trainId"] == 3
    assert h.from_run(RUN, subset=np.s_[:4]).sizes["trainId"] == 3
    ids = data.trainId.values[[1, 4]]
    np.testing.assert_array_equal(h.from_run(RUN, subset=by_id[ids]).trainId, ids)


def test_extra_fields_by_name_or_entry(h, monkeypatch):
    entry = {"source": "SCS_HRIXS_ACQ/MDL/SCAN", "key": "index.value", "dim": []}
    data = h.from_run(RUN, extra_fields=[{"scan_step": entry}])
    assert data.scan_step.equals(data.hRIXS_index.rename("scan_step"))
    monkeypatch.setitem(hrixs.mnemonics, "mine", entry)
    assert "mine" in h.from_run(RUN, extra_fields="mine")
    h.FIELDS += ["mine"]
    assert "mine" in h.from_run(RUN)


@pytest.mark.parametrize("detector", ["MaranaX", "hRIXS_det"])
def test_every_method_works_for_both_detectors(detector, tmp_path, simulated):
    slow = {"hRIXS_norm": np.ones(8), "nrj": np.full(8, 530.0)}
    folder = write_run(tmp_path, simulated.frames, camera=detector, slow=slow)
    h = hRIXS(None, detector)
    h.Y_RANGE = slice(700, 900)
    with pytest.warns(HrixsWarning, match="is left out"):
        data = h.from_run(folder)
    assert detector in data
    h.find_curvature(folder, plot=False)
    with pytest.warns(HrixsWarning, match="light on most of the dark images"):
        h.load_dark(folder)
    h.USE_DARK = False
    h.centroid(data)
    h.normalize(h.aggregate(h.centroid(data, method="manual")))
    assert detector in h.aggregate(h.integrate(data))


def test_fields_that_the_run_lacks_are_named(h, simulated):
    with pytest.warns(HrixsWarning) as caught:
        data = h.from_run(DARK)
    assert list(data) == ["MaranaX"]
    text = " ".join(str(warning.message) for warning in caught)
    assert all(name in text for name in ("hRIXS_delay", "nrj", "SCS_HRIXS_ACQ/MDL/SCAN"))


def test_images_without_slow_data_are_counted_and_named(tmp_path, simulated):
    folder = write_run(tmp_path, simulated.frames, slow={"nrj": np.full(8, 530.0)})
    (folder / "RAW-R0001-DA01-S00001.h5").unlink()
    h = hRIXS()
    h.FIELDS = ["MaranaX", "nrj"]
    with pytest.warns(HrixsWarning) as caught:
        data = h.from_run(folder)
    assert [str(warning.message)[:50] for warning in caught] == [
        "RAW-R0001-DA01-S00001.h5 is missing.",
        "4 of 8 images have no value of nrj and are dropped"[:50],
    ]
    assert data.attrs["n_images_dropped"] == 4
    assert data.sizes["trainId"] == 4
    np.testing.assert_array_equal(data.MaranaX, simulated.frames[:4])


def test_warnings_point_at_the_users_line(h):
    with pytest.warns(HrixsWarning) as caught:
        h.from_run(DARK)
    assert {warning.filename for warning in caught} == {__file__}


def test_several_images_in_a_train_are_kept_and_told(tmp_path, simulated):
    folder = write_run(tmp_path, simulated.frames, slow={"nrj": np.arange(8.0)}, n_sequence_files=1)
    with h5py.File(folder / "RAW-R0001-DA02-S00000.h5", "r+") as file:
        index = file["INDEX/SCS_HRIXS_CAM/CAM/MARANAX:daqOutput/data"]
        index["count"][:] = [1, 3, 0, 0, 1, 1, 1, 1]
        index["first"][:] = [0, 1, 4, 4, 4, 5, 6, 7]
        own = file["INSTRUMENT/SCS_HRIXS_CAM/CAM/MARANAX:daqOutput/data/trainId"]
        own[1:4] = own[1]
    h = hRIXS()
    h.FIELDS = ["MaranaX", "nrj"]
    with pytest.warns(HrixsWarning, match="1 trains have several images"):
        data = h.from_run(folder)
    np.testing.assert_array_equal(data.nrj, [0, 1, 1, 1, 4, 5, 6, 7])
    np.testing.assert_array_equal(data.MaranaX, simulated.frames)
    assert data.attrs["n_trains_with_several_images"] == 1
    assert data.attrs["n_trains_without_image"] == 2
    assert h.centroid(data).spectrum.shape[0] == 8
    assert h.aggregate(data, "nrj").counts.values.tolist() == [1, 3, 1, 1, 1, 1]


def test_extra_data_opens_what_write_run_wrote(data_root, simulated, monkeypatch):
    # Before 1.23 the variable is looked up once, when extra-data is imported.
    monkeypatch.setattr("extra_data.read_machinery.DATA_ROOT_DIR", str(simulated.root))
    run = extra_data.open_run(PROPOSAL, RUN, data="raw")
    assert len(run.train_ids) == 10
    assert run.run_metadata()["proposalNumber"] == PROPOSAL
    assert len(run.files) == 4
    pixels = run["SCS_HRIXS_CAM/CAM/MARANAX:daqOutput", "data.image.pixels"]
    assert pixels.shape == (8, 256, 1024)
    assert pixels.files[0].file[pixels.hdf5_data_path].chunks == (1, 256, 1024)
    one = H5File(simulated.folder / "RAW-R0145-DA02-S00000.h5")
    assert len(one.train_ids) == 5


def test_images_in_parts_are_the_same(h, simulated, monkeypatch):
    run = open_run(RUN, PROPOSAL)
    monkeypatch.setattr("hrixs.runs.images._BYTES_PER_PART", 3 * 256 * 1024 * 2)
    entries = index_run(run, "MaranaX").entries
    parts = [images.copy() for images, _ in iterate_images(entries, Faults())]
    assert len(parts) > 2
    np.testing.assert_array_equal(np.concatenate(parts), simulated.frames)
    total, n_images = sum_images(index_run(run, "MaranaX"))
    np.testing.assert_array_equal(total, simulated.frames.sum(axis=0, dtype=float))
    assert n_images == 8


@pytest.mark.parametrize("proposal", [PROPOSAL, f"{PROPOSAL}", f"p{PROPOSAL:06d}", "path"])
def test_a_proposal_by_number_name_or_path(data_root, simulated, proposal):
    if proposal == "path":
        proposal = str(simulated.folder.parents[1])
    assert open_run(RUN, proposal).train_ids[0] == open_run(simulated.folder).train_ids[0]


class TestAnotherExtraData:
    """What extra-data lacks is shown as it is, and not taken for a fault of the run."""

    @pytest.mark.parametrize("by", ["number", "folder", "file", "open"])
    def test_an_attribute_that_files_lack(self, data_root, simulated, monkeypatch, by):
        run = {
            "number": RUN,
            "folder": simulated.folder,
            "file": simulated.folder / "RAW-R0145-DA02-S00000.h5",
            "open": RunDirectory(simulated.folder),
        }[by]

        def lacks(access, name):
            if name == "control_sources":
                raise AttributeError(f"no attribute {name!r}", name=name, obj=access)
            return object.__getattribute__(access, name)

        monkeypatch.setattr("extra_data.FileAccess.__getattribute__", lacks, raising=False)
        with pytest.raises(AttributeError, match="no attribute 'control_sources'"):
            open_run(run, PROPOSAL)

    @pytest.mark.parametrize("error", [TypeError("another signature"), ImportError("gone")])
    def test_an_error_that_no_file_causes(self, data_root, monkeypatch, error):
        def fails(*_, **__):
            raise error

        monkeypatch.setattr("extra_data.RunDirectory", fails)
        with pytest.raises(type(error), match=str(error)):
            open_run(RUN, PROPOSAL)

    def test_the_attribute_of_overviews_is_not_needed(self, data_root, monkeypatch):
        monkeypatch.delattr("extra_data.file_access.FileAccess.is_voview", raising=False)
        assert len(open_run(RUN, PROPOSAL).files) == 4

    def test_what_a_broken_file_raises_is_told_with_its_kind(self, tmp_path):
        path = tmp_path / "RAW-R0001-DA01-S00000.h5"
        with h5py.File(path, "w") as file:
            file["INDEX/trainId"] = np.arange(3, dtype=np.uint64)
        with pytest.raises(MissingDataError, match=r"DA01-S00000.h5: \w+Error: ") as caught:
            open_run(path)
        assert caught.value.__cause__ is not None
        assert str(caught.value.__cause__) in str(caught.value)


class TestBadInput:
    def test_unknown_run_and_proposal(self, h):
        with pytest.raises(MissingDataError, match=r"run 9999 of proposal 3145.*EXTRA_DATA"):
            h.from_run(9999)
        with pytest.raises(MissingDataError, match="proposal 4444"):
            h.from_run(RUN, proposal=4444)
        with pytest.raises(MissingDataError, match="there is no run at"):
            h.from_run("/nowhere/r0001")

    def test_run_without_proposal(self):
        with pytest.raises(ValueError, match="without a proposal"):
            hRIXS().from_run(3)

    def test_run_of_another_type(self, h):
        with pytest.raises(TypeError, match="expected a run number, a path"):
            h.from_run(3.5)

    def test_empty_folder(self, h, tmp_path):
        with pytest.raises(MissingDataError, match="can't be opened"):
            h.from_run(tmp_path)

    def test_run_without_the_camera(self, h):
        h.DETECTOR = "hRIXS_det"
        for call in (h.from_run, h.load_dark, h.find_curvature):
            with pytest.raises(MissingDataError, match=r"no camera hRIXS_det.*MARANAX:daqOutput"):
                call(RUN)
        assert h.dark_image is None

    def test_trains_that_are_not_there(self, h):
        with pytest.raises(MissingDataError, match=r"subset = 77 asks for.*the run has 10"):
            h.from_run(RUN, subset=77)
        with pytest.raises(TypeError, match="subset = 'all', expected a slice"):
            h.process_run(RUN, subset="all")

    def test_run_of_zero_images(self, tmp_path, simulated):
        empty = simulated.frames[:0]
        folder = write_run(tmp_path, empty, trains_without_image=range(4))
        h = hRIXS()
        for call in (h.from_run, h.load_dark, h.find_curvature):
            with pytest.raises(MissingDataError, match="no image of MaranaX in its 4 trains"):
                call(folder)
        assert not h.USE_DARK

    def test_unknown_mnemonic(self, h):
        with pytest.raises(MissingDataError, match="Did you mean 'hRIXS_delay'"):
            h.from_run(RUN, extra_fields=["hRIXS_dealy"])

    def test_extra_field_that_the_run_lacks(self, h):
        h.FIELDS = ["MaranaX"]
        with pytest.raises(MissingDataError, match="nrj can't be loaded"):
            h.from_run(DARK, extra_fields=["nrj"])

    def test_extra_field_without_values_for_the_images(self, tmp_path, simulated):
        folder = write_run(tmp_path, simulated.frames, slow={"nrj": np.full(8, 530.0)})
        for name in ("S00000", "S00001"):
            with h5py.File(folder / f"RAW-R0001-DA01-{name}.h5", "r+") as file:
                file["INDEX/SA3_XTD10_MONO/MDL/PHOTON_ENERGY/count"][:] = 0
        h = hRIXS()
        h.FIELDS = ["MaranaX"]
        with pytest.raises(MissingDataError, match="nrj has no value for any train"):
            h.from_run(folder, extra_fields="nrj")

    def test_mnemonic_with_the_wrong_dims(self, h, monkeypatch):
        monkeypatch.setitem(hrixs.mnemonics["MaranaX"], "dim", ["x"])
        with pytest.raises(ValueError, match=r"hrixs\.mnemonics\['MaranaX'\]\['dim'\] names"):
            h.from_run(RUN)

    def test_write_run_refuses_what_does_not_fit(self, tmp_path, simulated):
        with pytest.raises(ValueError, match="expected one value for each of the 9 trains"):
            write_run(
                tmp_path, simulated.frames, slow={"nrj": np.ones(8)}, trains_without_image=[1]
            )
        write_run(tmp_path, simulated.frames)
        with pytest.raises(FileExistsError, match="remove them"):
            write_run(tmp_path, simulated.frames)
