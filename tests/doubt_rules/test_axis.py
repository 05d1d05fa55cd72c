"""The energy axis against the photons' energy."""

import numpy as np
import pytest

from hrixs.doubt_rules.axis import calibrated_range, calibration, energy_axis, energy_gain

AXIS = {"n_bins": 100, "slope": 0.02}
AXIS_OF_LINES = 525 + 0.01 * np.arange(1000)


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


def lines_at(*lines, n_images=6, axis=AXIS_OF_LINES, energies=None):
    """Counts of lines (energy, photons an image), on an even background."""
    rng = np.random.default_rng(1)
    energies = np.full(n_images, 530.0) if energies is None else energies
    moved = energies[:, None] - 530.0
    shapes = [n * 0.01 / 0.1 * np.exp(-((axis - at - moved) ** 2) / 0.006) for at, n in lines]
    return rng.poisson(0.02 + sum(shapes)).astype(float), axis, energies


@pytest.mark.parametrize("way", [1, -1])
def test_a_strong_line_above_the_photon_energy_is_told(way):
    axis = AXIS_OF_LINES[::way]
    (found,) = energy_gain(*lines_at((530.0, 60), (531.5, 40), axis=axis), counted=True)
    assert found.code == "energy_gain"
    assert found.figures["gain"] == pytest.approx(1.5, abs=0.1)
    assert found.figures["share"] == pytest.approx(40 / 60, abs=0.15)
    (alone,) = energy_gain(*lines_at((531.5, 40), axis=axis), counted=True)
    assert alone.text.startswith("the tallest line is 1.")
    (integrated,) = energy_gain(*lines_at((531.5, 40), axis=axis), counted=False)
    assert integrated.code == "energy_gain"


@pytest.mark.parametrize(
    "lines",
    [
        [(530.0, 60), (528.0, 200)],
        [(530.3, 60)],  # an axis that is a little off
        [(530.0, 200), (531.5, 20)],  # weak beside the tallest, as of another order
        [(531.5, 2)],  # few photons
        [],
    ],
)
def test_what_photons_can_lose_is_not_told_nor_what_is_weak(lines):
    assert energy_gain(*lines_at(*lines or [(530.0, 0)]), counted=True) == []


def test_images_of_a_scan_are_held_against_their_own_energies():
    energies = np.array([529.5, 530.5, np.nan, 531.0, 529.0, 530.0])
    spectra, axis, _ = lines_at((530.0, 60), energies=np.nan_to_num(energies, nan=530.0))
    assert energy_gain(spectra, axis, energies, counted=True) == []
    spectra, axis, _ = lines_at((531.2, 60), energies=np.nan_to_num(energies, nan=530.0))
    (found,) = energy_gain(spectra, axis, energies, counted=True)
    assert found.figures["gain"] == pytest.approx(1.2, abs=0.1)
    assert energy_gain(spectra, axis, np.full(6, np.nan), counted=True) == []
    assert energy_gain(spectra, axis, np.array([500.0, 600.0] * 3), counted=True) == []


def test_the_foot_of_a_wide_line_and_ends_without_values():
    wide = 200 * np.exp(-((AXIS_OF_LINES - 530.2) ** 2) / 0.8)
    counts = np.random.default_rng(2).poisson(np.tile(wide, (4, 1))).astype(float)
    assert energy_gain(counts, AXIS_OF_LINES, np.full(4, 530.0), counted=True) == []
    spectra, axis, energies = lines_at((531.5, 40))
    spectra[:, :7], spectra[2, -5:] = np.nan, np.nan
    assert energy_gain(100 + spectra, axis, energies, counted=False)
    assert energy_gain(np.full((2, 1000), np.nan), axis, np.full(2, 530.0), counted=False) == []


def test_light_of_one_integrated_image_alone_is_a_cosmic_ray():
    spectra, axis, energies = lines_at((530.0, 60))
    spectra[1, 700:715] += 400.0
    assert energy_gain(spectra, axis, energies, counted=False) == []
    spectra[2, 700:715] += 400.0
    assert energy_gain(spectra, axis, energies, counted=False)
    one = lines_at((531.5, 400))
    one = one[0][:1], one[1], one[2][:1]
    assert energy_gain(*one, counted=True)
    assert energy_gain(*one, counted=False) == []
