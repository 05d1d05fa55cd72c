"""Names of data at SCS, and sources with their keys in their place: loaded from runs, and used."""

import json
import sys
import types

import numpy as np
import pytest
import xarray as xr
from extra_data import RunDirectory

from hrixs import MissingDataError, hRIXS, mnemonics
from hrixs.cli.main import main
from hrixs.runs.mnemonic_table import NO_PULSE, UNITS, field_name
from hrixs.settings.table import DETECTOR_FIELDS
from oracles.made_runs import FRAMES, KEY, PROPOSAL, RUN, SOURCE, raw_run

pytestmark = pytest.mark.filterwarnings("ignore:.*is left out. the run has no:hrixs.HrixsWarning")
DELAY = ("SCS_ILH_LAS/MDL/OPTICALDELAY_PP800", "actualPosition.value")
DELAY_NAME = "SCS_ILH_LAS_MDL_OPTICALDELAY_PP800_actualPosition_value"
PULSES = np.where(np.arange(1000) < 5, np.arange(8)[:, None] + 900.0, 1.0).astype("f4")
SLOW = {
    "XTD10_SA3": PULSES,
    "SCS_SA3": PULSES / 2,
    "SCS_photonFlux": np.linspace(800, 900, 8),
    "transmission": np.full(8, 55.0),
    "PP800_delay": np.repeat([0.0, 0.5], 4),
    "hRIXS_exposure": np.full(8, 100.0),
}


@pytest.fixture
def run(tmp_path):
    return raw_run(tmp_path, slow=SLOW)


@pytest.fixture(autouse=True)
def _tables_as_they_were():
    tables = (mnemonics, DETECTOR_FIELDS)
    before = [dict(table) for table in tables]
    yield
    for table, entries in zip(tables, before, strict=True):
        table.clear()
        table.update(entries)


def test_all_names_of_scs_are_loaded_from_a_run(run):
    data = hRIXS().from_run(run, extra_fields=list(SLOW))
    for name, values in SLOW.items():
        entry = mnemonics[name]
        right = RunDirectory(run)[entry["source"], entry["key"]].ndarray()
        np.testing.assert_array_equal(data[name], right)
        np.testing.assert_array_equal(data[name], values)
        assert data[name].dims == ("trainId", *entry["dim"])
        assert data[name].attrs["units"] == UNITS[name]
    assert data.sizes["XGMbunchId"] == 1000
    assert UNITS["hRIXS_exposure"] == "ms"
    assert UNITS["transmission"] == "%"


def test_pulses_that_there_are_not_are_told_by_their_value(run, tmp_path):
    fields = ["XTD10_SA3", "SCS_SA3"]
    result = hRIXS().process_run(run, extra_fields=fields, method="integrate", progress=False)
    for name in fields:
        assert result[name].attrs["no_pulse"] == NO_PULSE[name] == 1.0
    energy = result.XTD10_SA3.where(result.XTD10_SA3 != 1).sum("XGMbunchId")
    np.testing.assert_allclose(energy, 5 * (np.arange(8) + 900))
    result.to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "a.nc", engine="h5netcdf") as read:
        np.testing.assert_array_equal(read.XTD10_SA3, PULSES)


def test_the_hrixs_jungfrau_with_several_cells_a_train(tmp_path):
    cells = np.stack([FRAMES, FRAMES + 1, FRAMES + 2], axis=1)
    assert mnemonics["hRIXS_JUNGF"]["dim"] == ["cell", "x", "y"]
    run = raw_run(tmp_path, frames=cells, camera="hRIXS_JUNGF", slow={"nrj": np.full(8, 530.0)})
    h = hRIXS(detector="hRIXS_JUNGF")
    data = h.from_run(run)
    assert data["hRIXS_JUNGF"].dims == ("trainId", "cell", "x", "y")
    np.testing.assert_array_equal(data["hRIXS_JUNGF"], cells)
    result = h.process_run(run, method="integrate", progress=False)
    assert result.spectrum.dims == ("trainId", "cell", "energy")
    np.testing.assert_array_equal(result.spectrum, h.integrate(data).spectrum)
    np.testing.assert_allclose(
        result.spectrum.isel(cell=2) - result.spectrum.isel(cell=0), 2, atol=1e-9
    )
    lazy = h.from_run(run, lazy=True)
    np.testing.assert_array_equal(lazy["hRIXS_JUNGF"].compute(), cells)
    h.load_dark(run)
    np.testing.assert_allclose(h.dark_image, cells.mean(axis=(0, 1)), atol=4)
    h.STD_THRESHOLD = 50
    assert h.process_run(run, progress=False).n_photons.dims == ("trainId", "cell")


