"""Time of deconvolved spectra: of a frame, compared with `integrate`, and of the fit at the end."""

from __future__ import annotations

import time

import numpy as np

from hrixs import integrate_frames
from hrixs.camera.curve import Curvature
from hrixs.camera.frames import as_frames
from hrixs.deconvolution.covariance import covariance
from hrixs.deconvolution.fit import Light, fit
from hrixs.deconvolution.response import Response
from hrixs.deconvolution.sampled import sample

CURVE = (0.024, -3e-7)
ROUNDS, N_FRAMES = 9, 8
#: Wanted: time of a frame / that of `integrate`; time of the spectrum in seconds.
MOST_OF_A_FRAME, MOST_OF_ALL = 3.0, 1.0


def main() -> None:
    """Time both in turn on one thread, in seconds of processor time."""
    rng = np.random.default_rng(0)
    frames = rng.integers(90, 110, (N_FRAMES, 2048, 2048)).astype(np.uint16)
    ratios = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        integrate_frames(frames, curvature=CURVE, threads=1)
        between = time.process_time()
        sums, pixels, where = sample(
            as_frames(frames), Curvature.of(CURVE), dark=None, mask=None, threads=1
        )
        ratios.append((time.process_time() - between) / (between - begin))
    light = (sums.sum(0) - 99.5 * N_FRAMES * pixels) / 150
    light[:, 1000] += 4 * pixels[:, 1000]
    known = Light(light, pixels, N_FRAMES * pixels * (5.8 / 150) ** 2, 2048, 150.0)
    response = Response(0.55, 0.2, where.offsets, where.spreads, 3)
    begin = time.process_time()
    found = fit(known, response, 1e-5)
    covariance(known, found, response)
    spent = time.process_time() - begin
    ratio = float(np.median(ratios))
    print(f"a frame: {ratio:.2f} times integrate; the spectrum of 2048 rows: {spent:.2f} s")
    if ratio > MOST_OF_A_FRAME or spent > MOST_OF_ALL:
        raise SystemExit(
            f"too slow: wanted are {MOST_OF_A_FRAME:g} times and {MOST_OF_ALL:g} s at most"
        )


if __name__ == "__main__":
    main()
