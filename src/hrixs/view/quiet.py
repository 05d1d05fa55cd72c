"""One thing is reckoned at a time, and what is doubtful is shown on the page alone."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from hrixs.utils.errors import HrixsWarning

#: Held while something is reckoned, for whatever browser: the core uses all threads anyway, and
#: filters of warnings are those of the whole process.
RECKONING = threading.RLock()


@contextmanager
def silence() -> Iterator[None]:
    """Tell no warning where the server runs."""
    with RECKONING, warnings.catch_warnings():
        warnings.simplefilter("ignore", HrixsWarning)
        yield
