"""The shared recordings of real traffic, when the checkout stands beside them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_llmmock.core.model import Exchange, Reply

SHARED = Path(__file__).parents[2].parent / "shared/data/vcr"


@pytest.fixture(scope="session")
def recorded() -> list[tuple[str, Exchange, Reply]]:
    """File, request and reply of every shared recording."""
    if not SHARED.is_dir():
        pytest.skip("the shared recordings are not beside this checkout")
    return list(_recorded())


def _recorded() -> Iterator[tuple[str, Exchange, Reply]]:
    from pytest_llmmock import dialects
    from pytest_llmmock.cassettes import foreign

    for path in sorted(SHARED.rglob("*.yaml")):
        for found in foreign.read(path.read_bytes()):
            yield str(path.relative_to(SHARED)), dialects.read(found.request), found.reply
