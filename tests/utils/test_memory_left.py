"""What a file states is not trusted: whether it fits into the memory is asked first."""

import h5py
import numpy as np
import pytest

import hrixs
from hrixs import hRIXS, open_images
from hrixs.cli import main as cli
from hrixs.utils import memory


@pytest.fixture
def linux(tmp_path, monkeypatch):
    """A stand-in for what Linux tells: 8 GiB are free."""
    (tmp_path / "meminfo").write_text("MemTotal: 16777216 kB\nMemAvailable: 8388608 kB\n")
    (tmp_path / "cgroup").write_text("9:memory:/job/step\n0::/job/step\n")
    (tmp_path / "groups/job/step").mkdir(parents=True)
    (tmp_path / "groups/memory/job/step").mkdir(parents=True)
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "_OWN_GROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(memory, "_GROUPS", tmp_path / "groups")
    return tmp_path


def limit(group, limit, used, cache, names=("memory.max", "memory.current", "inactive_file")):
    (group / names[0]).write_text(f"{limit}\n")
    (group / names[1]).write_text(f"{used}\n")
    (group / "memory.stat").write_text(f"anon 1\n{names[2]} {cache}\n")


class TestAvailableMemory:
    def test_what_is_free_on_the_machine(self, linux):
        assert memory.available_memory() == 8 * 2**30

    def test_what_the_limit_of_a_job_leaves_and_its_cache(self, linux):
        limit(linux / "groups/job", limit=3000, used=2000, cache=500)
        limit(linux / "groups/job/step", limit="max", used=1, cache=0)
        assert memory.available_memory() == 1500

    def test_the_older_control_groups(self, linux):
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        limit(linux / "groups/memory/job/step", limit=3000, used=2900, cache=100, names=names)
        assert memory.available_memory() == 200

    def test_a_limit_that_is_passed_leaves_nothing(self, linux):
        limit(linux / "groups/job/step", limit=3000, used=5000, cache=0)
        assert memory.available_memory() == 0

    def test_unknown_where_the_system_does_not_tell(self, linux):
        (linux / "meminfo").unlink()
        (linux / "cgroup").unlink()
        assert memory.available_memory() is None
        memory.require_memory(2**80, "the images", "")


@pytest.fixture
def little_memory(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 10_000)


def test_a_run_that_does_not_fit(simulated, little_memory):
    with pytest.raises(
        MemoryError, match=r"run's 8 images would take .* only 1e-05 GB .*lazy=True"
    ):
        hRIXS().from_run(simulated.folder)
    assert hRIXS().from_run(simulated.folder, lazy=True).attrs["n_images"] == 8


def write_npy(path, shape):
    with path.open("wb") as file:
        described = {"descr": "<u2", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, described)
        file.write(b"few bytes")


def write_hdf5(path, shape):
    with h5py.File(path, "w") as file:
        file.create_dataset("images", shape, "u2", chunks=(1, 16, 32))


def write_tif(path, shape):
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(path, shape=shape, dtype="u2", photometric="minisblack")


class TestImageFiles:
    @pytest.mark.parametrize(("suffix", "write"), [("h5", write_hdf5), ("tif", write_tif)])
    def test_more_images_than_there_is_memory(self, tmp_path, suffix, write, little_memory):
        path = tmp_path / f"images.{suffix}"
        write(path, (50, 16, 32))
        with pytest.raises(MemoryError, match=f"{path.name} lists would take 5.12e-05 GB"):
            open_images(path)

    def test_a_petabyte_is_an_error_at_once(self, tmp_path):
        path = tmp_path / "images.h5"
        write_hdf5(path, (2**40, 16, 32))
        with pytest.raises(MemoryError, match=r"would take 1.13e\+06 GB"):
            open_images(path)

    def test_a_header_that_tells_of_more_than_the_file_has(self, tmp_path):
        write_npy(tmp_path / "images.npy", (2**40, 16, 32))
        with pytest.raises((ValueError, OSError)):
            open_images(tmp_path / "images.npy")

    def test_the_command_says_so_in_a_line(self, tmp_path, capsys):
        path = tmp_path / "images.h5"
        write_hdf5(path, (2**40, 16, 32))
        assert cli.main(["process", str(path), "-o", str(tmp_path / "out.nc")]) == 1
        assert f"the images that {path} lists would take" in capsys.readouterr().err


def test_images_that_fit_are_read(tmp_path):
    images = np.arange(2 * 16 * 32, dtype=np.uint16).reshape(2, 16, 32)
    np.save(tmp_path / "images.npy", images)
    read = hrixs.hRIXS().centroid  # the class takes what was read
    data = open_images(tmp_path / "images.npy")
    np.testing.assert_array_equal(data["MaranaX"], images)
    assert data["MaranaX"].values.flags.writeable
    assert "spectrum" in read(data)
