"""Work that is interrupted goes on where it was, and gives the same."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from conftest import DARK, RUN
from hrixs import HrixsWarning, __version__
from hrixs.reduction.checkpoint import Checkpoint, remove_checkpoint
from hrixs.reduction.collect import Collected
from hrixs.reduction.part_result import PartResult
from hrixs.utils.atomic_files import replaced_at_once
from hrixs.utils.provenance import digest


@pytest.fixture
def every_part(monkeypatch):
    """Each image is a part, and every part is saved at once."""
    monkeypatch.setattr("hrixs.reduction.checkpoint._SECONDS_BETWEEN_SAVES", 0.0)
    monkeypatch.setattr("hrixs.runs.budget._MOST_BYTES_PER_PART", 1)


def break_off(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Have the reduction interrupted when so many parts are done."""
    real, done = Collected.add, []

    def add(self, result):
        if len(done) == after:
            monkeypatch.setattr(Collected, "add", real)
            raise KeyboardInterrupt
        done.append(None)
        real(self, result)

    monkeypatch.setattr(Collected, "add", add)


@pytest.mark.parametrize("method", ["auto", "manual", "integrate"])
@pytest.mark.parametrize("after", [0, 1, 5, 7])
@pytest.mark.one_in(3)
def test_broken_off_and_gone_on_is_the_same(h, tmp_path, monkeypatch, every_part, after, method):
    options = {"method": method, "photons": True, "progress": False}
    expected = h.process_run(RUN, **options)
    break_off(monkeypatch, after)
    with pytest.raises(KeyboardInterrupt):
        h.process_run(RUN, checkpoint=tmp_path / "c", **options)
    saved = list((tmp_path / "c").glob("part-*"))
    assert len(saved) == after
    redone = []
    from hrixs.reduction import reduce as reduction

    real = reduction.reduce_part
    monkeypatch.setattr(
        reduction, "reduce_part", lambda read, *a, **o: redone.append(read) or real(read, *a, **o)
    )
    result = h.process_run(RUN, checkpoint=tmp_path / "c", **options)
    assert result.identical(expected)
    assert len(redone) == 8 - after


def test_half_written_results_count_as_none(h, tmp_path, every_part):
    expected = h.process_run(RUN, progress=False, checkpoint=tmp_path)
    parts = sorted(tmp_path.glob("part-*"))
    assert len(parts) == 8
    parts[0].write_bytes(parts[0].read_bytes()[:100])
    parts[1].write_bytes(b"")
    content = bytearray(parts[2].read_bytes())
    content[len(content) // 2] ^= 0xFF
    parts[2].write_bytes(content)
    assert h.process_run(RUN, progress=False, checkpoint=tmp_path).identical(expected)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("STD_THRESHOLD", 4.0), ("CURVE_A", 0.041), ("BINS", 100), ("Y_RANGE", slice(700, 899))],
)
def test_another_task_begins_anew(h, tmp_path, every_part, setting, value):
    h.process_run(RUN, progress=False, checkpoint=tmp_path)
    setattr(h, setting, value)
    with pytest.warns(HrixsWarning, match="was a different one: .* differs. It is deleted"):
        result = h.process_run(RUN, progress=False, checkpoint=tmp_path)
    assert result.identical(h.process_run(RUN, progress=False))


def test_another_dark_is_another_task(h, tmp_path):
    h.load_dark(DARK)
    h.process_run(RUN, progress=False, checkpoint=tmp_path)
    h.dark_image = h.dark_image + 1e-9
    with pytest.warns(HrixsWarning, match="was a different one: dark differs"):
        h.process_run(RUN, progress=False, checkpoint=tmp_path)


