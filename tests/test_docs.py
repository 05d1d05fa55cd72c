"""The pages of the documentation: complete, and their examples run. `nox -s docs` builds them."""

import json
import re
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import h5py
import numpy as np
import pytest
import tifffile

import hrixs
from hrixs.cli.main import main
from hrixs.simulation import Sensor, SpectralLine, simulate_frames
from oracles.adress_file import write_adress

DOCS = Path(__file__).parents[1] / "docs"
# Told of in how-to pages: a version, and a table that users change.
NOT_IN_THE_REFERENCE = {"__version__", "mnemonics"}


def test_every_public_name_is_in_the_reference():
    pages = "".join(page.read_text(encoding="utf8") for page in (DOCS / "api").glob("*.md"))
    told = set(re.findall(r"^::: hrixs\.(\w+)$|^ +- (\w+)$|^## (\w+)$", pages, re.MULTILINE))
    assert set(hrixs.__all__) - NOT_IN_THE_REFERENCE <= {"".join(names) for names in told}


PAGES = [*sorted(DOCS.rglob("*.md")), *sorted(DOCS.parent.glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_to_files_point_to_files(page):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf8"))
    made = "validation.md"  # by python -m validation
    assert [link for link in links if link != made and not (page.parent / link).exists()] == []


def test_every_page_is_in_the_navigation_and_reached_from_the_readme():
    pages = {page.name for page in [*DOCS.glob("*.md"), *DOCS.glob("*.ipynb")]}
    navigation = (DOCS.parent / "mkdocs.yml").read_text(encoding="utf8")
    assert pages <= set(re.findall(r": ([\w-]+\.\w+)$", navigation, re.MULTILINE))
    readme = (DOCS.parent / "README.md").read_text(encoding="utf8")
    # The first is the README, the others the files beside it.
    pages -= {"index.md", "changelog.md", "how-it-is-built.md"}
    assert pages <= set(re.findall(r"\]\(docs/([\w-]+\.\w+)", readme))


def test_the_readme_is_short():
    assert len((DOCS.parent / "README.md").read_text(encoding="utf8").splitlines()) < 150


def test_options_on_the_page_of_the_command_line_are_there(capsys):
    with pytest.raises(SystemExit):
        main(["process", "--help"])
    there = set(re.findall(r"--[a-z0-9-]+", capsys.readouterr().out))
    page = (DOCS / "command-line.md").read_text(encoding="utf8")
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", page)) - {"--help"} <= there


@pytest.mark.parametrize("script", ["settings_page", "doubts_page", "files_page"])
def test_pages_of_tables_are_made_from_them(script):
    loader = SourceFileLoader(script, str(DOCS.parent / "scripts" / script))
    module = ModuleType(loader.name)
    module.__file__ = loader.path
    loader.exec_module(module)
    written = module.PAGE.read_text(encoding="utf8")
    assert written == module.page(), f"run scripts/{script}"


def test_the_tutorial_is_kept_without_outputs():
    notebook = json.loads((DOCS / "tutorial.ipynb").read_text(encoding="utf8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert code
    assert not any(cell["outputs"] or cell["execution_count"] for cell in code)


def test_the_examples_for_other_beamlines_run(tmp_path, monkeypatch):
    """The page's code from its first to its last block, on frames of a small camera."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(hrixs.mnemonics, "mycam", hrixs.mnemonics["MaranaX"])
    monkeypatch.setitem(hrixs.hRIXS.DETECTOR_FIELDS, "mycam", ["mycam"])
    sensor = Sensor(shape=(512, 300))
    lines = [SpectralLine(200, 1.3, 1.0), SpectralLine(150, 15, 0.6)]
    darks, _ = simulate_frames(8, sensor=sensor, photons_per_frame=0, seed=4)
    frames, truth = simulate_frames(
        12, sensor=sensor, lines=lines, photons_per_frame=60, energy=930.0, seed=3
    )
    tifffile.imwrite("scan.tif", frames.values)
    np.save("scan.npy", frames.values)
    np.save("dark.npy", darks.values)
    with h5py.File("scan.h5", "w") as file:
        file["entry/data/images"] = frames.values
    columns = np.c_[truth["x"] + 0.5, truth["y"] + 0.5, truth["frame"]]
    inside = (columns[:, :2] > 0).all(axis=1) & (columns[:, :2] < (512, 300)).all(axis=1)
    np.savetxt("events.csv", columns[inside], delimiter=",", header="x,y,frame", comments="")
    write_adress("Co_0616_d2.h5")

    text = (DOCS / "other-beamlines.md").read_text(encoding="utf8")
    turned, *blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names = {
        "frames": frames.values.swapaxes(-1, -2),
        "images": frames.rename(x="rows", y="cols"),
        "darks": darks.values,
    }
    exec(turned, names)
    assert names["frames"].dims == ("frame", "x", "y")
    for block in blocks:
        exec(block, names)

    assert names["frames"].shape == (12, 512, 300)
    # Some are lost at the border, or meet by threes.
    assert float(names["total"].sum()) == pytest.approx(truth.sizes["photon"], rel=0.05)
    assert float(names["data"].spectrum.sum()) == pytest.approx(truth.sizes["photon"], rel=0.05)
    assert names["h"].FIELDS == ["mycam"]
    assert names["events_curve"].fwhm == pytest.approx(2.355 * 1.3, rel=0.3)
    with h5py.File("Co_0616_d2.h5") as file:
        np.testing.assert_array_equal(names["adress"].sum("frame"), file["entry/analysis/spectrum"])
