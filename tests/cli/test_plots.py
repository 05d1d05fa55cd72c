"""The picture of ``--plot``, read from its axes: what was written is what is drawn."""

import warnings

import numpy as np
import pytest
import xarray as xr

from hrixs import HrixsWarning
from hrixs.cli import plots
from hrixs.cli.main import main
from oracles.adress_file import write_adress


@pytest.fixture
def drawn(monkeypatch):
    """Figures that were made, the last one last."""
    figures = []
    make = plots.new_figure

    def kept(*args):
        figure, axes = make(*args)
        figures.append((figure, axes))
        return figure, axes

    monkeypatch.setattr(plots, "new_figure", kept)
    return figures


@pytest.fixture
def command(data_root, tmp_path):
    def run(*words, runs=("145",)):
        out = tmp_path / "out.nc"
        call = ["process", *runs, "--proposal", "3145", "--y-range", "700:900", "-o", str(out)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", HrixsWarning)
            code = main([*call, "--plot", str(tmp_path / "out.png"), *words])
        assert code == 0
        with xr.open_dataset(out, engine="h5netcdf") as ds:
            return ds.load()

    return run


def steps(ax) -> list[np.ndarray]:
    return [patch.get_data().values for patch in ax.patches if not patch.get_fill()]


def legend(ax) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_title_spectrum_and_trains_of_a_run(command, drawn):
    result = command("--curve-a", "0.03")
    figure, axes = drawn[-1]
    n = result.sizes["trainId"]
    assert figure.get_suptitle() == f"p003145, r0145, {n} images, method auto"
    np.testing.assert_array_equal(steps(axes["spectrum"])[0], result.spectrum.sum("trainId"))
    assert axes["spectrum"].get_ylabel() == "photons"
    assert axes["spectrum"].get_title() == "spectrum"  # of what is said once
    assert axes["trains"].get_title() == "photons per train"
    assert axes["image"].get_title() == "mean image"
    x, y = axes["image"].lines[0].get_data()
    np.testing.assert_allclose(np.diff(y), 0.03 * np.diff(x), atol=1e-9)


def test_intensity_is_in_its_unit(command, drawn):
    result = command("--method", "integrate")
    _, axes = drawn[-1]
    np.testing.assert_allclose(steps(axes["spectrum"])[0], result.spectrum.mean("trainId"))
    assert axes["spectrum"].get_ylabel() == "mean intensity per pixel (ADU)"
    assert axes["trains"].get_ylabel() == "mean intensity per pixel (ADU)"


def test_what_is_grouped_and_normalized_is_drawn_so(command, drawn):
    result = command("--aggregate", "hRIXS_delay", "--normalize", "hRIXS_norm")
    _, axes = drawn[-1]
    np.testing.assert_allclose(steps(axes["spectrum"]), result.normalized)
    assert axes["spectrum"].get_ylabel() == "photons per hRIXS_norm"
    first = f"hRIXS_delay = {float(result.hRIXS_delay[0]):.6g}"
    assert legend(axes["spectrum"])[0].startswith(first)


def test_of_many_groups_a_map_is_drawn(command, drawn, monkeypatch):
    monkeypatch.setattr(plots, "MOST_GROUPS", 1)
    result = command("--aggregate", "hRIXS_delay")
    ax = drawn[-1][1]["spectrum"]
    np.testing.assert_array_equal(ax.collections[0].get_array(), result.spectrum)
    assert ax.get_title() == "spectra of groups"


def test_several_runs_together_have_a_line_each(command, drawn):
    result = command("--together", runs=("145", "155"))
    figure, axes = drawn[-1]
    assert figure.get_suptitle().startswith("p003145, r0145, r0155, ")
    for run, values in zip(("r0145", "r0155"), steps(axes["spectrum"]), strict=True):
        own = result.spectrum[result.run.values == run].sum("trainId")
        np.testing.assert_array_equal(values, own)
    assert [text.split(",")[0] for text in legend(axes["trains"])] == ["r0145", "r0155"]


def test_images_of_a_file_go_by_its_name(tmp_path, drawn, simulated):
    frames = np.random.default_rng(1).normal(100, 2, (3, 64, 64)).astype(np.float32)
    np.save(tmp_path / "scan.npy", frames)
    words = ["process", str(tmp_path / "scan.npy"), "-o", str(tmp_path / "o.nc")]
    words += ["--stack-axis", "0", "--threshold", "500", "--plot", str(tmp_path / "o.png")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HrixsWarning)
        assert main(words) == 0
    figure, axes = drawn[-1]
    assert figure.get_suptitle() == "scan.npy, 3 images, method auto"
    assert axes["image"].get_images()[0].get_array().mean() == pytest.approx(100, abs=0.5)


def test_grave_doubts_stand_in_the_picture(tmp_path, drawn):
    frames = np.random.default_rng(1).normal(100, 2, (3, 64, 64)).astype(np.float32)
    np.save(tmp_path / "dark.npy", frames)
    words = ["process", str(tmp_path / "dark.npy"), "-o", str(tmp_path / "o.nc")]
    words += ["--stack-axis", "0", "--threshold", "420", "--plot", str(tmp_path / "o.png")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HrixsWarning)
        assert main(words) == 0
    assert drawn[-1][0].get_supxlabel().startswith("! no_photons: ")


def test_event_lists_are_drawn_as_photons(tmp_path, drawn):
    path = write_adress(tmp_path / "Co_0001_d2.h5")
    words = ["process", str(path), "-o", str(tmp_path / "o.nc"), "--plot", str(tmp_path / "o.png")]
    assert main(words) == 0
    figure, axes = drawn[-1]
    assert figure.get_suptitle() == "Co_0001_d2.h5, 5 images, photons of a list"
    assert axes["image"].get_title() == "photons and the curvature"
    assert (tmp_path / "o.png").stat().st_size > 10_000
