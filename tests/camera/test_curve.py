import pickle

import numpy as np
import pytest
import xarray as xr

from hrixs.camera.curve import Curvature
from oracles import frames as reference

CUBIC = Curvature((0.02, -3e-6, 4e-9), reference=700.0)
X = np.linspace(-100.0, 2047.0, 301)


class TestDisplacement:
    @pytest.mark.parametrize("pair", [(0.0240845, -3.6953e-7), (-0.3, 0.004), (1 / 3, 0.0)])
    def test_a_pair_gives_the_bytes_of_the_parabola(self, pair):
        expected = reference.parabola(X, pair)
        assert Curvature(pair)(X).tobytes() == expected.tobytes()
        assert Curvature(pair)(float(X[7])) == expected[7]

    def test_any_degree_about_any_column(self):
        u = X - 700.0
        expected = 0.02 * u - 3e-6 * u**2 + 4e-9 * u**3
        np.testing.assert_allclose(CUBIC(X), expected, rtol=1e-13)
        assert CUBIC(700.0) == 0.0
        np.testing.assert_array_equal(Curvature((0.5,))(X), 0.5 * X)

    def test_none_is_straight(self):
        assert not Curvature()(X).any()


class TestAbout:
    @pytest.mark.parametrize("column", [0.0, 300.0, -55.5, 2000.0])
    def test_displacements_differ_by_a_constant(self, column):
        other = CUBIC.about(column)
        assert other.reference == column
        np.testing.assert_allclose(other(X), CUBIC(X) - CUBIC(column), atol=1e-11)
        back = other.about(CUBIC.reference)
        np.testing.assert_allclose(back.coefficients, CUBIC.coefficients, rtol=1e-9)

    def test_its_own_column_changes_nothing(self):
        assert CUBIC.about(700) is CUBIC

    def test_a_and_b_are_those_about_column_0(self):
        of_chip = Curvature((0.024, -3.7e-7))
        moved = of_chip.about(1000.0)
        assert moved.coefficients[0] == pytest.approx(0.024 - 2 * 3.7e-7 * 1000, rel=1e-12)
        assert (moved.a, moved.b) == pytest.approx((0.024, -3.7e-7), rel=1e-12)
        assert Curvature((0.5,)).b == 0.0

    def test_errors_are_carried_along(self):
        rng = np.random.default_rng(1)
        root = rng.normal(size=(3, 3)) * [[1e-3], [1e-6], [1e-9]]
        covariance = root @ root.T
        curve = Curvature(CUBIC.coefficients, 700.0, tuple(map(tuple, covariance)))
        moved = curve.about(1500.0)
        # Of curves drawn about one column, the coefficients about the other scatter like that.
        drawn = rng.multivariate_normal(CUBIC.coefficients, covariance, 20_000)
        others = np.array([Curvature(tuple(c), 700.0).about(1500.0).coefficients for c in drawn])
        np.testing.assert_allclose(moved.errors, others.std(axis=0), rtol=0.03)
        np.testing.assert_allclose(curve.errors, np.sqrt(np.diag(covariance)), rtol=1e-12)
        assert CUBIC.errors is None
        assert CUBIC.about(0.0).errors is None

    def test_columns_counted_from_another_one_give_the_same(self):
        seen = CUBIC.counted_from(300)
        np.testing.assert_allclose(seen(X - 300), CUBIC(X), atol=1e-12)
        assert CUBIC.counted_from(0) is CUBIC


class TestValue:
    def test_it_is_a_value(self):
        same = Curvature([0.02, -3e-6, 4e-9], 700)
        assert same == CUBIC
        assert hash(same) == hash(CUBIC)
        assert repr(same) == repr(CUBIC)
        assert Curvature((0.02, -3e-6, 4e-9)) != CUBIC
        with_errors = Curvature(CUBIC.coefficients, 700.0, ((1.0, 0, 0), (0, 1.0, 0), (0, 0, 1.0)))
        assert with_errors == CUBIC
        assert hash(with_errors) == hash(CUBIC)
        with pytest.raises(AttributeError):
            CUBIC.reference = 0.0

    def test_its_text_makes_it_again(self):
        for curve in (CUBIC, Curvature((0.1, 1 / 3)), Curvature()):
            assert eval(repr(curve)) == curve

    def test_it_goes_to_other_processes(self):
        curve = Curvature((0.1, 0.2), 3.0, ((1.0, 0.5), (0.5, 2.0)))
        again = pickle.loads(pickle.dumps(curve))
        assert again == curve
        assert again.covariance == curve.covariance

    def test_numbers_of_numpy_become_plain_ones(self):
        curve = Curvature(tuple(np.array([1.0, 2.0], np.float32)), np.int64(5))
        assert repr(curve) == "Curvature((1.0, 2.0), reference=5.0)"

    @pytest.mark.parametrize("curve", [CUBIC, CUBIC.about(0.0), Curvature((0.5, 0.25), 7.0)])
    def test_a_file_holds_it(self, curve, tmp_path):
        data = xr.Dataset({"a": ("b", [1.0])}, attrs=curve.attrs())
        data.to_netcdf(tmp_path / "curve.nc", engine="h5netcdf")
        attrs = xr.load_dataset(tmp_path / "curve.nc", engine="h5netcdf").attrs
        made = Curvature(tuple(attrs["curve_coefficients"]), attrs["curve_reference"])
        assert made == curve
        assert (attrs["curve_a"], attrs["curve_b"]) == (curve.a, curve.b)

    def test_of_a_parabola_files_hold_a_and_b_alone(self):
        assert Curvature((0.5, 0.25)).attrs() == {"curve_a": 0.5, "curve_b": 0.25}
        assert Curvature((0.5,)).attrs() == {"curve_a": 0.5, "curve_b": 0.0}


class TestWhatIsTaken:
    @pytest.mark.parametrize("given", [(0.5, 0.25), [0.5, 0.25], np.array([0.5, 0.25])])
    def test_pairs(self, given):
        assert Curvature.of(given) == Curvature((0.5, 0.25))

    def test_a_curve_itself_and_longer_sequences(self):
        assert Curvature.of(CUBIC) is CUBIC
        assert Curvature.of((1.0, 2.0, 3.0)).degree == 3

    @pytest.mark.parametrize(
        "given",
        [0.5, (), (0.5,), "steep", ("steep", 0.0), (np.nan, 0.0), (0.0, np.inf), None, [[1, 2]]],
    )
    def test_nonsense_is_named(self, given):
        with pytest.raises(ValueError, match=r"^curvature = .*, expected a pair of finite numbers"):
            Curvature.of(given)

    @pytest.mark.parametrize("given", [((),), ((np.nan,),), ((1.0,), np.inf), ((1.0,), "left")])
    def test_a_curve_of_nonsense_is_refused(self, given):
        with pytest.raises(ValueError, match="expected finite numbers"):
            Curvature(*given)

    def test_errors_of_another_degree_are_refused(self):
        with pytest.raises(ValueError, match=r"covariance has shape \(1, 1\), expected \(2, 2\)"):
            Curvature((1.0, 2.0), 0.0, ((1.0,),))
