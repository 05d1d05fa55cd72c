"""The text of a noise report."""

from __future__ import annotations

from typing import Any

import numpy as np

from hrixs.noise.threshold import digits_of

# A drift above this share of the distance from pedestal to threshold is reported.
_DRIFT = 0.1
# Pixels with this times the usual noise are reported.
_NOISY = 3.0
_LEAST_DARKS = 8
# Hits in a dark frame that are reported: share of those in the frames, and number.
_DARK_HITS, _LEAST_DARK_HITS = 0.01, 0.5
# A threshold below this number of standard deviations of the squares is in the noise.
_IN_NOISE = 4.0
# Share of the hits at the suggested threshold that another one should find.
_FOUND = 0.8
# Ratio of the noise over a frame to that of its pixels.
_PATTERN = 1.3


def report_lines(report: Any) -> list[str]:
    """Lines of text: results of a `NoiseReport`, what to set, and what to check."""
    frames, attrs = report.frames, report.attrs
    nx, ny = report.repeating.shape
    dark = "dark subtracted" if attrs["dark_subtracted"] else "no dark subtracted"
    noise, squares = float(frames["noise"].mean()), float(frames["square_noise"].mean())
    level = frames["level"].values
    of_pixel, of_square, pedestal = (
        _adu(report, value, 1) for value in (noise, squares, float(np.median(level)))
    )
    rows = [
        ("noise", f"{of_pixel} ADU per pixel, {of_square} ADU per 2x2 square"),
        ("pedestal", f"{pedestal} ADU, moves by {np.ptp(level):.2g} ADU over the run"),
        *_photon_rows(report),
        *_threshold_rows(report, 4 * float(np.median(level)), squares),
    ]
    if report.pixels is not None:
        over_time = f"{_adu(report, _typical(report.pixels), 1)} ADU per pixel from frame to frame"
        rows.insert(1, ("", over_time))
    width = max(len(name) for name, _ in rows) + 2
    title = f"Noise report of {attrs['n_frames']} frames of {nx} x {ny} pixels, {dark}"
    lines = [title, *(f"  {name:<{width}}{text}" for name, text in rows)]
    return lines + [f"  ! {text}" for text in _remarks(report)]


def _photon_rows(report: Any) -> list[tuple[str, str]]:
    peaks = report.peaks
    if peaks is None:
        return [
            (
                "photons",
                f"no peak of single photons found ({report.attrs['n_spots']} spots above the "
                "noise, some 50 are needed)",
            )
        ]
    per_frame = report.attrs["n_spots"] / report.attrs["n_frames"]
    rows = [
        ("photons", f"{per_frame:.4g} spots per frame"),
        (
            "one photon",
            f"{_adu(report, peaks.adu_per_photon)} ± {peaks.adu_per_photon_err:.1g} ADU, "
            f"width {_adu(report, peaks.width)} ± {peaks.width_err:.1g} ADU",
        ),
        (
            "doubles",
            f"{100 * peaks.double_share:.2g} ± {100 * peaks.double_share_err:.1g} % of the spots",
        ),
    ]
    if report.electrons_per_adu is not None:
        rows.append(("gain", f"{report.electrons_per_adu:.3f} electrons per ADU"))
    return rows


def _threshold_rows(report: Any, pedestal: float, noise: float) -> list[tuple[str, str]]:
    height = report.threshold - pedestal
    rows = [
        (
            "THRESHOLD",
            f"{_adu(report, report.threshold)}  ({_adu(report, height, -1)} ADU above the squares' "
            "pedestal, "
            f"{height / noise:.1f} standard deviations; noise makes {_few(report.false_hits)} "
            "false hits per frame)",
        ),
        ("", f"for frames {_with_dark(report)} a dark subtracted, as these; not for others"),
    ]
    if "dark_hits" in report.scan:
        rows.append(("dark frames", f"{_few(_dark_hits(report))} hits per frame at THRESHOLD"))
    if report.dbl_threshold is None:
        rows.append(("DBL_THRESHOLD", "None  (unknown without the peak of single photons)"))
    else:
        share = report.dbl_threshold / report.peaks.adu_per_photon
        rows.append(
            ("DBL_THRESHOLD", f"{_adu(report, report.dbl_threshold)}  ({share:.2f} photons)")
        )
        above = f"{100 * report.charges.attrs['n_above'] / report.attrs['n_spots']:.2g} %"
        if report.max_charge is None:
            text = f"None  (photons overlap; {above} of the spots have more than 3.5)"
        else:
            text = f"{_adu(report, report.max_charge)}  (3.5 photons; {above} of the spots above)"
        rows.append(("MAX_CHARGE", text))
    return rows


