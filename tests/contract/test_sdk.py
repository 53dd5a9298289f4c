from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from typing import get_args

import pytest
from checking import sent

from pytest_llmmock.contract import sdk
from pytest_llmmock.contract.kinds import fields_of, is_object, members, unwrapped


@pytest.mark.parametrize("place", [*sdk.TYPES.values(), *sdk.BETA.values()])
def test_every_type_is_there_and_can_be_read(place):
    names = {name for each in members(sdk.load(place)) for name in fields_of(each)}
    assert names & {"model", "file", "prompt", "image", "input", "input_file_id"}


@pytest.mark.parametrize("place", [*sdk.TYPES.values(), *sdk.BETA.values()])
def test_every_type_within_it_can_be_read_too(place):
    seen: dict[str, object] = {}
    left = [sdk.load(place)]
    while left:
        hint = unwrapped(left.pop())
        if repr(hint) not in seen:
            seen[repr(hint)] = hint
            fields = fields_of(hint).values() if is_object(hint) else ()
            left += [*get_args(hint), *(field.hint for field in fields)]
    assert len([each for each in seen.values() if is_object(each)]) >= 1
    assert len(seen) > 5


def test_a_package_that_is_not_installed_is_named():
    assert sdk.load("frobnicate.types:Params") == "the package frobnicate is not installed"


def test_a_version_that_has_it_elsewhere_is_named():
    why = sdk.load("openai.types.frobnicate:Params")
    assert (
        why == f"openai {version('openai')} does not have it as we know it (No module named 'openai.types.frobnicate')"
    )


def test_a_beta_is_asked_for_in_a_header_or_in_the_address():
    plain, beta = sdk.TYPES["messages"], sdk.BETA["messages"]
    assert sdk.type_of(sent("messages", {})) == plain
    assert sdk.type_of(sent("messages", {}, headers=(("anthropic-beta", "x"),))) == beta
    assert sdk.type_of(sent("chat", {}, headers=(("anthropic-beta", "x"),))) == sdk.TYPES["chat"]


def test_nothing_of_it_is_loaded_while_it_is_off():
    code = "import sys, pytest_llmmock.case; print([n for n in sys.modules if n.startswith(('openai', 'anthropic'))])"
    code += "; print([n for n in sys.modules if n.startswith('pytest_llmmock.contract')])"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.splitlines() == ["[]", "['pytest_llmmock.contract', 'pytest_llmmock.contract.source']"]