def test_every_camera_of_the_table_has_its_fields():
    for name in ("hRIXS_det", "MaranaX", "hRIXS_JUNGF", "MTE3"):
        assert hRIXS(detector=name).FIELDS[0] == name
        assert mnemonics[name]["dim"][-2:] == ["x", "y"]


class TestSourceWithKey:
    @pytest.mark.parametrize("pair", [DELAY, ",".join(DELAY), ", ".join(DELAY)])
    def test_in_place_of_a_mnemonic(self, run, pair):
        h = hRIXS()
        for fields in (pair, [pair], ("nrj", pair)[1:]):
            data = h.from_run(run, extra_fields=fields)
            np.testing.assert_array_equal(data[DELAY_NAME], SLOW["PP800_delay"])
            assert (data[DELAY_NAME].attrs["source"], data[DELAY_NAME].attrs["key"]) == DELAY
        h.FIELDS.append(pair)
        result = h.process_run(run, method="integrate", progress=False)
        assert DELAY_NAME in result
        for named in (pair, DELAY_NAME):
            groups = h.aggregate(result, named)
            np.testing.assert_array_equal(groups[DELAY_NAME], [0, 0.5])

    def test_pulses(self, run):
        pair = ("SA3_XTD10_XGM/XGM/DOOCS:output", "data.intensitySa3TD")
        data = hRIXS().from_run(run, extra_fields=pair)
        np.testing.assert_array_equal(data[field_name(pair)], PULSES)

    def test_to_divide_by(self, run):
        h = hRIXS()
        pair = ("SCS_BLU_XGM/XGM/DOOCS", "pulseEnergy.photonFlux.value")
        data = h.integrate(h.from_run(run, extra_fields=pair))
        h.normalize(data, pair)
        right = data.spectrum / SLOW["SCS_photonFlux"][:, None]
        np.testing.assert_allclose(data.normalized, right)

    def test_one_that_the_run_lacks(self, run):
        with pytest.raises(MissingDataError, match=r"the run has no A/B/C / d.value"):
            hRIXS().from_run(run, extra_fields=("A/B/C", "d.value"))

    @pytest.mark.parametrize("pair", [(SOURCE, KEY), f"{SOURCE},{KEY}"])
    def test_as_the_camera(self, run, pair):
        h = hRIXS(detector=pair)
        assert (
            h.DETECTOR
            == field_name(pair)
            == "SCS_HRIXS_CAM_CAM_MARANAX_daqOutput_data_image_pixels"
        )
        data = h.from_run(run)
        assert data[h.DETECTOR].dims == ("trainId", "x", "y")
        np.testing.assert_array_equal(data[h.DETECTOR], FRAMES)
        result = h.process_run(run, method="integrate", progress=False)
        np.testing.assert_array_equal(result.spectrum, h.integrate(data).spectrum)

    def test_as_a_camera_of_several_cells(self, tmp_path):
        cells = np.stack([FRAMES, FRAMES], axis=1)
        run = raw_run(tmp_path, frames=cells, camera="hRIXS_JUNGF")
        entry = mnemonics["hRIXS_JUNGF"]
        h = hRIXS(detector=(entry["source"], entry["key"]))
        assert h.from_run(run)[h.DETECTOR].dims == ("trainId", "image_0", "x", "y")

    def test_on_the_command_line(self, run, tmp_path, capsys):
        out = str(tmp_path / "a.nc")
        words = ["process", str(run), "-o", out, "--no-progress", "--method", "integrate"]
        words += ["--field", ",".join(DELAY), "--detector", f"{SOURCE},{KEY}"]
        assert main([*words, "--aggregate", ",".join(DELAY)]) == 0, capsys.readouterr().err
        with xr.open_dataset(out, engine="h5netcdf") as result:
            np.testing.assert_array_equal(result[DELAY_NAME], [0, 0.5])
        with pytest.raises(SystemExit):
            main(["process", str(run), "-o", out, "--detector", "Marana"])
        assert "Did you mean 'MaranaX'" in capsys.readouterr().err


