"""Files of rules, and what is told of a bad one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from scripting import chat, embeddings, replied, said

from pytest_llmmock import ScriptError, UsageError, use_cassette
from pytest_llmmock.script.files import load
from pytest_llmmock.script.source import Script

WEATHER = """\
rules:
  - when: {model: "gpt-*", contains: "weather"}
    priority: 10
    reply: {tool_calls: [{name: get_weather, arguments: {city: "{{ last_word }}"}}]}
  - when: {operation: embeddings}
    reply: {embedding: {dimensions: 1536}}        # same input, same vector
  - when: {contains: "crash"}
    error: {status: 500, times: 2}
default: {reply: {text: "You said: {{ last_message }}"}}
"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str, name: str = "rules.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return path

    return write


def loaded(path: Path) -> Script:
    """The rules, and behind them the default."""
    script = Script("seed")
    rules, default = load(path, {})
    script.extend([*rules, *default])
    return script


def test_the_documented_file_does_what_it_says(write):
    script = loaded(write(WEATHER))
    call = replied(script, chat("the weather in Rome?")).json()["choices"][0]["message"]["tool_calls"][0]["function"]
    assert (call["name"], json.loads(call["arguments"])) == ("get_weather", {"city": "Rome"})
    assert len(replied(script, embeddings("a")).json()["data"][0]["embedding"]) == 1536
    assert [replied(script, chat("crash")).status for _ in range(3)] == [500, 500, 200]
    assert said(script, chat("hello")) == "You said: hello"


def test_the_file_of_the_documentation_is_one(write):
    page = Path(__file__).parents[2] / "docs" / "scripts.md"
    (block,) = re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    script = loaded(write(block))
    assert block.startswith(WEATHER.partition("default")[0])
    assert [said(script, chat("a story")) for _ in range(2)] == ["Once upon a time", "The end"]


def test_json_says_the_same(write):
    rules = (
        '{\n\t"rules": [{"when": {"contains": "a"}, "reply": {"json": {"n": "{{ json.n }}"}}}],\n\t"default": "d\\/"\n}'
    )
    script = loaded(write(rules, "rules.json"))
    assert [said(script, chat("a", n=3)), said(script, chat("b"))] == ['{"n":3}', "d/"]


