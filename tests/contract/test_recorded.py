"""Real traffic: what an API has answered is no violation, and what is spoilt in it is one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from pytest_llmmock import dialects
from pytest_llmmock.cassettes import library
from pytest_llmmock.cassettes.matchers import Keys
from pytest_llmmock.contract.checks import check
from pytest_llmmock.core.model import Exchange, Reply

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared/data/vcr"

Recorded = tuple[str, Exchange, Reply]


def traffic(folder: Path) -> Iterator[Recorded]:
    for path in sorted(library.find([folder])):
        for interaction in library.open_cassette(path, Keys().signature).interactions:
            yield str(path.relative_to(folder)), dialects.read(interaction.request), interaction.reply


@pytest.fixture(scope="module")
def shared() -> list[Recorded]:
    if not SHARED.is_dir():
        pytest.skip("the shared recordings are not beside this checkout")
    return list(traffic(SHARED))


def alarms(recorded: list[Recorded]) -> list[tuple[str, str]]:
    """What is said of requests that were answered."""
    answered = ((name, exchange) for name, exchange, reply in recorded if reply.status < 300)
    return [(name, each.message) for name, exchange in answered for each in check(exchange, "", print)]


def test_our_own_recordings_raise_no_alarm():
    recorded = list(traffic(ROOT / "cassettes"))
    assert len(recorded) > 3
    assert alarms(recorded) == []


def test_the_shared_recordings_raise_no_alarm(shared):
    assert alarms(shared) == []


def spoilt(exchange: Exchange, change: Any) -> list[str]:
    """What is said of a request after a change."""
    body = json.loads(json.dumps(exchange.json))
    change(body)
    request = replace(exchange.request, body=json.dumps(body).encode())
    return [each.path for each in check(dialects.read(request), "", print) if each.refused]


SPOIL = {
    "an unknown parameter": (lambda body: body.update(temprature=1), "temprature"),
    "a model that is a number": (lambda body: body.update(model=5), "model"),
    "a stream that is a word": (lambda body: body.update(stream="yes"), "stream"),
}


HOMES = {"chat": "api.openai.com", "responses": "api.openai.com", "messages": "api.anthropic.com"}


def taken(recorded: list[Recorded], operation: str) -> list[Exchange]:
    """What the API that has the types has answered."""
    at_home = [(each, reply) for _, each, reply in recorded if each.request.host == HOMES[operation]]
    return [each for each, reply in at_home if each.operation == operation and reply.status < 300]


@pytest.mark.parametrize(("change", "path"), SPOIL.values(), ids=SPOIL.keys())
@pytest.mark.parametrize("operation", HOMES)
def test_what_is_spoilt_in_a_real_request_is_found(shared, operation, change, path):
    found = taken(shared, operation)
    assert len(found) > 10
    assert {spoilt(exchange, change)[0] for exchange in found} == {path}


def strangers(body: dict[str, Any]) -> None:
    body["messages"].append({"role": "robot", "content": "x"})


@pytest.mark.parametrize("operation", ["chat", "messages"])
def test_a_role_that_there_is_not_is_found_behind_any_conversation(shared, operation):
    for exchange in taken(shared, operation):
        assert f"messages[{len(exchange.json['messages'])}].role" in spoilt(exchange, strangers)


ODD = [None, True, 5, -1.5, "x", "", [], {}, [1], {"a": 1}, [[]], [{}], {"type": "object"}, "object", ["object"]]


def spots(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to all that lies in a value."""
    steps = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for step in steps:
        yield (*way, step)
        yield from spots(value[step], (*way, step))


def bend(body: dict[str, Any], random: Random) -> None:
    """Put something odd anywhere."""
    *way, last = random.choice([*spots(body)])
    inside: Any = body
    for step in way:
        inside = inside[step]
    inside[last] = deepcopy(random.choice(ODD))


@pytest.mark.parametrize("operation", HOMES)
def test_a_real_request_is_judged_wherever_it_is_bent(shared, operation):
    random = Random(5)
    found = [each for each in taken(shared, operation) if len(each.request.body) < 10_000]
    for exchange in random.choices(found, k=150):
        told = spoilt(exchange, lambda body: bend(body, random))
        assert all(isinstance(path, str) for path in told)
