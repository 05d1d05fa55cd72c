"""Texts on the page of a watch."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from html import escape

from hrixs.live.saving import Saver
from hrixs.live_page.state import State
from hrixs.view.texts import doubts_text


def counts_text(state: State, delay: float) -> str:
    """Numbers of images received, used, dropped and failed."""
    failed = f", {state.failed} failed" if state.failed else ""
    missed = f", {state.missed} trains missed" if state.missed else ""
    waiting = state.received - state.used - state.dropped - state.failed
    waits = f", {waiting} waiting" if waiting else ""
    drawn = f"; on the screen {delay:.2f} s after it came" if math.isfinite(delay) else ""
    return (
        f"images: {state.received} received, {state.used} used, "
        f"{state.dropped} dropped for newer ones{failed}{waits}{missed}{drawn}"
    )


def words_of(lines: Sequence[str]) -> str:
    """Join lines of plain text."""
    return "<br>".join(escape(line) for line in lines)


def saved_text(saver: Saver) -> str:
    """When and where the file was saved."""
    if saver.saved is None:
        return f"not saved yet in {escape(str(saver.path))}"
    ago = time.monotonic() - saver.saved
    return f"saved {ago:.0f} s ago in {escape(str(saver.path))}"


def doubts_and_notes(state: State) -> str:
    """Doubts and other warnings, as text."""
    if not state.used:
        return ""
    notes = "".join(f"<li>{escape(note)}</li>" for note in state.notes)
    beside = f"<ul style='padding-left: 18px; margin: 4px 0'>{notes}</ul>" if notes else ""
    if beside and not state.doubts:
        return beside
    return doubts_text(state.doubts) + beside
