"""Spectra as text, read as a user reads them."""

import io

import numpy as np
import pytest

from hrixs.live.terminal import Screen, draw_spectrum, draw_trend

BLOCKS = " ▁▂▃▄▅▆▇█"


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def heights(lines: list[str]) -> np.ndarray:
    """Height of each column in eighths of a line."""
    bars = [line[9:] for line in lines[:-2]]
    return np.array([sum(BLOCKS.index(bar[k]) for bar in bars) for k in range(len(bars[0]))])


@pytest.mark.parametrize(("width", "height"), [(79, 20), (24, 4), (120, 6), (3, 1)])
def test_size(width, height):
    lines = draw_spectrum(np.arange(500), np.ones(500), width=width, height=height)
    assert len(lines) == max(height, 4)
    assert {len(line) for line in lines} == {max(width, 24)}


@pytest.mark.parametrize("slope", [0.01, -0.01])
def test_a_line_stands_at_its_energy(slope):
    energy = 530 + slope * np.arange(-400, 200)
    lines = draw_spectrum(energy, np.where(np.abs(energy - 530) < 0.04, 100, 0), width=79, height=9)
    column = 9 + int(np.argmax(heights(lines)))
    begin = lines[-1].index("530")
    assert begin <= column < begin + 3
    assert lines[-2][begin + 1] == "┬"
    assert lines[-1].endswith("eV")


def test_all_photons_are_drawn():
    values = np.random.default_rng(1).poisson(3, 707)
    lines = draw_spectrum(np.arange(707), values, width=79, height=202)
    drawn = heights(lines)
    highest = float(lines[0].split("┤")[0])
    per_bin = drawn.mean() / (8 * 200) * highest
    assert per_bin == pytest.approx(values.mean(), rel=0.01)


def test_a_single_photon_shows():
    values = np.zeros(700)
    values[100] = 1000
    values[500] = 1
    drawn = heights(draw_spectrum(np.arange(700), values, width=79, height=6))
    assert (drawn > 0).sum() == 2
    assert drawn.min() == 0


def test_an_axis_from_the_least_value():
    values = 100 + np.arange(50.0)
    lines = draw_spectrum(np.arange(50), values, width=59, height=6, units="px", from_zero=False)
    assert lines[0].split()[0] == "149"
    assert lines[3].split()[0] == "100"
    assert np.all(np.diff(heights(lines)) >= 0)


@pytest.mark.parametrize(
    "values", [np.zeros(10), np.full(10, np.nan), np.zeros(0), np.array([5.0]), -np.ones(10)]
)
def test_odd_spectra_are_drawn_too(values):
    for from_zero in (True, False):
        lines = draw_spectrum(
            np.arange(len(values)), values, width=40, height=5, from_zero=from_zero
        )
        assert len(lines) == 5


def test_rows_that_are_not_known_are_blank():
    values = np.ones(700)
    values[:350] = np.nan
    drawn = heights(draw_spectrum(np.arange(700), values, width=79, height=5))
    assert (drawn[:35] == 0).all()
    assert (drawn[35:] == 24).all()


def test_the_trend_is_of_the_last_values():
    assert draw_trend([9, 0, 4, np.nan, 8], width=4) == " ▄ █"
    assert draw_trend([0, 0], width=4) == "  "
    assert draw_trend([], width=4) == ""


def test_the_screen_is_left_as_it_was(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "21")
    monkeypatch.setenv("LINES", "4")
    stream = Terminal()
    screen = Screen(stream)
    assert screen.size == (20, 3)
    with screen:
        screen.draw(["! " + "x" * 50, "b", "c", "d"])
    text = stream.getvalue()
    assert text.startswith("\x1b[?1049h")
    assert text.endswith("\x1b[?25h\x1b[?1049l")
    assert "\x1b[1;7m! " + "x" * 18 + "\x1b[0m\x1b[K\r\nb" in text
    assert "d\x1b" not in text


@pytest.mark.parametrize(("stream", "term"), [(io.StringIO(), "xterm"), (Terminal(), "dumb")])
def test_plain_lines_elsewhere(stream, term, monkeypatch):
    monkeypatch.setenv("TERM", term)
    with Screen(stream) as screen:
        assert not screen.interactive
        screen.say("a line")
    assert stream.getvalue() == "a line\n"


def test_without_block_characters():
    latin = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    assert Screen(latin).ascii_only
    assert not Screen(Terminal()).ascii_only
    lines = draw_spectrum(np.arange(9), np.arange(9), width=40, height=6, ascii_only=True)
    "\n".join([*lines, draw_trend([1, 2], width=5, ascii_only=True)]).encode("ascii")
