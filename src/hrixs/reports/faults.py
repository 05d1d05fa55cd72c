"""Faults in the files of a run, and data that were left out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from hrixs.reports.contents import Row, Section
from hrixs.reports.how_made import shown

# Most trains that are listed; the others are counted.
_MOST_NAMED = 12
_COUNTED = {
    "n_skipped": "images skipped",
    "n_suspect": "trains that are suspect",
    "n_trains_with_several_images": "trains with several images",
    "n_failed_runs": "runs that failed",
    "n_left_out": "images left out by a selection",
    "n_frames_left_out": "images left out of the groups",
    "n_trains_without_nrj": "images without a photon energy",
}
_LISTED = {
    "missing_fields": "fields missing in the run",
    "failed_runs": "runs that failed",
    "not_aligned": "not aligned",
    "not_aggregated": "variables that were not added up",
    "selected_by": "images were selected by",
    "left_out": "left out",
}


def faults_section(attrs: Mapping[Any, Any]) -> Section:
    """Section with faults, images and trains that were left out, and differences between runs."""
    section = Section("Faults, and what was left out")
    section.texts += [line for line in str(attrs.get("faults", "")).splitlines() if line]
    for name, text in _COUNTED.items():
        if name in attrs and int(attrs[name]):
            section.rows.append(Row(text, str(int(attrs[name]))))
    for name, text in _LISTED.items():
        if str(attrs.get(name, "")).strip():
            section.rows.append(Row(text, _short(str(attrs[name]))))
    skipped = np.atleast_1d(np.asarray(attrs.get("skipped_trains", [])))
    if skipped.size:
        section.rows.append(Row("trains skipped", _short(", ".join(map(str, skipped.tolist())))))
    for name, values in json.loads(str(attrs.get("differs", "{}"))).items():
        by_run = "; ".join(f"{run}: {shown(value)}" for run, value in values.items())
        section.rows.append(Row(f"{name}, which differs", _short(by_run, "; ")))
    if not (section.texts or section.rows):
        known = "faults" in attrs
        section.texts.append(
            "No fault of the files was found, and no image was left out."
            if known
            else "The files of the result are not known."
        )
    return section


def _short(text: str, between: str = ", ") -> str:
    parts = text.split(between)
    more = len(parts) - _MOST_NAMED
    return text if more <= 0 else f"{between.join(parts[:_MOST_NAMED])} and {more} more"
