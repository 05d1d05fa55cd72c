"""The class is a facade: short documented methods over functions, and a help that can be read."""

import ast
import inspect
import pydoc
import re

import pytest

import hrixs
from hrixs.spectrometer import spectrometer

HELP = pydoc.render_doc(hrixs.hRIXS, renderer=pydoc.plaintext).splitlines()
TREE = next(
    node
    for node in ast.parse(inspect.getsource(spectrometer)).body
    if isinstance(node, ast.ClassDef) and node.name == "hRIXS"
)
METHODS = [node for node in TREE.body if isinstance(node, ast.FunctionDef)]


def code_of(method: ast.FunctionDef) -> list[ast.stmt]:
    return method.body[1:] if ast.get_docstring(method) else method.body


def help_of_methods() -> dict[str, int]:
    """Lines of help of each method, by its name."""
    lines, found, name = HELP, {}, ""
    begin = lines.index(" |  Methods defined here:")
    for line in lines[begin:]:
        if line.startswith(" |  ----"):
            name = ""
        match = re.match(r" \|  (\w+)\(", line)
        if match:
            name = match[1]
        if name:
            found[name] = found.get(name, 0) + 1
    return found


def test_the_help_can_be_read():
    assert len(HELP) < 650
    lines = help_of_methods()
    assert {"centroid", "process_run", "find_curvature", "aggregate"} <= lines.keys()
    assert {name: n for name, n in lines.items() if n > 30} == {}
    assert [name for name in lines if name.startswith("_") and not name.endswith("__")] == []


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_a_method_is_a_few_lines_over_functions(method):
    body = code_of(method)
    assert body[-1].end_lineno - body[0].lineno + 1 <= 5
    assert method.name == "__init__" or ast.get_docstring(method)
