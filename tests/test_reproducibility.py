"""The same images give the same bytes, whichever way they are worked on.

`WAYS` are the ways, `CASES` what is made of the images; each is tried with each.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import dask
import numpy as np
import pytest
import xarray as xr
from distributed import Client, LocalCluster

import hrixs
from conftest import LOST_OF_FIRST
from hrixs import _core, concat_photons, find_photons, hRIXS, photon_parts, photon_table
from hrixs.simulation import Sensor, SpectralLine, simulate_frames, write_run
from hrixs.spectrometer.recipe import find_options

# The images are crowded, and one case takes them for more so than they are: both is told.
pytestmark = [
    pytest.mark.filterwarnings(f"ignore:{LOST_OF_FIRST}:hrixs.LostPhotonsWarning"),
    pytest.mark.filterwarnings("ignore:isolated photons have:hrixs.HrixsWarning"),
]

#: Position and method, and what is set besides.
CASES = {
    "com auto": ("com", "auto"),
    "com manual": ("com", "manual"),
    "gaussian auto": ("gaussian", "auto"),
    "gaussian manual": ("gaussian", "manual"),
    "integrate": ("com", "integrate"),
    "com auto, dark": ("com", "auto", "dark"),
    "com auto, dark and mask": ("com", "auto", "dark", "mask"),
    "gaussian manual, dark and mask": ("gaussian", "manual", "dark", "mask"),
    "resolve": ("com", "resolve"),
    "resolve, dark and mask": ("com", "resolve", "dark", "mask"),
    "best, too dense": ("com", "best", "dense"),
    "integrate, dark": ("com", "integrate", "dark"),
    "integrate, dark and mask": ("com", "integrate", "dark", "mask"),
}
SHAPE = (96, 130)
BYTES_PER_IMAGE = SHAPE[0] * SHAPE[1] * 2


def spectrometer(case: str, threads: int = 1) -> hRIXS:
    h = hRIXS()
    h.FIELDS = ["MaranaX", "nrj"]
    position, method, *more = CASES[case]
    h.set_params(position=position, threads=threads, y_range=slice(3, 128), bins=200)
    h.set_params(std_threshold=5.0, dbl_threshold=220.0, curve_a=0.04, curve_b=-2e-5)
    h.set_params(split_doubles=(position, method) == ("gaussian", "auto"))
    rng = np.random.default_rng(5)
    if "dark" in more:
        # The mean of 7 dark images is no whole number; it counts for less than a photon.
        h.load_dark(
            xr.Dataset({"MaranaX": (("trainId", "x", "y"), rng.integers(0, 9, (7, *SHAPE)))})
        )
    if "dense" in more:
        h.PHOTON_CHARGE = 3.0  # so small that many would have to be there
    if "mask" in more:
        h.MASK = rng.random(SHAPE) < 0.01
    return h


def in_memory(run: Path, case: str, *, threads: int = 1, images_a_part: int = 1000) -> xr.Dataset:
    h, method = spectrometer(case, threads), CASES[case][1]
    data = h.from_run(run)
    with patch("hrixs.reduction.stack._BYTES_PER_PART", images_a_part * BYTES_PER_IMAGE):
        return h.integrate(data) if method == "integrate" else h.centroid(data, method=method)


def lazily(run: Path, case: str, *, threads: int, images_a_chunk: int) -> xr.Dataset:
    h, method = spectrometer(case), CASES[case][1]
    with (
        patch(
            "hrixs.runs.lazy_images.bytes_per_chunk", lambda *_: images_a_chunk * BYTES_PER_IMAGE
        ),
        dask.config.set(scheduler="threads", num_workers=threads),
    ):
        data = h.from_run(run, lazy=True)
        made = h.integrate(data) if method == "integrate" else h.centroid(data, method=method)
        return made.drop_vars("MaranaX").compute()


def processed(run: Path, case: str, *, images_a_part: int = 1000, **options) -> xr.Dataset:
    with patch("hrixs.runs.budget._MOST_BYTES_PER_PART", images_a_part * BYTES_PER_IMAGE):
        h = spectrometer(case)
        return h.process_run(run, method=CASES[case][1], progress=False, **options)


WAYS = {
    "in memory again": in_memory,
    "2 threads": lambda run, case: in_memory(run, case, threads=2),
    "4 threads": lambda run, case: in_memory(run, case, threads=4),
    "image by image": lambda run, case: in_memory(run, case, images_a_part=1),
    "3 images at once, 4 threads": lambda run, case: in_memory(
        run, case, threads=4, images_a_part=3
    ),
    "lazy, chunks of 1": lambda run, case: lazily(run, case, threads=2, images_a_chunk=1),
    "lazy, chunks of 4": lambda run, case: lazily(run, case, threads=4, images_a_chunk=4),
    "process_run": processed,
    "process_run, 2 threads": lambda run, case: processed(run, case, threads=2),
    "process_run, 4 threads, image by image": lambda run, case: processed(
        run, case, threads=4, images_a_part=1
    ),
    "process_run, 3 images at once": lambda run, case: processed(run, case, images_a_part=3),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """11 images with photons."""
    sensor = Sensor(shape=SHAPE, hot_fraction=0.0)
    lines = (SpectralLine(60.0, 0.8, 0.6), SpectralLine(40.0, 6.0, 0.4))
    options = {"sensor": sensor, "lines": lines, "curvature": (0.04, -2e-5), "energy": 530.0}
    frames, _ = simulate_frames(11, photons_per_frame=80, seed=7, **options)
    slow = {"nrj": np.linspace(529.0, 531.0, 11)}
    root = tmp_path_factory.mktemp("reproducible")
    return write_run(root, frames, slow=slow)


@pytest.fixture(scope="module")
def expected(run) -> dict[str, str]:
    return {case: digest(in_memory(run, case)) for case in CASES}


def digest(result: xr.Dataset) -> str:
    """Of the values of everything that was made of the images."""
    of_all = hashlib.sha256()
    for name in ("trainId", "energy", "spectrum", "spectrum_var", "n_added"):
        if name not in result:
            continue
        values = result[name].values
        of_all.update(f"{name} {values.dtype} {values.shape}".encode() + values.tobytes())
    return of_all.hexdigest()


def digest_of_photons(table: xr.Dataset) -> str:
    columns = sorted(str(name) for name, v in table.variables.items() if v.dims == ("photon",))
    return hashlib.sha256(b"".join(table[name].values.tobytes() for name in columns)).hexdigest()


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.one_in(3)
def test_spectra_are_the_same_bytes(way, case, run, expected):
    assert digest(WAYS[way](run, case)) == expected[case]


def test_the_cases_differ(expected):
    # Or the digests would tell nothing.
    assert len(set(expected.values())) == len(CASES)


def test_spectra_made_by_a_cluster_are_the_same_bytes(run, expected):
    local = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0", "silence_logs": 50}
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, protocol="tcp://", **local
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        found = {
            case: digest(processed(run, case, images_a_part=3, client=client)) for case in CASES
        }
    assert found == expected


SCRIPT = """
import sys
from pathlib import Path
import test_reproducibility as ways
from hrixs import _core

