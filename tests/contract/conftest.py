from __future__ import annotations

from importlib.metadata import version

import pytest


@pytest.fixture
def openai() -> str:
    """The name by which the types' origin is told."""
    return f"openai {version('openai')}"
