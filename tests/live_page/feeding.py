"""A bridge's own server in a thread on this machine, which sends frames again and again."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Full

import numpy as np
import pytest

pytest.importorskip("karabo_bridge")
from karabo_bridge import ServerInThread

SOURCE, KEY = "SCS_HRIXS_CAM/CAM/MARANAX:daqOutput", "data.image.pixels"


@contextmanager
def feeding(
    frames: np.ndarray, *, rate: float = 50.0, n_trains: int = 100_000, source: str = SOURCE
) -> Iterator[str]:
    """Address of a server that sends `rate` frames per second, and waits for nobody."""
    with ServerInThread("tcp://127.0.0.1:*", maxlen=4) as server:
        stopping = threading.Event()

        def feed() -> None:
            begin = time.monotonic()
            for k in range(n_trains):
                meta = {"timestamp.tid": 1000 + k, "timestamp": time.time()}
                with suppress(Full):
                    data = {source: {KEY: frames[k % len(frames)]}}
                    server.feed(data, {source: meta}, block=False)
                if stopping.wait(max(0.0, begin + (k + 1) / rate - time.monotonic())):
                    return

        thread = threading.Thread(target=feed)
        thread.start()
        try:
            yield server.endpoint
        finally:
            stopping.set()
            thread.join()
