"""Test whether positions are biased inside the pixel, by the photons' pixel phases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs.camera.curve import Curvature, CurveLike
from hrixs.utils.checks import require_photon_table, whole_number
from hrixs.utils.errors import warn
from hrixs.utils.provenance import provenance, source_attrs

#: Bins of the phase histograms, and blocks of columns whose phases of y are compared.
N_BINS = 50
N_BLOCKS = 8
#: Largest part of a line's own phases that may remain after the tilt has spread them.
MOST_LEFT_BY_TILT = 0.1
_FEWEST_SINGLES = 100


@dataclass(frozen=True, eq=False, repr=False)
class PhaseUniformity:
    """How uniform the pixel phases of single photons are. Print it for a summary.

    Attributes
    ----------
    table : xarray.Dataset
        Over dims ``axis`` ('x', 'y') and ``phase`` (middles of the bins, pixels): ``counts`` and
        ``counts_err`` (one standard deviation, Poisson). Over ``axis``: ``bias_pp`` (pixels, peak
        to peak, of the bias that the phases imply), ``p_value`` (probability of such a bias, or
        more, with uniform phases) and ``modulation`` (amplitude of the density's wave with a
        period of one pixel, relative to the mean). Over ``axis`` and ``edge`` (phases, pixels):
        ``bias`` (pixels, measured minus unbiased position). Over ``block`` (middle column, pixels)
        and ``phase``: ``block_counts`` of y. In `attrs`: ``n_singles``, ``n_doubles``,
        ``n_flagged``, ``n_not_finite``, ``least_seen`` (pixels, peak to peak: a smaller bias
        cannot be detected), ``left_by_tilt`` (as from `left_by_tilt`), ``blocks_p_value``
        (probability that blocks with equal phases differ as much) and ``blocks_modulation`` (rms
        of their difference).
    """

    table: xr.Dataset

    def __repr__(self) -> str:
        attrs = self.table.attrs
        left_out = [
            f"{attrs[f'n_{kind}']} {name}"
            for kind, name in (
                ("doubles", "doubles"),
                ("flagged", "flagged"),
                ("not_finite", "without a position"),
            )
            if attrs[f"n_{kind}"]
        ]
        lines = [
            f"pixel phases of {attrs['n_singles']} single photons"
            + (f" ({', '.join(left_out)} left out)" if left_out else ""),
            *(f"  {name}: {self._words(name)}" for name in ("x", "y")),
            f"  y in blocks of columns: {self._words_on_blocks()}",
        ]
        return "\n".join(lines)

    def is_uniform(self, axis: str) -> bool:
        """Whether the phases of `axis`, ``'x'`` or ``'y'``, are uniform within their errors."""
        return bool(self.table["p_value"].sel(axis=axis) >= SIGNIFICANCE)

    @property
    def blocks_agree(self) -> bool:
        """Whether the phases of y are equal in all blocks of columns, within their errors."""
        return bool(self.table.attrs["blocks_p_value"] >= SIGNIFICANCE)

    @property
    def tilted(self) -> bool:
        """Whether the lines cross enough rows for uniform phases of y with any spectrum."""
        return bool(self.table.attrs["left_by_tilt"] <= MOST_LEFT_BY_TILT)

    def plot(self) -> Any:
        """Draw the phases, the bias they imply, and the phases of y by blocks of columns.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from hrixs.photons.plots import plot_phases

        return plot_phases(self.table)

    def _words(self, axis: str) -> str:
        of_axis = self.table.sel(axis=axis)
        p_value = f"(p = {float(of_axis['p_value']):.2g})"
        if self.is_uniform(axis):
            least = self.table.attrs["least_seen"]
            return (
                f"uniform {p_value}; with this number of photons a bias below {least:.3f} px peak "
                "to peak cannot be detected"
            )
        bias = f"as with a bias of {float(of_axis['bias_pp']):.3f} px peak to peak in the pixel"
        if axis == "x" or (self.tilted and self.blocks_agree):
            return f"not uniform {p_value}, {bias}, if photons at all phases are found equally well"
        return f"not uniform {p_value}, {bias}, which may be due to the line instead of a bias"

    def _words_on_blocks(self) -> str:
        attrs = self.table.attrs
        if self.blocks_agree:
            said = f"all equal (p = {attrs['blocks_p_value']:.2g}). "
        else:
            said = (
                f"they differ by {attrs['blocks_modulation']:.1%} (p = "
                f"{attrs['blocks_p_value']:.2g}): a narrow line has a different phase in each. "
            )
        left = attrs["left_by_tilt"]
        if self.tilted:
            return said + f"After the tilt at most {left:.1%} of a line's own phases remain"
        return said + (
            f"At curvature = ({attrs['curve_a']:g}, {attrs['curve_b']:g}) the lines cross too few "
            f"rows: {left:.0%} of a narrow line's own phases remain"
        )


