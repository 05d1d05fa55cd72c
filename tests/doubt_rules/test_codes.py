"""The table of codes: complete, and with the figures of the rules."""

import ast
from pathlib import Path

import pytest

import hrixs.doubt_rules
from hrixs.camera import unlike_frames
from hrixs.doubt_rules.codes import CODES
from hrixs.doubt_rules.images import _CODES as CODES_OF_IMAGES
from hrixs.reduction import judge

RULES = Path(hrixs.doubt_rules.__file__).parent
TABLE = {one.code: one for one in CODES}


def codes_in_the_source() -> set[str]:
    """First argument of each `Doubt`, where it is written out, and the codes of images."""
    found = set(CODES_OF_IMAGES.values())
    for path in RULES.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
            is_doubt = isinstance(node, ast.Call) and ast.unparse(node.func) == "Doubt"
            if is_doubt and node.args and isinstance(node.args[0], ast.Constant):
                found.add(node.args[0].value)
    return found | {"bad_rows", "bad_columns"}  # of a loop over both


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
    assert "a quarter of the noise" in TABLE["blank_images"].told
    assert "a quarter of the noise" in TABLE["saturated_images"].told
    assert (
        f"more than {unlike_frames._MUCH_NOISE:.0f} times the noise" in TABLE["noisy_images"].told
    )
    level = TABLE["level_images"].told
    assert f"than {unlike_frames._LEVEL_NOISE:.0f} times a pixel's noise" in level
    assert f"than {unlike_frames._LEVEL_SPREAD:.0f} times what" in level
    assert judge._LEAST_IMAGES == 4
    assert all(TABLE[code].told.startswith("Of four images") for code in CODES_OF_IMAGES.values())
