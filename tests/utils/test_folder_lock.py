"""One process at a time works in a folder; what a killed one has left is free."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conftest import RUN
from hrixs.utils.folder_lock import working_in

HERE = socket.gethostname()
#: Holds a folder until it is told to go on.
HOLD = """
import sys
from pathlib import Path
from hrixs.utils.folder_lock import working_in
with working_in(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def holder(tmp_path):
    """A process that holds a folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "work")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def left_behind(folder: Path, lock: str) -> Path:
    """A folder with unfinished work, and a lock."""
    folder.mkdir()
    (folder / "task.json").write_text("{}")
    (folder / "part-000001.npz").write_bytes(b"work of hours")
    (folder / "lock").write_text(lock)
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_another_process_is_told_of(holder, tmp_path):
    folder = tmp_path / "work"
    said = f"another process \\({HERE} {holder.pid}\\) is working on the same output"
    with pytest.raises(OSError, match=said), working_in(folder):
        pass
    assert content(folder) == {"lock": f"{HERE} {holder.pid}".encode()}
    holder.communicate("\n")
    assert not folder.exists()
    with working_in(folder):  # it has ended
        assert (folder / "lock").read_text() == f"{HERE} {os.getpid()}"


@pytest.mark.skipif(os.name == "nt", reason="Windows can't be asked whether a process has ended")
def test_the_lock_of_a_killed_process_is_free(holder, tmp_path):
    folder = tmp_path / "work"
    holder.kill()
    holder.wait()
    assert (folder / "lock").exists()
    with working_in(folder):
        assert (folder / "lock").read_text() == f"{HERE} {os.getpid()}"
    assert not folder.exists()


def test_another_machine_is_not_taken_over(tmp_path):
    # Its number is that of a process that has ended here, which says nothing.
    folder = left_behind(tmp_path / "work", f"node17 {ended_process()}")
    before = content(folder)
    said = r"another process \(node17 \d+\) may be working .* remove .*lock and start again"
    with pytest.raises(OSError, match=said), working_in(folder):
        pass
    assert content(folder) == before


@pytest.mark.parametrize("resume", [False, True])
def test_the_command_leaves_work_of_another_machine_alone(simulated, tmp_path, capsys, resume):
    from hrixs.cli.main import main

    folder = left_behind(tmp_path / "out.nc.unfinished", "node17 4711")
    before = content(folder)
    command = ["process", str(simulated.folder), "-o", str(tmp_path / "out.nc")]
    assert main([*command, "--resume"] if resume else command) != 0
    assert "node17 4711" in capsys.readouterr().err
    assert content(folder) == before
    assert not (tmp_path / "out.nc").exists()


def test_a_checkpoint_of_the_class_is_held_too(h, tmp_path):
    folder = left_behind(tmp_path / "work", "node17 4711")
    before = content(folder)
    with pytest.raises(OSError, match="node17 4711"):
        h.process_run(RUN, progress=False, checkpoint=folder)
    assert content(folder) == before


@pytest.mark.parametrize("lock", ["", "node17", f"{HERE} ", f"{HERE} x"])
def test_a_name_that_is_not_whole_is_of_somebody(tmp_path, lock):
    folder = left_behind(tmp_path / "work", lock)
    before = content(folder)
    with pytest.raises(OSError, match="may be working"), working_in(folder):
        pass
    assert content(folder) == before


def test_another_thread_is_another_worker(tmp_path):
    refused: list[str] = []

    def other():
        try:
            with working_in(tmp_path / "work"):
                pass
        except OSError as error:
            refused.append(str(error))

    with working_in(tmp_path / "work"):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        with working_in(tmp_path / "work"):  # the same one
            pass
        assert (tmp_path / "work" / "lock").exists()
    assert len(refused) == 1
    assert "is working on the same output" in refused[0]


@pytest.mark.skipif(os.name == "nt", reason="Windows can't be asked whether a process has ended")
def test_the_number_of_this_process_may_have_been_another_ones(tmp_path):
    folder = left_behind(tmp_path / "work", f"{HERE} {os.getpid()}")  # as in a container
    with working_in(folder):
        assert (folder / "part-000001.npz").exists()


def test_a_file_in_its_place(tmp_path):
    (tmp_path / "work").write_text("a user's own")
    with pytest.raises(FileExistsError), working_in(tmp_path / "work"):
        pass
    assert (tmp_path / "work").read_text() == "a user's own"


def test_taken_along_while_it_is_made(tmp_path, monkeypatch):
    make, n_tried = Path.mkdir, 0

    def taken_along_at_first(self, *args, **kwargs):
        nonlocal n_tried
        n_tried += 1
        if n_tried == 1:  # it was there, and is gone when pathlib looks what is there
            raise FileExistsError(17, "File exists", str(self))
        make(self, *args, **kwargs)

    monkeypatch.setattr(Path, "mkdir", taken_along_at_first)
    with working_in(tmp_path / "work"):
        assert (tmp_path / "work" / "lock").exists()


#: Takes a folder again and again, and dies in it now and then, as its lock has it.
CONTEND = """
import os, sys
from pathlib import Path
from hrixs.utils.folder_lock import working_in
folder, n_held = Path(sys.argv[1]), 0
inside = folder.with_name("inside")
while n_held < 10:
    try:
        with working_in(folder):
            inside.open("x").close()  # fails where another one is inside
            inside.unlink()
            n_held += 1
            if n_held == 10:
                os.kill(os.getpid(), 9)
    except OSError as error:
        if "on the same output" not in str(error):
            raise
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows can't be asked whether a process has ended")
def test_several_at_once(tmp_path):
    words = [sys.executable, "-c", CONTEND, str(tmp_path / "work")]
    processes = [subprocess.Popen(words, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    # Each dies with the folder in its hand, and is not gone before it is waited for.
    with ThreadPoolExecutor(4) as pool:
        errors = list(pool.map(lambda process: process.communicate(timeout=60)[1], processes))
    assert [process.returncode for process in processes] == [-9] * 4, errors
    with working_in(tmp_path / "work"):
        pass
    assert list(tmp_path.iterdir()) == []
