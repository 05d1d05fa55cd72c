import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import hrixs
from hrixs.doubt_rules.doubt import Doubt, as_text
from hrixs.utils.errors import MissingDataError
from html_pages import ReadPage

N_IMAGES, N_BINS, NRJ, STEP = 30, 300, 530.0, 0.01
ENERGY = NRJ - 2.0 + STEP * np.arange(N_BINS)
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


def result(**attrs: object) -> xr.Dataset:
    """Spectra of 30 images: an elastic line of 60 meV FWHM at 530 eV, and a dd excitation."""
    rng = np.random.default_rng(3)
    ends = ENERGY[0] - STEP / 2, ENERGY[-1] + STEP / 2
    rows = []
    for _ in range(N_IMAGES):
        lines = [rng.normal(NRJ, 0.06 / 2.355, 100), rng.normal(NRJ - 1.5, 0.1, 60)]
        rows.append(np.histogram(np.concatenate(lines), N_BINS, ends)[0])
    told = {
        "units": "photons", "algorithm": "centroid_one", "hrixs_version": "0.2", "doubts": "[]",
        "energy_slope": STEP, "energy_intercept": ENERGY[0] - 10 * STEP,
        "curve_a": 0.02, "curve_b": 0.0,
        "x_range": np.array([0, 64]), "y_range": np.array([10, 310]), "use_dark": 0,
    }  # fmt: skip
    return xr.Dataset(
        {
            "spectrum": (("trainId", "energy"), np.array(rows), told),
            "nrj": ("trainId", np.full(N_IMAGES, NRJ), {"units": "eV"}),
            "I0": ("trainId", rng.uniform(90, 110, N_IMAGES)),
        },
        {
            "energy": ("energy", ENERGY, {"units": "eV", "long_name": "energy"}),
            "trainId": 1000 + np.arange(N_IMAGES),
            "run": ("trainId", np.full(N_IMAGES, "r0145")),
        },
        {"proposal": "3145", "camera": "MaranaX", "faults": "", "n_images": N_IMAGES} | attrs,
    )


def image() -> xr.DataArray:
    pixels = np.random.default_rng(1).normal(0, 1, (64, 320))
    return xr.DataArray(pixels, dims=("x", "y"), attrs={"units": "ADU"})


def page_of(folder: Path, data: xr.Dataset, **options: object) -> ReadPage:
    return ReadPage(hrixs.report(data, folder / "page.html", **options))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> ReadPage:
    """A page with all that can be on one."""
    mask = np.zeros((64, 320), bool)
    mask[5, 100] = True
    told = {"settings": '{"curve_a": 0.02, "bins": 500, "dbl_threshold": null}'}
    how = {"command": "hrixs process 145 -o r0145.nc", "made_by": "h = hRIXS(3145)"}
    folder = tmp_path_factory.mktemp("page")
    return page_of(folder, result(**told), image=image(), mask=mask, measured="on a Monday", **how)


def test_sections_stand_in_the_order_in_which_they_are_asked_for(page):
    assert page.headings == [
        "RIXS spectra of p003145, r0145", "Spectrum", "Image", "Over the run",
        "Faults, and what was left out", "Numbers", "Settings", "To make it again", "Versions",
        "In full",
    ]  # fmt: skip


def test_the_page_tells_what_was_measured_and_how(page):
    for text in ("3145", "on a Monday", "MaranaX", "by a threshold", "530.00 eV", "images 30"):
        assert text in page.text, text
    assert "No doubts: all checks of hrixs passed." in page.text


def test_the_width_of_the_elastic_line_stands_on_the_page_with_its_error(page):
    told = page.text.split("has a FWHM of ")[1]
    width, error = float(told.split()[0]), float(told.split()[2])
    assert told.split()[3] == "meV,"
    assert 0.2 < error < 2
    assert abs(width - 60) < 4 * error
    assert "elastic line within 0.15 eV of zero loss" in page.text


def test_photons_are_counted_on_the_page(page):
    n_photons = int(result().spectrum.sum())
    assert f"Sum of 30 images: {n_photons} photons" in page.text
    assert f"photons in the spectra {n_photons}" in page.text


def test_image_crop_and_mask_are_told(page):
    assert "The crop is X 0:64, Y 10:310" in page.text
    assert "1 pixel in it is masked" in page.text
    assert page.tags.count("figure") == 5  # spectrum, line, image, crop, over the run


def test_settings_that_differ_come_first_and_all_follow(page):
    changed, full = page.text.split("In full")
    changed = changed.split("not the default:")[1]
    assert "CURVE_A 0.02" in changed
    assert "BINS" not in changed
    assert "BINS 500" in full


def test_what_makes_it_again_is_on_the_page(page):
    assert "On the command line: hrixs process 145 -o r0145.nc" in page.text
    assert "In Python: h = hRIXS(3145)" in page.text