def phase_uniformity(
    photons: xr.Dataset,
    *,
    curvature: CurveLike = (0.0, 0.0),
    n_bins: int = N_BINS,
    n_blocks: int = N_BLOCKS,
) -> PhaseUniformity:
    """Test whether positions are biased inside the pixel, by the phases of single photons.

    The phase of a position is its distance from the centre of its pixel, ``x - floor(x + 0.5)``.
    Photons hit all parts of a pixel equally, so unbiased positions have uniform phases. Along y
    this is true only if lines cross rows: photons of a narrow line along a row all have the same
    phase.

    Parameters
    ----------
    photons : xarray.Dataset
        A photon table, as from `find_photons`, with uncorrected positions. Doubles and photons
        with a ``flag`` are left out and counted.
    curvature : Curvature or (float, float)
        The curve, or ``(CURVE_A, CURVE_B)``, to check whether the lines cross enough rows.
        Positions are not corrected with it.
    n_bins : int
        Bins of the histograms. The test does not depend on them.
    n_blocks : int
        Number of blocks of columns whose phases of y are compared; each has the same number of
        photons.

    Returns
    -------
    PhaseUniformity
        Print it for a summary; ``.table`` has the numbers, and ``.plot()`` draws them.

    Raises
    ------
    ValueError
        If there are fewer than 100 single photons, or more blocks than a tenth of them.

    Notes
    -----
    With F the cumulative distribution of the phases, the unbiased phase of a measured phase f is
    F(f) - 1/2. The bias is the difference. Its peak-to-peak value is Kuiper's statistic V; the
    p-value for N photons is that of Stephens, J. R. Stat. Soc. B 32, 115 (1970). It does not
    depend on bins, or on where the circle of phases is cut. Blocks are compared by the scatter of
    their first two Fourier coefficients, with a chi-square test.

    The bias is correct if positions scatter little. If they scatter more at some phases, or a
    threshold loses photons at some phases, the phases are also not uniform, which looks like a
    bias.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from hrixs import phase_uniformity
    >>> x, y = np.random.default_rng(1).uniform(0, 100, (2, 5000))
    >>> table = xr.Dataset({"x": ("photon", x), "y": ("photon", y)})
    >>> table["double"] = "photon", np.zeros(5000, bool)
    >>> found = phase_uniformity(table, curvature=(0.2, 0.0))
    >>> found.is_uniform("x"), found.is_uniform("y"), found.tilted
    (True, True, True)
    """
    curve = Curvature.of(curvature)
    n_bins, n_blocks = whole_number("n_bins", n_bins), whole_number("n_blocks", n_blocks)
    single, counted = single_photons(photons)
    n = counted["n_singles"]
    if n < max(_FEWEST_SINGLES, 10 * n_blocks):
        raise ValueError(
            f"the table has {n} single photons, expected at least "
            f"{max(_FEWEST_SINGLES, 10 * n_blocks)} for {n_blocks} blocks of columns. Join the "
            "tables of more frames with concat_photons."
        )
    position = {name: photons[name].values[single] for name in ("x", "y")}
    phase = {name: phase_of(position[name]) for name in position}
    edges = np.linspace(-0.5, 0.5, n_bins + 1)
    share = np.array([cumulative(phase[name], edges) for name in phase])
    counts = np.rint(np.diff(share, axis=1) * n).astype(np.int64)
    bias_pp = np.array([kuiper(phase[name]) for name in phase])
    waves = np.array([np.exp(2j * np.pi * phase[name]).mean() for name in phase])
    blocks = column_blocks(position["x"], n_blocks)
    blocks_p_value, blocks_modulation = compare_blocks([phase["y"][block] for block in blocks])
    pixels = {"units": "px"}
    photons_attrs = {"units": "photons", "long_name": "single photons"}
    table = xr.Dataset(
        {
            "counts": (("axis", "phase"), counts, photons_attrs),
            "counts_err": (("axis", "phase"), np.sqrt(counts), {"units": "photons"}),
            "bias": (("axis", "edge"), edges - (share - 0.5), pixels),
            "bias_pp": ("axis", bias_pp, pixels | {"long_name": "bias, peak to peak"}),
            "p_value": ("axis", np.array([kuiper_p_value(v, n) for v in bias_pp])),
            "modulation": ("axis", 2 * np.abs(waves)),
            "block_counts": (
                ("block", "phase"),
                np.array([np.histogram(phase["y"][block], edges)[0] for block in blocks]),
                photons_attrs,
            ),
        },
        coords={
            "axis": ["x", "y"],
            "phase": ("phase", (edges[:-1] + edges[1:]) / 2, pixels),
            "edge": ("edge", edges, pixels),
            "block": ("block", [np.median(position["x"][block]) for block in blocks], pixels),
        },
        attrs=provenance(
            "phase_uniformity",
            of_algorithm=finder_of(photons),
            **curve.attrs(),
            **counted,
            least_seen=least_seen(n),
            left_by_tilt=left_by_tilt(position["x"], curve),
            blocks_p_value=blocks_p_value,
            blocks_modulation=blocks_modulation,
        )
        | source_attrs(photons),
    )
    return PhaseUniformity(table)


