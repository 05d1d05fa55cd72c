"""How ``hrixs watch --web`` follows a bridge: another process sends images of 2048 x 2048.

For each rate: the images used and dropped, and the age of an image when its page is computed,
without the browser.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from queue import Full
from typing import Any

import numpy as np

from hrixs import hRIXS
from hrixs.live.bridge import Receiver
from hrixs.live.saving import Saver
from hrixs.live.spectra import LiveSpectra
from hrixs.live_page.page import WatchPage
from hrixs.live_page.watched import Watched
from hrixs.simulation import Sensor, rixs_lines, simulate_frames

RATES, SECONDS, SETTLING, ASK = (10, 25), 15.0, 5.0, 0.15
SOURCE, KEY = "SCS_HRIXS_CAM/CAM/MARANAX:daqOutput", "data.image.pixels"


def send(rate: float, told: Any) -> None:
    """Send `rate` images per second, whether they are received or not."""
    from karabo_bridge import ServerInThread

    frames, _ = simulate_frames(
        10, sensor=Sensor(), lines=rixs_lines(1725.7), photons_per_frame=200, energy=530.0, seed=1
    )
    with ServerInThread("tcp://127.0.0.1:*", maxlen=4) as server:
        told.send(server.endpoint)
        begin, number = time.monotonic(), 0
        while True:
            meta = {"timestamp.tid": 1000 + number, "timestamp": time.time()}
            with suppress(Full):
                data = {SOURCE: {KEY: frames.values[number % 10]}}
                server.feed(data, {SOURCE: meta}, block=False)
            number += 1
            time.sleep(max(0.0, begin + number / rate - time.monotonic()))


def measured(rate: float, folder: Path) -> str:
    """Measure one rate; return its row of the table."""
    ours, theirs = multiprocessing.Pipe()
    sender = multiprocessing.get_context("spawn").Process(target=send, args=(rate, theirs))
    sender.start()
    endpoint = ours.recv()
    h = hRIXS()
    h.set_params(y_range=slice(1400, 1850), energy_slope=0.018387, energy_intercept=498.27)
    live = LiveSpectra(h, keep_last=True)
    watched = Watched(
        live, lambda: Receiver(endpoint, has_image=live.reader.has_image, keep=5),
        endpoint=endpoint, saver=Saver(folder / f"{rate}.nc"),
    )  # fmt: skip
    watched.start()
    page, ages, shown = WatchPage(watched), [], None
    begin, first, used_before = time.monotonic(), watched.state, 0.0
    while time.monotonic() < begin + SETTLING + SECONDS:
        time.sleep(ASK)
        page.refresh()
        last = page.shown.last
        if time.monotonic() < begin + SETTLING:
            first, used_before = watched.state, time.process_time()
        elif last is not None and last is not shown:
            ages.append(time.monotonic() - last.time)
        shown = last
    end, used = watched.state, time.process_time() - used_before
    watched.end()
    sender.terminate()
    sender.join()
    return (
        f"| {rate} | {(end.used - first.used) / SECONDS:.1f} | {end.dropped - first.dropped} of "
        f"{end.received - first.received} | {np.median(ages):.2f} | {used / SECONDS:.2f} |"
    )


def main() -> None:
    """Measure each rate."""
    print("| images sent a second | used a second | dropped | age when computed / s | processors |")
    print("|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for rate in RATES:
            print(measured(rate, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
