"""All codes of doubts: when each is reported, what to do, and when it is grave."""

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
        When the doubt is reported, with the limits.
    do : str
        What to do.
    grave : str
        When it is an error with ``strict=True``; empty if it never is.
    """

    code: str
    told: str
    do: str
    grave: str = ""


_ALL_IMAGES = "more than half of all images are affected"
_LEAVE_OUT = (
    "Leave these images out with `hrixs.select(data)` or `data.drop_sel(trainId=[...])` before "
    "averaging"
)
_BAD_LINES = (
    f"{{0}} has a median and a lower quartile that differ from those of the {2 * chip._BESIDE} "
    f"{{0}}s beside it by more than {chip._LEAST_STEP:g} times a pixel's noise and by more than "
    f"{chip._ERRORS:.0f} standard deviations (a band of many {{0}}s: {chip._LEAST_STEP_OF_BAND:g} "
    f"times the noise). Or a {{0}} has almost no noise: all its values are within {chip._QUIET:g} "
    "times a pixel's noise"
)
_BAD_PIXELS = "Mask them with `find_bad_pixels(run)`, or subtract a dark with `load_dark`"

# fmt: off
#: In the order of the checks. For a new code add an entry here; scripts/doubts_page writes it into
#: docs/doubts.md.
CODES: tuple[Code, ...] = (
    Code(
        "blank_images",
        "With four images or more: an image has less than a quarter of the usual noise, or less "
        f"than {images._BLANK:.0%} of the usual number of photons if that is "
        f"{images._LEAST_PHOTONS:.0f} or more",
        f"Check shutter and beam. {_LEAVE_OUT}",
        _ALL_IMAGES,
    ),
    Code(
        "saturated_images",
        "With four images or more: an image has less than a quarter of the usual noise, and a "
        "higher level than `level_images` allows",
        f"Use less light or a shorter exposure. {_LEAVE_OUT}",
        _ALL_IMAGES,
    ),
    Code(
        "level_images",
        "With four images or more: an image has a level that differs from the usual one by more "
        "than 20 times a pixel's noise, and by more than 6 times the usual scatter of the levels",
        f"Look at these images. {_LEAVE_OUT}",
        _ALL_IMAGES,
    ),
    Code(
        "noisy_images",
        "With four images or more: an image has more than 4 times the usual noise",
        f"Look at these images. {_LEAVE_OUT}",
        _ALL_IMAGES,
    ),
    Code(
        "bright_images",
        f"With four images or more: an image has more than {images._BRIGHT:.0f} times the usual "
        f"number of photons, by {images._BRIGHT_ERRORS:.0f} standard deviations",
        f"Look at these images, and at the beam's intensity. {_LEAVE_OUT}",
        _ALL_IMAGES,
    ),
    Code(
        "track_images",
        "With four images or more: a row of one integrated spectrum is higher than that row in "
        f"the others, by {over_time._TRACK_HEIGHT:g} times the height of the tallest line and by "
        f"{over_time._TRACK_ERRORS:.0f} standard deviations of their scatter",
        f"Set `REMOVE_COSMICS = True`, or look at these images. {_LEAVE_OUT}",
        _ALL_IMAGES,
    ),
    Code(
        "no_photons",
        "No photon was found in any image",
        "Check that there was light, and use a threshold from `noise_report(run)`",
        "always",
    ),
    Code(
        "no_light",
        f"Noise alone makes more than {photons._ALL_FALSE:.0%} of the hits above the threshold, "
        "as in a dark run. Or no row of an integrated spectrum stands out by "
        f"{photons._LINE_ERRORS:g} standard deviations. Or, with {photons._IMAGES_FOR_SCATTER} "
        "images or more, the rows that stand out vary too little from image to image: less than "
        f"charges of {photons._LEAST_CHARGE:g} times a pixel's noise would make them vary. Hot "
        "pixels do that",
        "Check that it is the right run; if it is, use a threshold from `noise_report(run)`",
        "noise makes the hits",
    ),
    Code(
        "false_hits",
        f"Noise alone makes more than {photons._FALSE:.0%} of the hits, and more than "
        f"{photons._LEAST_FALSE:.0f} hits",
        "Raise `THRESHOLD` or `STD_THRESHOLD`; `noise_report(run)` suggests one",
    ),
    Code(
        "outside",
        f"More than {photons._OUTSIDE:.0%} of the photons, and {photons._LEAST_OUTSIDE} or more, "
        "are outside the axis after the curvature is corrected",
        "Widen `Y_RANGE`, or check `CURVE_A` and `CURVE_B`",
    ),
    Code(
        "spread",
        "`STD_THRESHOLD` takes the threshold from the standard deviation of each image's 2x2 "
        f"squares, and that is more than {photons._SPREAD:g} times the standard deviation of "
        "their noise. Stuck rows, steps of the level or much light then set the threshold",
        "Set `THRESHOLD = '6 sigma'`, or mask bad pixels (`find_bad_pixels`)",
        f"it is more than {4 * photons._SPREAD:.0f} times that",
    ),
    Code(
        "threshold_high",
        f"The threshold is more than {photons._THRESHOLD_HIGH:g} times the charge of one photon: "
        "photons that share their charge between pixels are lost",
        "Set `THRESHOLD` to the value that `noise_report(run)` suggests, mask bad pixels "
        "(`find_bad_pixels`), or use `method='best'`",
        "the threshold is higher than the charge of one photon",
    ),
    Code(
        "double_threshold",
        f"`DBL_THRESHOLD` is not between {photons._DOUBLE[0]:g} and {photons._DOUBLE[1]:g} times "
        "the charge of one photon",
        "Set it to 1.5 times the charge of one photon; the message gives the value",
        "it is lower than the charge of one photon",
    ),
    Code(
        "charge",
        f"The charge of isolated photons differs by more than {photons._CHARGE:.0%} from the "
        "charge calculated from photon energy and gain",
        "Set `ELECTRONS_PER_ADU` (or `EV_PER_PAIR`) to the value of the camera, or set "
        "`PHOTON_CHARGE`",
        f"it is {photons._GRAVE_CHARGE:g} times too large or too small",
    ),
    Code(
        "dark_level",
        "The level of the images differs from that of the dark by more than "
        f"{dark._LEVEL_NOISES:g} times a pixel's noise and by more than {dark._LEAST_LEVEL:g} ADU",
        "Load a dark taken with the same settings in the same night. Or fit the dark to each "
        "image: `DARK_FIT = 'offset'`, or `'both'` if its structure has grown",
        f"it differs by {dark._GRAVE_LEVEL:.0f} times that",
    ),
    Code(
        "dark_exposure",
        "`hRIXS_exposure` of the dark and of the images differ by more than "
        f"{dark._EXPOSURE:.0%}",
        "Load a dark with the same exposure",
    ),
    Code(
        "dark_noise",
        f"A pixel's noise in the images is less than {dark._LEAST_NOISE:g} times or more than "
        f"{dark._MOST_NOISE:g} times its noise in the images of the dark",
        "Load a dark with the same camera, gain and readout mode",
    ),
    Code(
        "dark_images",
        "Some images of the dark run were left out, because they are blank, saturated or at a "
        "different level; or light fell on them. `load_dark` reports it, and each result made "
        "with that dark",
        "Record a new dark run with the shutter closed",
        "light fell on most of them",
    ),
    Code(
        "exposure",
        f"`hRIXS_exposure` is more than {exposure._LONGER:g} times the time from one image to "
        "the next. For runs that time follows from the train ids, ten per second",
        "Check the unit (`data.hRIXS_exposure.attrs['units']`, `'s'` or `'ms'`)",
    ),
    Code("bad_rows", f"A {_BAD_LINES.format('row')}", _BAD_PIXELS),
    Code("bad_columns", f"A {_BAD_LINES.format('column')}", _BAD_PIXELS),
    Code(
        "hot_pixels",
        f"A pixel has a photon in {chip._LEAST_PER_PIXEL} images or more, and the probability of "
        f"that is below {chip._CHANCE:.0e}, by the photons in the rows beside it",
        _BAD_PIXELS,
    ),
    Code(
        "curve",
        f"A different curve makes the lines more than {lines._SHARPER:g} times as sharp, by "
        f"{lines._SHARPER_ERRORS:.0f} standard deviations. Sharpness is the number of pairs of "
        f"photons in the same row; {lines._LEAST} photons or more are needed",
        "Call `find_curvature(run)`, and check the sign of `CURVE_A`",
        f"it makes them more than {lines._GRAVELY_SHARPER:g} times as sharp",
    ),
    Code(
        "orientation",
        "No curve gathers the photons into lines in y: pairs in the same row are less than "
        f"{lines._ALONG:g} times those of evenly spread photons. In x they are {lines._ACROSS:g} "
        f"times as many as in y. {lines._LEAST} photons or more are needed",
        "Transpose the frames (`--transpose`): the energy must run along y",
        "always",
    ),
    Code(
        "cut",
        f"A line leaves the crop in more than {lines._CUT:.0%} of the columns, or is at an end "
        "of the axis",
        "Widen `Y_RANGE`",
    ),
    Code(
        "row_steps",
        "In the first images the level steps from one row to the next by more than "
        f"{steps._LEAST_STEP:g} times a pixel's noise and {steps._ERRORS:.0f} standard "
        f"deviations. The medians of {steps._LINES} rows on both sides are compared",
        "Load a dark, or set `THRESHOLD = '6 sigma'`, which removes such steps",
    ),
    Code(
        "column_steps",
        "The same as `row_steps`, from one column to the next",
        "Load a dark, or set `THRESHOLD = '6 sigma'`, which removes such steps",
    ),
    Code(
        "moving_lines",
        f"With {2 * over_time._PARTS} images or more at one photon energy: the positions of the "
        f"lines in {over_time._PARTS} parts of the run vary by more than "
        f"{over_time._MOVE_RATIO:.0f} times the variance expected by chance, and the sum of the "
        f"aligned spectra is more than {over_time._SHARPER:g} times as sharp",
        "Call `align(result)`, which moves the lines back",
    ),
    Code(
        "level_drift",
        f"For integrated intensity: the level drifts by more than {over_time._DRIFT_NOISES:g} "
        f"times a pixel's noise, {over_time._LEAST_DRIFT:g} ADU, and "
        f"{over_time._DRIFT_ERRORS:.0f} standard deviations",
        "Subtract the level of each image (`PEDESTAL = 'image'`, or give rows without light), or "
        "count photons with `method='best'`",
    ),
    Code(
        "crowded",
        "A threshold loses more than 5 % of the photons of the first images, because spots "
        "overlap. With `method='resolve'`: there are more than 0.45 photons per pixel. The "
        "warning is a `LostPhotonsWarning`",
        "Use `method='resolve'` or `'best'`; if it was `'resolve'`, use `'integrate'` or `'best'`",
        "more than 30 % are lost",
    ),
    Code(
        "denser",
        "Later images have many more photons than the first ones: more than 5 % are lost in "
        "them, or they cannot be separated (`LostPhotonsWarning`)",
        "Use `method='resolve'` or `'best'`, or `'integrate'` for these images",
    ),
    Code(
        "charge_balance",
        "The total charge of resolved photons differs from the charge above the level by more "
        "than 3 % and 4 standard deviations (`ChargeBalanceWarning`)",
        "Check `PHOTON_CHARGE` or `ELECTRONS_PER_ADU`, `CLOUD_SIGMA`, and the level (a dark, or "
        "`LOCAL_BACKGROUND`)",
        "it differs by more than 30 %",
    ),
    Code(
        "learned_charge",
        "The charge of one photon was taken from too few isolated spots: it is uncertain by more "
        "than 2 %",
        "Set `PHOTON_CHARGE`, or set `ELECTRONS_PER_ADU` so that it follows from the photon "
        "energy",
    ),
    Code(
        "bins",
        f"A bin is wider than {lines._BIN:g} times the FWHM of the narrowest line",
        "Raise `BINS` to about 3 times the number of rows in `Y_RANGE`",
    ),
    Code(
        "few_phases",
        f"In a deconvolved spectrum the lines move by less than {phases._WHOLE_ROW:g} row over "
        "the columns, so that pixels sample them at few heights only",
        "Do not trust lines narrower than 1 px, or use `oversample=1`. Tilt the camera so that "
        "the lines move by a row or more",
    ),
    Code(
        "energy_axis",
        "`ENERGY_SLOPE` is 0; or the photon energy `nrj` is outside the energy axis by more than "
        f"{axis._FARTHEST:g} times the length of the axis",
        "Check `ENERGY_INTERCEPT` and `ENERGY_SLOPE`, or call `calibrate_energy` again",
        "the slope is 0",
    ),
    Code(
        "energy_gain",
        f"A line with at least {axis._STRONG:.0%} of the height of the tallest one is more than "
        f"{axis._GAIN:g} eV above the photon energy `nrj`, by {axis._GAIN_ERRORS:.0f} standard "
        "deviations. Photons do not gain energy. A line in a single integrated image is not "
        "reported",
        "Check the sign of `ENERGY_SLOPE`, `ENERGY_INTERCEPT` and `nrj`, or call "
        "`calibrate_energy` again",
    ),
    Code(
        "calibrated_range",
        "The photon energy `nrj` is outside the energies used in `calibrate_energy`, by more "
        f"than their range (times {axis._BEYOND:g}) and more than {axis._LEAST_BEYOND:g} eV",
        "Call `calibrate_energy` with runs around that energy",
    ),
    Code(
        "calibration",
        "A line in `calibrate_energy` is 3 times as wide as the narrowest, or has a different "
        "shape (chi2 above 3), or deviates from the fit to the others by 5 standard deviations. "
        "Or all lines scatter by more than their uncertainties allow (probability below 0.001)",
        "Check the energies, the curvature, and that the tallest line of each run is the elastic "
        "line",
    ),
)
# fmt: on
