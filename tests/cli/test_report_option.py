import argparse
import re
from pathlib import Path

import numpy as np
import pytest

from conftest import CURVATURE
from hrixs import hRIXS
from hrixs.cli import report_option
from hrixs.cli.main import main
from html_pages import ReadPage
from oracles.adress_file import N_EXPOSURES, write_adress

pytestmark = [
    # Doubts and losses of the small runs are told elsewhere.
    pytest.mark.filterwarnings("ignore::hrixs.HrixsWarning"),
    pytest.mark.usefixtures("empty_pictures"),  # they are tested in tests/reports
]

OPTIONS = ["--y-range", "700:900", "--curve-a", str(CURVATURE[0]), "--curve-b", str(CURVATURE[1])]
OPTIONS += ["--energy-slope", "0.018387", "--energy-intercept", "498.27", "--no-progress"]


def process(*words: object) -> int:
    return main(["process", *map(str, words), *OPTIONS])


def test_the_page_is_named_as_the_output_and_has_the_command(simulated, tmp_path, capsys):
    out = tmp_path / "one run.nc"
    assert process(simulated.folder, "-o", out, "--report") == 0
    page = ReadPage(tmp_path / "one run.html")
    assert f"wrote {tmp_path / 'one run.html'}" in capsys.readouterr().out
    assert f"hrixs process {simulated.folder} -o '{out}' --report --y-range 700:900" in page.text
    assert "The mean of all images of the run" in page.text
    assert "Y_RANGE 700:900" in page.text


def test_several_runs_have_a_page_each(data_root, tmp_path):
    words = ["145", "155", "--proposal", "3145", "-o", tmp_path, "--report"]
    assert process(*words, tmp_path / "{run}.html") == 0
    titles = [ReadPage(tmp_path / f"{run}.html").headings[0] for run in ("r0145", "r0155")]
    assert titles == [f"RIXS spectra of p003145, {run}" for run in ("r0145", "r0155")]


def test_runs_together_have_one_page(data_root, tmp_path):
    words = ["145", "155", "--proposal", "3145", "--together", "-o", tmp_path / "scan.nc"]
    assert process(*words, "--report") == 0
    page = ReadPage(tmp_path / "scan.html")
    assert page.headings[0] == "RIXS spectra of p003145, r0145, r0155"
    assert "The mean of all images of r0145, the first of 2 runs, no dark subtracted" in page.text
    assert "h.report(result, path, run) draws that of another one." in page.text


def test_groups_have_their_images_on_the_page(simulated, tmp_path):
    words = [simulated.folder, "-o", tmp_path / "a.nc", "--report", tmp_path / "b.html"]
    assert process(*words, "--aggregate", "hRIXS_delay", "--normalize", "hRIXS_norm") == 0
    page = ReadPage(tmp_path / "b.html")
    assert "Over hRIXS_delay" in page.headings
    assert "The images were summed" not in page.text


def test_image_files_have_a_page(tmp_path):
    images = np.random.default_rng(1).normal(100, 2, (4, 64, 256)).round().astype(np.uint16)
    np.save(tmp_path / "stack.npy", images)
    command = ["process", str(tmp_path / "stack.npy"), "-o", str(tmp_path / "stack.nc"), "--report"]
    assert main([*command, "--method", "integrate", "--stack-axis", "0"]) == 0
    page = ReadPage(tmp_path / "stack.html")
    assert "The mean of all images of the run, no dark subtracted." in page.text
    assert "integrated intensity" in page.text


def test_an_event_list_has_a_page_without_an_image(tmp_path):
    path = write_adress(tmp_path / "Co_0001_d2.h5")
    assert main(["process", str(path), "-o", str(tmp_path / "Co.nc"), "--report"]) == 0
    page = ReadPage(tmp_path / "Co.html")
    assert page.headings[0] == "RIXS spectra of Co_0001_d2.h5"
    assert "photons from a list" in page.text
    assert "An event list has no images" in page.text
    assert f"images {N_EXPOSURES}" in page.text


def test_a_missing_page_of_what_is_finished_is_written_from_it(
    simulated, tmp_path, capsys, monkeypatch
):
    out, page, plot = (tmp_path / name for name in ("a.nc", "a.html", "a.png"))
    words = [simulated.folder, "-o", out, "--resume", "--report", "--plot", plot]
    process(*words)
    first, before = ReadPage(page), out.stat().st_mtime_ns
    assert "finished already" not in capsys.readouterr().out
    monkeypatch.setattr(hRIXS, "process_run", None)  # not again
    process(*words)
    assert "finished already" in capsys.readouterr().out
    page.unlink()
    plot.unlink()
    assert process(*words) == 0
    assert plot.is_file()
    assert f"wrote {page}" in capsys.readouterr().out
    # The minute in which a page is made may be another one.
    texts = [re.sub(r"hrixs \S+ on [^.]+", "", one.text) for one in (ReadPage(page), first)]
    assert texts[0] == texts[1]
    assert out.stat().st_mtime_ns == before


def test_an_older_page_is_of_another_result(simulated, tmp_path, capsys):
    words = [simulated.folder, "-o", tmp_path / "a.nc"]
    process(*words, "--report")
    process(*words, "--bins", 333)
    process(*words, "--bins", 333, "--resume", "--report")
    assert "BINS 333" in ReadPage(tmp_path / "a.html").text


def test_the_page_of_sums_needs_their_images_again(simulated, tmp_path, capsys):
    words = [simulated.folder, "-o", tmp_path / "a.nc", "--aggregate", "hRIXS_delay", "--resume"]
    process(*words)
    assert process(*words, "--report") == 0
    assert "finished already" not in capsys.readouterr().out
    assert "The images were summed" not in ReadPage(tmp_path / "a.html").text


def test_the_page_of_runs_together_is_written_from_their_file(data_root, tmp_path, monkeypatch):
    words = ["145", "155", "--proposal", "3145", "--together", "-o", tmp_path / "scan.nc"]
    process(*words)
    monkeypatch.setattr(hRIXS, "process_runs", None)
    assert process(*words, "--resume", "--report", "--plot", tmp_path / "scan.png") == 0
    assert (tmp_path / "scan.png").is_file()
    assert ReadPage(tmp_path / "scan.html").headings[0] == "RIXS spectra of p003145, r0145, r0155"


@pytest.mark.parametrize(
    ("name", "said"),
    [("page.pdf", "expected a name that ends with .html"), ("no/page.html", "there is no folder")],
)
def test_a_wrong_name_is_told_before_any_work(simulated, tmp_path, capsys, name, said):
    assert process(simulated.folder, "-o", tmp_path / "a.nc", "--report", tmp_path / name) == 1
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_password_in_an_address_is_not_written():
    words = ["process", "x", "--dark", "https://me:secret@host/dark.tif"]
    asked = report_option.asked(argparse.Namespace(report="", words=words))
    assert asked is not None
    assert asked.command == "hrixs process x --dark https://...@host/dark.tif"


def test_no_page_is_written_unasked(simulated, tmp_path):
    process(simulated.folder, "-o", tmp_path / "a.nc")
    assert [file.suffix for file in Path(tmp_path).iterdir()] == [".nc"]
