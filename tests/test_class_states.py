"""The class hRIXS in any state: whatever is set and called in any order gives a result or an error.

Errors are of the documented types and leave everything as it was; a result adds to the given
dataset what is documented and nothing else. ``HRIXS_STATES=2000`` tries so many orders, at random.
"""

from __future__ import annotations

import copy
import os
import pickle
import traceback
import warnings
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from hrixs import HrixsWarning, MissingDataError, NoLineError, hRIXS, photon_table
from hrixs.level.told import VARIABLES
from hrixs.settings.table import DEFAULTS
from hrixs.simulation import Sensor, SpectralLine, simulate_frames, write_run
from hrixs.utils import errors

# By the very type: numpy's LinAlgError is a ValueError too, and says nothing to a user.
DOCUMENTED = {
    ValueError,
    TypeError,
    MissingDataError,
    NoLineError,
    errors.DoubtfulCurvatureError,
    errors.FaultyRunError,
    errors.NonFinitePixelsError,
    errors.TooManyPhotonsError,
}
UNKNOWN = (AttributeError,)  # for the name of a setting that there is none of
ADDED = {
    "centroid": {"spectrum", "spectrum_var", "n_added", "energy", "normalized"},
    "integrate": {"spectrum", "spectrum_var", "n_added", "energy", "normalized"},
    "normalize": {"normalized"},
}
#: Of these, what must be there after a call that gave a result.
GAINED = {
    "centroid": {"spectrum", "energy"},
    "integrate": {"spectrum", "energy"},
    "normalize": {"normalized"},
}
SET = {
    "load_dark": {"dark", "USE_DARK"},
    "find_curvature": {"curve", "curvature_fit"},
    "estimate_cloud": {"CLOUD_SIGMA"},
    "find_bad_pixels": {"MASK"},
    "calibrate_energy": {"ENERGY_INTERCEPT", "ENERGY_SLOPE", "calibrated"},
}
PROPOSAL, RUN, DARK = 3145, 1, 2
SHAPE = (24, 40)
SENSOR = Sensor(shape=SHAPE, hot_fraction=0.0)

GOOD: dict[str, list[Any]] = {
    "X_RANGE": [slice(None), slice(2, 20), slice(-22, None)],
    "Y_RANGE": [slice(None), slice(5, 36), slice(None, -3)],
    "THRESHOLD": [None, 470.0, 60],
    "STD_THRESHOLD": [3.5, 5, np.float32(4.0)],
    "DBL_THRESHOLD": [None, 220.0],
    "POSITION": ["com", "gaussian"],
    "CLOUD_SIGMA": [None, 0.55],
    "READ_NOISE": [None, 1.5, np.full(SHAPE, 1.5)],
    "LOCAL_BACKGROUND": [False, True],
    "SPLIT_DOUBLES": [False, True],
    "PHOTON_CHARGE": [None, 140.0],
    "MAX_PIXEL": [None, 2000.0],
    "MAX_CHARGE": [None, 3000.0],
    "BINS": [500, 31, 1],
    "CURVE_A": [0.0, 0.04],
    "CURVE_B": [0.0, -2e-5],
    "USE_DARK": [False, True],
    "ENERGY_INTERCEPT": [0.0, 498.27],
    "ENERGY_SLOPE": [1.0, 0.018387],
    "MASK": [None, np.arange(24 * 40).reshape(SHAPE) % 97 == 5],
    "THREADS": [None, 1, 2],
    "DATA": [None, "raw"],
    "TRUST": [None, "index", "records"],
    "DETECTOR": ["MaranaX", "hRIXS_det"],
    "PROPOSAL": [PROPOSAL, str(PROPOSAL)],
    "FIELDS": [["MaranaX", "nrj", "hRIXS_delay"]],
}
WRONG: list[Any] = [
    None, "", "seven", b"com", True, 0, -1, 2.5, 1e300, -1e300, 2**70, 1j, np.nan, np.inf, -np.inf,
    [], [1.0, 2.0], (), {}, {"nrj": 1}, object(), max, slice(None), slice(30, 10), slice(3, 5),
    slice(None, None, 2), slice("a", None), slice(0.5, 9.5), slice(-(10**9), 10**9),
    np.zeros(SHAPE), np.ones(SHAPE, bool), np.ones((3, 3), bool), np.full(SHAPE, np.nan),
    np.array(0.5), np.array([]), np.array(["a"]), xr.DataArray(1.0), xr.Dataset(),
]  # fmt: skip
NAMES = [*DEFAULTS, "DETECTOR", "PROPOSAL", "FIELDS", "aggregators"]


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Any:
    """Folder of a proposal with a small run and its dark."""
    root = tmp_path_factory.mktemp("states")
    frames, dark = stack(4, 30), stack(2, 0)
    slow = {"nrj": np.full(4, 530.0), "hRIXS_delay": np.repeat([-1.0, 2.0], 2)}
    write_run(root, frames, proposal=PROPOSAL, run=RUN, slow=slow)
    write_run(root, dark, proposal=PROPOSAL, run=DARK)
    return root


