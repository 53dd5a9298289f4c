"""What a test leaves behind, and what is loaded for one that only replays."""

from __future__ import annotations

import pytest

ASK = """
import gc
import sys
import weakref

import httpx

LEFT = []

def ask():
    asked = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}
    reply = httpx.post("https://api.openai.com/v1/chat/completions", json=asked)
    return reply.json()["choices"][0]["message"]["content"]
"""


def test_a_deck_goes_when_its_test_is_over(pytester: pytest.Pytester) -> None:
    """At once, and not with the garbage: a run of thousands of tests would go through all of it again and again."""
    pytester.makepyfile(
        ASK
        + """
def test_one(llm_mock):
    llm_mock.reply("Hi")
    assert ask() == "Hi"
    LEFT.append(weakref.ref(llm_mock._deck))
    gc.collect()
    gc.disable()

def test_other():
    gc.enable()
    assert LEFT[0]() is None
"""
    )
    pytester.runpytest_subprocess("-q", "-p", "no:randomly").assert_outcomes(passed=2)


def test_who_replays_in_process_loads_no_server_no_upstream_and_nothing_that_explains(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        ASK
        + """
def test_it(llm_mock):
    llm_mock.reply("Hi")
    assert ask() == "Hi"

def test_nothing_else_was_loaded():
    parts = ("asking", "keeper", "inbound.server", "control.front", "cassettes.mismatch", "upstreams.http")
    wanted = {"werkzeug", "pydantic_core", *("pytest_llmmock." + part for part in parts)}
    assert not wanted & {*sys.modules}
"""
    )
    pytester.runpytest_subprocess("-q", "-p", "no:randomly").assert_outcomes(passed=2)
