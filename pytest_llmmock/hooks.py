"""The hooks that a conftest.py may implement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .mock import LLMMock


@pytest.hookspec
def pytest_llmmock_configure(config: pytest.Config, mock: LLMMock) -> None:
    """Called with the `llm_mock` or `llm_server` of each test before the test runs."""
