"""Variables of one's own in sums: kept as asked for, else told with what to type."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import xarray as xr

import hrixs
from conftest import DARK, RUN
from hrixs import HrixsWarning, aggregate, energy_loss, hRIXS, rixs_map
from hrixs.cli.main import main

TIME = np.datetime64("2024-05-01T12:00:00", "ns") + np.arange(6) * np.timedelta64(10, "s")


def data(**more) -> xr.Dataset:
    counts = xr.DataArray(np.ones((6, 4), int), dims=("trainId", "energy"))
    known = {"spectrum": counts.assign_attrs(units="photons")}
    known["delay"] = xr.DataArray(np.repeat([0.0, 1.0, 2.0], 2), dims="trainId")
    own = {name: ("trainId", values) for name, values in more.items()}
    return xr.Dataset(known, {"trainId": 10 + np.arange(6)}).assign(own)


def said_by(aggregate_it) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        aggregate_it()
    return [str(one.message) for one in caught if issubclass(one.category, HrixsWarning)]


TEMPERATURE = 20.0 + np.arange(6)
NOT_SAID = r"mono_temp is left out: nothing says.*h\.aggregators\['mono_temp'\] = hrixs\.average"


class TestNumbers:
    @pytest.mark.parametrize("by", [None, "delay", ["delay", "setting"]])
    def test_told_once_with_what_to_type(self, by):
        ds = data(mono_temp=TEMPERATURE, setting=np.arange(6) % 2)
        own = {"delay": hrixs.average, "setting": hrixs.average}
        (said,) = said_by(lambda: aggregate(ds, by, aggregators=own))
        with pytest.warns(HrixsWarning, match=NOT_SAID):
            result = aggregate(ds, by, aggregators=own)
        assert "aggregators={'mono_temp': hrixs.average}" in said
        assert "mono_temp" not in result
        assert result.attrs["not_aggregated"] == "mono_temp"

    def test_what_was_told_to_type_is_what_it_takes(self):
        h, ds = hRIXS(), data(mono_temp=TEMPERATURE, laser=TEMPERATURE)
        with pytest.warns(HrixsWarning, match=r"mono_temp, laser are left out: nothing says"):
            h.aggregate(ds, "delay")
        h.aggregators["mono_temp"] = hrixs.average
        h.aggregators["laser"] = hrixs.add
        assert said_by(lambda: h.aggregate(ds, "delay")) == []
        result = h.aggregate(ds, "delay")
        np.testing.assert_array_equal(result.mono_temp, [20.5, 22.5, 24.5])
        np.testing.assert_array_equal(result.laser, [41, 45, 49])
        assert float(h.aggregate_ds(ds.drop_vars("delay")).mono_temp) == 22.5

    def test_none_leaves_it_out_unsaid(self):
        ds = data(mono_temp=TEMPERATURE)
        own = {"mono_temp": None}
        assert said_by(lambda: aggregate(ds, "delay", aggregators=own)) == []
        assert "mono_temp" not in aggregate(ds, "delay", aggregators=own)

    def test_of_all_images_the_class_tells_too(self):
        ds = data(mono_temp=TEMPERATURE).drop_vars("delay")
        for aggregate_it in (lambda: hRIXS().aggregate(ds), lambda: hRIXS().aggregate_ds(ds)):
            (said,) = said_by(aggregate_it)
            assert said.startswith("mono_temp is left out")

    def test_also_as_a_coordinate(self):
        ds = data().assign_coords(mono_temp=("trainId", TEMPERATURE))
        with pytest.warns(HrixsWarning, match=NOT_SAID):
            aggregate(ds, "delay")
        own = {"mono_temp": hrixs.average}
        result = aggregate(ds, "delay", aggregators=own)
        np.testing.assert_array_equal(result.mono_temp, [20.5, 22.5, 24.5])
        assert "mono_temp" in ds.coords

    def test_its_error_is_told_with_it(self):
        ds = data(mono_temp=TEMPERATURE, mono_temp_err=np.ones(6))
        (said,) = said_by(lambda: aggregate(ds, "delay"))
        assert "mono_temp_err" not in said

    def test_set_points_were_of_use(self):
        ds = data(nrj_set=np.repeat([0.0, 1.0, 2.0], 2))
        assert said_by(lambda: aggregate(ds, "delay", setpoints="nrj_set")) == []


class TestTextAndTimes:
    def test_text_that_is_the_same_in_each_group_stays(self):
        gas = np.repeat(["N2", "Ar", "none"], 2)
        ds = data(gas=gas, pumped=np.repeat([True, False, True], 2))
        assert said_by(lambda: aggregate(ds, "delay")) == []
        result = aggregate(ds, "delay")
        assert result.gas.values.tolist() == ["N2", "Ar", "none"]
        assert result.pumped.values.tolist() == [True, False, True]
        assert "not_aggregated" not in result.attrs
        assert aggregate(ds.isel(trainId=[0, 1]), aggregators={"delay": None}).gas == "N2"

    def test_where_it_differs_it_is_told(self):
        ds = data(gas=["N2", "Ar", "N2", "N2", "N2", "N2"])
        match = r"gas is left out: its values differ.*Group by 'gas'"
        with pytest.warns(HrixsWarning, match=match):
            result = aggregate(ds, "delay")
        assert "gas" not in result

    def test_times_are_averaged(self):
        result = aggregate(data(clock=TIME), "delay")
        five = np.timedelta64(5, "s")
        np.testing.assert_array_equal(result.clock, TIME[::2] + five)
        lacking = TIME.copy()
        lacking[0] = np.datetime64("NaT")
        clock = aggregate(data(clock=lacking), "delay").clock
        assert np.isnat(clock.values).tolist() == [True, False, False]

    def test_in_combinations_without_an_image_there_is_nothing(self):
        ds = data(gas=["N2"] * 6, on=[True] * 6, clock=TIME, state=[0, 0, 0, 0, 1, 1])
        with pytest.warns(HrixsWarning, match="3 of 6 combinations"):
            result = aggregate(ds, ["delay", "state"])
        assert result.gas.values.tolist() == [["N2", ""], ["N2", ""], ["", "N2"]]
        np.testing.assert_array_equal(result.on.values[2], [np.nan, 1])
        assert np.isnat(result.clock.values).sum() == 3


class TestWithoutNoise:
    def test_what_hrixs_makes_is_left_out_unsaid(self, h):
        h.load_dark(DARK)
        h.set_params(pedestal="image", dark_fit="offset", i0="hRIXS_norm")
        result = h.normalize(h.process_run(RUN, photons=True, progress=False), "I0")
        assert {"pedestal", "dark_offset", "n_photons", "normalized"} <= set(result.data_vars)
        for by in (None, "hRIXS_delay"):
            assert said_by(lambda by=by: h.aggregate(result, by)) == []
        lost = energy_loss(h.subtract_background(result))
        assert said_by(lambda: h.aggregate(lost, "hRIXS_delay")) == []

    @pytest.mark.parametrize("detector", sorted(hRIXS.DETECTOR_FIELDS))
    def test_images_add(self, detector):
        ds = data(delay=np.repeat([0.0, 1.0], 3))
        ds[detector] = ("trainId", "x", "y"), np.ones((6, 2, 3))
        assert said_by(lambda: aggregate(ds, "delay")) == []
        assert (aggregate(ds, "delay")[detector] == 3).all()

    def test_a_class_of_ones_own_decides_itself(self):
        class Own(hRIXS):
            def aggregator(self, da, dim):
                return da.max(dim) if da.name in ("spectrum", "delay") else None

        ds = data(mono_temp=TEMPERATURE)
        assert said_by(lambda: Own().aggregate(ds)) == []


def test_a_map_tells_too(h):
    ds = h.process_run(RUN, progress=False)
    ds["nrj"] = ds.nrj + np.repeat([0.0, 1.0], ds.sizes["trainId"] // 2)
    ds["mono_temp"] = ds.nrj * 0 + 20
    ds["pulses"] = (("trainId", "pulse"), np.ones((ds.sizes["trainId"], 3)))
    with pytest.warns(HrixsWarning, match=r"mono_temp, pulses are left out: nothing says"):
        rixs_map(ds)
    h.aggregators |= {"mono_temp": hrixs.average, "pulses": None}
    assert said_by(lambda: h.rixs_map(ds)) == []
    np.testing.assert_array_equal(h.rixs_map(ds).mono_temp, [20, 20])


def test_the_command_tells_it_once(simulated, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(hrixs.mnemonics, "mono_temp", hrixs.mnemonics["hRIXS_norm"])
    words = ["process", str(simulated.folder), "-o", str(tmp_path / "out.nc"), "--no-progress"]
    assert main([*words, "--field", "mono_temp", "--aggregate", "hRIXS_delay"]) == 0
    said = capsys.readouterr().err
    assert said.count("mono_temp is left out") == 1
    assert "hRIXS_index" not in said
