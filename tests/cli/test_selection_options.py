"""The options that choose images, on runs and on stacks."""

import re

import numpy as np
import pytest
import xarray as xr

from hrixs.cli.main import main
from hrixs.simulation import Sensor, SpectralLine, simulate_frames, write_run

N, FIRST = 16, 1_600_000_000
# Light is dense in small frames.
pytestmark = pytest.mark.filterwarnings("ignore::hrixs.LostPhotonsWarning")


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    """Every fourth image is blank."""
    return simulate_frames(
        N,
        sensor=Sensor(shape=(256, 120)),
        lines=[SpectralLine(60, 12.0, 1.0)],
        photons_per_frame=np.where(np.arange(N) % 4, 30.0, 0.0),
        curvature=(0, 0),
        seed=3,
    )[0].values


@pytest.fixture(scope="module", params=["run", "stack"])
def source(request, frames, tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("source")
    if request.param == "run":
        return str(write_run(folder, frames))
    np.save(folder / "stack.npy", frames)
    return str(folder / "stack.npy")


def processed(source, tmp_path, *options) -> xr.Dataset:
    out = tmp_path / "out.nc"
    words = ["process", source, "-o", str(out), "--threshold", "6 sigma", "--no-progress"]
    assert main([*words, *options]) == 0
    with xr.open_dataset(out, engine="h5netcdf") as ds:
        return ds.load()


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        (["--drop-first"], range(1, N)),
        (["--drop-first", "3"], range(3, N)),
        (["--index", "0,2-4,9"], [0, 2, 3, 4, 9]),
        (["--select", "auto"], [k for k in range(N) if k % 4]),
        (["--select", "n_photons < 10", "--drop-first"], [4, 8, 12]),
    ],
)
@pytest.mark.one_in(3)
def test_which_images_are_used(source, tmp_path, options, kept, capsys):
    everything = processed(source, tmp_path)
    found = processed(source, tmp_path, *options)
    np.testing.assert_array_equal(found.spectrum, everything.spectrum[list(kept)])
    if "--select" in options:
        said = capsys.readouterr()
        assert re.search("images left out; kept: .*n_photons", said.out)
        assert "images are left out" in said.err
        assert found.attrs["left_out"].split("; ")[-1]


def test_trains_of_a_run(frames, tmp_path):
    run = str(write_run(tmp_path, frames))
    found = processed(run, tmp_path, "--trains", f"{FIRST + 3},{FIRST + 9}-{FIRST + 10}")
    np.testing.assert_array_equal(found.trainId, FIRST + np.array([3, 9, 10]))


def test_blanks_stay_out_of_sums(frames, tmp_path):
    run = str(write_run(tmp_path, frames))
    single = processed(run, tmp_path)
    total = processed(run, tmp_path, "--select", "auto", "--aggregate", "trainId")
    np.testing.assert_array_equal(total.spectrum, single.spectrum[np.arange(N) % 4 > 0])


def test_what_is_no_choice(source, tmp_path, capsys):
    out = str(tmp_path / "out.nc")
    assert main(["process", source, "-o", out, "--select", "n_photns > 5", "--no-progress"]) == 1
    assert "Did you mean 'n_photons'" in capsys.readouterr().err
    for options in (["--trains", "a-b"], ["--drop-first", "-3"], ["--index", "3-1"]):
        with pytest.raises(SystemExit):
            main(["process", source, "-o", out, *options])


def test_i0_of_a_run(frames, tmp_path):
    energies = np.arange(1.0, 2 * N + 1)
    run = str(
        write_run(
            tmp_path, frames, slow={"SCS_photonFlux": energies},
            trains_without_image=np.arange(0, 2 * N, 2),
        )
    )  # fmt: skip
    options = ["--i0", "2 * SCS_photonFlux", "--i0-shift", "-1", "--normalize", "I0"]
    found = processed(run, tmp_path, *options, "--i0-trains", "1")
    np.testing.assert_array_equal(found.I0, 2 * energies[::2])
    np.testing.assert_allclose(found.normalized * found.I0, found.spectrum)
