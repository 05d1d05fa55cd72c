"""Compare the train ids stored next to the entries of a file with the index of the file."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.runs.faults import Faults, named_trains

#: What to type for it.
HOW_TO_TRUST = "trust='index' or trust='records' (on the command line --trust)"


def rows_by_records(
    name: str,
    own: NDArray[np.uint64],
    train_ids: NDArray[np.uint64],
    first: NDArray[np.uint64],
    count: NDArray[np.uint64],
    faults: Faults,
) -> tuple[NDArray[Any], ...]:
    """Rows by the ids next to them; differences from the index are reported.

    Like the rows by the index: also train and position of each, and no lost rows.
    """
    row = np.flatnonzero(own)
    ids = own[row]
    by_index = np.zeros(len(own), dtype=np.uint64)
    for train_id, begin, n in zip(train_ids.tolist(), first.tolist(), count.tolist(), strict=True):
        by_index[begin : min(begin + n, len(own))] = train_id
    differ = ids != by_index[row]
    if differ.any():
        faults.add(
            f"{name}: {int(differ.sum())} {faults.noun}' own train ids differ from the index; "
            f"they are used, as trust='records' says: {named_trains(ids[differ])}.",
            about=ids[differ],
        )
    slot = np.cumsum(np.concatenate([[0], ids[1:] != ids[:-1]])).astype(np.int64)
    none = np.empty(0, dtype=np.int64)
    return row, ids, slot, none.astype(np.uint64), none


def report_unclaimed(
    name: str,
    own: NDArray[np.uint64],
    first: NDArray[np.uint64],
    count: NDArray[np.uint64],
    told: NDArray[np.uint64],
    faults: Faults,
) -> None:
    """Report entries with an id of their own that the index gives to no train.

    For trains in `told`, a missing entry was reported before.
    """
    covered = np.zeros(len(own) + 1, dtype=np.int64)
    use = (count > 0) & (first < len(own))
    begin = first[use].astype(np.int64)
    room = len(own) - begin
    np.add.at(covered, begin, 1)
    np.add.at(covered, begin + np.minimum(count[use], room.astype(np.uint64)).astype(np.int64), -1)
    unclaimed = (np.cumsum(covered)[:-1] == 0) & (own > 0) & ~np.isin(own, told)
    if unclaimed.any():
        faults.add(
            f"{name}: {int(unclaimed.sum())} {faults.noun} are not listed in the index and "
            "are skipped; "
            f"by their own train ids they are of {named_trains(own[unclaimed])}.",
            n_skipped=int(unclaimed.sum()),
            train_ids=own[unclaimed],
        )


def agree_with_own_ids(
    name: str,
    row: NDArray[np.int64],
    indexed: NDArray[np.uint64],
    own: NDArray[np.uint64] | None,
    train_ids: NDArray[np.uint64],
    faults: Faults,
    trust: str | None,
) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Compare the index with the id next to each entry, if there is one.

    Returns
    -------
    train_id : numpy.ndarray of uint64
        Train id of each entry.
    keep : numpy.ndarray of bool
        Which entries can be used.
    """
    zero = np.uint64(0)
    of_row = np.zeros(len(indexed), dtype=np.uint64)
    if own is not None:
        there = row < len(own)
        of_row[there] = own[row[there]]
    both = (indexed != zero) & (of_row != zero)
    agree = both & (indexed == of_row)
    if both.sum() > 1 and not np.isin(of_row[both], train_ids).any():
        # Then they are not train ids at all.
        faults.add(
            f"{name}: the {faults.noun}' own train ids have nothing in common with the index, "
            "which is used."
        )
        of_row[:] = zero
        both = np.zeros(len(indexed), dtype=bool)
    contradicted = both & ~agree
    if contradicted.any() and trust == "index":
        faults.add(
            f"{name}: {int(contradicted.sum())} {faults.noun}' own train ids differ from the "
            f"index, which is used, as trust='index' says: "
            f"{named_trains(indexed[contradicted])}.",
            about=indexed[contradicted],
        )
        contradicted[:] = False
    elif contradicted.any():
        faults.add(
            f"{name}: {int(contradicted.sum())} {faults.noun}' own train ids differ from the "
            f"index, they are skipped: by the index {named_trains(indexed[contradicted])}, by "
            f"themselves {named_trains(of_row[contradicted])}. {HOW_TO_TRUST} sets which to "
            "use.",
            n_skipped=int(contradicted.sum()),
            train_ids=indexed[contradicted],
        )
    unknown = (indexed == zero) & (of_row == zero)
    if unknown.any():
        faults.add(
            f"{name}: {int(unknown.sum())} {faults.noun} have the train id 0 and are skipped.",
            n_skipped=int(unknown.sum()),
        )
    restored = (indexed == zero) & (of_row != zero)
    if restored.any():
        faults.add(
            f"{name}: {int(restored.sum())} {faults.noun} have the train id 0 in the index; their "
            f"own ids are used: {named_trains(of_row[restored])}.",
            about=of_row[restored],
        )
    return np.where(restored, of_row, indexed), ~(contradicted | unknown)
