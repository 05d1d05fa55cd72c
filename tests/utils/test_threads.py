import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from hrixs import NonFinitePixelsError, classify_photons, find_photons, integrate_frames
from hrixs.simulation import Sensor, simulate_frames
from hrixs.utils.threads import available_threads, resolve_threads

CALLS = {
    "find": "hrixs.find_photons(frames, threshold=500.0, threads=2)",
    "classify": "hrixs.classify_photons(frames, 530.0, threads=2)",
    "integrate": "hrixs.integrate_frames(frames, curvature=(0.024, -4e-7), threads=2)",
}


def find(frames, threads):
    return find_photons(frames, threads=threads)


def classify(frames, threads):
    return classify_photons(frames, 530.0, threads=threads)


def integrate(frames, threads):
    return integrate_frames(frames, curvature=(0.024, -4e-7), threads=threads)


every_kernel = pytest.mark.parametrize("kernel", [find, classify, integrate])

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
needs_posix = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")


@pytest.fixture(scope="module")
def frames():
    return simulate_frames(9, sensor=Sensor(shape=(96, 130)), photons_per_frame=60)[0].values


def contents(result):
    if isinstance(result, np.ndarray):
        return result.tobytes()
    return {name: variable.values.tobytes() for name, variable in result.variables.items()}


def run_script(script, *, timeout=60, arguments=(), environment=None):
    """Run Python code in a process of its own, so that its threads and forks stay there."""
    return subprocess.run(
        [sys.executable, *arguments, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env=os.environ | (environment or {}),
    )


@every_kernel
class TestResults:
    @pytest.mark.parametrize("dtype", ["uint16", "float64"])
    @pytest.mark.parametrize("threads", [2, 3, 4])
    def test_any_number_of_threads_gives_the_same_bytes(self, kernel, dtype, threads, frames):
        given = frames.astype(dtype)
        if dtype == "float64":
            # Values without an exact sum would show a change in the order of additions.
            given = given * 0.1
        alone = contents(kernel(given, threads=1))
        for _ in range(3):
            assert contents(kernel(given, threads=threads)) == alone

    def test_the_default_gives_the_same_bytes(self, kernel, frames):
        assert contents(kernel(frames, threads=None)) == contents(kernel(frames, threads=1))

    @pytest.mark.parametrize("threads", [1, 2, 3, 4])
    def test_of_several_bad_frames_the_first_is_named(self, kernel, threads, frames):
        bad = frames.astype(np.float64)
        bad[3:, 5, 5] = np.nan
        bad[5:, 5, 6] = np.nan
        for _ in range(5):
            with pytest.raises(NonFinitePixelsError, match="frame 3 has 1 pixels"):
                kernel(bad, threads=threads)

    def test_python_threads_may_call_it_at_the_same_time(self, kernel, frames):
        expected = contents(kernel(frames, threads=1))
        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(lambda _: contents(kernel(frames, threads=2)), range(24)))
        assert results == [expected] * 24

    def test_other_python_threads_go_on_during_a_call(self, kernel, frames):
        many = np.broadcast_to(frames[0], (8000, *frames[0].shape))
        moments = []
        done = threading.Event()

        def keep_time():
            while not done.is_set():
                time.sleep(0.001)  # done.wait() of 3.14t first yields 40 times to whoever is busy
                moments.append(time.monotonic())

        other = threading.Thread(target=keep_time)
        other.start()
        try:
            start = time.monotonic()
            kernel(many, threads=1)
            end = time.monotonic()
        finally:
            done.set()
            other.join()
        # What comes before and after the core's work is Python, and short. Were the other thread
        # held up, it would never get there.
        middle = [start + (end - start) * part for part in (0.2, 0.8)]
        assert any(middle[0] < moment < middle[1] for moment in moments)


class TestNumberOfThreads:
    @pytest.mark.parametrize(
        ("variable", "expected"),
        [(None, 4), ("2", 2), ("1", 1), ("8", 4), ("3,2", 3), (" 2 ", 2), ("", 4), ("0", 4)],
    )
    def test_the_default_is_the_affinity_and_at_most_omp_num_threads(
        self, monkeypatch, variable, expected
    ):
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 2, 4, 6}, raising=False)
        if variable is None:
            monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        else:
            monkeypatch.setenv("OMP_NUM_THREADS", variable)
        assert available_threads() == expected
        assert resolve_threads(None) == expected

    @pytest.mark.parametrize("variable", ["many", "-3", "2.5"])
    def test_a_variable_that_is_no_number_changes_nothing(self, monkeypatch, variable):
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1}, raising=False)
        monkeypatch.setenv("OMP_NUM_THREADS", variable)
        assert available_threads() == 2

    @pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no CPU affinity here")
    def test_a_process_held_to_one_cpu_uses_one_thread(self, monkeypatch):
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        allowed = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(allowed)})
        try:
            assert available_threads() == 1
        finally:
            os.sched_setaffinity(0, allowed)

    def test_without_affinity_it_is_the_number_of_cpus(self, monkeypatch):
        monkeypatch.delattr(os, "sched_getaffinity", raising=False)
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        assert available_threads() == (os.cpu_count() or 1)

    @pytest.mark.parametrize("threads", [0, -1, 1.5, True, "2", 2**31, float("nan"), float("inf")])
    def test_what_is_no_number_of_threads_is_named(self, threads):
        with pytest.raises(ValueError, match=r"threads = .*, expected a whole number of 1"):
            resolve_threads(threads)

    @pytest.mark.parametrize("threads", [1, 2.0, np.int64(3), 2**31 - 1])
    def test_whole_numbers_are_taken(self, threads):
        assert resolve_threads(threads) == threads

    @pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="counts threads in /proc")
    def test_the_kernels_start_no_more_threads_than_that(self):
        script = """
            import os
            import numpy as np, hrixs
            frames = np.zeros((32, 64, 64), np.uint16)
            before = len(os.listdir("/proc/self/task"))
            for threads, variable in ((None, "1"), (1, "8"), (3, "1")):
                os.environ["OMP_NUM_THREADS"] = variable
                hrixs.integrate_frames(frames, threads=threads)
                print(len(os.listdir("/proc/self/task")) - before)
        """
        done = run_script(script, environment={"OMP_NUM_THREADS": "1"})
        assert done.stdout.split() == ["0", "0", "2"], done.stderr


