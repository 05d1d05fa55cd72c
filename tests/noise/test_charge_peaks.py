"""Peaks of one and two photons in the charges of spots."""

import numpy as np
import pytest

from hrixs.noise.charge_peaks import ChargePeaks, fit_charge_peaks


def charges(n, *, photon=139.0, noise=7.0, electrons=4.0, doubles=0.1, part=0.0, seed=1):
    rng = np.random.default_rng(seed)
    held = np.where(rng.random(n) < doubles, 2.0, 1.0)
    near = rng.random(n) < part
    held[near] = 1 + rng.random(int(near.sum()))
    return photon * held + rng.normal(0, np.sqrt(noise**2 + held * electrons**2))


def test_values_lie_within_their_uncertainties():
    pulls = []
    for seed in range(12):
        peaks = fit_charge_peaks(charges(1500, part=0.1, seed=seed), noise=7.0)
        pulls.append(
            [
                (peaks.adu_per_photon - 139) / peaks.adu_per_photon_err,
                (peaks.width - np.hypot(7, 4)) / peaks.width_err,
                (peaks.double_share - 0.09) / peaks.double_share_err,
            ]
        )
    pulls = np.array(pulls)
    # Of 12 values the mean scatters by 0.3, the deviation by 0.2.
    assert (np.abs(pulls.mean(axis=0)) < 1).all()
    assert ((pulls.std(axis=0) > 0.5) & (pulls.std(axis=0) < 1.6)).all()


def test_false_hits_and_cosmic_rays_do_not_disturb():
    rng = np.random.default_rng(3)
    clean = charges(2000)
    mixed = np.concatenate([clean, rng.normal(20, 5, 1500), rng.uniform(600, 20_000, 300)])
    one, other = (fit_charge_peaks(charge, noise=7.0) for charge in (clean, mixed))
    assert other.adu_per_photon == pytest.approx(one.adu_per_photon, abs=1)
    assert other.double_share == pytest.approx(one.double_share, abs=0.02)


def test_spots_alone_give_the_charge_of_one_photon():
    alone = charges(1000, doubles=0.0)
    # What neighbours that are just in reach add.
    crowded = charges(3000, doubles=0.0, seed=2) + np.random.default_rng(3).exponential(6, 3000)
    charge = np.concatenate([alone, crowded])
    peaks = fit_charge_peaks(charge, noise=7.0, alone=np.arange(4000) < 1000)
    assert peaks.adu_per_photon == pytest.approx(139, abs=1)
    assert fit_charge_peaks(charge, noise=7.0).adu_per_photon > 142


def test_boundary_moves_with_what_there_is_more_of():
    def boundary(one, two):
        return ChargePeaks(
            100.0, 1.0, 25.0, 1.0, 0.1, 0.01, (one, 0.0, two, 0.0, 0.0), 20.0
        ).boundary

    assert 140 < boundary(1000, 1000) < 160
    assert boundary(1000, 10) > boundary(1000, 1000) > boundary(100, 1000)
    # A part of a neighbour belongs to that one's own hit, unless it is nearly all of it.
    parts = ChargePeaks(100.0, 1.0, 5.0, 1.0, 0.0, 0.0, (1e3, 100.0, 10.0, 0.0, 0.0), 4.0)
    assert parts.boundary == pytest.approx(175, abs=1)


@pytest.mark.parametrize(
    "charge",
    [[], charges(30), np.random.default_rng(1).exponential(100, 40)],
    ids=["none", "few", "noise"],
)
def test_no_peak(charge):
    assert fit_charge_peaks(charge, noise=7.0) is None