def _remarks(report: Any) -> list[str]:
    attrs = report.attrs
    remarks = [*_of_left_out(report), *_of_threshold_in_use(report)]
    n_repeating = report.attrs["n_repeating"]
    if n_repeating:
        remarks.append(
            f"{n_repeating} pixels make a hit in most frames. Mask them: "
            "mask=report.repeating, or bad_pixels(dark frames)."
        )
    drift = 4 * float(np.ptp(report.frames["level"].values))
    height = report.threshold - 4 * float(report.frames["level"].median())
    if drift > _DRIFT * height:
        remarks.append(
            f"the pedestal moves by {drift:.1f} ADU a square, {100 * drift / height:.0f} % of the "
            "way to the threshold: one THRESHOLD does not fit all frames."
        )
    if report.pixels is not None and not report.attrs["dark_subtracted"]:
        noise, still = float(report.frames["noise"].mean()), _typical(report.pixels)
        if noise > _PATTERN * still:
            remarks.append(
                f"pedestals differ from pixel to pixel: the noise is {noise:.3g} ADU over the "
                f"frame and {still:.3g} ADU from frame to frame. A dark (dark=) lowers it."
            )
    # In frames with light the tails of photons look like noise.
    if report.pixels is not None and report.attrs["n_darks"] >= _LEAST_DARKS:
        noisy = int((report.pixels > _NOISY * _typical(report.pixels)).sum())
        if noisy:
            remarks.append(
                f"{noisy} pixels have {_NOISY:g} times the noise of most, or more, in the dark "
                "frames. bad_pixels finds them."
            )
    if "dark_hits" in report.scan:
        in_dark = _dark_hits(report)
        hits = float(report.scan["hits"].sel(threshold=report.threshold, method="nearest"))
        if in_dark > max(_DARK_HITS * hits, _LEAST_DARK_HITS):
            remarks.append(
                f"the dark frames have {in_dark:.2g} hits per frame at THRESHOLD, those with light "
                f"{hits:.2g}: hot pixels that are not masked, cosmic rays, or light."
            )
    n_above = report.charges.attrs["n_above"]
    if attrs["crowded"]:
        share = f"{100 * attrs['overlapping']:.2g} % of the spots overlap with another one"
        what = "the charge of one photon and the gain are those of spots alone"
        if report.peaks is None:
            what = "too few are alone to show the charge of one photon"
        remarks.append(f"{share}: {what}, and no MAX_CHARGE is suggested.")
    elif report.peaks is not None and n_above > 0.01 * attrs["n_spots"]:
        remarks.append(
            f"{100 * n_above / report.attrs['n_spots']:.2g} % of the spots have the charge of more "
            "than 3.5 photons: cosmic rays, hot pixels, or frames so full that photons overlap. "
            "MAX_CHARGE drops them; for photons that overlap set it to None."
        )
    return remarks


def _of_left_out(report: Any) -> list[str]:
    attrs = report.attrs
    texts = []
    if n := attrs["n_left_out"]:
        were = "frame is" if n == 1 else "frames are"
        texts.append(f"{n} {were} unlike the others and left out: {attrs['left_out']}.")
    if attrs["remarks_of_dark"]:
        texts.append(attrs["remarks_of_dark"])
    return texts


def _of_threshold_in_use(report: Any) -> list[str]:
    """A warning if the threshold that is set does not fit these frames."""
    in_use = report.attrs.get("threshold_in_use")
    if in_use is None:
        return []
    level = 4 * float(report.frames["level"].median())
    noise = float(report.frames["square_noise"].mean())
    start = f"THRESHOLD = {in_use:g}, as it is set,"
    other = "without" if report.attrs["dark_subtracted"] else "with"
    hint = f"Is it for frames {other} a dark subtracted?"
    if in_use < level + _IN_NOISE * noise:
        return [f"{start} lies in the noise, {noise:.3g} ADU around {level:.4g} ADU. {hint}"]
    if report.peaks is None:
        return []
    scan = report.scan
    at = [in_use, report.threshold]
    found, suggested = np.interp(at, scan["threshold"], scan["hits"], right=0.0)
    if found < _FOUND * suggested:
        share = 100 * found / suggested
        return [f"{start} finds {share:.2g} % of the hits that the suggested one does. {hint}"]
    return []


def _with_dark(report: Any) -> str:
    return "with" if report.attrs["dark_subtracted"] else "without"


def _dark_hits(report: Any) -> float:
    return float(report.scan["dark_hits"].sel(threshold=report.threshold, method="nearest"))


def _typical(pixels: Any) -> float:
    """Usual noise of pixels; the median of deviations of few frames is too small."""
    from scipy.stats import chi2

    free = pixels.attrs["n_frames"] - 1
    return float(pixels.median()) / float(np.sqrt(chi2.median(free) / free))


def _adu(report: Any, value: float, more: int = 0) -> str:
    """`value` with the digits that matter compared with the noise of a square."""
    digits = digits_of(float(report.frames["square_noise"].mean())) + more
    return f"{value:.{max(digits, 0)}f}"


def _few(number: float) -> str:
    return f"{number:.2g}" if number >= 1e-3 else "less than 0.001"
