"""A run reduced by the workers of a dask cluster: the same as here, also when a worker dies."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
import warnings
from pathlib import Path

import h5py
import numpy as np
import pytest
from distributed import Client, LocalCluster
from extra_data import RunDirectory

from conftest import DARK, OTHER_RUN, RUN
from hrixs import HrixsWarning, TooManyPhotonsError, hRIXS
from hrixs.cli import main as cli
from hrixs.cli.batch import file_names
from hrixs.utils.threads import available_threads
from oracles import made_runs
from oracles.run_variants import camera_files

ROOT = Path(__file__).parents[2]
METHODS = ["auto", "manual", "integrate"]
LOCAL = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0", "silence_logs": 50}


@pytest.fixture(scope="module")
def client():
    """Two processes with two threads each."""
    with (
        LocalCluster(n_workers=2, threads_per_worker=2, processes=True, **LOCAL) as cluster,
        # Not the default one: the one that is given is to be used.
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture
def one_image_a_part(monkeypatch):
    monkeypatch.setattr("hrixs.runs.budget._MOST_BYTES_PER_PART", 1)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.one_in(2)
def test_same_as_here(h, client, method, one_image_a_part):
    options = {"method": method, "photons": True, "progress": False}
    found = h.process_run(RUN, client=client, **options)
    assert found.identical(h.process_run(RUN, **options))


@pytest.mark.filterwarnings("ignore:.*is left out. the run has no:hrixs.HrixsWarning")
def test_what_an_open_run_says_is_what_workers_read(client, tmp_path, one_image_a_part):
    # Processed images in place of the raw ones, of some trains, one file of them behind a link.
    raw = made_runs.raw_run(tmp_path)
    proc = made_runs.processed(raw, more=True)
    path = made_runs.camera_files(proc)[1]
    with h5py.File(path, "r+") as file:
        made_runs.write_outside(tmp_path / "pixels.h5", file[made_runs.PIXELS][:])
        del file[made_runs.PIXELS]
        file[made_runs.PIXELS] = h5py.ExternalLink(str(tmp_path / "pixels.h5"), "/pixels")
    run = RunDirectory(raw).deselect(made_runs.SOURCE)
    run = RunDirectory(proc).union(run) if run.files else RunDirectory(proc)
    run = run.select_trains(np.s_[1:7])
    options = {"method": "integrate", "progress": False}
    result = hRIXS().process_run(run, client=client, **options)
    assert result.identical(hRIXS().process_run(run, **options))
    right = made_runs.FRAMES[1:7].mean(axis=(1, 2)) - made_runs.OFFSET
    np.testing.assert_allclose(result.spectrum.mean("energy"), right, rtol=0.02)


def test_same_with_threads_only(h):
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, protocol="tcp://", **LOCAL
        ) as cluster,
        Client(cluster) as client,
    ):
        found = h.process_run(RUN, client=client, progress=False)
    assert found.identical(h.process_run(RUN, progress=False))


def test_a_fault_is_told_here(h, client, simulated, tmp_path):
    folder = Path(shutil.copytree(simulated.folder, tmp_path / "r0145"))
    with camera_files(folder)[0].open("r+b") as file:
        # Behind the index, within the last image.
        file.truncate(file.seek(0, 2) - 1000)
    with pytest.warns(HrixsWarning, match=r"S00000\.h5 can't be read"):
        found = h.process_run(folder, client=client, progress=False)
    assert found.sizes["trainId"] == 4
    assert found.attrs["n_skipped"] == 5


def test_checkpoints_and_dark_work_as_here(h, client, tmp_path, one_image_a_part):
    h.load_dark(DARK)
    expected = h.process_run(RUN, progress=False)
    options = {"client": client, "progress": False, "checkpoint": tmp_path / "c"}
    assert h.process_run(RUN, **options).identical(expected)
    assert h.process_run(RUN, **options).identical(expected)


def test_an_error_of_the_settings_is_that_of_here(h, client):
    h.MAX_PHOTONS = 1
    with pytest.raises(TooManyPhotonsError, match="max_photons"):
        h.process_run(RUN, client=client, progress=False)


def test_workers_of_another_version_are_refused(h, client, monkeypatch):
    monkeypatch.setattr("hrixs.reduction.cluster.__version__", "99.0")
    with pytest.raises(RuntimeError, match=r"have hrixs .*, but this process has 99\.0"):
        h.process_run(RUN, client=client, progress=False)


def test_no_client(h):
    with pytest.raises(TypeError, match=r"expected a synchronous dask\.distributed\.Client"):
        h.process_run(RUN, client="127.0.0.1:8786", progress=False)


def test_a_task_uses_the_thread_that_it_has(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert available_threads() == 8
    # In this process, where more threads could be had: its environment says nothing of one.
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, protocol="tcp://", **LOCAL
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        assert client.submit(available_threads, pure=False).result() == 1


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGKILL")
def test_a_worker_that_dies_is_survived(h, tmp_path, one_image_a_part, monkeypatch):
    from hrixs.reduction import cluster as module

    marker, real = str(tmp_path / "killed"), module._reduce

    def reduce(part, plan, threads):
        # Sent by value: workers know nothing of this file.
        import os
        import signal

        if part.entries[0] == 3 and not os.path.exists(marker):
            with open(marker, "w"):
                pass
            os.kill(os.getpid(), signal.SIGKILL)
        return real(part, plan, threads)

    expected = h.process_run(RUN, progress=False, photons=True)
    monkeypatch.setattr(module, "_reduce", reduce)
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, **LOCAL) as cluster,
        Client(cluster) as client,
    ):
        found = h.process_run(RUN, client=client, progress=False, photons=True)
    assert Path(marker).exists()
    assert found.identical(expected)


class TestDocuments:
    """What docs/cluster.md says can be done."""

    @pytest.fixture
    def page(self) -> str:
        return (ROOT / "docs" / "cluster.md").read_text(encoding="utf8")

    def block(self, page: str, marker: str) -> str:
        blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
        (found,) = [text for text in blocks if marker in text]
        return found

    def test_local_cluster(self, page, h, simulated, monkeypatch, tmp_path):
        code = self.block(page, "LocalCluster(")
        names: dict[str, object] = {"h": h, "run": simulated.folder}
        exec(code, names)
        assert names["result"].identical(h.process_run(simulated.folder, progress=False))

    def test_array_job(self, page):
        (script,) = re.findall(r"```bash\n(#!/bin/bash.*?)```", page, re.DOTALL)
        command = script[script.index("hrixs process") :].replace("\\\n", " ")
        words = shlex.split(command.replace("$SLURM_ARRAY_TASK_ID", "145"))
        arguments = cli._parser().parse_args(words[1:])
        assert arguments.runs == ["145"]
        assert arguments.resume
        assert file_names("{run}.nc", arguments.runs, ".nc") == [Path("r0145.nc")]
        assert arguments.output == "spectra/{run}.nc"

    def test_job_script_of_slurm(self, page, tmp_path, monkeypatch):
        code = self.block(page, "SLURMCluster(").split("# from here on")[0]
        code = code.replace('interface="ib0"', 'interface="lo"')  # which every machine has
        monkeypatch.chdir(tmp_path)
        import dask

        # As it stands, but for the address: tests listen on this machine only.
        address = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
        names: dict[str, object] = {}
        here = dask.config.set({"jobqueue.slurm.scheduler-options": address})
        with here, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of dask-jobqueue's own configuration
            exec(code, names)
            cluster = names["cluster"]
            try:
                script = cluster.job_script()
            finally:
                cluster.close()
        assert "#SBATCH -p upex" in script
        assert "#SBATCH -A MY-ACCOUNT" in script
        assert "#SBATCH -t 02:00:00" in script
        assert re.search(r"#SBATCH --cpus-per-task=40", script)
        assert "export OMP_NUM_THREADS=1" in script
        # One process with a thread for each core.
        assert "--nthreads 40" in script
        assert "--nworkers" not in script


@pytest.mark.filterwarnings("ignore:crowded. In r:hrixs.LostPhotonsWarning")
def test_several_runs(h, client, one_image_a_part):
    found = h.process_runs([RUN, OTHER_RUN], client=client, progress=False)
    assert found.identical(h.process_runs([RUN, OTHER_RUN], progress=False))