def test_data_and_trust_on_the_command_line(run, tmp_path, monkeypatch, capsys):
    from oracles.made_runs import OFFSET, processed

    monkeypatch.setenv("EXTRA_DATA_DATA_ROOT", str(tmp_path))
    processed(run)
    words = ["process", str(RUN), "--proposal", str(PROPOSAL), "--no-progress"]
    words += ["--method", "integrate", "--trust", "index"]
    means = {}
    for data in ("raw", "proc", "all"):
        out = str(tmp_path / f"{data}.nc")
        assert main([*words, "--data", data, "-o", out]) == 0, capsys.readouterr().err
        with xr.open_dataset(out, engine="h5netcdf") as result:
            means[data] = float(result.spectrum.mean())
            settings = json.loads(result.attrs["settings"])
            assert (settings["data"], settings["trust"]) == (data, "index")
    assert means["raw"] - means["proc"] == pytest.approx(OFFSET)
    assert means["all"] == means["proc"]


class TestAnUnknownName:
    def test_the_way_out_is_named(self, run):
        with pytest.raises(
            MissingDataError, match=r"Did you mean 'transmission'.*\('SOURCE', 'KEY'"
        ):
            hRIXS().from_run(run, extra_fields=["transmision"])

    @pytest.mark.parametrize("by", ["open run", "folder"])
    def test_names_of_the_alias_file(self, run, by):
        names = run.parents[1] / "usr" / "extra-data-aliases.yml"
        names.parent.mkdir()
        names.write_text(f'pump-delay: ["{DELAY[0]}", "{DELAY[1]}"]\n')
        given = RunDirectory(run).with_aliases(names) if by == "open run" else run
        with pytest.raises(MissingDataError, match=r"alias file knows: 'pump-delay' is \('SCS_ILH"):
            hRIXS().from_run(given, extra_fields=["pump_delay"])

    def test_names_of_other_packages(self, run, monkeypatch):
        toolbox = types.ModuleType("toolbox_scs")
        toolbox.mnemonics = {"PP800_T0": ({"source": "A/B/C", "key": "d.value", "dim": []},)}
        extra, components = types.ModuleType("extra"), types.ModuleType("extra.components")
        components.OpticalLaserDelay = type("OpticalLaserDelay", (), {})
        for module in (toolbox, extra, components):
            monkeypatch.setitem(sys.modules, module.__name__, module)
        with pytest.raises(MissingDataError) as caught:
            hRIXS().from_run(run, extra_fields=["PP800_T1"])
        assert "toolbox_scs knows: 'PP800_T0' is ('A/B/C', 'd.value')" in str(caught.value)
        assert "EXtra has the components OpticalLaserDelay" in str(caught.value)


@pytest.mark.parametrize("dim", [{"dim": None}, {}])
def test_dimensions_may_be_left_out(run, monkeypatch, dim):
    entry = {name: mnemonics["hRIXS_exposure"][name] for name in ("source", "key")}
    monkeypatch.setitem(mnemonics, "hRIXS_exposure", entry | dim)
    data = hRIXS(PROPOSAL).from_run(run, extra_fields=["hRIXS_exposure"])
    assert data.hRIXS_exposure.dims == ("trainId",)


@pytest.mark.parametrize(
    "entry", [5, None, {}, {"source": "A/B/C"}, {"source": 3, "key": "k.value"},
              {"source": "A/B/C", "key": "k.value", "dim": 3},
              {"source": "A/B/C", "key": "k.value", "dim": [1]}]
)  # fmt: skip
def test_entries_that_are_none(run, monkeypatch, entry):
    monkeypatch.setitem(mnemonics, "mine", entry)
    with pytest.raises(TypeError, match=r"mnemonics\['mine'\] is .*, expected an entry such as"):
        hRIXS(PROPOSAL).from_run(run, extra_fields=["mine"])
