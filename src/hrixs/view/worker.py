"""Run the jobs of a page outside its event loop, one at a time; warnings go to the page only."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

from hrixs.utils.errors import heard

#: Held during a computation for any browser: the core uses all threads anyway.
RECKONING = threading.RLock()


@contextmanager
def silence() -> Iterator[None]:
    """Show no warning in the terminal of the server; one job at a time."""
    with RECKONING, heard():
        yield


@contextmanager
def quiet() -> Iterator[None]:
    """As `silence`, for quick jobs: they do not wait for a running computation."""
    with heard():
        yield


class Worker:
    """Run several kinds of jobs; of each kind only the last one requested.

    Parameters
    ----------
    document : bokeh.document.Document or None
        Document that gets the results; without one jobs run immediately.
    failed : callable
        Called with errors.
    busy : callable
        Called with whether a job is running.
    """

    def __init__(
        self,
        document: Any,
        *,
        failed: Callable[[Exception], None],
        busy: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._document, self._failed, self._busy = document, failed, busy
        self._asked: Counter[str] = Counter()
        # Images are read, and widths fitted, during slow jobs.
        self._pool = ThreadPoolExecutor(3, thread_name_prefix="hrixs-view")
        self._n_waiting = 0

    def run(self, kind: str, job: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Run `job` and pass its result to `done`, unless the same kind is requested again."""
        self._asked[kind] += 1
        number = self._asked[kind]
        self._n_waiting += 1
        self._busy(True)
        if self._document is None:
            self._end(kind, number, done, *_tried(job))
        else:
            self._pool.submit(self._work, kind, number, job, done)

    def tell(self, kind: str, callback: Callable[..., None], *args: Any) -> None:
        """From within a job: show something, unless the same kind is requested again."""
        number = self._asked[kind]

        def show() -> None:
            if self._asked[kind] == number:
                callback(*args)

        if self._document is None:
            show()
        else:
            self._document.add_next_tick_callback(show)

    def close(self) -> None:
        """Accept no more jobs."""
        self._asked.clear()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _work(
        self, kind: str, number: int, job: Callable[[], Any], done: Callable[[Any], None]
    ) -> None:
        is_latest = self._asked[kind] == number
        result = _tried(job) if is_latest else (None, None)
        self._document.add_next_tick_callback(partial(self._end, kind, number, done, *result))

    def _end(
        self,
        kind: str,
        number: int,
        done: Callable[[Any], None],
        value: Any,
        error: Exception | None,
    ) -> None:
        self._n_waiting -= 1
        if self._asked[kind] == number:
            if error is None:
                try:
                    done(value)
                except Exception as of_showing:  # the page goes on
                    self._failed(of_showing)
            else:
                self._failed(error)
        self._busy(self._n_waiting > 0)


def _tried(job: Callable[[], Any]) -> tuple[Any, Exception | None]:
    try:
        return job(), None
    except Exception as error:  # any error is shown, and the page continues
        return None, error
