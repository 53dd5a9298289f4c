"""What the tests of frameworks ask, and what they are answered."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from pydantic import BaseModel

from pytest_llmmock import LLMMock


def needs(*packages: str) -> pytest.MarkDecorator:
    """Skips where one of these is not installed, before anything is opened for it."""
    missing = [package for package in packages if find_spec(package) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)} (tox -e clients has all)")


HELLO = "Hello, wide world."
ASKED = "How warm is Rome?"
DEGREES = "21 degrees"


class Weather(BaseModel):
    """What is asked for by a schema."""

    city: str
    degrees: int


ROME = Weather(city="Rome", degrees=21)


def temperature(city: str) -> str:
    """How warm it is there.

    Args:
        city: Where.
    """
    return f"{DEGREES} in {city}"


def call_then_answer(mock: LLMMock, name: str = "temperature") -> None:
    """The model wants the tool, and with its result it has an answer."""
    mock.when(tool=name).reply(tool_calls=(name, {"city": "Rome"})).reply(HELLO)