def stack(n_frames: int, photons: int) -> xr.DataArray:
    lines = (SpectralLine(15.0, 0.8, 1.0),)
    options = {"sensor": SENSOR, "lines": lines, "curvature": (0.04, -2e-5), "energy": 530.0}
    return simulate_frames(n_frames, photons_per_frame=photons, seed=1, **options)[0]


def datasets() -> list[Any]:
    """Runs as they are, with all sorts of things wrong, and what is no run at all."""
    frames = stack(3, 30)
    good = xr.Dataset(
        {
            "MaranaX": (("trainId", "x", "y"), frames.values),
            "nrj": ("trainId", [530.0, 530.0, 531.0]),
            "hRIXS_delay": ("trainId", [-1.0, 2.0, 2.0]),
            "hRIXS_norm": ("trainId", [900.0, 1000.0, 1100.0]),
        },
        coords={"trainId": [10, 11, 13]},
        attrs={"run": "1"},
    )
    pixels = good.MaranaX.astype("f8")
    gaps = pixels.where(pixels.x != 3)
    return [
        good,
        good.copy(deep=True),
        good.isel(trainId=0),
        good.isel(trainId=slice(0, 0)),
        good.isel(x=slice(0, 3)),
        good.rename(MaranaX="hRIXS_det"),
        good.rename(x="z"),
        good.drop_vars("nrj"),
        good.drop_vars("MaranaX"),
        good.assign(MaranaX=gaps, hRIXS_delay=good.hRIXS_delay.where(good.trainId > 10)),
        good.assign(MaranaX=good.MaranaX * 0, nrj=good.nrj * np.nan, hRIXS_norm=0.0),
        good.assign(MaranaX=good.MaranaX.astype(str)),
        good.assign(MaranaX=good.MaranaX.astype(complex)),
        good.assign(MaranaX=pixels * 1e300, nrj=("trainId", ["a", "b", "c"])),
        good.assign(energy=good.nrj),
        good.chunk(trainId=2),
        xr.Dataset(),
        good.MaranaX,
        frames.values,
        None,
    ]


N_GIVEN = len(datasets())

good_setting = st.sampled_from(sorted(GOOD)).flatmap(
    lambda name: st.tuples(st.just(name), st.sampled_from(GOOD[name]))
)
wrong_setting = st.tuples(st.sampled_from(NAMES), st.sampled_from(WRONG))


def mostly(good: list[Any], wrong: list[Any]) -> st.SearchStrategy[Any]:
    """Nine times in ten one of `good`, or the work would end before it begins."""
    return st.sampled_from(good * max(1, round(9 * len(wrong) / len(good))) + wrong)


any_data = mostly([0, 0, 1, 2, N_GIVEN, N_GIVEN + 1], list(range(N_GIVEN)))
any_run = mostly([RUN, DARK], [77, "nowhere", None, -1, 1.5, True])


