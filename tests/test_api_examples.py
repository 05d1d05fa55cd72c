"""Every example in the API text of the replaced class runs as it stands."""

import re

import pytest
import xarray

from conftest import SHARED
from hrixs import hRIXS

API_TEXT = SHARED / "spec" / "toolbox_scs-hrixs-api.txt"
# The text has lost its line breaks: a statement begins with an assignment, a call of h, or a plot.
STATEMENT = re.compile(
    r"(?:(?<=\s)|^)(?<!= )(?=[a-z]\w*(?:\.[A-Z_]+)? = |h\.[a-z_]+\(|(?:data|agg2?)\.spectrum)"
)


def examples() -> list[list[str]]:
    text = API_TEXT.read_text(encoding="utf8").translate(str.maketrans("\u2018\u2019", "''"))
    blocks = re.findall(
        r"^Example\n\n(.*?)(?=\n\n\w+\(|\n\nDETECTOR_FIELDS|\Z)", text, re.MULTILINE | re.DOTALL
    )
    return [
        [
            statement.split("#")[0].strip()
            for statement in STATEMENT.split(" ".join(block.split()))
            if statement.strip()
        ]
        for block in blocks
    ]


# What the text says to type, one list for each of its examples.
STATEMENTS = [
    [
        "proposal = 3145",
        "h = hRIXS(proposal)",
        "h.Y_RANGE = slice(700, 900)",
        "h.CURVE_B = -3.695346575286939e-07",
        "h.CURVE_A = 0.024084479232443695",
        "h.ENERGY_SLOPE = 0.018387",
        "h.ENERGY_INTERCEPT = 498.27",
        "h.STD_THRESHOLD = 3.5",
    ],
    [
        "data = h.from_run(145)",
        "data1 = h.from_run(145)",
        "data2 = h.from_run(155)",
        "data = xarray.concat([data1, data2], 'trainId')",
    ],
    ["h.load_dark(166)"],
    ["h.find_curvature(155)"],
    ["h.centroid(data)", "data.spectrum[0, :].plot()"],
    ["h.integrate(data)", "data.spectrum[0, :].plot()"],
    [
        "h.centroid(data)",
        "agg = h.aggregate(data)",
        "agg.spectrum.plot()",
        "agg2 = h.aggregate(data, 'hRIXS_delay')",
        "agg2.spectrum[0, :].plot()",
    ],
]


@pytest.mark.skipif(not API_TEXT.exists(), reason="the API text lies outside of the repository")
def test_these_are_the_examples_of_the_text():
    assert examples() == STATEMENTS


def test_the_examples_run_in_order(data_root):
    names = {"hRIXS": hRIXS, "xarray": xarray}
    for statements in STATEMENTS:
        for statement in statements:
            exec(statement, names)
    assert names["data"].sizes["trainId"] == 16
    assert names["agg2"].spectrum.dims == ("hRIXS_delay", "energy")
    assert names["h"].USE_DARK
