"""An effort at the end of a model's name."""

from __future__ import annotations

import pytest

from pytest_llmmock.upstreams.efforts import EFFORTS, split_effort


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("joint", "-_:")
def test_every_effort_is_taken_off_the_name(effort, joint):
    assert split_effort(f"gpt-5.5{joint}{effort}") == ("gpt-5.5", effort)


@pytest.mark.parametrize(
    ("name", "model", "effort"),
    [
        ("gpt-5.2-xhigh", "gpt-5.2", "xhigh"),
        ("gpt-5.1-codex-max", "gpt-5.1-codex-max", ""),
        ("gpt-5.1-codex-max-high", "gpt-5.1-codex-max", "high"),
        ("gpt-5.6-sol-max", "gpt-5.6-sol", "max"),
        ("gpt-5.1-codex-mini", "gpt-5.1-codex-mini", ""),
        ("gpt-5", "gpt-5", ""),
        ("high", "high", ""),
        ("-high", "-high", ""),
        ("gpt-5-higher", "gpt-5-higher", ""),
        ("gpt-5high", "gpt-5high", ""),
        ("", "", ""),
    ],
)
def test_nothing_else_is(name, model, effort):
    assert split_effort(name) == (model, effort)
