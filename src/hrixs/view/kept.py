"""Photons that were found, kept for all browsers; each is found once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from hrixs.view.found import Found

# Sets of photons that are kept, so that a setting can be put back.
_MOST = 4


@dataclass
class _One:
    lock: threading.Lock = field(default_factory=threading.Lock)
    found: Found | None = None


class Kept:
    """The sets of photons that were asked for last, by what they were found with."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of_key: OrderedDict[str, _One] = OrderedDict()

    def __contains__(self, key: str) -> bool:
        one = self._of_key.get(key)
        return one is not None and one.found is not None

    def get(self, key: str, find: Callable[[], Found]) -> Found:
        """Those of a key, found now where they are not there; others who ask wait for them."""
        with self._lock:
            one = self._of_key.setdefault(key, _One())
            self._of_key.move_to_end(key)
            while len(self._of_key) > _MOST:
                self._of_key.popitem(last=False)
        with one.lock:
            if one.found is None:
                one.found = find()
            return one.found
