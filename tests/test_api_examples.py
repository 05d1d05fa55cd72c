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


@pytest.mark.skipif(not API_TEXT.exists(), reason="the API text lies outside of the repository")
def test_the_examples_run_in_order(data_root):
    collected = examples()
    assert [len(statements) for statements in collected] == [8, 4, 1, 1, 2, 2, 5]
    names = {"hRIXS": hRIXS, "xarray": xarray}
    for statements in collected:
        for statement in statements:
            exec(statement, names)
    assert names["data"].sizes["trainId"] == 16
    assert names["agg2"].spectrum.dims == ("hRIXS_delay", "energy")
    assert names["h"].USE_DARK
