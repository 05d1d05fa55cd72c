"""The scripts of `findings/` have the form that CONTRIBUTING.md states; they run outside CI."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPTS = sorted((ROOT / "findings").glob("*"))


def test_there_are_some():
    assert SCRIPTS


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_the_form(script):
    text = script.read_text(encoding="utf8")
    head, body = text.split("set -euo pipefail\n", 1)
    first, *told = head.splitlines()
    assert script.suffix == ".sh"
    assert first == "#!/usr/bin/env bash"
    assert all(line.startswith("# ") for line in told)
    assert re.match(r"# [\w-]+ \d+(\.\d+)+", told[0]), "the first line names the version"
    assert any(line.startswith("# Seen: ") for line in told)
    assert "changed" in body
    assert "mktemp -d" in body
    assert "rm -rf" in body
    assert "hrixs" not in re.sub("SCS_HRIXS_CAM", "", body)
    named = re.findall(r"tests/[\w/]+\.py", head)
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_each_package_is_pinned(script):
    installed = re.findall(r"install --quiet((?:[^\n\\]|\\\n)+)", script.read_text(encoding="utf8"))
    packages = [name for one in installed for name in re.findall(r"'([^']+)'", one)]
    assert packages
    assert any("==" in name for name in packages)
    assert all(re.search(r"[=<>]=?\d", name) for name in packages)


@pytest.mark.skipif(sys.platform == "win32", reason="bash and rights to run are of other systems")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_it_can_be_run(script):
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)
