"""Times as OpenAI writes them."""

from __future__ import annotations

import pytest

from pytest_llmmock.gate.told import duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((0, "0s"), (0.02, "20ms"), (0.0201, "21ms"), (1, "1s"), (1.5, "1.5s"), (59.9, "59.9s"), (60, "1m0s")),
        *((360, "6m0s"), (3600, "1h0m0s"), (86_399, "23h59m59s")),
    ],
)
def test_a_time_is_written_as_openai_does(seconds: float, text: str) -> None:
    assert duration(seconds) == text
