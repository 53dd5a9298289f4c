"""A miss that nobody can read."""

from __future__ import annotations

import openai
import pytest


def test_a_miss_is_told_with_the_difference_and_what_to_do(run, missing):
    """'No matching interaction for POST …' or a hash does not tell which word changed, nor what to do."""
    with run("once") as app:
        app.say("Plan a day in Rome, on foot, with a lunch near the river.")
    with missing() as (app, told), pytest.raises(openai.NotFoundError):
        app.say("Plan a day in Rome, on foot, with a dinner near the river.")
    assert "messages[0].content" in str(told.value)
    assert "[lunch]" in str(told.value)
    assert "[dinner]" in str(told.value)
    assert "To fix it:" in str(told.value)