print(_core.simd_level())
for case in ways.CASES:
    print(ways.digest(ways.in_memory(Path(sys.argv[1]), case, threads=2)))
"""


@pytest.mark.parametrize("level", _core.simd_levels())
@pytest.mark.one_in(3)
def test_another_process_and_every_level_of_the_processor_give_the_same_bytes(level, run, expected):
    environment = os.environ | {"HRIXS_SIMD": level, "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(run)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    used, *found = done.stdout.split()
    assert used == level
    assert found == list(expected.values())


@pytest.mark.parametrize("position", ["com", "gaussian"])
class TestPhotonTables:
    """Not only the spectra, whose bins would hide a change of the last digit."""

    @pytest.fixture
    def options(self, position):
        return {"std_threshold": 5.0, "dbl_threshold": 220.0, "position": position} | (
            {"cloud_sigma": 0.55, "electrons_per_adu": 1.06, "split_doubles": True}
            if position == "gaussian"
            else {}
        )

    @pytest.fixture
    def images(self, run):
        return spectrometer("com auto").from_run(run).MaranaX

    @pytest.fixture
    def table(self, images, options):
        return find_photons(images, threads=1, **options)

    @pytest.mark.parametrize("threads", [2, 4])
    def test_with_several_threads(self, images, table, options, threads):
        found = find_photons(images, threads=threads, **options)
        assert digest_of_photons(found) == digest_of_photons(table)

    def test_frame_by_frame(self, images, table, options):
        found = [find_photons(image, **options).drop_vars("frame") for image in images]
        whole = table.drop_vars(["frame", "trainId"])
        assert digest_of_photons(xr.concat(found, "photon", data_vars="all")) == digest_of_photons(
            whole
        )

    @pytest.mark.parametrize("size", [1, 3, 5])
    def test_in_chunks(self, images, table, options, size):
        parts = photon_parts(images.chunk(trainId=size), **options)
        found = concat_photons(dask.compute(*parts, scheduler="threads", num_workers=2))
        assert found.identical(table)

    @pytest.mark.parametrize("layout", ["C", "F"])
    @pytest.mark.parametrize("dtype", ["int32", "float32", "float64"])
    def test_however_the_pixels_are_stored(self, images, table, options, layout, dtype):
        stored = images.copy(data=np.asarray(images.values, dtype=dtype, order=layout))
        assert digest_of_photons(find_photons(stored, **options)) == digest_of_photons(table)

    @pytest.mark.parametrize("images_a_part", [1, 4, 100])
    def test_of_processed_runs(self, run, images, options, position, images_a_part):
        case = f"{position} auto"
        result = processed(run, case, images_a_part=images_a_part, photons=True)
        h = spectrometer(case)
        h.CLOUD_SIGMA = result.spectrum.attrs.get("cloud_sigma")
        found = photon_table(result)
        cropped = images[:, h.X_RANGE, h.Y_RANGE].assign_coords(
            x=np.arange(96), y=np.arange(3, 128)
        )
        whole = find_photons(cropped, **find_options(h), threads=2)[list(found.variables)]
        assert digest_of_photons(found) == digest_of_photons(whole)


def test_simulated_frames_are_the_same_bytes_for_a_seed():
    sensor = Sensor(shape=(64, 64))
    once, again = (simulate_frames(2, sensor=sensor, seed=3)[0].values for _ in range(2))
    assert once.tobytes() == again.tobytes()
    assert once.tobytes() != hrixs.simulation.simulate_frames(2, sensor=sensor)[0].values.tobytes()
