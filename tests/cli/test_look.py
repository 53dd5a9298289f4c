from __future__ import annotations

import json
from pathlib import Path

import pytest

CASSETTES = Path(__file__).parents[2] / "cassettes"
TOOLS = CASSETTES / "tests/examples/test_conversations/test_tools.yaml"


def test_ls_lists_cassettes_in_a_table(llmmock):
    lines = llmmock("ls", CASSETTES).stdout.splitlines()
    assert lines[0].split() == ["CASSETTE", "INTERACTIONS", "OPERATIONS", "MODELS", "TOKENS", "BYTES", "RECORDED"]
    row = next(line for line in lines if "test_tools.yaml" in line).split()
    assert row[1:4] == ["1", "chat", "gpt-4.1"]


def test_ls_as_json(llmmock):
    rows = json.loads(llmmock("ls", TOOLS, "--json").stdout)
    assert rows[0]["models"] == ["gpt-4.1"]
    assert rows[0]["interactions"] == 1


def test_show_tells_a_conversation_without_colour_in_a_pipe(llmmock):
    text = llmmock("show", TOOLS).stdout
    assert "\x1b" not in text
    assert "  user       Plan a day in Rome\n" in text
    assert '  assistant  -> get_weather({"city": "Rome"})\n' in text
    assert "#1  chat gpt-4.1 · " in text


def test_show_as_json(llmmock):
    shown = json.loads(llmmock("show", TOOLS, "--json").stdout)[0]
    assert shown["request"]["body"]["messages"] == [{"role": "user", "content": "Plan a day in Rome"}]
    assert [call["name"] for call in shown["tool_calls"]] == ["get_weather", "get_weather"]
    assert shown["usage"]["total"] == 30
    assert shown["meta"]["upstream"].startswith("http://127.0.0.1:")


def test_show_refuses_a_number_that_is_not_there(llmmock):
    assert "There is no interaction 2" in llmmock("show", TOOLS, "-n", 2, status=2).stderr


def test_every_cassette_of_ours_can_be_shown(llmmock):
    text = llmmock("show", CASSETTES, "--full").stdout
    assert text.count("#1  ") == len(list(CASSETTES.rglob("*.yaml")))


@pytest.mark.parametrize(
    "command", ["replay", "record", "run", "ls", "show", "diff", "stats", "check", "rekey", "import", "export"]
)
def test_every_command_explains_itself(llmmock, command):
    assert "Usage: " in llmmock(command, "--help").stdout
    assert command in llmmock("--help").stdout


def test_an_unknown_command_is_a_usage_error(llmmock):
    assert "No such command" in llmmock("replya", status=2).stderr


def test_ls_lists_the_good_and_tells_the_bad(llmmock, tmp_path):
    (tmp_path / "bad.yaml").write_text("nothing of ours")
    (tmp_path / "good.yaml").write_bytes(TOOLS.read_bytes())
    done = llmmock("ls", tmp_path, status=1)
    assert "good.yaml" in done.stdout
    assert "bad.yaml is not a cassette that can be read" in done.stderr


def test_show_tells_what_the_provider_did_beside_words_and_counts_tokens_that_nobody_added_up(llmmock, tmp_path):
    blocks = [
        {"type": "thinking", "thinking": "Hm", "signature": "c2lnbmVk"},
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "rain"}},
        {"type": "text", "text": "It rains"},
        {"type": "tool_use", "id": "t1", "name": "umbrella", "input": {"size": 1}},
    ]
    usage = {"input_tokens": 3, "cache_read_input_tokens": 100, "output_tokens": 4}
    message = {"type": "message", "model": "claude", "content": blocks, "stop_reason": "tool_use", "usage": usage}
    request = {
        "method": "POST",
        "uri": "https://api.anthropic.com/v1/messages",
        "body": json.dumps({"model": "claude"}),
    }
    response = {"status": {"code": 200, "message": "OK"}, "body": {"string": json.dumps(message)}}
    cassette = tmp_path / "a.yaml"
    cassette.write_text(json.dumps({"version": 1, "interactions": [{"request": request, "response": response}]}))
    shown = llmmock("show", cassette).stdout
    assert "107 tokens" in shown
    assert "reasoning  Hm" in shown
    assert "assistant  It rains" in shown
    assert '-> umbrella({"size":1})' in shown
    assert '<server_tool_use {"type": "server_tool_use", "name": "web_search", "input": {"query": "rain"}}>' in shown
    assert "c2lnbmVk" not in shown
    assert json.loads(llmmock("ls", cassette, "--json").stdout)[0]["tokens"] == 107
    assert json.loads(llmmock("show", cassette, "--json").stdout)[0]["usage"]["total"] == 107