class AnyOrder(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.h = hRIXS(PROPOSAL)
        self.data = datasets()
        # Photon tables: none of this class at first, then those of runs that were processed.
        self.tables: list[Any] = [xr.Dataset(), None, self.data[0]]

    def call(self, name: str, *args: Any, **options: Any) -> Any:
        """Call a method, and hold it to what is promised of all of them."""
        given = args[0] if args and isinstance(args[0], xr.Dataset) else xr.Dataset()
        before, state = given.copy(deep=True), state_of(self.h)
        said = f"{name}(*{args!r:.300}, **{options!r:.200}) of {self.h!r}"
        result, failed = None, False
        try:
            result = getattr(self.h, name)(*args, **options)
        except Exception as error:
            require_documented(error, said)
            failed = True
        added = set() if failed else ADDED.get(name, set())
        if "spectrum" in added:  # with what was mended of the images, documented with it
            added = added | {
                one for one in VARIABLES if one in given and "mended" in given[one].attrs
            }
        for variable in {*before.variables, *given.variables} - added:
            assert variable in given.variables, f"{variable} is gone after {said}"
            assert variable in before.variables, f"{variable} was added by {said}"
            same = given.variables[variable].identical(before.variables[variable])
            assert same, f"{variable} was changed by {said}"
        if not failed:
            missing = GAINED.get(name, set()) - set(given.variables)
            assert not missing, f"{missing} were not added by {said}"
        assert repr(given.attrs) == repr(before.attrs)
        changed = {key for key, value in state_of(self.h).items() if value != state[key]}
        assert changed <= (set() if failed else SET.get(name, set())), f"{changed} set by {said}"
        return result

    def keep(self, result: Any) -> None:
        if isinstance(result, xr.Dataset):
            self.data = [*self.data[:N_GIVEN], *self.data[N_GIVEN:][-2:], result]

    def pick(self, number: int) -> Any:
        """A given dataset, or from `N_GIVEN` on one that a method made."""
        return self.data[min(number, len(self.data) - 1)]

    @rule(setting=good_setting)
    def set_well(self, setting):
        setattr(self.h, *setting)

    @rule(setting=wrong_setting)
    def set_wrongly(self, setting):
        try:
            setattr(self.h, *setting)
        except Exception as error:
            require_documented(error, f"setting {setting!r:.200}")

    @rule()
    def begin_anew(self):
        self.h = hRIXS(PROPOSAL)

    @rule(settings=st.lists(good_setting, max_size=6))
    def begin_anew_with_settings(self, settings):
        self.h = hRIXS(PROPOSAL)
        self.h.set_params(**{name.lower(): value for name, value in settings})

    @rule(
        number=any_data,
        bins=mostly([None, 20], [0, -3, 2.5, "9", np.nan, [4]]),
        method=mostly(["auto", "manual", "resolve", "best"], ["integrate", "", None, 3, []]),
    )
    def centroid(self, number, bins, method):
        self.keep(self.call("centroid", self.pick(number), bins=bins, method=method))

    @rule(number=any_data)
    def integrate(self, number):
        self.keep(self.call("integrate", self.pick(number)))

    @rule(
        number=any_data,
        var=mostly([None, "hRIXS_delay"], ["nrj", "trainId", "spectrum", "no", 3, []]),
        dim=mostly(["trainId"], ["energy", "no", None, []]),
    )
    def aggregate(self, number, var, dim):
        self.keep(self.call("aggregate", self.pick(number), var, dim))

    @rule(
        number=any_data,
        which=mostly(["hRIXS_norm", "counts"], ["nrj", "MaranaX", "spectrum", "no", 4, []]),
    )
    def normalize(self, number, which):
        self.call("normalize", self.pick(number), which)

    @rule(number=any_data, dim=mostly(["trainId"], ["energy", "no", None, []]))
    def aggregate_ds(self, number, dim):
        self.keep(self.call("aggregate_ds", self.pick(number), dim))

    @rule(number=any_data, name=st.sampled_from(["MaranaX", "spectrum", "nrj", "hRIXS_norm"]))
    def aggregator(self, number, name):
        data = self.pick(number)
        one = data.get(name) if isinstance(data, xr.Dataset) else None
        if one is not None and "trainId" in one.dims and one.size:
            self.call("aggregator", one, "trainId")

    @rule(
        number=any_data,
        table=mostly([0, 1], [2, 3]),
        bins=mostly([None, 20], [0, -3, 2.5, "9", np.nan, [4]]),
        with_data=st.booleans(),
    )
    def count(self, number, table, bins, with_data):
        of_run = self.tables[min(table, len(self.tables) - 1)]
        self.keep(self.call("count", of_run, self.pick(number) if with_data else None, bins=bins))

    @rule(number=any_data, elastic=mostly([None, 530.0], [np.nan, "a", [], np.inf, 1j]))
    def energy_loss(self, number, elastic):
        self.keep(self.call("energy_loss", self.pick(number), elastic=elastic))

    @rule(number=any_data)
    def load_dark(self, number):
        self.call("load_dark", self.pick(number))

    @rule(run=any_run, proposal=mostly([None, PROPOSAL], [9, "x", []]))
    def load_dark_of_run(self, run, proposal):
        self.call("load_dark", run, proposal)

    @rule(
        run=st.one_of(any_data.map(lambda number: ("data", number)), any_run),
        method=mostly(["image", "photons"], ["no"]),
        args=mostly([None, (0.04, -2e-5)], [(np.nan, 0), (1.0,), "ab", 7]),
    )
    def find_curvature(self, run, method, args):
        run = self.pick(run[1]) if isinstance(run, tuple) else run
        self.call("find_curvature", run, plot=False, method=method, args=args)

    @rule(number=any_data)
    def mean_image(self, number):
        self.call("mean_image", self.pick(number))

    @rule(number=any_data, n_images=mostly([32, 2], [0, 1.5, "a", None]))
    def estimate_cloud(self, number, n_images):
        self.call("estimate_cloud", self.pick(number), n_images=n_images)

    @rule(
        number=any_data,
        dark=st.one_of(st.none(), any_data),
        energy=mostly([None, 530.0], [np.nan, "a", 0]),
    )
    def noise_report(self, number, dark, energy):
        dark = None if dark is None else self.pick(dark)
        self.call("noise_report", self.pick(number), dark=dark, energy=energy)

    @rule(number=any_data, n_images=mostly([32, 2], [0, 1.5, "a", None]))
    def find_bad_pixels(self, number, n_images):
        self.call("find_bad_pixels", self.pick(number), n_images=n_images)

    @rule(number=any_data, cropped=st.booleans())
    def centroid_one(self, number, cropped):
        image = image_of(self.pick(number))
        self.call("centroid_one", crop(self.h, image) if cropped else image)

    @rule(
        number=any_data,
        energy=mostly([530.0, 530], [0, -1.0, np.nan, np.inf, 1e300, "a", None, [530.0], 1j]),
    )
    def centroid_two(self, number, energy):
        self.call("centroid_two", image_of(self.pick(number)), energy)

    @rule(x=mostly([0.0, 3, np.arange(4.0)], [np.nan, "a", None]))
    def parabola(self, x):
        self.call("parabola", x)

    @rule(
        numbers=st.lists(any_data, max_size=3),
        degree=mostly([1, 2], [0, "a", None]),
        region=mostly([None, (5, 30)], [(30, 5), "ab", (np.nan, 1)]),
        method=mostly(["auto", "integrate"], ["no", None]),
    )
    def calibrate_energy(self, numbers, degree, region, method):
        runs = [self.pick(number) for number in numbers]
        energies = np.arange(len(runs)) + 529.0
        options = {"degree": degree, "region": region, "method": method, "plot": False}
        self.call("calibrate_energy", runs, energies, **options)

    @rule(
        run=any_run,
        lazy=st.booleans(),
        fields=mostly([(), "nrj"], ["no_such_field", ["nrj", 3], None, {"a": 1}, 5]),
        subset=mostly([None, slice(0, 2)], [slice(9, 9), "a", 3, slice("a")]),
    )
    def from_run(self, run, lazy, fields, subset):
        options = {"extra_fields": fields, "subset": subset, "lazy": lazy}
        self.keep(self.call("from_run", run, **options))

    @rule(
        run=any_run,
        method=mostly(["auto", "manual", "resolve", "integrate", "best"], ["no", None]),
        energy=mostly([None, 530.0], [-1, "a", np.nan, [530.0]]),
        memory=mostly([None, "512MB"], ["1kB", "a", -1]),
        subset=mostly([None, slice(1, 3)], [slice(9, 9)]),
        photons=st.booleans(),
    )
    def process_run(self, run, method, energy, memory, subset, photons):
        options = {"method": method, "energy": energy, "memory": memory, "subset": subset}
        options |= {"photons": photons, "progress": False}
        result = self.call("process_run", run, **options)
        self.keep(result)
        # The best way may be to integrate, which gives no table.
        if result is not None and photons and "photon_x" in result:
            self.tables = [photon_table(result), *self.tables][:4]

    @rule(name=st.sampled_from([*NAMES, "BIN", "curve_c", ""]), value=st.sampled_from(WRONG))
    def set_params(self, name, value):
        known = name in NAMES and name != "aggregators"
        try:
            self.h.set_params(**{name: value})
        except Exception as error:
            require_documented(error, f"{name} = {value!r:.200}", also=() if known else UNKNOWN)

    @rule()
    def copies_are_the_same(self):
        assert repr(copy.copy(self.h)) == repr(self.h)

    @invariant()
    def can_be_shown(self):
        assert "\n" not in repr(self.h)
        assert self.h._repr_html_().startswith("<table>")


def require_documented(error: Exception, said: str, also: tuple[type, ...] = ()) -> None:
    *_, raised = traceback.walk_tb(error.__traceback__)
    ours = raised[0].f_globals.get("__name__", "").startswith("hrixs.")
    if not ours and not also:
        raise AssertionError(f"{type(error).__name__} of another library from {said}") from error
    if type(error) not in {*DOCUMENTED, *also} or not str(error).strip():
        raise AssertionError(f"{type(error).__name__} from {said}: {error}") from error


def image_of(data: Any) -> Any:
    """One image of `data` where it has any, else `data`."""
    images = data.get("MaranaX", data) if isinstance(data, xr.Dataset) else data
    has_several = isinstance(images, xr.DataArray | np.ndarray) and images.ndim == 3
    return images[0] if has_several and len(images) else images


def crop(h: hRIXS, image: Any) -> Any:
    try:
        return image[..., h.X_RANGE, h.Y_RANGE]
    except (TypeError, IndexError, ValueError, KeyError):
        return image


def state_of(h: hRIXS) -> dict[str, Any]:
    """Everything in the object, such that equal means unchanged."""
    return {name.lstrip("_"): repr_of(value) for name, value in vars(h).items()}


def repr_of(value: Any) -> Any:
    return (type(value), value.tobytes()) if isinstance(value, np.ndarray) else repr(value)


def test_any_order_of_settings_and_calls(root, monkeypatch):
    monkeypatch.setenv("EXTRA_DATA_DATA_ROOT", str(root))
    longer = int(os.environ.get("HRIXS_STATES", 0))
    profile = settings(
        derandomize=not longer,
        max_examples=longer or 25,
        stateful_step_count=30,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HrixsWarning)  # of a wrong setting each has its own test
        run_state_machine_as_test(AnyOrder, settings=profile)


def test_settings_of_any_kind_can_be_kept():
    h = hRIXS(PROPOSAL)
    h.MASK = np.ones(SHAPE, bool)
    assert repr(pickle.loads(pickle.dumps(h))) == repr(h)
