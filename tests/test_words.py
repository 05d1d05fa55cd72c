"""Messages, docstrings and pages are in plain words: those of `OUT` are not used."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

#: What is not used, as regular expressions (a space is any space), and what to write in its place.
OUT = {
    r"(hangs?|hung) on (the|which|how|rounding)": "depend on",
    r"(file|files)'s? word on": "the size stated in the file",
    r"(its|their) word is not": "sizes stated in files are not trusted",
    r"stands? (several times|more than once|twice)": "is duplicated",
    r"whose (they are|it is) (can't|cannot)": "cannot be assigned to a train",
    r"the wish to": "a request to",
    r"lies? off (what|the (others|fit))": "deviates from",
    r"points? nowhere": "has no valid position",
    r"leads? nowhere": "a broken link",
    r"in no place that": "not listed in",
    r"index is believed|, which is believed|to believe": "is used, to use",
    r"all is used that can": "usable data are kept",
    r"can't be told|cannot be told": "cannot be determined, distinguished, separated",
    r"can't tell|cannot tell": "cannot determine, does not show",
    r"told apart|tells? (them|it) apart": "separated, distinguished",
    r"told unasked": "reported without being asked for",
    r"(is|are) told of": "is reported, a warning lists",
    r"no (width|drift) is told": "is given",
    r"(header|index|files?|footer) tells? of": "states, lists",
    r"unsaid": "without a warning",
    r"let be": "left as it is",
    r"for want of": "without",
    r"wish to end": "request to stop",
    r"broken off": "interrupted",
    r"no camera's (are|do)": "more than any camera gives",
    r"which no (line|count) (has|is)(?! displaced)": "say what is expected",
    r"what is no number": "values that are not numbers",
    r"what is faulty": "faulty data",
    r"stands? in (attrs|`attrs`|the place of)": "is in, replaces",
    r"export them apart": "export them separately",
    r"copy \w+( is missing)? beside": "copy ... next to",
    r"whose place .* would take": "which ... would replace",
    r"is thrown away": "is deleted",
    r"handed on": "passed to",
    r"(is|are) worth a (word|look)": "is reported, examined",
    r"gives the picture's text": "returns the caption",
    r"(photons?|hits?|spots|counts|electrons|images|frames|bins|ms|eV|meV|px|ADU|MB) an? "
    r"(pixel|frame|image|row|column|bin|train|run|second|pulse|photon|ADU|file|job)(?!'s)": "per",
    r"once a (train|run|frame|image|job)": "once per",
    r"as from (`+|hrixs|h)": "as returned by",
    r"one at least|(half|all) of them at most": "at least one",
    r"one of both": "one of the two",
    r"made again": "reproduced, computed again",
    r"if nothing else is (said|given)": "unless stated otherwise",
    r"to the last bit": "bit for bit",
    r"at distances of": "one every",
    r"(has|have) settings alone": "only the settings",
    r"come to naught|forthwith|thereof|whereof|whereby|thither|naught": "a plain word",
}

#: The same, of pages alone, which newcomers read first.
OUT_OF_PAGES = {
    r"reckon(s|ed|ing)?": "compute, take as",
    r"anew": "again",
    r"of one's own": "of your own",
    r"one of both": "one of the two",
    r"stands? in": "is in",
    r"as ever": "as before",
    r"goe?s? the way of": "is handled by",
    r"mind (the|your)": "check, read",
    r"throws? \w+ away|thrown away": "loses",
    r"bec[oa]mes? of": "happens to",
}


def compiled(out):
    """The patterns with their plain words, and all of them at once: most texts have none.

    The last is for small letters and single spaces.
    """
    each = [
        (re.compile(rf"\b(?:{words})\b".replace(" ", r"\s+"), re.IGNORECASE), plain)
        for words, plain in out.items()
    ]
    return each, re.compile(rf"\b(?:{'|'.join(out)})\b")


PATTERNS, PAGE_PATTERNS = compiled(OUT), compiled(OUT | OUT_OF_PAGES)


def texts_of_module(source):
    """Line and text of each message, docstring and other text of a module, joined as it is said."""

    def said(node):
        if isinstance(node, ast.JoinedStr):
            return "".join(v.value if isinstance(v, ast.Constant) else "{}" for v in node.values)
        return node.value

    inside = set()
    for node in ast.walk(ast.parse(source)):
        if id(node) in inside:
            continue
        if isinstance(node, ast.JoinedStr):
            inside |= {id(v) for v in node.values}
            yield node.lineno, said(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, said(node)


def comments(source, mark):
    """Line and text of each run of comment lines."""
    begin, lines = 0, []
    for number, line in enumerate([*source.splitlines(), ""], 1):
        if line.strip().startswith(mark):
            begin = begin if lines else number
            lines.append(line.strip().removeprefix(mark))
        elif lines:
            yield begin, "\n".join(lines)
            lines = []


def texts(path):
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return [*texts_of_module(source), *comments(source, "#")]
    if path.suffix in (".cpp", ".hpp"):
        code = ((n, line) for n, line in enumerate(source.splitlines(), 1) if '"' in line)
        return [*code, *comments(source, "//")]
    return [(1, source)]


def found(begin, text, patterns=PATTERNS):
    """Line, words that are out, and plain ones, of each place in a text."""
    each, any_of_them = patterns
    if not any_of_them.search(" ".join(text.lower().split())):
        return
    for pattern, plain in each:
        for match in pattern.finditer(text):
            line = begin + text.count("\n", 0, match.start())
            yield line, " ".join(match.group().split()), plain


FOLDERS = {"src": (".py",), "docs": (".md", ".ipynb"), "cpp": (".hpp", ".cpp")}
FILES = sorted(
    path
    for folder, kinds in FOLDERS.items()
    for path in (ROOT / folder).rglob("*")
    if path.suffix in kinds
) + [ROOT / name for name in ("README.md", "CHANGELOG.md", "ARCHITECTURE.md", "CONTRIBUTING.md")]


def test_words_are_plain():
    at_fault = [
        f"{path.relative_to(ROOT)}:{line}: '{words}', write: {plain}"
        for path in FILES
        for begin, text in texts(path)
        for line, words, plain in found(
            begin, text, PAGE_PATTERNS if path.suffix in (".md", ".ipynb") else PATTERNS
        )
    ]
    assert not at_fault, "\n".join(["words that are hard to read:", *at_fault])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("one file\nthe index points\n    nowhere for 3 trains", "points nowhere"),
        ("it Hung on the unit", "Hung on the"),
        ("whose they are can't be told", "whose they are can't"),
    ],
)
def test_words_that_are_out_are_found(text, words):
    assert words in [w for _, w, _ in found(1, text)]


def test_pages_have_words_of_their_own_that_are_out():
    assert not list(found(1, "It is reckoned anew."))
    words = [w for _, w, _ in found(1, "It is reckoned\nanew.", PAGE_PATTERNS)]
    assert words == ["reckoned", "anew"]


def test_the_line_of_the_words_is_told():
    text = 'def f():\n    """One.\n\n    It points\n    nowhere."""\n    # for want\n    # of it\n'
    places = [found(*one) for one in (*texts_of_module(text), *comments(text, "#"))]
    assert [(line, words) for place in places for line, words, _ in place] == [
        (4, "points nowhere"),
        (6, "for want of"),
    ]


def test_a_message_over_several_lines_is_read_as_one():
    text = 'raise ValueError(\n    f"{n} trains hang "\n    "on the unit"\n)'
    assert [w for one in texts_of_module(text) for _, w, _ in found(*one)] == ["hang on the"]