FORK = """
import os, sys, time
import numpy as np
import hrixs

def call(threads):
    find = hrixs.find_photons(frames, threads=threads)
    classify = hrixs.classify_photons(frames, 530.0, threads=threads)
    spectra = hrixs.integrate_frames(frames, curvature=(0.02, 0.0), threads=threads)
    arrays = [v.values for table in (find, classify) for v in table.variables.values()]
    return b"".join(array.tobytes() for array in [*arrays, spectra])

frames = np.random.default_rng(0).poisson(3.0, (16, 64, 64)).astype(np.uint16)
expected = call(PARENT)
for threads in (None, 1, 2, 4):
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if call(threads) == expected else 2
        finally:
            os._exit(status)
    give_up = time.monotonic() + 15
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        if time.monotonic() > give_up:
            os.kill(child, 9)
            os.waitpid(child, 0)
            sys.exit(f"with threads={threads} the child hangs")
        time.sleep(0.005)
    if status:
        sys.exit(f"with threads={threads} the child ended with status {status}")
assert call(2) == expected
print("all children returned")
"""


@needs_fork
class TestForkedChildren:
    @pytest.mark.parametrize("parent", [1, 2])
    def test_return_whatever_the_parent_used(self, parent):
        done = run_script(FORK.replace("PARENT", str(parent)), timeout=90)
        assert done.stdout.strip() == "all children returned", done.stderr

    def test_may_fork_in_their_turn(self):
        script = FORK.replace("PARENT", "2").replace(
            "status = 0 if call(threads) == expected else 2",
            "grandchild = os.fork()\n"
            "            if grandchild == 0:\n"
            "                os._exit(0 if call(threads) == expected else 2)\n"
            "            status = os.waitpid(grandchild, 0)[1] or int(call(2) != expected)",
        )
        done = run_script(script, timeout=90)
        assert done.stdout.strip() == "all children returned", done.stderr


INTERRUPTED = """
import signal, sys, time
import numpy as np
import hrixs

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
[getattr(hrixs, name) for name in hrixs.__all__]  # names are imported when they are asked for
frame = np.random.default_rng(0).poisson(100.0, (2048, 2048)).astype(np.uint16)
frames = np.broadcast_to(frame, (20000, 2048, 2048))
print("calling", flush=True)
start = time.monotonic()
try:
    CALL
finally:
    print(start, time.monotonic(), flush=True)  # of a clock that all processes share
"""


@needs_posix
class TestCtrlC:
    @pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
    @pytest.mark.one_in(2)
    def test_ends_a_call_within_a_second(self, call):
        script = INTERRUPTED.replace("CALL", call)
        with subprocess.Popen(
            [sys.executable, "-c", script],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert process.stdout.readline() == "calling\n"
                time.sleep(0.3)
                sent = time.monotonic()
                process.send_signal(signal.SIGINT)
                output, errors = process.communicate(timeout=20)
            finally:
                process.kill()
        start, end = map(float, output.split())
        assert end - start >= 0.25
        assert errors.rstrip().endswith("KeyboardInterrupt")
        assert "_core." in errors
        assert process.returncode == -signal.SIGINT
        assert end - sent < 1.0  # the interpreter's own end can take as long on a busy machine

    def test_a_handler_that_raises_nothing_lets_the_work_go_on(self):
        script = """
            import signal
            import numpy as np, hrixs
            handled = []
            signal.signal(signal.SIGALRM, lambda *_: handled.append(1))
            frames = np.broadcast_to(np.eye(256, dtype=np.uint16), (40000, 256, 256))
            signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
            spectra = hrixs.integrate_frames(frames, threads=2)
            signal.setitimer(signal.ITIMER_REAL, 0)
            assert (spectra == 1 / 256).all()
            print(len(handled) > 0)
        """
        done = run_script(script)
        assert done.stdout.strip() == "True", done.stderr

    def test_an_exception_of_a_handler_comes_through(self):
        script = """
            import signal
            import numpy as np, hrixs
            def too_late(*_):
                raise TimeoutError("too late")
            signal.signal(signal.SIGALRM, too_late)
            frames = np.broadcast_to(np.zeros((1024, 1024), np.uint16), (20000, 1024, 1024))
            hrixs.find_photons(frames[0])  # an import takes an OSError, as this one is, for its own
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            hrixs.find_photons(frames, threads=2)
        """
        done = run_script(script)
        assert done.stderr.strip().endswith("TimeoutError: too late")
