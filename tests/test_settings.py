from __future__ import annotations

import pytest

from pytest_llmmock.cassettes.matchers import DEFAULT
from pytest_llmmock.errors import UsageError
from pytest_llmmock.settings import (
    ENVIRONMENT,
    MODES,
    NAMES,
    Settings,
    combine,
    from_environment,
    told_to_upstreams,
)
from pytest_llmmock.upstreams.own import Own


def test_without_any_layer_the_defaults_hold() -> None:
    settings = combine([])
    assert settings == Settings()
    assert (settings.mode, settings.upstream, settings.cassette_dir) == ("none", "", "cassettes")
    assert (settings.match_on, settings.ignore, settings.repeat) == (DEFAULT, (), False)


def test_a_later_layer_wins_and_none_says_nothing() -> None:
    layers = [
        ("ini file", {"mode": "once", "upstream": "openai", "cassette_dir": "a"}),
        ("environment", {"mode": "all", "upstream": None}),
        ("marker", {"cassette_dir": "b"}),
    ]
    settings = combine(layers)
    assert (settings.mode, settings.upstream, settings.cassette_dir) == ("all", "openai", "b")


def test_a_layer_may_go_back_to_what_is_the_default() -> None:
    layers = [("ini file", {"mode": "all", "repeat": True, "ignore": ["a"]})]
    assert combine([*layers, ("marker", {"mode": "none", "repeat": False, "ignore": []})]) == Settings()


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_is_taken(mode: str) -> None:
    assert combine([("marker", {"mode": mode})]).mode == mode


def test_lists_become_tuples() -> None:
    settings = combine([("llm_config", {"match_on": ["body"], "ignore": ["a", "b"], "hosts": ["*.corp.example"]})])
    assert (settings.match_on, settings.ignore) == (("body",), ("a", "b"))
    assert settings.hosts == ("*.corp.example",)


def test_a_misspelt_setting_is_refused_with_the_right_spelling() -> None:
    with pytest.raises(UsageError) as caught:
        combine([("llm_config", {"cassete_dir": "a"})])
    assert str(caught.value) == "llm_config: there is no setting 'cassete_dir'. Did you mean 'cassette_dir'?"


def test_an_unknown_setting_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UsageError) as caught:
        combine([("llm_config", {"zzz": 1})])
    assert str(caught.value) == f"llm_config: there is no setting 'zzz'. Known are: {', '.join(NAMES)}."