def test_tags_close_and_names_are_there_once(page):
    assert page.faults == []
    assert len(page.ids) == len(set(page.ids))
    assert page.source.startswith("<!DOCTYPE html>")


def test_nothing_outside_is_asked(page):
    assert page.outside == []
    assert not {"script", "link", "iframe", "object", "embed", "base", "form"} & set(page.tags)
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert f'content="{policy}"' in page.source
    assert "@import" not in page.source


def test_a_page_can_be_sent_by_mail(page):
    assert len(page.source) < 2e6


def refused_by_browser(folder: Path, source: str) -> list[str]:
    """What a browser says of things that a page asks for, which the page's own policy forbids."""
    file = folder / "page.html"
    file.write_text(source, "utf8")
    command = [str(CHROMIUM), "--headless=new", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += [f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr", file.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "<figure" in done.stdout
    return [line for line in done.stderr.splitlines() if "Content Security Policy" in line]


@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")
def test_a_browser_asks_nothing_of_others(tmp_path, page):
    assert refused_by_browser(tmp_path, page.source) == []
    planted = page.source.replace("<main>", '<main><img src="http://127.0.0.1:9/a.png">')
    assert len(refused_by_browser(tmp_path, planted)) == 1


def test_what_comes_from_files_is_escaped(tmp_path):
    evil = '<script>alert("x")</script>"><img src=http://a.b/c onerror=alert(1)>'
    doubt = Doubt("curve", f"Look at {evil} and `{evil}`.", {}, grave=True)
    told = {"settings": json.dumps({"threshold": evil, evil: evil}), evil: evil}
    data = result(proposal=evil, faults=evil, source=evil, **told)
    data["run"] = ("trainId", np.full(N_IMAGES, evil))
    data.spectrum.attrs |= {"doubts": as_text([doubt]), "algorithm": evil, "best": evil}
    page = page_of(tmp_path, data, command=evil, measured=evil, why_no_image=evil, title=evil)
    assert not {"script", "img"} & set(page.tags)
    assert page.outside == []
    assert page.faults == []
    assert 'alert("x")' in page.text  # as text


def test_grave_doubts_come_first_with_what_to_do(tmp_path):
    data = result()
    seen = [Doubt("bins", "Bins are wide."), Doubt("no_light", "There is no light.", grave=True)]
    data.spectrum.attrs["doubts"] = as_text(seen)
    page = page_of(tmp_path, data)
    assert "2 doubts, 1 of them grave: this result is hardly usable as it is." in page.text
    grave, other = (page.text.index(text) for text in ("grave : There is no", "Bins are wide."))
    assert grave < other
    assert "Raise BINS to about 3 times the number of rows in Y_RANGE" in page.text
    assert 'class="verdict grave"' in page.source


def test_what_nobody_has_looked_at_is_not_called_good(tmp_path):
    data = result()
    del data.spectrum.attrs["doubts"]
    page = page_of(tmp_path, data)
    assert "This result was not checked for doubts." in page.text
    assert 'class="verdict good"' not in page.source


def test_faults_and_what_was_left_out_are_told(tmp_path):
    told = {"faults": "a file is missing\nimages without a train", "n_skipped": 2}
    page = page_of(tmp_path, result(**told, skipped_trains=np.array([1003, 1004])))
    for text in ("a file is missing", "images skipped 2", "trains skipped 1003, 1004"):
        assert text in page.text, text


def test_without_an_image_the_page_says_what_to_give(tmp_path):
    page = page_of(tmp_path, result())
    assert "No image was given. h.report(result, path, run) draws the mean image" in page.text
    assert page.tags.count("figure") == 3


def test_without_a_photon_energy_the_tallest_line_is_not_called_elastic(tmp_path):
    page = page_of(tmp_path, result().drop_vars("nrj"))
    assert "The result has no photon energy (nrj)" in page.text
    assert "The tallest line has a FWHM of" in page.text
    assert "It is not known whether this line is the elastic one" in page.text


def test_rows_of_the_chip_are_no_energy(tmp_path):
    data = result()
    data = data.assign_coords(energy=("energy", np.arange(10.0, 310.0), {"units": "px"}))
    data.spectrum.attrs |= {"energy_intercept": 0.0, "energy_slope": 1.0}
    page = page_of(tmp_path, data, image=image())
    assert "The axis is in rows of the chip, since no energy is known." in page.text
    assert "The tallest line has a FWHM of 6" in page.text


def test_no_width_is_invented_where_there_is_no_line(tmp_path):
    data = result()
    flat = np.random.default_rng(2).poisson(1.0, data.spectrum.shape)
    data["spectrum"] = data.spectrum.copy(data=flat)
    page = page_of(tmp_path, data)
    assert "No width is given: no elastic line was found" in page.text
    assert "FWHM of" not in page.text
    assert "No drift is given: no line was found in the sum." in page.text


def test_the_errors_of_a_mean_are_not_made_up(tmp_path):
    page = page_of(tmp_path, result().mean("trainId", keep_attrs=True))
    assert "they cannot be known after the changes made to the result" in page.text
    assert "The errors of these numbers cannot be known." in page.text
    assert "±" not in page.text
    assert "Sum of" not in page.text


def test_one_image_is_one(tmp_path):
    page = page_of(tmp_path, result().isel(trainId=3))
    n_photons = int(result().spectrum[3].sum())
    assert f"Sum of 1 image: {n_photons} photons." in page.text


def test_a_photon_energy_that_was_added_up_makes_no_axis(tmp_path):
    page = page_of(tmp_path, result().sum("trainId", keep_attrs=True))
    assert "the photon energy, 15900 eV, is far outside the energy axis" in page.text
    assert "The tallest line has a FWHM of" in page.text


def test_integrated_intensity_is_told_in_its_unit_without_errors(tmp_path):
    data = result()
    intensity = 100.0 + 0.5 * data.spectrum.astype(float)
    data["spectrum"] = intensity.assign_attrs(data.spectrum.attrs | {"units": "ADU"})
    data.spectrum.attrs["algorithm"] = "integrate"
    page = page_of(tmp_path, data)
    assert "Mean of 30 images, in ADU: integrated intensity. Its errors are not known" in page.text
    assert "photons in the spectra" not in page.text
    assert "No drift is given: the spectra are not counts." in page.text


def test_groups_are_drawn_and_images_beside_them(tmp_path):
    data = result()
    data["delay"] = ("trainId", np.repeat([-1.0, 0.5, 2.0], 10), {"units": "ps"})
    groups = hrixs.aggregate(data, "delay")
    alone = page_of(tmp_path, groups)
    assert "Over delay" in alone.headings
    assert "The images were summed" in alone.text
    both = page_of(tmp_path, groups, trains=data)
    assert both.tags.count("figure") == alone.tags.count("figure") + 1
    assert "photons scatter" not in both.text  # groups differ by more than chance


def test_a_scan_has_its_map(tmp_path):
    data = result()
    data["nrj"] = ("trainId", NRJ + 0.1 * np.repeat(np.arange(5), 6), {"units": "eV"})
    page = page_of(tmp_path, hrixs.rixs_map(data, normalize="I0"))
    assert page.headings[0] == "RIXS map of p003145, r0145"
    assert "Over nrj" in page.headings
    assert "The spectrum of each step of nrj, divided by I0" in page.text
    assert "530.00 to 530.40 eV" in page.text


def test_an_empty_result_has_a_page(tmp_path):
    page = page_of(tmp_path, result().isel(trainId=slice(0)))
    assert "Sum of 0 images: 0 photons" in page.text
    assert "There are no images." in page.text


def test_a_result_is_read_from_its_file(tmp_path):
    hrixs.export(result(), tmp_path / "r0145.nc")
    page = ReadPage(hrixs.report(tmp_path / "r0145.nc", tmp_path / "r0145.html"))
    assert page.headings[0] == "RIXS spectra of p003145, r0145"
    with pytest.raises(MissingDataError, match="there is no file"):
        hrixs.report(tmp_path / "r0146.nc", tmp_path / "r0146.html")
    (tmp_path / "text.nc").write_text("is not netCDF")
    with pytest.raises(ValueError, match="cannot be read as netCDF"):
        hrixs.report(tmp_path / "text.nc", tmp_path / "r0146.html")


def test_wrong_names_and_results_are_told(tmp_path):
    with pytest.raises(ValueError, match=r"ends with \.html"):
        hrixs.report(result(), tmp_path / "r0145.pdf")
    with pytest.raises(MissingDataError, match="there is no folder"):
        hrixs.report(result(), tmp_path / "no" / "r0145.html")
    with pytest.raises(MissingDataError, match="no spectrum to report"):
        hrixs.report(result().drop_vars("spectrum"), tmp_path / "r0145.html")
    with pytest.raises(TypeError, match="expected a result"):
        hrixs.report(7, tmp_path / "r0145.html")
    with pytest.raises(ValueError, match="mask has shape"):
        hrixs.report(result(), tmp_path / "r0145.html", image=image(), mask=np.zeros((3, 3), bool))
    assert list(tmp_path.iterdir()) == []


def test_an_older_page_stays_where_a_new_one_fails(tmp_path):
    file = tmp_path / "page.html"
    file.write_text("older")
    with pytest.raises(ValueError, match="mask has shape"):
        hrixs.report(result(), file, image=image(), mask=np.zeros((3, 3), bool))
    assert file.read_text() == "older"
