"""Rules that come over HTTP."""

from __future__ import annotations

import pytest
from controlled import Controlled


def test_what_would_stand_in_a_file_is_put_with_its_default() -> None:
    server = Controlled()
    rules = [{"when": {"contains": "a"}, "reply": ["1", "2"]}, {"when": {"contains": "b"}, "error": 500}]
    assert server.told("POST", "rules", {"rules": rules, "default": "else: {{ last_message }}"})["added"] == 3
    assert [server.words(words) for words in ("a", "a", "b", "c")] == ["1", "2", 500, "else: c"]


def test_a_list_is_several_rules_and_put_replaces_them() -> None:
    server = Controlled()
    server.told("POST", "rules", [{"when": {"contains": "a"}, "reply": "1"}, {"when": {"contains": "b"}, "reply": "2"}])
    server.told("POST", "rules", {"when": {"contains": "a"}, "reply": "late"})
    assert [server.words("a"), server.words("b")] == ["1", "2"]
    assert server.told("PUT", "rules", [{"when": {"contains": "a"}, "reply": "new"}])["added"] == 1
    assert [server.words("a"), server.words("b")] == ["new", 404]


def test_rules_that_were_put_come_before_those_of_files_and_behind_the_tests_own(tmp_path) -> None:
    (tmp_path / "rules.yaml").write_text("rules: [{when: {contains: x}, reply: file}]\ndefault: file's default")
    server = Controlled(rules=tmp_path / "rules.yaml")
    server.told("POST", "rules", {"rules": [{"when": {"contains": "x"}, "reply": "put"}], "default": "put default"})
    assert [server.words("x"), server.words("y")] == ["put", "put default"]
    server.deck.script.when(contains="x").reply("own")
    assert server.words("x") == "own"
    server.told("DELETE", "rules")
    assert server.words("y") == "file's default"
    assert [rule["put"] for rule in server.told("GET", "rules")["rules"]] == [False, False, False]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "rules.json, line 1: this is not JSON: Expecting value."),
        (b'{"when":\n {"model" 1}}', "rules.json, line 2: this is not JSON: Expecting ':' delimiter."),
        (b"\xff", "The rules are not text in UTF-8: invalid start byte at byte 0."),
        (b"7", "rules.json, line 1: int 7 stands where keys were expected: rules, default."),
        (b"{}", "rules.json, line 1: it says nothing; it needs a `reply` or an `error`."),
        (
            b'{"rules": [\n{"when": {"modell": "x"}, "reply": "y"}]}',
            "rules.json, line 2, rules[0].when.modell: there is no such key. Did you mean 'model'?",
        ),
        (
            b'[{"reply": "y"},\n{"reply": {"txt": "x"}}]',
            "rules.json, line 2, [1].reply.txt: there is no such key. Did you mean 'text'?",
        ),
        (b'{"reply": "{{ nope"}', "rules.json, line 1, reply.text: "),
    ],
)
def test_a_wrong_one_is_told_with_its_place_and_none_is_put(body: bytes, told: str) -> None:
    server = Controlled()
    server.told("POST", "rules", {"reply": "before"})
    for method in ("POST", "PUT"):
        assert server.refused(method, "rules", body).startswith(told)
    assert server.words("x") == "before"


def test_no_file_is_read_for_a_rule_that_comes_over_http() -> None:
    server = Controlled()
    body = {"responses": {"chat_completions": {"patterns": [{"response_file": "/etc/hostname"}]}}}
    assert "there is no such key" in server.refused("POST", "rules", body)
