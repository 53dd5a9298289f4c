"""`llmmock replay --rules`."""

from __future__ import annotations

import json

import httpx

from .test_serving import ask, record

RULES = """
rules:
  - when: {contains: rule}
    reply: from a rule
  - when: {contains: both}
    reply: from a rule
default: "You said: {{ last_message }}"
"""


def words(reply: httpx.Response) -> str:
    return reply.json()["choices"][0]["message"]["content"]


def test_rules_are_enough_to_serve(llmmock, tmp_path):
    (tmp_path / "rules.yaml").write_text(RULES)
    with llmmock.serving("replay", "--rules", "rules.yaml") as serving:
        assert [words(ask(serving.url, "a rule")), words(ask(serving.url, "hi"))] == ["from a rule", "You said: hi"]
        assert ask(serving.url, "a rule", stream=True).text.endswith("data: [DONE]\n\n")
    assert "llmmock answers by the rules of rules.yaml on http://" in serving.out


def test_what_answers_a_request_that_is_not_recorded(llmmock, standin, tmp_path):
    (tmp_path / "rules.yaml").write_text(RULES)
    record(llmmock, standin, "a.yaml", "both")
    with llmmock.serving("replay", "a.yaml", "--rules", "rules.yaml") as serving:
        assert [words(ask(serving.url, each)) for each in ("both", "hi")] == ["from a rule", "You said: hi"]
    assert "replays 1 interaction of 1 cassette and answers by the rules of rules.yaml on" in serving.out
    with llmmock.serving("replay", "a.yaml", "--rules", "rules.yaml", "--on-miss", "rules") as serving:
        found = [words(ask(serving.url, each)) for each in ("both", "a rule", "hi")]
        assert found == ["both #1", "from a rule", "You said: hi"]
    with llmmock.serving("replay", "a.yaml", "--rules", "rules.yaml", "--on-miss", "error") as serving:
        assert words(ask(serving.url, "a rule")) == "from a rule"
        miss = ask(serving.url, "hi")
    assert miss.status_code == 404
    assert "Of 2 rules none fits:" in miss.json()["error"]["message"]
    assert "rules.yaml:3  when(contains='rule')" in serving.err


def test_a_bad_file_is_a_usage_error(llmmock, tmp_path):
    (tmp_path / "rules.yaml").write_text("rules:\n- when: {modle: x}\n")
    done = llmmock("replay", "--rules", "rules.yaml", status=2)
    assert done.stderr == (
        "llmmock: rules.yaml, line 2, rules[0].when.modle: there is no such key. Did you mean 'model'?\n"
    )
    assert "nope.yaml cannot be read: No such file" in llmmock("replay", "--rules", "nope.yaml", status=2).stderr


def test_a_configuration_of_mock_openai_server_says_where_it_is_served(llmmock, tmp_path):
    llmmock.environment["MOCK_OPENAI_HOST"] = "localhost"
    (tmp_path / "config.json").write_text(json.dumps({"server": {"host": "0.0.0.0", "port": 1}}))
    with llmmock.serving("replay", "--rules", "config.json") as serving:  # with --port 0
        assert words(ask(serving.url)) == "This is a mock response from the OpenAI API mock server."
    assert "http://localhost:" in serving.out or "http://127.0.0.1:" in serving.out
