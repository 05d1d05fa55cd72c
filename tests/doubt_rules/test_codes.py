"""The table of codes: complete, and with the figures of the rules."""

import ast
import importlib
from pathlib import Path

import pytest

import hrixs
from hrixs.camera import unlike_frames
from hrixs.doubt_rules import over_time
from hrixs.doubt_rules.codes import CODES
from hrixs.doubt_rules.images import _CODES as CODES_OF_IMAGES
from hrixs.energy import axis as energy_axis
from hrixs.photons import charge_balance, spots
from hrixs.reduction import first_images, judge, losses

# The package has a function of that name.
calibration_module = importlib.import_module("hrixs.energy.calibration")
PACKAGE = Path(hrixs.__file__).parent
TABLE = {one.code: one for one in CODES}


def codes_in_the_source() -> set[str]:
    """First argument of each `Doubt`, where it is written out, and the codes of images."""
    found = set(CODES_OF_IMAGES.values())
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
            is_doubt = isinstance(node, ast.Call) and ast.unparse(node.func) == "Doubt"
            if is_doubt and node.args and isinstance(node.args[0], ast.Constant):
                found.add(node.args[0].value)
    # Of loops over both.
    return found | {"bad_rows", "bad_columns", "row_steps", "column_steps"}


def test_every_code_of_the_rules_is_in_the_table():
    assert codes_in_the_source() == set(TABLE)
    assert len(TABLE) == len(CODES)


@pytest.mark.parametrize("code", CODES, ids=lambda code: code.code)
def test_every_code_tells_when_and_what_to_do(code):
    assert code.told
    assert code.do
    # They stand in a table, and the code before the colon of a warning.
    assert "|" not in code.told + code.do + code.grave
    assert code.code.replace("_", "").isalpha()
    assert code.code.islower()


def test_figures_of_rules_that_stand_elsewhere_are_those_of_the_table():
    assert unlike_frames._NO_NOISE == 0.25
    assert "a quarter of the usual noise" in TABLE["blank_images"].told
    assert "a quarter of the usual noise" in TABLE["saturated_images"].told
    assert (
        f"more than {unlike_frames._MUCH_NOISE:.0f} times the usual noise"
        in TABLE["noisy_images"].told
    )
    level = TABLE["level_images"].told
    assert f"than {unlike_frames._LEVEL_NOISE:.0f} times a pixel's noise" in level
    assert f"than {unlike_frames._LEVEL_SPREAD:.0f} times the usual scatter" in level
    assert judge._LEAST_IMAGES == over_time._IMAGES_FOR_TRACKS == 4
    assert f"{calibration_module._MUCH_WIDER:g} times as wide" in TABLE["calibration"].told
    assert f"(chi2 above {calibration_module._LARGEST_CHI2:g})" in TABLE["calibration"].told
    assert f"by {energy_axis._OUTLIER:g} standard" in TABLE["calibration"].told
    assert f"below {energy_axis._LEAST_PROBABILITY:g}" in TABLE["calibration"].told
    assert f"more than {100 * losses.LARGEST_LOSS:g} % of the photons" in TABLE["crowded"].told
    assert f"more than {100 * losses._GRAVE_LOSS:g} %" in TABLE["crowded"].grave
    assert f"more than {first_images.DENSEST:g} photons per pixel" in TABLE["crowded"].told
    assert f"{100 * charge_balance._LARGEST_GAP:g} % and" in TABLE["charge_balance"].told
    assert f"{100 * charge_balance._GRAVE_GAP:g} %" in TABLE["charge_balance"].grave
    assert f"{100 * spots._LARGEST_ERROR:g} %" in TABLE["learned_charge"].told
    assert all(
        TABLE[code].told.startswith("With four images or more") for code in CODES_OF_IMAGES.values()
    )
