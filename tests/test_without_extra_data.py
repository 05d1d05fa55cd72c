"""Where extra-data can't be imported, as on Windows, all works but runs."""

import os
import subprocess
import sys

import numpy as np
import pytest

from hrixs.simulation import Sensor, SpectralLine, simulate_frames

BEGIN = "import sys; sys.modules['resource'] = None  # so it is on Windows\n"
IMAGES = """
import numpy as np, xarray as xr
from hrixs import hRIXS
h = hRIXS()
h.set_params(bins=60)
frames = np.load(sys.argv[1])
data = h.centroid(xr.Dataset({"MaranaX": (("trainId", "x", "y"), frames)}))
h.estimate_cloud(data, n_images=4)
print(int(h.aggregate(data).spectrum.sum()))
"""
COMMAND = "from hrixs.cli.main import main; sys.exit(main(sys.argv[1:]))"


def run(script: str, *words: object) -> subprocess.CompletedProcess[str]:
    # Its few columns are crowded, and its pixels end at 0, which is told.
    lost = "import warnings, hrixs; "
    lost += "warnings.filterwarnings('ignore', category=hrixs.DoubtWarning)\n"
    lost += "warnings.filterwarnings('ignore', category=hrixs.LostPhotonsWarning)\n"
    command = [sys.executable, "-W", "error", "-c", BEGIN + lost + script, *map(str, words)]
    environment = os.environ | {"MPLBACKEND": "Agg"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    sensor = Sensor(shape=(128, 64), hot_fraction=0.0, pedestal=0.0)
    lines = [SpectralLine(30, 6.0, 1.0)]
    frames, _ = simulate_frames(8, sensor=sensor, lines=lines, photons_per_frame=40, seed=1)
    path = tmp_path_factory.mktemp("images") / "images.npy"
    np.save(path, frames.values)
    return path


def test_datasets_of_images(images):
    done = run(IMAGES, images)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 200


def test_the_command_on_an_image_file(images, tmp_path):
    done = run(COMMAND, "process", images, "-o", tmp_path / "out.nc")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.nc").exists()


@pytest.mark.parametrize(
    "words", [("process", "{folder}", "-o", "{new}.nc"), ("demo", "--out", "{new}")]
)
def test_runs_are_an_error_that_helps(words, tmp_path):
    places = {"folder": tmp_path, "new": tmp_path / "new"}
    done = run(COMMAND, *(word.format(**places) for word in words))
    assert done.returncode == 1
    assert "read through extra-data, which can't be imported" in done.stderr
    assert "Windows Subsystem for Linux" in done.stderr
    assert "Traceback" not in done.stderr