def test_every_field_of_a_reply_can_stand_in_a_file(write):
    script = loaded(
        write(
            """
rules:
  - reply:
      text: "Hi {{ last_word }}"
      reasoning: hm
      usage: {input: 3, output: 4}
      finish_reason: length
      chunks: 2
      status: 201
      headers: {x-a: "{{ model }}"}
"""
        )
    )
    reply = replied(script, chat("you"))
    choice = reply.json()["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("Hi you", "length")
    assert choice["message"]["reasoning_content"] == "hm"
    assert reply.json()["usage"]["total_tokens"] == 7
    assert (reply.status, dict(reply.headers)["x-a"]) == (201, "gpt-5")


def test_every_condition_can_stand_in_a_file(write):
    when = (
        'model: "gpt-*", contains: [a, b], regex: "^a", system: brief, tool: f, turn: 1, operation: chat, '
        'header: {x-team: "*"}, path: "*/completions"'
    )
    script = loaded(write(f"rules: [{{when: {{{when}}}, reply: yes it is}}]"))
    tools = [{"type": "function", "function": {"name": "f"}}]
    fits = chat("a b", before=(("system", "brief"),), tools=tools, headers={"x-team": "t"})
    assert said(script, fits) == "yes it is"
    assert said(script, chat("a b")) is None


def test_replies_and_errors_of_a_rule_are_a_sequence(write):
    script = loaded(
        write("rules: [{error: [{status: 429, retry_after: 1}, 503], reply: [one, {text: two, times: 2}, three]}]")
    )
    replies = [replied(script, chat()) for _ in range(6)]
    assert [reply.status for reply in replies] == [429, 503, 200, 200, 200, 200]
    assert [reply.json()["choices"][0]["message"]["content"] for reply in replies[2:]] == ["one", "two", "two", "three"]


def test_dates_and_times_are_texts(write):
    assert said(loaded(write("rules: [{reply: {json: {day: 2026-01-01}}}]")), chat()) == '{"day":"2026-01-01"}'


def test_a_default_can_be_an_error(write):
    assert replied(loaded(write("default: {error: {status: 404}}")), chat()).status == 404


def test_an_explanation_says_where_a_rule_is(write):
    text = loaded(write(WEATHER)).explain(chat("hello"))
    assert "  #1  rules.yaml:2  when(model='gpt-*', contains='weather')  ->  'weather' is not in" in text
    assert "  #4  rules.yaml:9  for any request" in text


# --- what is wrong --------------------------------------------------------------------------------------

BAD = {
    "rulez: []": "line 1, rulez: there is no such key. Did you mean 'rules'?",
    "rules:\n- when:\n    contians: x\n  reply: y": "line 3, rules[0].when.contians: there is no such key. "
    "Did you mean 'contains'?",
    "rules:\n- reply: a\n- replay: y": "line 3, rules[1].replay: there is no such key. Did you mean 'reply'?",
    "rules:\n- reply:\n    txet: y": "line 3, rules[0].reply.txet: there is no such key. Did you mean 'text'?",
    "rules:\n- reply:\n  - a\n  - txet: y": "line 4, rules[0].reply[1].txet: there is no such key.",
    "rules:\n- error:\n    code: x": "line 2, rules[0].error.status: this key is missing.",
    "rules:\n- error: {status: 200}": "line 2, rules[0].error: error(200): an error has a status from 400 to 599.",
    "rules:\n- when: {model: 5}\n  reply: y": "line 2, rules[0].when.model: 5 is not possible. Input should be",
    "rules:\n- when: {turn: '5'}\n  reply: y": "line 2, rules[0].when.turn: '5' is not possible.",
    "rules:\n- when: {regex: (}\n  reply: y": "line 2, rules[0].when: regex='(' is not a regular expression",
    "rules:\n- when: {model: m}": "line 2, rules[0]: it says nothing; it needs a `reply` or an `error`.",
    "rules:\n- reply: {text: a, times: 0}": "line 2, rules[0].reply: times=0 is below 1.",
    "rules:\n- reply: {text: a, json: 1}": "line 2, rules[0].reply: reply(text, json=…)",
    "rules:\n- reply:\n    text: '{{ last_wrod }}'": "line 3, rules[0].reply.text: '{{ last_wrod }}' names "
    "'last_wrod', which there is not. Did you mean 'last_word'?",
    "rules:\n- reply:\n    tool_calls: [{name: f, arguments: {a: '{{ x y }}'}}]": "line 3, rules[0].reply.tool_calls: "
    "'{{ x y }}' is no template",
    "rules:\n- error:\n    status: 400\n    message: '{% if %}'": "line 4, rules[0].error.message: '{% if %}' is no",
    "default:\n  when: {model: m}\n  reply: x": "line 1, default: the default is for any request",
    "rules: x": "line 1, rules: 'x' is not possible. Input should be a valid list.",
    "- a": "line 1: list ['a'] stands where keys were expected: rules, default.",
    "": "line 1: nothing stands where keys were expected: rules, default.",
    "rules:\n- reply: a\n  reply: b": "line 3: this is not YAML: the key 'reply' is there twice.",
    "rules: [": "line 1: this is not YAML: ",
    "a: &a [*a]": "line 1, a: there is no such key.",
    "rules: [!!python/object/apply:os.system [ls]]": "line 1: this is not YAML: ",
}


@pytest.mark.parametrize("text", BAD)
def test_a_bad_file_is_refused_with_file_line_and_key(write, text):
    path = write(text)
    with pytest.raises(UsageError) as caught:
        load(path, {})
    assert str(caught.value).startswith(f"{path}, {BAD[text]}")


def test_all_that_is_wrong_with_a_part_is_told(write):
    with pytest.raises(UsageError) as caught:
        load(write("rules:\n- when: {contians: x,\n   modle: y}\n  reply: z"), {})
    assert [line.partition(", ")[2] for line in str(caught.value).splitlines()] == [
        "line 2, rules[0].when.contians: there is no such key. Did you mean 'contains'?",
        "line 3, rules[0].when.modle: there is no such key. Did you mean 'model'?",
    ]


def test_bad_json_is_refused_with_file_and_line(write):
    path = write('{"rules": [\n  nope]}', "rules.json")
    with pytest.raises(UsageError, match=r"rules\.json, line 2: this is not JSON: Expecting value\."):
        load(path, {})


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"nope\.yaml cannot be read: No such file"):
        load(tmp_path / "nope.yaml", {})
    (tmp_path / "a.yaml").write_bytes(b"rules: \xff")
    with pytest.raises(UsageError, match=r"a\.yaml are not text in UTF-8"):
        load(tmp_path / "a.yaml", {})


def test_a_template_that_fails_when_it_is_asked_names_file_line_and_key(write):
    from pytest_llmmock import ScriptError

    path = write('rules:\n- reply: a\n  when: {model: other}\n- reply: {text: "{{ json.nope }}"}')
    with pytest.raises(ScriptError) as caught:
        replied(loaded(path), chat())
    assert str(caught.value).startswith(f"{path}, line 4, rules[1].reply: the template '{{{{ json.nope }}}}'")


def test_a_file_that_was_changed_is_read_again(write):
    assert said(loaded(write("default: one")), chat()) == "one"
    assert said(loaded(write("default: other")), chat()) == "other"


def test_the_settings_name_the_file(write, tmp_path):
    from openai import OpenAI

    with (
        use_cassette(tmp_path / "none.yaml", rules=write(WEATHER)) as mock,
        OpenAI(api_key="test", base_url="https://api.openai.com/v1") as client,
    ):
        answer = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
        assert answer.choices[0].message.content == "You said: hi"
        assert mock.requests.last.source == "script"


def test_a_file_can_say_where_words_are_from_and_how_probable_they_were(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(
        """
rules:
  - reply: {text: "Hello", annotations: {url: "https://example.com", title: "Hi"}, logprobs: [["Hel", -1], ["lo", -2]]}
"""
    )
    [rule], _ = load(path, {})
    script = Script()
    script.add(rule)
    choice = replied(script, chat()).json()["choices"][0]
    assert choice["message"]["annotations"][0]["url_citation"]["url"] == "https://example.com"
    assert [each["logprob"] for each in choice["logprobs"]["content"]] == [-1, -2]


def test_tokens_that_a_template_changes_are_told(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text('rules: [{reply: {logprobs: [["{{ model }}", -1]]}}]')
    [rule], _ = load(path, {})
    script = Script()
    script.add(rule)
    with pytest.raises(ScriptError, match=re.escape("the text has become 'gpt-5'")):
        script.answer(chat())
