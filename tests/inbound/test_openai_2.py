"""The generation of openai before ours, on httpx: the conversations of test_clients.py once more, with it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import openai
import pytest

ROOT = Path(__file__).parents[2]
CLIENTS = Path(__file__).with_name("test_clients.py")

INSIDE = "LLMMOCK_TESTS_INSIDE_OPENAI_2"

RUN = f"""
import sys
import pytest
status = pytest.main([{str(CLIENTS)!r}, "-k", "openai", "-q", "-p", "no:cacheprovider"])
import httpx, openai  # the very ones that were tested: pytest must be the first to import what it rewrites
assert openai.VERSION.startswith("2."), openai.VERSION
assert issubclass(openai.DefaultHttpxClient, httpx.Client)
sys.exit(status)
"""


@pytest.fixture(scope="module")
def openai_2(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the newest openai 2 and what it needs, kept for the next run."""
    home = _home(request, tmp_path_factory) / sys.implementation.cache_tag
    if not (home / "openai").is_dir():
        fresh = tmp_path_factory.mktemp("openai2") / "packages"
        _install(fresh)
        home.parent.mkdir(parents=True, exist_ok=True)
        try:
            fresh.replace(home)  # whole or not at all
        except OSError:  # another volume, or another worker was faster
            return home if (home / "openai").is_dir() else fresh
    return home


def _home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if (ROOT / ".venv").is_dir():
        return ROOT / ".venv" / "openai2"
    cache = getattr(request.config, "cache", None)  # None with -p no:cacheprovider
    return cache.mkdir("openai2") if cache is not None else tmp_path_factory.mktemp("openai2")


def _install(target: Path) -> None:
    """Skips when pip cannot: there is no network, or no pip."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--only-binary=:all:", "--target", str(target), "openai>=2,<3"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        pytest.skip(f"pip cannot install openai 2: {''.join(reason)}")


@pytest.mark.skipif(INSIDE in os.environ, reason="this is the run inside")
@pytest.mark.skipif(openai.VERSION.startswith("2."), reason="this environment's openai is 2 already")
def test_every_conversation_of_openai_is_recorded_and_replayed_with_openai_2_as_well(openai_2):
    environ = {**os.environ, INSIDE: "1", "PYTHONPATH": str(openai_2)}
    environ.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(
        [sys.executable, "-c", RUN], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"^(\d+) passed", done.stdout, re.MULTILINE)
    assert passed, done.stdout
    assert int(passed[1]) > 100
