"""All codes of doubts: when each is told, whether it is grave, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

from hrixs.doubt_rules import (
    axis,
    chip,
    dark,
    exposure,
    images,
    lines,
    over_time,
    phases,
    photons,
    steps,
)


@dataclass(frozen=True)
class Code:
    """A row of the table.

    Attributes
    ----------
    code : str
        As in `Doubt.code`, and before the colon of a warning.
    told : str
        The rule, with its figures.
    do : str
        What to do.
    grave : str
        When ``strict=True`` makes an error of it; empty where it never does.
    """

    code: str
    told: str
    do: str
    grave: str = ""


_ALL_IMAGES = "these are more than half of all images"
_LEAVE_OUT = (
    "Leave these images out, with `hrixs.select(data)` or `data.drop_sel(trainId=[...])`, before "
    "they are averaged"
)
_BAD_LINES = (
    f"step of median and lower quartile from those of {2 * chip._BESIDE} {{0}} beside it by more "
    f"than {chip._LEAST_STEP:g} of a pixel's noise and {chip._ERRORS:.0f} standard deviations "
    f"(bands of many: {chip._LEAST_STEP_OF_BAND:g} of the noise), or hardly any noise: all values "
    f"within {chip._QUIET:g} of it"
)
_BAD_PIXELS = "`find_bad_pixels(run)`, which masks them, or `load_dark`"

# fmt: off
#: In the order in which things are looked at. A new code is an entry here, and scripts/doubts_page
#: writes it into docs/doubts.md.
CODES: tuple[Code, ...] = (
    Code(
        "blank_images",
        "Of four images or more: an image has less than a quarter of the noise of most, or less "
        f"than {images._BLANK:.0%} of the photons of most, where these have "
        f"{images._LEAST_PHOTONS:.0f} or more",
        f"See to shutter and beam. {_LEAVE_OUT}",
        _ALL_IMAGES,
    ),
    Code(
        "saturated_images",
        "Of four images or more: an image has less than a quarter of the noise of most, and lies "
        "higher than `level_images` allows",
        f"Take less light or a shorter exposure. {_LEAVE_OUT}",
        _ALL_IMAGES,
    ),
    Code(
        "level_images",
        "Of four images or more: an image's level is farther from that of most than 20 times a "
        "pixel's noise, and than 6 times what levels differ by",
        f"Look at these images. {_LEAVE_OUT}",
        _ALL_IMAGES,
    ),
    Code(
        "noisy_images",
        "Of four images or more: an image has more than 4 times the noise of most",
        f"Look at these images. {_LEAVE_OUT}",
        _ALL_IMAGES,
    ),
    Code(
        "bright_images",
        f"Of four images or more: an image has more than {images._BRIGHT:.0f} times the photons of "
        f"most, by {images._BRIGHT_ERRORS:.0f} standard deviations",
        f"Look at these images, and at the beam's intensity. {_LEAVE_OUT}",
        _ALL_IMAGES,
    ),
    Code(
        "track_images",
        "Of four images or more: a row of an integrated spectrum lies "
        f"above those of the others by {over_time._TRACK_HEIGHT:g} of the highest line and by "
        f"{over_time._TRACK_ERRORS:.0f} standard deviations of what they scatter by",
        f"Set `REMOVE_COSMICS = True`, or look at these images. {_LEAVE_OUT}",
        _ALL_IMAGES,
    ),
    Code(
        "no_photons",
        "Not one photon was found in all images",
        "Is there light? Take a threshold of `noise_report(run)`",
        "always",
    ),
    Code(
        "no_light",
        f"Noise alone makes more than {photons._ALL_FALSE:.0%} of the hits above the threshold, as "
        f"in a dark run; or no row of an integrated spectrum stands out by "
        f"{photons._LINE_ERRORS:g} standard deviations, or those that do scatter in "
        f"{photons._IMAGES_FOR_SCATTER} images or more by less than charges of "
        f"{photons._LEAST_CHARGE:g} times a pixel's noise would, as hot pixels do",
        "Is it the right run? Else take a threshold of `noise_report(run)`",
        "it is of hits",
    ),
    Code(
        "false_hits",
        f"Noise alone makes more than {photons._FALSE:.0%} of the hits, and more than "
        f"{photons._LEAST_FALSE:.0f}",
        "Raise `THRESHOLD` or `STD_THRESHOLD`; `noise_report(run)` suggests one",
    ),
    Code(
        "outside",
        f"More than {photons._OUTSIDE:.0%} of the photons, and {photons._LEAST_OUTSIDE} or more, "
        "lie beside the axis once the curvature is corrected",
        "Widen `Y_RANGE`, or check `CURVE_A` and `CURVE_B`",
    ),
    Code(
        "spread",
        "The threshold is taken from the standard deviation of each image's 2x2 squares "
        f"(`STD_THRESHOLD`), and that is more than {photons._SPREAD:g} times that of their "
        "noise: stuck rows, steps of the level or much light set it",
        "Set `THRESHOLD = '6 sigma'`, or mask bad pixels (`find_bad_pixels`)",
        f"it is {4 * photons._SPREAD:.0f} times that",
    ),
    Code(
        "threshold_high",
        f"The threshold lies more than {photons._THRESHOLD_HIGH:g} charges of a lone photon above "
        "the level: photons that share their charge between pixels are lost",
        "Set `THRESHOLD` as `noise_report(run)` suggests, mask bad pixels (`find_bad_pixels`), or "
        "take `method='best'`",
        "the threshold lies above a whole photon",
    ),
    Code(
        "double_threshold",
        f"`DBL_THRESHOLD` is not between {photons._DOUBLE[0]:g} and {photons._DOUBLE[1]:g} charges "
        "of a lone photon",
        "Set it to 1.5 times the charge, which the text tells",
        "it lies below a whole photon",
    ),
    Code(
        "charge",
        "Photons that stand alone have another charge than energy and gain make, by more than "
        f"{photons._CHARGE:.0%}",
        "Set `ELECTRONS_PER_ADU` (or `EV_PER_PAIR`) to the camera's, or `PHOTON_CHARGE`",
        f"it is {photons._GRAVE_CHARGE:g} times as large, or as small",
    ),
    Code(
        "dark_level",
        f"The images lie more than {dark._LEVEL_NOISES:g} of a pixel's noise, and "
        f"{dark._LEAST_LEVEL:g} ADU, off their dark",
        "Load a dark of the same settings and night, or fit it to each image: `DARK_FIT = "
        "'offset'`, or `'both'` where its structure has grown",
        f"it is {dark._GRAVE_LEVEL:.0f} times that",
    ),
    Code(
        "dark_exposure",
        "`hRIXS_exposure` of the dark and of the images differ by more than "
        f"{dark._EXPOSURE:.0%}",
        "Load a dark of the same exposure",
    ),
    Code(
        "dark_noise",
        f"A pixel's noise in the images is less than {dark._LEAST_NOISE:g} or more than "
        f"{dark._MOST_NOISE:g} times that in the dark's images",
        "Load a dark of the same camera, gain and readout",
    ),
    Code(
        "dark_images",
        "Of the images of a dark some are blank, saturated or at another level, and are left out; "
        "or light fell on them (told by `load_dark`, and of each result)",
        "Take a dark run again, with the shutter closed",
        "light fell on most of them",
    ),
    Code(
        "exposure",
        f"`hRIXS_exposure`, in its unit, is more than {exposure._LONGER:g} times the time from one "
        "image to the next, of runs by their train ids, ten a second",
        "Check its unit (`data.hRIXS_exposure.attrs['units']`, `'s'` or `'ms'`)",
    ),
    Code("bad_rows", f"Rows of the chip: a {_BAD_LINES.format('rows')}", _BAD_PIXELS),
    Code("bad_columns", f"Columns of the chip: a {_BAD_LINES.format('columns')}", _BAD_PIXELS),
    Code(
        "hot_pixels",
        f"A pixel has a photon in {chip._LEAST_PER_PIXEL} images or more, where chance makes it "
        f"with a probability below {chip._CHANCE:.0e} by the photons in the rows beside it",
        _BAD_PIXELS,
    ),
    Code(
        "curve",
        f"Another curve makes rows more than {lines._SHARPER:g} times as sharp, in pairs of "
        f"photons in the same row, by {lines._SHARPER_ERRORS:.0f} standard deviations; from "
        f"{lines._LEAST} photons on",
        "`find_curvature(run)`, and look at the sign of `CURVE_A`",
        f"they are more than {lines._GRAVELY_SHARPER:g} times as sharp",
    ),
    Code(
        "orientation",
        f"Photons make less than {lines._ALONG:g} times the pairs of even ones along y under any "
        f"curve, and {lines._ACROSS:g} times as many along x; from {lines._LEAST} photons on",
        "Transpose the frames (`--transpose`): the energy must run along y",
        "always",
    ),
    Code(
        "cut",
        f"A line leaves the crop in more than {lines._CUT:.0%} of the columns, or lies at the end "
        "of the axis",
        "Widen `Y_RANGE`",
    ),
    Code(
        "row_steps",
        f"The level of the rows of the first images steps by more than {steps._LEAST_STEP:g} of a "
        f"pixel's noise and {steps._ERRORS:.0f} standard deviations, by the medians of "
        f"{steps._LINES} rows on both sides",
        "Load a dark, or set `THRESHOLD = '6 sigma'`, which takes such steps away",
    ),
    Code(
        "column_steps",
        "The same of the columns",
        "Load a dark, or set `THRESHOLD = '6 sigma'`, which takes such steps away",
    ),
    Code(
        "moving_lines",
        f"Of {2 * over_time._PARTS} images or more of one photon energy: the lines' places in "
        f"{over_time._PARTS} parts of the run vary by {over_time._MOVE_RATIO:.0f} times the "
        f"variance of chance, and moved back their sum is {over_time._SHARPER:g} times as sharp",
        "`align(result)`, which moves them back",
    ),
    Code(
        "level_drift",
        f"Where intensity is integrated: the level drifts by more than {over_time._DRIFT_NOISES:g} "
        f"of a pixel's noise, {over_time._LEAST_DRIFT:g} ADU, and {over_time._DRIFT_ERRORS:.0f} "
        "standard deviations",
        "Take each image's own level off, `PEDESTAL = 'image'` or rows without light, or count "
        "photons: `method='best'`",
    ),
    Code(
        "crowded",
        "A threshold loses more than 5 % of the photons of the first images, where spots run into "
        "each other or lie below the threshold; or, where they are resolved, photons lie more than "
        "0.45 a pixel "
        "(`LostPhotonsWarning`)",
        "`method='resolve'` or `'best'`; where they are resolved, `'integrate'` or `'best'`",
        "more than 30 % are lost",
    ),
    Code(
        "denser",
        "Later images have so many more photons than the first ones that more than 5 % are lost in "
        "them, or that they can't be told apart (`LostPhotonsWarning`)",
        "`method='resolve'` or `'best'`, or `'integrate'` for these images",
    ),
    Code(
        "charge_balance",
        "Photons that were resolved make another charge than there is above the level, by more "
        "than 3 % and 4 standard deviations (`ChargeBalanceWarning`)",
        "Check `PHOTON_CHARGE` or `ELECTRONS_PER_ADU`, `CLOUD_SIGMA`, and the level (a dark, or "
        "`LOCAL_BACKGROUND`)",
        "more than 30 %",
    ),
    Code(
        "learned_charge",
        "The charge of one photon was learned from so few lone spots that it is uncertain by more "
        "than 2 %",
        "Set `PHOTON_CHARGE`, or `ELECTRONS_PER_ADU` for the energy to tell it",
    ),
    Code(
        "bins",
        f"A bin is wider than {lines._BIN:g} of the full width at half maximum of the narrowest "
        "line",
        "Raise `BINS` to 3 times the rows of `Y_RANGE`, or so",
    ),
    Code(
        "few_phases",
        "A deconvolved spectrum of lines that move by less than "
        f"{phases._WHOLE_ROW:g} row over the columns: each row samples them once",
        "Trust no line narrower than 1 px, or `oversample=1`; tilt the camera by a row or more",
    ),
    Code(
        "energy_axis",
        "`ENERGY_SLOPE` is 0; or the photon energy `nrj` lies beside the energy axis by more than "
        f"{axis._FARTHEST:g} of its length",
        "Check `ENERGY_INTERCEPT` and `ENERGY_SLOPE`, or `calibrate_energy` again",
        "the slope is 0",
    ),
    Code(
        "energy_gain",
        f"A line with {axis._STRONG:.0%} of the tallest one's light or more lies over "
        f"{axis._GAIN:g} eV above the photon energy `nrj`, by {axis._GAIN_ERRORS:.0f} standard "
        "deviations, and not in one integrated image alone: photons do not gain energy",
        "Check the sign of `ENERGY_SLOPE`, `ENERGY_INTERCEPT` and `nrj`, or `calibrate_energy` "
        "again",
    ),
    Code(
        "calibrated_range",
        f"The photon energy `nrj` lies beside the energies that `calibrate_energy` had, by more "
        f"than {axis._BEYOND:g} times their span and {axis._LEAST_BEYOND:g} eV",
        "`calibrate_energy` with runs around that energy",
    ),
    Code(
        "calibration",
        "A line of `calibrate_energy` is 3 times as wide as the narrowest, or of another shape "
        "(chi2 above 3), or lies 5 standard deviations off what the others say; or all scatter by "
        "more than their uncertainties allow, with a probability below 0.001",
        "Check the energies, the curvature, and whether each run's tallest line is the elastic one",
    ),
)
# fmt: on
