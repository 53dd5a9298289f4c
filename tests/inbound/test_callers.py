from __future__ import annotations

import subprocess
import sys
import types
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from pytest_llmmock.inbound import callers


def test_the_nearest_line_of_the_user_is_told():
    line = sys._getframe().f_lineno + 1
    found = callers.find(sys._getframe(), "api.provider.example")
    assert found.library == "socket"
    assert found.place.startswith("asked for in ")
    assert found.place.endswith(f"test_callers.py:{line} (test_the_nearest_line_of_the_user_is_told)")


def test_of_several_libraries_the_outermost_and_the_innermost_are_told():
    assert callers._linked({"httpcore": None, "httpx": None, "openai": None}).startswith("openai ")
    assert " via httpcore " in callers._linked({"httpcore": None, "httpx": None, "openai": None})
    assert callers._linked({"httpx": None}) == f"httpx {httpx.__version__}"
    assert callers._linked({}) == ""


def test_a_library_that_tells_no_version_has_none():
    assert callers._with_version("no_such_library") == "no_such_library"


def test_a_library_in_a_namespace_package_has_its_whole_name():
    assert callers._top("google.genai.models") == "google.genai"
    assert callers._top("httpx._client") == "httpx"


def test_code_that_was_typed_is_the_users():
    code = "import sys\nfrom pytest_llmmock.inbound import callers\nprint(callers.find(sys._getframe(), 'host').place)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "asked for in <string>:3\n"


def test_a_task_is_followed_through_whatever_it_waits_for():
    @types.coroutine
    def innermost() -> Iterator[None]:
        yield

    async def look_up() -> None:
        await innermost()

    class Wrapped:
        def __await__(self) -> Any:
            return look_up().__await__()

    class Generated:
        def __await__(self) -> Any:
            yield from Wrapped().__await__()

    async def ask() -> None:
        await Generated()

    asking = ask()
    asking.send(None)
    names = [frame.f_code.co_name for frame in callers._suspended(asking)]
    assert names == ["ask", "__await__", "look_up", "innermost"]
    with pytest.raises(StopIteration):
        asking.send(None)
