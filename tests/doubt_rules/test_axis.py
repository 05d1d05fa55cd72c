"""The energy axis against the photons' energy."""

import pytest

from hrixs.doubt_rules.axis import calibrated_range, calibration, energy_axis

AXIS = {"n_bins": 100, "slope": 0.02}


@pytest.mark.parametrize(
    ("energy", "is_told"),
    [(530.0, False), (525.1, False), (524.9, True), (544.9, False), (545.1, True), (0.1, True)],
)
def test_photons_may_lie_beside_the_axis_by_half_its_length(energy, is_told):
    for ends in ((530.0, 540.0), (540.0, 530.0)):
        found = energy_axis(*ends, energy=energy, **AXIS)
        assert [doubt.code for doubt in found] == ["energy_axis"] * is_told
        assert not any(doubt.grave for doubt in found)


def test_an_axis_that_stands_still_is_grave():
    (found,) = energy_axis(530.0, 530.0, 100, slope=0.0, energy=530.0)
    assert (found.code, found.grave) == ("energy_axis", True)


def test_of_an_unknown_energy_nothing_is_told():
    assert energy_axis(0.0, 1.0, energy=None, **AXIS) == []
    assert energy_axis(530.0, 530.0, 1, slope=0.02, energy=530.0) == []


@pytest.mark.parametrize(
    ("energy", "lowest", "highest", "is_told"),
    [
        (524.1, 528.0, 532.0, False),  # by the span of 4 eV
        (523.9, 528.0, 532.0, True),
        (536.1, 528.0, 532.0, True),
        (527.6, 529.5, 530.5, False),  # by 2 eV
        (527.4, 529.5, 530.5, True),
    ],
)
def test_photons_beside_the_energies_of_the_calibration(energy, lowest, highest, is_told):
    found = calibrated_range(energy, lowest, highest)
    assert [doubt.code for doubt in found] == ["calibrated_range"] * is_told


def test_an_odd_calibration():
    assert calibration([]) == []
    (doubt,) = calibration(["Line 1 is wide.", "Line 2 is off."])
    assert doubt.text == "Line 1 is wide. Line 2 is off."
