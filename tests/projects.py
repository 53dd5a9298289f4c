"""A user's project in a folder of its own, and the provider that its tests talk to."""

from __future__ import annotations

from collections.abc import Iterator

# pytester forgets what a run inside has imported. Loaded here, these stay: the SDKs take a second each, and
# yaml's C part cannot be loaded twice.
import httpcore2  # noqa: F401
import httpx  # noqa: F401
import httpx2  # noqa: F401
import openai  # noqa: F401
import pydantic  # noqa: F401
import pytest
import yaml  # noqa: F401
from standin import SECRET, Standin

import pytest_llmmock.case  # noqa: F401
from pytest_llmmock.settings import ENVIRONMENT


@pytest.fixture
def standin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Standin]:
    """A provider on loopback; the tests inside get its address and a key as users have them."""
    with Standin() as running:
        monkeypatch.setenv("STANDIN_URL", running.base_url)
        monkeypatch.setenv("STANDIN_KEY", SECRET)
        yield running


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A user's project, in which no variable of ours is set."""
    for name in [*ENVIRONMENT, "OPENAI_API_KEY", "OPENAI_BASE_URL", "GITHUB_STEP_SUMMARY"]:
        monkeypatch.delenv(name, raising=False)
    pytester.makeconftest(
        """
        import os
        import pytest
        from openai import OpenAI

        @pytest.fixture
        def ask():
            client = OpenAI(api_key=os.environ["STANDIN_KEY"], base_url=os.environ["STANDIN_URL"], max_retries=0)
            def ask(words, **more):
                messages = [{"role": "user", "content": words}]
                answer = client.chat.completions.create(model="m", messages=messages, **more)
                if more.get("stream"):
                    return "".join(chunk.choices[0].delta.content or "" for chunk in answer)
                return answer.choices[0].message.content
            yield ask
            client.close()
        """
    )
    return pytester