@pytest.mark.parametrize(
    ("given", "wording"),
    [
        ({"mode": "sometimes"}, "marker: mode='sometimes' is not possible. Input should be 'none', 'once'"),
        ({"repeat": "perhaps"}, "marker: repeat='perhaps' is not possible. "),
        ({"cassette_dir": 5}, "marker: cassette_dir=5 is not possible. "),
        ({"hosts": ["a", 5]}, "marker: hosts.1=5 is not possible. "),
        ({"ignore": "metadata.*"}, "marker: ignore='metadata.*' is not possible. "),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_with_the_place_and_the_name(
    given: dict[str, object], wording: str
) -> None:
    with pytest.raises(UsageError) as caught:
        combine([("ini file", {"mode": "once"}), ("marker", given)])
    assert str(caught.value).startswith(wording)


def test_the_environment_is_read_by_the_names_of_its_variables() -> None:
    environ = {"LLMMOCK_RECORD": "once", "LLMMOCK_UPSTREAM": "", "LLMMOCK_OTHER": "x", "PATH": "/bin"}
    place, layer = from_environment(environ)
    assert layer == {"mode": "once"}  # empty is not set
    assert all(variable in place for variable in ENVIRONMENT)
    assert set(ENVIRONMENT.values()) <= set(NAMES)


def test_a_wrong_value_in_the_environment_is_told_with_its_variables() -> None:
    with pytest.raises(UsageError, match=r"environment \(LLMMOCK_RECORD, .*mode='1' is not possible"):
        combine([from_environment({"LLMMOCK_RECORD": "1"})])


# --- what upstreams are told ----------------------------------------------------------------------------


def test_what_upstreams_read_is_in_their_environment_wherever_it_was_set():
    environ = {"LLMMOCK_REASONING_EFFORT": "low", "LLMMOCK_WEB_SEARCH": "1", "OTHER": "x"}
    settings = combine([from_environment(environ), ("marker", {"reasoning_effort": "high", "debug_model": "m"})])
    told = told_to_upstreams(settings, environ)
    assert told == {
        "LLMMOCK_REASONING_EFFORT": "high",
        "LLMMOCK_REASONING_SUMMARY": "",
        "LLMMOCK_REASONING_COMPAT": "off",
        "LLMMOCK_WEB_SEARCH": "True",
        "LLMMOCK_DEBUG_MODEL": "m",
        "OTHER": "x",
    }


def test_what_is_switched_off_is_off_whatever_the_environment_says():
    settings = combine([from_environment({"LLMMOCK_WEB_SEARCH": "true"}), ("marker", {"web_search": False})])
    assert told_to_upstreams(settings, {"LLMMOCK_WEB_SEARCH": "true"})["LLMMOCK_WEB_SEARCH"] == ""


# --- upstreams ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("told", [{"grok-*": "xai", "q*": "qwen"}, "grok-*=xai, q*=qwen", "\ngrok-* = xai\nq*=qwen\n"])
def test_routes_are_a_table_or_its_lines(told: object) -> None:
    assert combine([("llm_config", {"models": told})]).models == {"grok-*": "xai", "q*": "qwen"}


@pytest.mark.parametrize(
    "told",
    [
        {"a": {"url": "http://a/v1", "key_env": "A_KEY"}, "b": "http://b/v1"},
        ["a = http://a/v1 A_KEY", "b = http://b/v1"],
        "a=http://a/v1 A_KEY,b=http://b/v1",
    ],
)
def test_upstreams_of_ones_own_are_a_table_or_its_lines(told: object) -> None:
    upstreams = combine([("llm_config", {"upstreams": told})]).upstreams
    assert upstreams == {"a": Own(url="http://a/v1", key_env="A_KEY"), "b": Own(url="http://b/v1")}


def test_a_route_may_lead_to_an_upstream_that_another_layer_defines() -> None:
    layers = [("ini file", {"upstreams": "mine=http://a"}), ("environment", {"models": "m*=mine"})]
    assert combine(layers).models == {"m*": "mine"}


@pytest.mark.parametrize(
    ("given", "wording"),
    [
        ({"models": "grok"}, "llm_config: 'grok' is not of the form PATTERN=UPSTREAM, such as grok-*=xai."),
        ({"models": {"g*": "xia"}}, "models: 'g*' is to go to 'xia'. There is no upstream 'xia'. Did you mean 'xai'?"),
        ({"models": {"g*": "http://h/v1"}}, "models: 'g*' is to go to 'http://h/v1'. There is no upstream"),
        ({"upstreams": "mine"}, "llm_config: 'mine' is not of the form NAME=URL or NAME=URL KEY_VARIABLE."),
        ({"upstreams": {"xai": "http://h"}}, "There is an upstream 'xai' already; another name is needed"),
        ({"upstreams": {"a": {"uri": "http://h"}}}, "llm_config: upstreams.a."),
        ({"upstreams": {"a": 5}}, "llm_config: upstreams.a=5 is not possible."),
        ({"max_concurrency": 0}, "llm_config: max_concurrency=0 is not possible. It is a number, 1 or more."),
        ({"queue_limit": -1}, "llm_config: queue_limit=-1 is not possible. It is a number, 0 or more."),
        ({"retries": "often"}, "llm_config: retries='often' is not possible."),
        ({"retry_seconds": "inf"}, "llm_config: retry_seconds=inf is not possible. It is a number, 0 or more."),
        ({"timeout": 0}, "llm_config: timeout=0.0 is not possible. It is a number of seconds, more than 0."),
        ({"budget": "much"}, "llm_config: budget='much' is not possible. A budget is a number of requests"),
    ],
)
def test_what_says_nothing_of_use_about_upstreams_is_refused(given: dict[str, object], wording: str) -> None:
    with pytest.raises(UsageError) as caught:
        combine([("llm_config", given)])
    assert str(caught.value).startswith(wording)


def test_the_environment_says_how_upstreams_are_asked() -> None:
    environ = {
        "LLMMOCK_MODELS": "g*=xai",
        "LLMMOCK_TIMEOUT": "5",
        "LLMMOCK_MAX_CONCURRENCY": "3",
        "LLMMOCK_BUDGET": "7",
    }
    settings = combine([from_environment(environ)])
    assert (settings.models, settings.timeout) == ({"g*": "xai"}, 5.0)
    assert (settings.max_concurrency, settings.budget) == (3, "7")