def single_photons(photons: xr.Dataset) -> tuple[NDArray[np.bool_], dict[str, int]]:
    """Select single photons with a good position; also return how many others there are, by reason.

    Raises
    ------
    TypeError, ValueError
        If `photons` is not a photon table.
    """
    require_photon_table(photons, "x", "y", "double")
    double = photons["double"].values.astype(bool)
    flagged = ~double & _flags(photons)
    placed = np.isfinite(photons["x"].values) & np.isfinite(photons["y"].values)
    single = ~double & ~flagged & placed
    lost = int((~double & ~flagged & ~placed).sum())
    if lost:
        warn(
            f"{lost} of {len(single)} photons are left out: they have no finite position, and no "
            "flag."
        )
    counted = {"n_singles": single, "n_doubles": double, "n_flagged": flagged}
    return single, {name: int(each.sum()) for name, each in counted.items()} | {
        "n_not_finite": lost
    }


def finder_of(photons: xr.Dataset) -> str:
    """Name of the finder and position method of photons: each has its own bias."""
    algorithm = str(photons.attrs.get("algorithm", "unknown"))
    position = photons.attrs.get("position", "com")
    return algorithm if position == "com" else f"{algorithm} with position={position!r}"


def _flags(photons: xr.Dataset) -> NDArray[np.bool_]:
    if "flag" not in photons:
        return np.zeros(photons.sizes["photon"], dtype=bool)
    return np.asarray(photons["flag"].values != 0)


Phases = NDArray[np.float64]

#: If the p-value is below this, phases are not uniform.
SIGNIFICANCE = 0.01
# A bias has a period of one pixel and its first overtone; more would add noise to the tests.
_HARMONICS = np.array([1, 2])


