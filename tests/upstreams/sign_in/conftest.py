from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sign_in_server import SignInServer
from signing_in import Clock, User

from pytest_llmmock.upstreams.http import Network


@pytest.fixture(autouse=True)
def extra() -> None:
    for package in ("authlib", "joserfc"):
        pytest.importorskip(package, reason="the extra chatgpt is not installed")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> Iterator[SignInServer]:
    with SignInServer(clock) as running:
        yield running


@pytest.fixture
def user(server: SignInServer, clock: Clock, network: Network, tmp_path: Path) -> Iterator[User]:
    with User({"LLMMOCK_HOME": str(tmp_path / "home"), "LLMMOCK_ISSUER": server.url}, clock, network.send) as user:
        yield user
