"""Runs of a user's project beside other pytest plugins, each in a process of its own. `tox -e beside` has them all."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from standin import SECRET, Standin

ROOT = Path(__file__).parents[2]

CONFTEST = """
    import os
    import pytest
    from openai import AsyncOpenAI, OpenAI

    def said(words):
        return {"model": "m", "messages": [{"role": "user", "content": words}]}

    @pytest.fixture
    def ask():
        with OpenAI(api_key=os.environ["STANDIN_KEY"], base_url=os.environ["STANDIN_URL"], max_retries=0) as client:
            yield lambda words: client.chat.completions.create(**said(words)).choices[0].message.content

    @pytest.fixture
    def ask_async():
        async def ask(words):
            key, url = os.environ["STANDIN_KEY"], os.environ["STANDIN_URL"]
            async with AsyncOpenAI(api_key=key, base_url=url, max_retries=0) as client:
                answer = await client.chat.completions.create(**said(words))
                return answer.choices[0].message.content
        return ask
"""

Run = Callable[..., str]


@pytest.fixture
def standin() -> Iterator[Standin]:
    with Standin() as running:
        yield running


@pytest.fixture
def run(pytester: pytest.Pytester, standin: Standin) -> Run:
    """Runs pytest with these plugins and ours, and gives its output. Skips where a plugin is missing."""
    pytester.makeconftest(CONFTEST)

    def run(plugins: str, *arguments: str, status: int = 0) -> str:
        for plugin in plugins.split():
            if importlib.util.find_spec(plugin.partition(".")[0]) is None:
                pytest.skip(f"{plugin} is not installed: tox -e beside")
        chosen = [word for plugin in (*plugins.split(), "pytest_llmmock.plugin") for word in ("-p", plugin)]
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *chosen, *arguments]
        done = subprocess.run(command, cwd=pytester.path, env=environment(standin), capture_output=True, text=True)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    return run


def environment(standin: Standin) -> dict[str, str]:
    ours = ("LLMMOCK_", "OPENAI_", "PYTEST_")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(ours)},
        "PYTHONPATH": str(ROOT),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "STANDIN_URL": standin.base_url,
        "STANDIN_KEY": SECRET,
    }


@pytest.fixture
def interactions(pytester: pytest.Pytester) -> Callable[[str], int]:
    """How many interactions a cassette of the project holds; what is kept aside has the run in its name."""

    def interactions(name: str) -> int:
        place = pytester.path / "cassettes" / name
        found = [*place.parent.glob(f"{place.name}.yaml"), *place.parent.glob(f"{place.name}.yaml.*.yaml")]
        return sum(path.read_text().count("\n- request:") for path in found)

    return interactions