def phase_of(position: ArrayLike) -> NDArray[np.float64]:
    """Distance of positions from the centre of their pixel, in [-0.5, 0.5).

    Examples
    --------
    >>> phase_of([6.75, 7.5, 8.25])
    array([-0.25, -0.5 ,  0.25])
    """
    given = np.asarray(position, dtype=np.float64)
    return given - np.floor(given + 0.5)


def cumulative(phase: Phases, at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of phases below each value of `at`."""
    return np.searchsorted(np.sort(phase), at, side="left") / len(phase)


def left_by_tilt(x: NDArray[np.float64], curvature: CurveLike) -> float:
    """Part of a narrow line's own phases of y that remains: 1 without tilt, 0 if rows are crossed.

    The photons at `x` of an infinitely narrow line are on its curve. The Fourier coefficients of
    their phases are an upper limit for any spectrum, if it is the same all along the line.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(2048.0)
    >>> left_by_tilt(x, (0.0, 0.0)), round(left_by_tilt(x, (0.0240845, -3.6953e-7)), 3)
    (1.0, 0.004)
    """
    moved = Curvature.of(curvature)(np.asarray(x, dtype=np.float64))
    return float(max(np.abs(np.exp(2j * np.pi * k * moved).mean()) for k in _HARMONICS))


def kuiper(phase: Phases) -> float:
    """Kuiper's V: the range of ``F(f) - f``, which is the bias peak to peak, in pixels."""
    n = len(phase)
    expected = np.sort(phase) + 0.5
    above = np.arange(1, n + 1) / n - expected
    return float(above.max() - above.min() + 1 / n)


def kuiper_p_value(statistic: float, n: int) -> float:
    """p-value of Kuiper's V of `n` phases: Stephens, J. R. Stat. Soc. B 32, 115 (1970).

    Examples
    --------
    >>> round(kuiper_p_value(0.01744, 10_000), 3)
    0.05
    """
    scaled = statistic * (np.sqrt(n) + 0.155 + 0.24 / np.sqrt(n))
    if scaled < 0.4:  # the series converges slowly there, and its sum is 1
        return 1.0
    k = np.arange(1, 101)
    with np.errstate(under="ignore"):  # the last terms are 0
        terms = (4 * (k * scaled) ** 2 - 1) * np.exp(-2 * (k * scaled) ** 2)
    return float(np.clip(2 * terms.sum(), 0.0, 1.0))


def least_seen(n: int) -> float:
    """Smallest significant V, in pixels."""
    low, high = 0.4, 10.0
    for _ in range(40):
        middle = (low + high) / 2
        seen = kuiper_p_value(middle / np.sqrt(n), n) < SIGNIFICANCE
        low, high = (low, middle) if seen else (middle, high)
    return float(high / np.sqrt(n))


def column_blocks(x: NDArray[np.float64], n_blocks: int) -> list[NDArray[np.int64]]:
    """Indices of the photons in each block of columns, the same number in each."""
    return np.array_split(np.argsort(x, kind="stable"), n_blocks)


def compare_blocks(phases: list[Phases]) -> tuple[float, float]:
    """p-value for equal phases in all blocks, and the rms modulation beyond chance."""
    from scipy.special import chdtrc

    n = np.array([len(phase) for phase in phases])
    waves = np.array([np.exp(2j * np.pi * np.outer(_HARMONICS, f)).mean(axis=1) for f in phases])
    common = np.average(waves, axis=0, weights=n)
    statistic = 2 * float(n @ (np.abs(waves - common) ** 2).sum(axis=1))
    freedom = 2 * len(_HARMONICS) * (len(phases) - 1)
    beyond = max(0.0, statistic - freedom) / (2 * n.sum())
    p_value = float(chdtrc(freedom, statistic)) if freedom else 1.0
    return p_value, float(2 * np.sqrt(beyond))