def test_the_work_of_another_version_is_refused_and_kept(h, tmp_path, every_part):
    h.process_run(RUN, progress=False, checkpoint=tmp_path)
    described = tmp_path / "task.json"
    described.write_text(described.read_text().replace(__version__, "0.1.0"))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ValueError, match=r"was done by hrixs 0\.1\.0, but this is hrixs"):
        h.process_run(RUN, progress=False, checkpoint=tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_memory_and_threads_are_the_same_task(h, tmp_path):
    h.process_run(RUN, progress=False, checkpoint=tmp_path)
    h.process_run(RUN, progress=False, checkpoint=tmp_path, threads=1, memory="300MB")


def test_results_come_back_as_they_were(tmp_path):
    result = PartResult(
        np.array([3, 4]),
        np.arange(6.0).reshape(2, 3) / 7,
        np.array([0.5, 1.5, 2.5]),
        [(5, "broken")],
        {"algorithm": "centroid_one", "range": np.array([0.0, 3.0]), "n_photons": 0.1},
        {"x": np.array([1.25]), "double": np.array([True]), "frame": np.array([1])},
    )
    checkpoint = Checkpoint(tmp_path, {"a": 1})
    checkpoint.save([result])
    checkpoint.flush()
    (back,) = Checkpoint(tmp_path, {"a": 1}).load()
    for name in ("entries", "spectra", "y"):
        np.testing.assert_array_equal(getattr(back, name), getattr(result, name))
    assert back.failed == []  # is tried again
    assert back.attrs.keys() == result.attrs.keys()
    np.testing.assert_array_equal(back.attrs["range"], result.attrs["range"])
    assert back.attrs["n_photons"] == 0.1
    for name, values in result.photons.items():
        np.testing.assert_array_equal(back.photons[name], values)
        assert back.photons[name].dtype == values.dtype


def test_other_files_in_the_folder_are_left_alone(h, tmp_path, every_part):
    (tmp_path / "thesis.txt").write_text("precious")
    h.process_run(RUN, progress=False, checkpoint=tmp_path)
    h.BINS = 100
    with pytest.warns(HrixsWarning, match="starts from the beginning"):
        h.process_run(RUN, progress=False, checkpoint=tmp_path)
    remove_checkpoint(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_results_without_their_task_are_not_believed(h, tmp_path, every_part):
    h.process_run(RUN, progress=False, checkpoint=tmp_path)
    (tmp_path / "task.json").unlink()
    h.CURVE_A = 0.02
    result = h.process_run(RUN, progress=False, checkpoint=tmp_path)
    assert result.identical(h.process_run(RUN, progress=False))


def test_what_could_not_be_read_is_tried_again(h, tmp_path, every_part, monkeypatch):
    from hrixs.runs.parts import PartReader, ReadPart

    real = PartReader.read

    def away(self, part):
        if part.entries[0] < 4:
            return real(self, part)
        none = np.empty((0, 256, 200), "u2"), np.empty(0, int)
        return ReadPart(*none, [(int(entry), "stale file handle") for entry in part.entries])

    monkeypatch.setattr(PartReader, "read", away)
    with pytest.warns(HrixsWarning, match="4 images are skipped.*stale file handle"):
        h.process_run(RUN, progress=False, checkpoint=tmp_path)
    monkeypatch.setattr(PartReader, "read", real)
    result = h.process_run(RUN, progress=False, checkpoint=tmp_path)
    assert result.identical(h.process_run(RUN, progress=False))


def test_digest_tells_apart():
    texts = [digest(a) for a in (np.zeros(2), np.zeros(3), np.zeros(2, "f4"), np.ones(2), 1, "1")]
    assert len(set(texts)) == len(texts)


class TestOutput:
    def test_a_reader_sees_the_old_or_the_new(self, tmp_path):
        path = tmp_path / "out"
        path.write_text("old")
        with replaced_at_once(path) as part:
            part.write_text("half")
            assert path.read_text() == "old"
        assert path.read_text() == "half"
        assert list(tmp_path.iterdir()) == [path]

    def test_an_error_leaves_the_old(self, tmp_path):
        path = tmp_path / "out"
        path.write_text("old")

        def fail():
            with replaced_at_once(path) as part:
                part.write_text("half")
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fail()
        assert path.read_text() == "old"
        assert list(tmp_path.iterdir()) == [path]


#: The command line, with parts that are small and slow.
SLOW = """
import sys, time
import hrixs.reduction.checkpoint as checkpoint, hrixs.reduction.reduce as reduction
import hrixs.runs.budget as budget
from hrixs.cli.main import main
checkpoint._SECONDS_BETWEEN_SAVES = 0.0
budget._MOST_BYTES_PER_PART = 1
real = reduction.reduce_part
def slowly(*args, **options):
    time.sleep(0.1)
    return real(*args, **options)
reduction.reduce_part = slowly
sys.exit(main(sys.argv[1:]))
"""


def hrixs(*words: object, slowly: bool = False) -> list[str]:
    how = ["-c", SLOW] if slowly else ["-m", "hrixs"]
    return [sys.executable, *how, "process", *map(str, words)]


@pytest.mark.parametrize("n_parts", [4, 0, 1, 7])
@pytest.mark.one_in(4)
def test_killed_and_resumed(simulated, tmp_path, n_parts):
    words = [simulated.folder, "--y-range", "700:900", "--photons", "-o"]
    out = tmp_path / "out.nc"
    subprocess.run(hrixs(*words, tmp_path / "whole.nc"), check=True, capture_output=True)
    process = subprocess.Popen(hrixs(*words, out, slowly=True), stdout=subprocess.DEVNULL)
    unfinished = tmp_path / "out.nc.unfinished"
    deadline = time.monotonic() + 30
    while not (unfinished / "task.json").exists() or len(parts_of(unfinished)) < n_parts:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.kill()
    process.wait()
    assert not out.exists()
    done = parts_of(unfinished)
    assert n_parts <= len(done) <= 8
    said = subprocess.run(
        hrixs(*words, out, "--resume"), check=True, capture_output=True, text=True
    ).stdout
    assert "8 images, 10 trains" in said
    assert not unfinished.exists()
    with (
        xr.open_dataset(out, engine="h5netcdf") as result,
        xr.open_dataset(tmp_path / "whole.nc", engine="h5netcdf") as whole,
    ):
        assert result.load().identical(whole.load())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.nc", "whole.nc"]


def parts_of(folder: Path) -> list[Path]:
    return sorted(folder.glob("part-*.npz"))


def test_without_resume_the_work_begins_anew(simulated, tmp_path, capsys):
    from hrixs.cli.main import main

    unfinished = tmp_path / "out.nc.unfinished"
    unfinished.mkdir()
    (unfinished / "task.json").write_text("{}")
    assert main(["process", str(simulated.folder), "-o", str(tmp_path / "out.nc")]) == 0
    assert "starts from the beginning" not in capsys.readouterr().err
    assert not unfinished.exists()


def test_resume_leaves_alone_what_is_finished(simulated, tmp_path, capsys):
    from hrixs.cli.main import main

    out = tmp_path / "out.nc"
    command = ["process", str(simulated.folder), "-o", str(out)]
    assert main(command) == 0
    written = out.stat().st_mtime_ns
    assert main([*command, "--resume"]) == 0
    assert f"{out} is finished already" in capsys.readouterr().out
    assert out.stat().st_mtime_ns == written
    assert main([*command, "--resume", "--std-threshold", "4"]) == 0
    assert out.stat().st_mtime_ns > written
