"""The page behind jupyter-server-proxy, as on a cluster, in a real browser."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import SimulatedRun
from hrixs.view.server import free_port
from view_browser.browser import chromium_of_system, needs_chromium, opened

pytest.importorskip("jupyter_server_proxy")
pytestmark = needs_chromium


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a Jupyter server that passes on what listens to the machine."""
    port, folder = free_port(), tmp_path_factory.mktemp("jupyter")
    own = {"JUPYTER_CONFIG_DIR": str(folder), "JUPYTER_RUNTIME_DIR": str(folder)}
    options = [f"--ServerApp.port={port}", "--ServerApp.ip=127.0.0.1", "--allow-root",
               "--IdentityProvider.token=jupyter", f"--ServerApp.root_dir={folder}",
               '--ServerApp.jpserver_extensions={"jupyter_server_proxy": True}',
               "--ServerApp.open_browser=False"]  # fmt: skip
    command = [sys.executable, "-m", "jupyter_server", *options]
    log = Path(folder, "log.txt")
    with log.open("w") as out, subprocess.Popen(
        command, stdout=out, stderr=out, env=os.environ | own
    ) as process:  # fmt: skip
        address = f"http://127.0.0.1:{port}"
        try:
            for _ in range(300):
                try:
                    urllib.request.urlopen(f"{address}/api", timeout=5).close()
                    break
                except OSError:
                    assert process.poll() is None, log.read_text()
                    time.sleep(0.1)
            yield address
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def served(simulated: SimulatedRun, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "hrixs", "view", str(simulated.folder), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def chromium() -> Iterator[Any]:
    with chromium_of_system() as browser:
        yield browser


@pytest.mark.parametrize("is_named", [True, False])
def test_the_page_is_passed_on_to_origins_that_are_named(simulated, jupyter, chromium, is_named):
    options = ["--origin", jupyter] if is_named else []
    with served(simulated, "--y-range", "700:900", *options) as process:
        try:
            assert process.stdout is not None
            lines = (line.strip() for line in process.stdout)
            address = next(line for line in lines if line.startswith("http://"))
            port, _, query = address.removeprefix("http://127.0.0.1:").partition("/?")
            context = chromium.new_context()
            page = context.new_page()
            page.goto(f"{jupyter}/api/status?token=jupyter")  # gives Jupyter's cookie
            passed_on = f"{jupyter}/proxy/{port}/?{query}"
            if is_named:
                shown = opened(context, passed_on)
                assert "photons in 8 images" in shown.status()
                shown.enter("bins", "300")
                shown.until(lambda: shown.value("bins") == "300")
                assert not shown.wrong
                assert all(url.partition("//")[2].startswith(jupyter[7:]) or url[:5] == "data:"
                           for url in shown.asked)  # fmt: skip
            else:
                refused = page.goto(passed_on)
                assert refused.status == 403
                assert f"--origin {jupyter}" in page.content()
            context.close()
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)
